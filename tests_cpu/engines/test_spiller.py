"""Results that go to disk and come back, on both engines."""

import errno
import os
import threading

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.base.errors import MemoryBudgetError, SpillError
from gpuscale.diagnostics.listening import Watcher
from gpuscale.engines import spiller as spiller_module
from gpuscale.engines import spilling
from gpuscale.engines.events import EventDesk, Loaded, RunFinished, Spilled
from gpuscale.engines.spiller import Spiller
from gpuscale.engines.sync import SyncEngine
from gpuscale.engines.threads import ThreadsEngine
from gpuscale.graph.numbering import number
from gpuscale.graph.options import TaskOptions
from gpuscale.graph.task import Task
from gpuscale.memory.spill_folder import spill_folder
from gpuscale.memory.spilled import SpilledArray

KIB, GIB = 1 << 10, 1 << 30
SIZE = 100 * KIB


class Spills(Watcher):
    """Watch what goes to disk and comes back."""

    wants = (Spilled, Loaded)

    def __init__(self):
        self.spilled, self.loaded = [], []

    def __call__(self, event):
        (self.spilled if isinstance(event, Spilled) else self.loaded).append(event)


@pytest.fixture(params=["sync", "threads"])
def run(request):
    engine = SyncEngine() if request.param == "sync" else ThreadsEngine(num_workers=2)

    def run(graph, keys, limit, watcher):
        with config.set({"memory-limit": limit}):
            return engine.run(graph, keys, listeners=[watcher])

    yield run
    engine.close()


@pytest.fixture(autouse=True)
def nothing_stays():
    before = os.listdir(spill_folder().path)
    yield
    assert os.listdir(spill_folder().path) == before


def chunk(k):
    return np.random.default_rng(k).random(SIZE // 8)


def chunks(n, function=chunk):
    return {("x", k): Task(("x", k), function, (), (k,), nbytes=SIZE) for k in range(n)}


class Firsts:
    """Sum the first elements of many arrays, which may be on disk."""

    reads_regions = True

    def __init__(self):
        self.kinds = []

    def __call__(self, *arrays):
        self.kinds += map(type, arrays)
        return sum(float(x[:10].sum()) for x in arrays)


def test_regions_are_read_of_what_is_on_disk(run):
    function, spills = Firsts(), Spills()
    graph = chunks(20)
    graph["y"] = Task("y", function, tuple(graph), nbytes=8)
    (found,) = run(graph, ["y"], 5 * SIZE, spills)
    assert found == sum(float(chunk(k)[:10].sum()) for k in range(20))
    assert 15 <= len(spills.spilled) <= 17
    assert {each.nbytes for each in spills.spilled} == {SIZE}
    assert all(each.start <= each.stop and each.stored <= SIZE for each in spills.spilled)
    assert function.kinds.count(SpilledArray) == len(spills.spilled)
    assert spills.loaded == []


def test_other_functions_get_the_arrays_themselves(run):
    spills = Spills()
    graph = chunks(8)
    for k in range(8):
        graph["sum", k] = Task(("sum", k), np.sum, (("x", k),), nbytes=8)
    graph["all"] = Task("all", lambda *x: sum(x), tuple(("sum", k) for k in range(8)), nbytes=8)
    for k in range(8):
        graph["y", k] = Task(("y", k), lambda x, s: (x - s).sum(), (("x", k), "all"), nbytes=8)
    found = run(graph, [("y", k) for k in range(8)], int(3.1 * SIZE), spills)
    total = sum(chunk(k).sum() for k in range(8))
    assert found == pytest.approx([(chunk(k) - total).sum() for k in range(8)])
    assert len(spills.spilled) >= 5
    assert len(spills.loaded) == len(spills.spilled)
    assert {each.nbytes for each in spills.loaded} == {SIZE}


def test_requested_arrays_come_back(run):
    spills = Spills()
    graph = chunks(6)
    graph["y"] = Task("y", chunk, (), (9,), nbytes=SIZE, workspace=2 * SIZE, priority=-1)
    found = run(graph, list(graph), 7 * SIZE + 100, spills)
    for array, k in zip(found, [0, 1, 2, 3, 4, 5, 9], strict=True):
        np.testing.assert_array_equal(array, chunk(k))
    assert len(spills.spilled) == len(spills.loaded) == 2


def test_requested_objects_stay_the_very_objects(run):
    spills, held = Spills(), {}

    def make(k):
        value = {"x": chunk(k)}
        held[k] = id(value)
        return value

    found = run(chunks(6, make), [("x", k) for k in range(6)], 2 * SIZE, spills)
    assert [id(value) for value in found] == [
        held[k] for k in range(6)
    ]  # threads make them in any order
    assert spills.spilled == []


def test_objects_on_the_way_are_pickled(run):
    spills = Spills()
    graph = chunks(6, lambda k: {"x": chunk(k)})
    for k in range(6):
        graph["n", k] = Task(("n", k), len, (("x", k),), nbytes=8)
    graph["n"] = Task("n", lambda *all: sum(all), tuple(("n", k) for k in range(6)), nbytes=8)
    for k in range(6):
        graph["y", k] = Task(("y", k), lambda x, n: x["x"][n], (("x", k), "n"), nbytes=8)
    found = run(graph, [("y", k) for k in range(6)], int(2.5 * SIZE), spills)
    assert found == [chunk(k)[6] for k in range(6)]
    assert len(spills.spilled) == len(spills.loaded) > 0


def test_what_others_hold_or_cannot_be_pickled_stays(run):
    spills, mine = Spills(), [chunk(k) for k in range(6)]
    lock = threading.Lock()
    for function in (lambda k: mine[k], lambda k: mine[k][::2], lambda k: (lock, mine[k].copy())):
        graph = chunks(6, function)
        graph["y"] = Task("y", lambda *all: len(all), tuple(graph), nbytes=8)
        assert run(graph, ["y"], 2 * SIZE, spills) == [6]
    assert spills.spilled == []


def test_it_can_be_turned_off(run):
    spills = Spills()
    graph = chunks(6)
    graph["y"] = Task("y", Firsts(), tuple(graph), nbytes=8)
    with config.set({"spill": False}):
        run(graph, ["y"], 2 * SIZE, spills)
    assert spills.spilled == []


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_ends_a_run_that_needs_it(run, monkeypatch):
    spills = Spills()
    graph = chunks(6)
    graph["y"] = Task("y", Firsts(), tuple(graph), nbytes=8)
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(SpillError, match="No space left.*temporary-directory"):
        run(graph, ["y"], 2 * SIZE, spills)
    assert spills.spilled == []


def product(x, y):
    """As np.dot, which rounds in another way with another number of threads."""
    return np.sum(x * y)


def test_what_fits_one_at_a_time_goes_on_when_the_disk_is_full(monkeypatch):
    tried, spills = threading.Event(), Spills()

    def write(*_):
        tried.set()
        full()

    def slow():
        assert tried.wait(20)
        return 1

    graph = {"kept": Task("kept", chunk, (), (7,), nbytes=SIZE, priority=5)}
    graph["slow"] = Task("slow", slow, (), nbytes=SIZE, priority=4)
    graph["y"] = Task("y", chunk, (), (8,), nbytes=SIZE, workspace=2 * SIZE, priority=3)
    graph |= {k: Task(k, int, ("slow",), priority=2) for k in range(100)}
    graph["last"] = Task("last", product, ("kept", "y"), nbytes=8)
    monkeypatch.setattr(os, "write", write)
    engine = ThreadsEngine(num_workers=2, memory_limit=4 * SIZE + 100)
    found = engine.run(graph, ["last", *range(100)], listeners=[spills])
    assert found == [product(chunk(7), chunk(8)), *[1] * 100]
    assert spills.spilled == []
    engine.close()


def test_a_failure_leaves_nothing_on_disk(run):
    spills, ends = Spills(), []
    graph = chunks(6)
    graph["y"] = Task("y", Firsts(), tuple(graph), nbytes=8)
    graph["z"] = Task("z", lambda y: y / 0, ("y",))

    def listener(event):
        spills(event) if isinstance(event, Spilled) else ends.append(event)

    listener.wants = (Spilled, RunFinished)
    with pytest.raises(ZeroDivisionError):
        run(graph, ["z"], 3 * SIZE, listener)
    assert spills.spilled and len(ends) == 1


def test_what_cannot_fit_is_refused_before_it_runs():
    x = ga.random.random((2000, 2000), chunks=1000).map_blocks(np.copy, dtype=float)
    for y in (x.rechunk((2000, 500)), x @ x, ga.sort(x.ravel()), x[np.arange(2000)[::-1]]):
        with pytest.raises(MemoryBudgetError, match=r"written at .* needs .* at once"):
            y.sum().compute(memory_limit="3 MB")


def test_threads_do_not_wait_for_each_other(monkeypatch):
    """Many small tasks, some of which go to disk, all of them in time."""
    monkeypatch.setattr(spilling, "SMALLEST", 1)
    engine = ThreadsEngine(num_workers=4, memory_limit=50_000)
    graph = {("x", k): Task(("x", k), np.full, (), (100, k), nbytes=800) for k in range(200)}
    for k in range(200):
        deps = tuple(("x", (k * j) % 200) for j in (1, 7, 31))
        graph["y", k] = Task(("y", k), lambda *x: sum(map(np.sum, x)), deps, nbytes=8)
    for _ in range(3):
        found = engine.run(graph, [("y", k) for k in range(200)])
        assert found == [100 * sum((k * j) % 200 for j in (1, 7, 31)) for k in range(200)]
    engine.close()


def test_what_is_tried_again_when_nothing_runs_gets_room(run):
    attempts = []

    def flaky():
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError("once")
        return chunk(1)

    retries = TaskOptions(retries=1, backoff=0.1)
    graph = {
        "flaky": Task("flaky", flaky, nbytes=SIZE, priority=1, options=retries),
        **{k: Task(k, chunk, (), (k,), nbytes=SIZE) for k in range(2)},
        "sum": Task("sum", lambda *parts: sum(map(np.sum, parts)), (0, 1, "flaky")),
    }
    watcher = Spills()
    with config.set(spill=True):
        (found,) = run(graph, ["sum"], 5 * SIZE // 2, watcher)
    assert found == sum(map(np.sum, map(chunk, (0, 1, 1)))) and len(attempts) == 2


def test_what_the_process_takes_beside_is_no_room_for_tasks(monkeypatch):
    monkeypatch.setattr(spiller_module, "bytes_of_process", lambda: taken * GIB)
    spiller = Spiller(number({}, []), [], EventDesk([]))
    taken = 0.125
    assert spiller.beside(0.25 * GIB, GIB) == 0.0  # memory is not scarce
    assert not spiller.active
    taken = 2.0
    assert spiller.beside(0.75 * GIB, GIB) == 0.4 * GIB  # no more than two fifths of the limit
    assert spiller.beside(9 * GIB, 8 * GIB) == 1.5 * GIB  # until it is measured again
    taken = 1.0
    spiller._give_back()
    assert spiller.beside(0.75 * GIB, 8 * GIB) == 1.475 * GIB  # a fiftieth less, and not 0.25
    assert spiller.beside(GIB, GIB >> 4) == 0.0  # a limit with no room for modules


@pytest.mark.parametrize("limit", [float("inf"), 0.0])
def test_a_run_without_a_limit_or_results_gives_nothing_back(limit):
    spiller = Spiller(number({}, []), [], EventDesk([]))
    assert spiller.beside(0.0, limit) == 0.0
    assert not spiller.active
