"""The memory of a device, which has a budget of its own: from the state up to whole arrays."""

import gc
import threading

import numpy as np
import pytest

import gpuscale
import gpuscale.array as ga
from gpuscale.array.api import protocols
from gpuscale.backends.creation import namespace
from gpuscale.base import config
from gpuscale.base.errors import MemoryBudgetError
from gpuscale.diagnostics.record import Recorder
from gpuscale.engines import get_engine, spilling
from gpuscale.engines.job import Job
from gpuscale.engines.relief import relieve
from gpuscale.engines.state import State
from gpuscale.engines.states import Status
from gpuscale.engines.sync import run_here
from gpuscale.expr import stages
from gpuscale.expr.physical import Sink
from gpuscale.graph.build import build
from gpuscale.graph.numbering import number
from gpuscale.graph.task import Task
from gpuscale.io.memory import host_writer
from gpuscale.memory.parked import Parked
from gpuscale.memory.spaces import DEVICE
from gpuscale.testing import fake_device

SIZE = 128 << 10  # bytes of one chunk: results of that size go away where room is short


@pytest.fixture
def known(request):
    """The device is known, but maybe not in use."""
    gc.collect()  # what earlier tests left is no part of the memory in use
    if request.config.getoption("--backend") == "fake":  # active for the whole run
        yield fake_device.fake
        return
    with fake_device.active():
        yield fake_device.fake


@pytest.fixture
def xp(known):
    return namespace("fake")


# the state


def make_state(*tasks, keys, **options):
    return State(number({t.key: t for t in tasks}, keys), range(len(tasks)), **options)


def test_each_space_has_a_budget_of_its_own():
    host, device = Task("h", int, nbytes=80), Task("d", int, nbytes=80, space=DEVICE)
    state = make_state(host, device, keys="hd", budget=100, device_budget=100)
    assert (state.start(), state.reserved) == ([0], [80, 0])
    assert (state.start(), state.reserved) == ([1], [80, 80])
    state.finish_all([(0, 70), (1, 60)])
    assert (state.alive, state.reserved) == ([70, 60], [0, 0])


def test_who_frees_the_device_overtakes_though_the_host_gets_more():
    up = Task("up", int, nbytes=60, space=DEVICE)
    big = Task("big", int, nbytes=60, space=DEVICE)
    more = Task("more", int, nbytes=60)
    down = Task("down", int, deps=("up",), nbytes=60)
    state = make_state(up, big, more, down, keys=["big", "more", "down"], device_budget=100)
    assert state.start() == [0]
    state.finish(0, 60)
    assert state.start() == [3], "big has no room, and more would not help it"
    assert state.start() == []
    state.finish(3, 60)
    assert (state.start(), state.start()) == ([1], [2])


def shelf_state(monkeypatch, shelf, budget=1000):
    """Four chunks on the device, which has room for two; the first is needed last."""
    monkeypatch.setattr(spilling, "SMALLEST", 1)
    monkeypatch.setattr(spilling, "_SOON", 0)
    chunks = [Task(i, int, nbytes=40, space=DEVICE) for i in range(4)]
    gate = Task("gate", AllThere(), (3,))  # until when nothing is used
    uses = [Task(("use", i), int, deps=(3 - i, "gate"), nbytes=1, space=DEVICE) for i in range(4)]
    keys = [task.key for task in uses]
    state = make_state(*chunks, gate, *uses, keys=keys, budget=budget, device_budget=81)
    state.spills, state.shelf = True, shelf
    for i in (0, 1):
        assert state.start() == [i]
        state.finish(i, 40)
    assert state.start() == []
    return state


def test_what_is_needed_last_goes_to_the_host_then_to_disk(monkeypatch):
    state = shelf_state(monkeypatch, shelf=50)
    assert state.spill() == 0 and state.goes_on_shelf(0)
    assert state.alive == [40, 80], "on its way it is in both"
    assert state.spilled(0) == [] and state.alive == [40, 40]
    assert state.start() == [2]
    state.finish(2, 40)
    assert state.start() == []
    assert state.spill() == 0, "the shelf is full, and 0 is needed last"
    assert not state.goes_on_shelf(0) and state.status(0) == Status.SPILLED
    assert state.spilled(0) == [] and state.alive == [0, 80]
    assert state.spill() == 1 and state.goes_on_shelf(1)
    assert state.spilled(1) == [] and state.alive == [40, 40]


def test_what_is_away_is_brought_back_where_it_belongs(monkeypatch):
    state = shelf_state(monkeypatch, shelf=50)
    state.spilled(state.spill())
    for task, nbytes in ((2, 40), (None, 0), (3, 40), (4, 0), (5, 1), (6, 1), (7, 1)):
        if task is None:
            state.spilled(state.spill())  # 0 goes on to disk,
            state.spilled(state.spill())  # and 1 to the shelf
            continue
        assert state.start() == [task]
        assert state.reserved == [0, 41 if task == 7 else nbytes]
        state.finish(task, nbytes)
    assert state.alive == [0, 3], "1 is let go, on the host"


@pytest.mark.parametrize(("shelf", "budget"), [(0, 1000), (50, 10)])
def test_without_room_on_the_host_it_goes_to_disk_at_once(monkeypatch, shelf, budget):
    state = shelf_state(monkeypatch, shelf, budget)
    assert state.spill() == 0 and not state.goes_on_shelf(0)
    state.spilled(0)
    assert state.alive == [0, 40]


def test_what_cannot_go_stays_and_takes_no_place_on_the_shelf(monkeypatch):
    state = shelf_state(monkeypatch, shelf=50)
    state.unspilled(state.spill())
    assert state.alive == [0, 80] and state.spill() == 1


# jobs


def chunk(xp, value):
    return xp.full(SIZE // 8, float(value))


def total(*chunks):
    return float(sum(each.sum() for each in chunks))


def made_before_used(xp, n):
    """Chunks that are all made before the first is used: by tasks that wait for all."""
    graph = {i: Task(i, chunk, (), (xp, i), SIZE, space=DEVICE) for i in range(n)}
    graph["all"] = Task("all", AllThere(), tuple(range(n)), nbytes=1)
    for i in range(n):
        graph["use", i] = Task(("use", i), first_total, (i, "all"), (), 8)
    return graph, [("use", i) for i in range(n)]


class AllThere:
    reads_regions = True  # so that it needs none of them as a whole

    def __call__(self, *chunks):
        return len(chunks)


def first_total(x, _):
    return total(x)


@pytest.mark.parametrize("name", ["sync", "threads"])
@pytest.mark.parametrize("shelf", [0, 3 * SIZE, "1 GiB"])
def test_results_leave_the_device_and_come_back(xp, name, shelf):
    graph, keys = made_before_used(xp, 12)
    options = {"device-memory-limit": 4 * SIZE, "device-spill-to-host": shelf, "num-workers": 2}
    transfers = fake_device.TRANSFERS
    with config.set(options), Recorder() as recorder, fake_device.POOL.limited_to(5 * SIZE):
        transfers.clear()
        found = get_engine(name).run(graph, keys, listeners=[recorder])
        fetched, sent = transfers.nbytes("get"), transfers.nbytes("asarray")
    assert found == [i * SIZE / 8 for i in range(12)]
    (run,) = recorder.runs
    left = [each for each in run.spilled if each.space == DEVICE]
    assert len(left) >= 8 and {each.nbytes for each in left} == {SIZE}
    assert any(each.stored for each in run.spilled) == (shelf != "1 GiB")
    assert fetched == sum(each.nbytes for each in left), "nothing else went to the host"
    back = [each for each in run.loaded if each.space == DEVICE]
    assert sent == sum(each.nbytes for each in back) == fetched


def test_results_that_lie_elsewhere_than_projected_count_where_they_are(xp):
    graph = {i: Task(i, chunk, (), (xp, i)) for i in range(6)}  # as functions of users are
    with config.set({"device-memory-limit": 3 * SIZE}):
        job = Job(graph, list(graph), (), 1 << 30, keeps=True)
        results = run_here(job)
    assert job.state.alive == [6 * SIZE, 0], "those who read them have all of the device"
    assert all(isinstance(each, Parked) for each in results)
    assert [float(each.load()[0]) for each in results] == [0, 1, 2, 3, 4, 5]


def test_a_device_that_only_functions_of_users_use_has_a_limit_as_well(known):
    with fake_device.POOL.limited_to(5 * SIZE):
        graph = {i: Task(i, chunk, (), (known, i)) for i in range(4)}
        job = Job(graph, list(graph), (), 1 << 30)
        run_here(job)
        assert job.limits[DEVICE] == int(0.8 * fake_device.POOL.limit)


def test_room_can_be_made_at_any_time(xp):
    freed = []

    def relieves(first):
        freed.append(relieve(job, 2 * SIZE))
        freed.append(relieve(job, 100 * SIZE))
        return total(first)

    graph = {i: Task(i, chunk, (), (xp, i), SIZE, space=DEVICE) for i in range(5)}
    graph["all"] = Task("all", AllThere(), tuple(range(5)), nbytes=1)
    graph["relieves"] = Task("relieves", lambda x, _: relieves(x), (1, "all"), (), 8)
    job = Job(graph, [*range(5), "relieves"], (), 1 << 30)
    results = run_here(job)
    assert freed == [2 * SIZE, 2 * SIZE], "what the task itself reads stays"
    assert results[-1] == SIZE / 8
    assert [float(each[0]) for each in results[:-1]] == [0, 1, 2, 3, 4]


def test_a_device_that_runs_out_writes_results_away_and_goes_on(xp):
    graph, keys = made_before_used(xp, 9)
    options = {"device-memory-limit": "1 GiB", "num-workers": 2}  # more than there is
    with config.set(options), Recorder() as recorder, fake_device.POOL.limited_to(5 * SIZE):
        found = get_engine("threads").run(graph, keys, listeners=[recorder])
    assert found == [i * SIZE / 8 for i in range(9)]
    assert len(recorder.runs[0].spilled) >= 4


# clients


def test_what_futures_hold_on_the_device_goes_away_and_comes_back(xp):
    with gpuscale.Client(threads_per_worker=2, device_memory_limit=3 * SIZE) as client:
        futures = client.map(lambda i: chunk(xp, i), range(9), pure=False)
        gpuscale.wait(futures)
        state = client._session.job.state
        client.submit(int).result()
        deadline = threading.Event()
        for _ in range(600):
            if state.alive[DEVICE] <= 3 * SIZE:
                break
            deadline.wait(0.1)
        assert state.alive[DEVICE] <= 3 * SIZE and state.alive[0] >= 6 * SIZE
        assert [float(each.result()[0]) for each in futures] == [*range(9)]
        assert type(futures[0].result()) is fake_device.ndarray


# arrays


def test_a_plan_beyond_the_device_is_refused(xp):
    x = ga.ones((1000, 1000), chunks=1000, like="fake")
    with (
        config.set({"device-memory-limit": "1 MB"}),
        pytest.raises(MemoryBudgetError, match="on the device.*option device-memory-limit"),
    ):
        x.map_blocks(lambda block: block.copy(), dtype=float).sum().compute()


def test_what_a_device_hands_over_takes_room_on_the_host(xp):
    x = ga.ones((200, 100), chunks=100, like="fake")
    written = stages.optimize([Sink(x.expr, host_writer(x.expr.meta), x.expr.meta)])
    tasks = build(written).values()
    assert {(t.nbytes, t.workspace) for t in tasks if t.space != DEVICE} == {(0, 80_000)}


SIDE = 8 * 256
HOST_DATA = np.random.default_rng(7).random((SIDE, SIDE))


def centred(x):
    return (x.T - x.mean(axis=0)).max(axis=1)


def in_order(x):
    return np.sort(x)[::1000]


def in_columns(x):
    if isinstance(x, np.ndarray):
        return (x - x.mean(axis=0)).max(axis=1)
    columns = x.rechunk((SIDE, 32))
    return columns.map_blocks(lambda c: c - c.mean(axis=0), dtype=float).max(axis=1)


CASES = [
    pytest.param(HOST_DATA, (256, 256), centred, 0.5, id="centred"),
    pytest.param(HOST_DATA, (256, 256), in_columns, 0.5, id="in columns"),
    pytest.param(HOST_DATA.reshape(-1), HOST_DATA.size // 40, in_order, 0.9, id="in order"),
]


@pytest.mark.parametrize(("data", "chunks", "function", "limit"), CASES)
@pytest.mark.parametrize("name", ["sync", "threads"])
def test_arrays_five_times_the_device(xp, data, chunks, function, limit, name):
    lazy = function(ga.asarray(data, chunks=chunks, like="fake"))
    transfers = fake_device.TRANSFERS
    transfers.clear()
    with config.set({"device-memory-limit": "1 GiB", "num-workers": 2}):
        expected = lazy.compute(engine=name)
    np.testing.assert_allclose(expected, function(data), rtol=1e-12)
    without_limit = transfers.nbytes("get")
    transfers.clear()
    gc.collect()
    rescues = fake_device.POOL.emptied
    pool = fake_device.POOL.limited_to(data.nbytes // 5)
    with pool, config.set({"device-memory-limit": limit, "num-workers": 2}), Recorder() as recorder:
        found = lazy.compute(engine=name)
    np.testing.assert_array_equal(found, expected)
    assert fake_device.POOL.emptied == rescues, "the device ran out of memory"
    (run,) = recorder.runs
    left = sum(each.nbytes for each in run.spilled if each.space == DEVICE)
    assert left > 0
    # The sample of a sort is smaller where there is less room for it.
    assert transfers.nbytes("get") <= without_limit + left, "the host got more than was spilled"


def test_persisted_arrays_stay_on_the_device(xp):
    x = ga.asarray(HOST_DATA, chunks=(256, 256), like="fake")
    with fake_device.POOL.limited_to(HOST_DATA.nbytes // 5):
        kept = x[:, : SIDE // 16].persist()
        fake_device.TRANSFERS.clear()
        total = kept.sum()
        np.testing.assert_allclose(total.compute(), HOST_DATA[:, : SIDE // 16].sum())
        assert fake_device.TRANSFERS.nbytes() == 8, "the sum alone came to the host"


@pytest.mark.parametrize("name", ["sync", "threads"])
@pytest.mark.parametrize("shelf", [0, 6 * SIDE * SIDE, "1 GiB"])  # bytes of the host
def test_persisted_arrays_five_times_the_device(xp, name, shelf):
    options = {"device-memory-limit": 0.5, "device-spill-to-host": shelf, "num-workers": 2}
    rescues = fake_device.POOL.emptied
    with fake_device.POOL.limited_to(HOST_DATA.nbytes // 5), config.set(options):
        kept = ga.asarray(HOST_DATA, chunks=(256, 256), like="fake").persist(engine=name)
        chunks = kept.expr.reader._chunks.values()
        assert fake_device.POOL.used == 0, "those who read it have all of the device"
        stored = sum(each.stored for each in chunks)
        assert (stored == 0) == (shelf == "1 GiB")
        fake_device.TRANSFERS.clear()
        piece = kept[100:900:3, 250:259].compute(engine=name)
        np.testing.assert_array_equal(piece, HOST_DATA[100:900:3, 250:259])
        assert fake_device.TRANSFERS.nbytes("asarray") < 4 * piece.nbytes, "a region came back"
        total = kept.sum().compute(engine=name)
        np.testing.assert_allclose(total, HOST_DATA.sum())
        found = in_columns(kept).compute(engine=name)
        np.testing.assert_allclose(found, in_columns(HOST_DATA), rtol=1e-12)
        assert kept.persist().expr is kept.expr
    assert fake_device.POOL.emptied == rescues, "the device ran out of memory"


def test_memory_that_others_look_at_stays_though_it_was_away(xp):
    filled = [ga.full(SIZE // 8, k, chunks=-1, like="fake") for k in range(4, 9)]
    copies = [each.map_blocks(abs, dtype=int) for each in filled]
    with fake_device.POOL.limited_to(6 * SIZE), config.set({"device-memory-limit": 4 * SIZE}):
        x, *_ = gpuscale.persist(*copies, engine="sync")
        assert isinstance(x.expr.reader._chunks[0,], Parked)
        chunk = protocols._chunk_of(x)
        assert fake_device.POOL.used == SIZE
        view = protocols._chunk_of(x)
        view[0] = 44
        assert int(chunk[0]) == 44 and fake_device.POOL.used == SIZE
        view[0] = 4
        assert x.sum().compute() == 4 * SIZE // 8
