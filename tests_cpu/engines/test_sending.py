"""Parcels hold all that their tasks need: they are pickled, and run one after the other, here."""

import gc
import pickle
import weakref
from itertools import pairwise
from random import Random

import numpy as np
import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.base.errors import EngineError
from gpuscale.engines.remote import BLAMED, perform
from gpuscale.engines.sending import pack
from gpuscale.engines.sync import SyncEngine
from gpuscale.expr import stages
from gpuscale.expr.reads import planned_for_elsewhere
from gpuscale.graph import (
    layouts,  # noqa: F401 - registers the layouts of plans
    shuffle,
)
from gpuscale.graph.build import block_keys, build
from gpuscale.graph.options import TaskOptions
from gpuscale.graph.shuffle import HandOver, Take, WaitForAll
from gpuscale.graph.task import Task
from gpuscale.memory.limits import within_workers


def deliver(parcels, wanted):
    """Do what a cluster does, and return the results."""
    results = {}
    for parcel in parcels:
        work = pickle.loads(pickle.dumps(parcel.work))
        inputs = [pickle.loads(pickle.dumps(results[need])) for need in parcel.needs]
        inputs += [pickle.loads(pickle.dumps(parcel.data))] * len(parcel.data)
        results[parcel.name] = perform(work, *inputs)
    found = [(results[batch], place) for batch, place in wanted]
    return [each if place is None else each[place] for each, place in found]


def parcels_of(*arrays):
    with planned_for_elsewhere():
        roots = stages.optimize([array.expr for array in arrays])
        graph, keys = build(roots), [key for root in roots for key in block_keys(root)]
    return pack(graph, keys, 2)


@pytest.mark.parametrize("seed", range(100))
def test_random_graphs(seed, random_graph):
    rng = Random(seed)
    graph, keys = random_graph(rng, rng.randint(1, 60))
    assert deliver(*pack(graph, keys, rng.randint(1, 3))) == SyncEngine().run(graph, keys)


def test_arrays_of_this_process_are_cut_before_they_are_sent():
    a = np.random.default_rng(0).random((400, 300))
    x = ga.from_array(a, chunks=100)
    parcels, wanted = parcels_of((x + 1).sum(axis=0))
    sent = [len(pickle.dumps((parcel.work, parcel.data))) for parcel in parcels]
    assert max(sent) < a.nbytes / 2
    np.testing.assert_allclose(np.concatenate(deliver(parcels, wanted)), (a + 1).sum(axis=0))


def headline(xp, n):
    x = xp.random.random((n, n))
    return (x + x.T - x.mean(axis=0)).std(axis=0)


@pytest.mark.parametrize("n", [20_000, 40_000])
def test_the_scheduler_has_a_tenth_of_the_tasks_of_dask(n):
    dask = pytest.importorskip("dask")
    da = pytest.importorskip("dask.array", exc_type=ImportError)
    (optimized,) = dask.optimize(headline(da, n))
    with within_workers(12 << 30):
        parcels, _ = parcels_of(headline(ga, n))
    assert len(parcels) <= len(dict(optimized.__dask_graph__())) / 10


def test_batches_of_small_results_do_not_wait_for_their_neighbours():
    """Depth first, most of them would read what the one before gives."""
    with within_workers(12 << 30):
        parcels, _ = parcels_of(headline(ga, 100_000))
    ends: dict[object, int] = {}
    for parcel in parcels:
        begin = max((ends[need] for need in parcel.needs), default=0)
        ends[parcel.name] = begin + len(parcel.tasks)
    n_tasks = sum(len(parcel.tasks) for parcel in parcels)
    assert max(ends.values()) < n_tasks / 3


def test_results_are_saved_as_soon_as_they_are_there(tmp_path):
    x = ga.ones((80, 80), chunks=10).map_blocks(np.negative).map_blocks(np.sort)
    kept = gs.checkpoint(gs.checkpoint(x, tmp_path / "a"), tmp_path / "b")
    parcels, wanted = parcels_of(kept + kept.sum(axis=0))
    tasks = [task for parcel in parcels for task in [*parcel.tasks, None]]
    saves = {task.deps[0]: task for task in tasks if task and task.label == "checkpoint"}
    assert len(saves) == 2 * 64
    for task, follows in pairwise(tasks):
        if task is not None and task.key in saves and task.label != "checkpoint":
            assert follows is saves[task.key]
    found = np.concatenate(deliver(parcels, wanted)[:8], axis=1)
    np.testing.assert_array_equal(found, np.full((10, 80), -81.0))


def test_large_results_are_made_one_after_the_other():
    x = ga.random.default_rng(0).random((20_000, 20_000), chunks=1000).map_blocks(np.sort)
    with within_workers(1 << 30):
        parcels, _ = parcels_of(ga.sort(x, axis=0).sum())
    depth = {}
    for parcel in parcels:
        depth[parcel.name] = max((depth[need] + 1 for need in parcel.needs), default=0)
    first_reader = next(i for i, parcel in enumerate(parcels) if parcel.needs)
    assert first_reader < len(parcels) / 2


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(shuffle, "LEAST_PIECE", 0)


def tall(n=400):
    return ga.ones((n, n), chunks=(2, n)).map_blocks(np.negative)


def wide(n=400):
    return tall(n).rechunk((n, 2))


def test_the_one_that_waits_for_pieces_reads_no_blocks(small_pieces):
    parcels, _ = parcels_of(wide().map_blocks(np.abs), tall())
    tasks = {parcel.name: parcel.tasks for parcel in parcels}
    (waiting,) = (parcel for parcel in parcels if parcel.waits is not None)
    assert [type(task.fn) for task in waiting.tasks] == [WaitForAll]
    assert waiting.needs
    for need in waiting.needs:
        assert [type(task.fn) for task in tasks[need]] == [HandOver]  # tall() is read twice


@pytest.mark.parametrize(("limit", "passes"), [(1 << 20, True), (1 << 24, False)])
def test_pieces_are_passed_where_whole_blocks_would_fill_a_worker(limit, passes):
    x = ga.ones((600, 100), chunks=(100, 100)).map_blocks(np.negative)  # 480 kB, 13 kB a piece
    with within_workers(limit), pytest.MonkeyPatch.context() as patch:
        patch.setattr(shuffle, "LEAST_PIECE", 1 << 13)
        parcels, _ = parcels_of(x.rechunk((600, 17)).map_blocks(np.abs))
    assert any(parcel.waits is not None for parcel in parcels) is passes


def test_blocks_that_are_handed_over_stay_in_their_batch(small_pieces):
    parcels, _ = parcels_of(wide().map_blocks(np.abs))
    handing = [p.tasks for p in parcels if any(isinstance(task.fn, HandOver) for task in p.tasks)]
    assert len(handing) < 40
    assert all(isinstance(tasks[-1].fn, HandOver) for tasks in handing)


def test_a_batch_goes_to_the_worker_that_has_the_pieces_of_one_block(small_pieces):
    parcels, _ = parcels_of(wide().map_blocks(np.abs))
    taking = [p for p in parcels if any(isinstance(task.fn, Take) for task in p.tasks)]
    assert len(taking) == 200
    for parcel in taking:
        assert [isinstance(task.fn, Take) for task in parcel.tasks] == [True, False]


def test_shuffles_of_two_runs_are_two(small_pieces):
    names = set()
    for _ in range(2):
        parcels, _ = parcels_of(wide())
        names.update(parcel.name for parcel in parcels if parcel.waits is not None)
    assert len(names) == 2


def test_small_pieces_cost_more_than_copies_of_blocks():
    parcels, _ = parcels_of(wide())
    assert not [t for p in parcels for t in p.tasks if isinstance(t.fn, HandOver)]


def test_few_blocks_of_a_rechunk_need_no_pieces_of_all(small_pieces):
    parcels, _ = parcels_of(wide().blocks[0, :10])
    assert not [t for p in parcels for t in p.tasks if isinstance(t.fn, HandOver)]


def test_what_is_below_a_node_is_not_sent_with_it():
    x = ga.random.default_rng(0).random((1_000_000,), chunks=1000)
    for _ in range(5):
        x = ga.sort(x).map_blocks(np.negative)
    parcels, _ = parcels_of(x[:2000])
    sizes = [len(each) for parcel in parcels for each in parcel.work.functions]
    assert max(sizes) < 10_000


def test_results_of_steps_end_with_their_last_reader():
    tasks = {0: Task(0, list), 1: Task(1, len, (0,)), 2: Task(2, abs, (1,))}
    parcels, wanted = pack(tasks, [2], 1)
    (work,) = (parcel.work for parcel in parcels)
    assert [step.ends for step in work.steps] == [(), (0,), (1,)]
    assert deliver(parcels, wanted) == [0]


def test_tasks_with_options_are_alone():
    tasks = {i: Task(i, int, options=TaskOptions(retries=1) if i == 3 else None) for i in range(99)}
    parcels, _ = pack(tasks, range(99), 1)
    batches = [[task.key for task in parcel.tasks] for parcel in parcels]
    assert [3] in batches
    assert len(batches) < 25


def test_an_error_names_the_task():
    task = Task("x", divmod, (), (1, 0), label="halve", origin=("mine.py", 7))
    ((parcel,), _) = pack({"x": task}, ["x"], 1)
    with pytest.raises(ZeroDivisionError) as caught:
        perform(parcel.work)
    assert "halve ('x'), written at mine.py:7" in caught.value.__notes__[0]
    assert getattr(pickle.loads(pickle.dumps(caught.value)), BLAMED) == ("x", "halve ('x')")


def test_retries_and_timeouts_happen_where_the_task_runs():
    asked = []

    def flaky():
        asked.append(1)
        if len(asked) < 3:
            raise OSError("once more")
        return len(asked)

    options = TaskOptions(retries=2, backoff=0.001, timeout=20)
    ((parcel,), wanted) = pack({"x": Task("x", flaky, options=options)}, ["x"], 1)
    # The pickle of a function of a test is a copy, with a list of its own.
    assert deliver([parcel], wanted) == [3]


def test_what_cannot_be_pickled_is_named():
    lock = __import__("threading").Lock()
    task = Task("x", lambda: lock, label="locked", origin=("mine.py", 7))
    with pytest.raises(EngineError, match=r"task locked \('x'\) cannot be sent.*pickle") as caught:
        pack({"x": task}, ["x"], 1)
    assert "mine.py:7" in caught.value.__notes__[0]


def test_inputs_at_odd_addresses_are_copied():
    odd = np.frombuffer(b"\0" + np.arange(3.0).tobytes(), np.uint8)[1:].view(float)
    assert not odd.flags.aligned
    task = Task("y", lambda x: (x.flags.aligned, x.sum()), ("x",))
    parcels, wanted = pack({"x": Task("x", list), "y": task}, ["y"], 1)
    work = parcels[0].work._replace(places=(None,), steps=parcels[0].work.steps[1:])
    assert perform(work, odd) == (True, 3.0)
    assert wanted


def test_functions_with_data_stay_no_longer_than_their_batch():
    data = Loaded(bytes(100_000))
    parcels, wanted = pack({"x": Task("x", lambda: data.content[:2])}, ["x"], 1)
    assert deliver(parcels, wanted) == [bytes(2)]
    gc.collect()
    assert list(Loaded.there) == [data]


class Loaded:
    there = weakref.WeakSet()

    def __init__(self, content):
        self.content = content
        Loaded.there.add(self)


def test_a_function_that_cannot_be_read_there_is_named():
    task = Task("x", abs, (), (-1,), label="odd", origin=("mine.py", 7))
    ((parcel,), _) = pack({"x": task}, ["x"], 1)
    work = parcel.work._replace(functions=(pickle.dumps(Unreadable()),))
    with pytest.raises(ModuleNotFoundError, match="no_such_module") as caught:
        perform(work)
    assert "odd ('x'), written at mine.py:7" in caught.value.__notes__[0]


class Unreadable:
    def __reduce__(self):
        return __import__, ("no_such_module",)


def test_arguments_that_no_worker_has_room_for_are_refused():
    task = Task("x", np.sum, (), args=(np.ones(100_000),))
    with within_workers(1 << 20, 1):
        assert len(pack({"x": task}, ["x"], 1)[0]) == 1
    with (
        within_workers(1 << 18, 1),
        pytest.raises(EngineError, match="take 781.2 KiB"),
    ):
        pack({"x": task}, ["x"], 1)
