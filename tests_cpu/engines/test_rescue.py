"""What is done when a device has no memory left, shown on the fake device."""

import gc
import threading
from functools import partial

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.backends.creation import namespace
from gpuscale.backends.cupy_ops import out_of_memory_type
from gpuscale.base import config
from gpuscale.base.errors import DeviceMemoryError
from gpuscale.diagnostics.record import Recorder
from gpuscale.engines.base import get_engine
from gpuscale.engines.events import EventDesk
from gpuscale.engines.rescue import holdings, rescue
from gpuscale.engines.spiller import Spiller
from gpuscale.graph.numbering import number
from gpuscale.graph.task import Task
from gpuscale.memory.spaces import DEVICE
from gpuscale.testing import fake_device
from gpuscale.testing.fake_device import POOL

ENGINES = ("sync", "threads")


@pytest.fixture(autouse=True)
def promised():
    """Plans keep to more memory than there is, as where others use the device as well."""
    with config.set({"device-memory-limit": "1 GiB"}):
        yield


@pytest.fixture
def xp(request):
    if request.config.getoption("--backend") == "fake":  # active for the whole run
        yield namespace("fake")
        return
    with fake_device.active():
        yield namespace("fake")


def chain(x):
    return np.sqrt(x) + np.sin(x) * 2


@pytest.fixture
def x(xp):
    host = np.random.default_rng(1).random((200, 300))
    return host, ga.asarray(host, chunks=(200, 300), like="fake")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("at", range(1, 6))
def test_any_one_allocation_may_fail(x, engine, at):
    host, lazy = x
    before = POOL.emptied
    with POOL.failing(at):
        np.testing.assert_allclose(chain(lazy).compute(engine=engine), chain(host))
    assert POOL.emptied == before + 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_reductions_run_over_parts(x, engine, axis):
    host, lazy = x
    with POOL.limited_to(host.nbytes + host.nbytes // 2):  # a temporary of the whole is too much
        found = [
            chain(lazy).sum(axis=axis),
            chain(lazy).std(axis=axis),
            (chain(lazy) > 1).any(axis=axis),
            chain(lazy).max(axis=axis),
        ]
        results = [each.compute(engine=engine) for each in found]
    expected = chain(host)
    np.testing.assert_allclose(results[0], expected.sum(axis=axis))
    np.testing.assert_allclose(results[1], expected.std(axis=axis))
    np.testing.assert_array_equal(results[2], (expected > 1).any(axis=axis))
    np.testing.assert_allclose(results[3], expected.max(axis=axis))


@pytest.mark.parametrize("engine", ENGINES)
def test_maps_run_over_parts_of_blocks_with_indices_and_broadcast_rows(xp, engine):
    host, row = np.random.default_rng(2).random((300, 200)), np.arange(200.0)
    x = ga.asarray(host, chunks=(150, 200), like="fake")
    y = ga.asarray(row, like="fake")
    lazy = chain(x) * y + ga.arange(300, chunks=150, like="fake")[:, None]
    expected = chain(host) * row + np.arange(300)[:, None]
    with POOL.limited_to(3 * host.nbytes // 2):
        np.testing.assert_allclose(lazy.compute(engine="sync"), expected)
    np.testing.assert_allclose(lazy.compute(engine=engine), expected)


def hold_all(chunk):
    """What a user's function may do: nothing can split it."""
    return fake_device.fake.concatenate([chunk] * 4)[: len(chunk)]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_does_not_fit_says_who_holds_what(x, engine):
    host, lazy = x
    kept = lazy.rechunk((50, 300)).map_blocks(np.multiply, 2.0, dtype=float)
    whole = kept.rechunk((200, 300)).map_blocks(hold_all, dtype=float)
    with POOL.limited_to(3 * host.nbytes), pytest.raises(DeviceMemoryError) as raised:
        whole.compute(engine=engine)
    text = str(raised.value)
    assert "no memory left for task hold_all, chunk (0, 0), written at" in text
    assert "test_rescue.py" in text
    assert "expected to take 468.8 KiB of result" in text
    assert "limit of the pool" in text
    assert "use smaller chunks (x.rechunk('64 MiB')" in text
    assert isinstance(raised.value, MemoryError)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_smaller_chunks_do_not_help_says_what_does(xp, engine):
    square = np.eye(200) + 1
    gc.collect()  # what an error before holds would be room later
    with POOL.limited_to(3 * square.nbytes // 2), pytest.raises(DeviceMemoryError) as raised:
        ga.linalg.inv(ga.asarray(square, like="fake")).compute(engine=engine)
    text = str(raised.value)
    assert "inv needs axes 0 and 1 whole, and smaller chunks do not help" in text
    assert "use smaller chunks" not in text


@pytest.mark.parametrize("engine", ENGINES)
def test_small_results_do_not_leave_and_smaller_chunks_do_not_help(xp, engine):
    x = ga.ones((300, 300), chunks=(10, 10), like="fake").map_blocks(np.copy, dtype=float)
    gc.collect()
    with POOL.limited_to(300_000), pytest.raises(DeviceMemoryError) as raised:
        x.persist(engine=engine)
    text = str(raised.value)
    assert "in results under 4.0 KiB, which do not leave it" in text
    assert "use larger chunks" in text and "use smaller chunks" not in text


def test_the_ledger_names_operations_and_lines(xp):
    def task(name, line):
        return Task(name, int, label=name, origin=("a.py", line))

    held = [
        (task("add", 3), xp.zeros(10)),
        (task("sum", 4), (xp.zeros(100), xp.zeros(5))),
        (task("add", 3), xp.zeros(20)),
        (task("host", 5), np.zeros(1000)),
        (task("text", 6), "text"),
        (task("none", 7), None),
    ]
    assert holdings(held) == [
        ("sum, written at a.py:4", 1, 840),
        ("add, written at a.py:3", 2, 240),
    ]


def test_results_are_written_away_one_after_the_other(xp):
    """Each time room was made the task is tried again, and no more is written than it takes."""
    left, tries = ["a", "b", "c"], []

    def attempt(function):
        tries.append(len(left))
        if len(left) > 1:
            raise fake_out_of_memory()
        return function()

    def relieve(nbytes):
        return nbytes > 0 and bool(left) and left.pop() is not None

    task = Task("x", lambda: 7, label="x")
    assert rescue(task, attempt, relieve, list, fake_out_of_memory()) == 7
    assert tries == [3, 2, 1]


def fake_out_of_memory():
    return out_of_memory_type()(10, 20, 30)


def test_other_errors_go_their_way(xp):
    def attempt(function):
        raise ZeroDivisionError("no")

    with pytest.raises(ZeroDivisionError):
        rescue(Task("x", int), attempt, lambda _: False, list, fake_out_of_memory())


@pytest.mark.parametrize("engine", ENGINES)
def test_memory_of_the_host_is_another_matter(xp, engine):
    """Nothing is tried again where the host has no memory."""
    calls = [engine]

    def fails(chunk):
        calls.append(len(calls))
        raise MemoryError("Unable to allocate 8 TiB")

    x = ga.ones(3, chunks=3, like="fake").map_blocks(fails, dtype=float)
    with pytest.raises(MemoryError, match="8 TiB") as raised:
        x.compute(engine=engine)
    assert not isinstance(raised.value, DeviceMemoryError)
    assert calls == [engine, 1]


def test_nothing_is_held_by_what_failed(x):
    """The arrays of failed attempts are gone with the error."""
    host, lazy = x
    gc.collect()  # of what other tests left
    before, message = POOL.used, ""
    with POOL.limited_to(host.nbytes + 1000):
        try:
            lazy.map_blocks(hold_all, dtype=float).compute(engine="sync")
        except DeviceMemoryError as error:
            message = str(error)
    assert "hold_all" in message
    gc.collect()
    assert POOL.used == before


@pytest.mark.parametrize("engine", ENGINES)
def test_results_that_nobody_uses_leave_the_device(xp, engine):
    """The budget allows for more than the device has in fact, so tasks meet its own limit."""
    count = 20_000
    nbytes = 8 * count

    def large():
        return int((xp.ones(4 * count) + 0.0).sum())

    graph = {f"x{k}": Task(f"x{k}", partial(xp.full, count, k), nbytes=nbytes) for k in range(6)}
    graph["large"] = Task("large", large, nbytes=8, priority=-1)
    gc.collect()  # what other tests left would go meanwhile
    before = POOL.used
    with POOL.limited_to(9 * nbytes), config.set({"device-memory-limit": "1 GiB"}):
        *held, number = get_engine(engine).run(graph, list(graph))
        assert number == 4 * count
        assert [int(each[0]) for each in held] == list(range(6))  # they are back
        assert POOL.used - before == 6 * nbytes
        assert POOL.peak - before > 8 * nbytes


def test_the_ledger_tells_what_is_held_beside_the_results_of_the_run(xp):
    own = [xp.zeros(100_000)]
    graph = {
        "held": Task("held", partial(xp.ones, 50_000), label="ones", origin=("a.py", 7)),
        "large": Task("large", lambda held: xp.ones(10**6), ("held",), origin=("a.py", 8)),
    }
    with POOL.limited_to(10**6), pytest.raises(DeviceMemoryError) as raised:
        get_engine("sync").run(graph, ["large"])
    lines = str(raised.value).splitlines()
    assert "390.6 KiB in 1 result of ones, written at a.py:7" in lines[2]
    assert "beside these" in lines[3]
    assert len(own) == 1


def test_garbage_is_collected_once_however_many_results_leave(xp, monkeypatch):
    calls, left = [], list(range(100))
    monkeypatch.setattr("gpuscale.engines.rescue.gc.collect", lambda: calls.append(len(left)))

    def attempt(function):
        if left:
            raise fake_out_of_memory()
        return function()

    def relieve(nbytes):
        return bool(left) and left.pop() is not None

    assert (
        rescue(Task("x", lambda: 7, label="x"), attempt, relieve, list, fake_out_of_memory()) == 7
    )
    assert calls == [100]


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_leaves_for_what_never_fits(xp, engine):
    def large():
        return xp.ones(10**6)

    graph = {f"x{k}": Task(f"x{k}", partial(xp.full, 10_000, k), nbytes=80_000) for k in range(5)}
    graph["large"] = Task("large", large, nbytes=8, priority=-1)
    recorder = Recorder()
    with POOL.limited_to(10**6), recorder, pytest.raises(DeviceMemoryError, match="8,000,000"):
        get_engine(engine).run(graph, list(graph), listeners=[recorder])
    assert recorder.runs[0].spilled == []


def test_tasks_side_by_side_give_way_to_one_another(xp):
    """Each needs most of the device, which nobody said; the first two meet there."""
    meet = threading.Barrier(2, timeout=10)
    late = iter([meet.wait, meet.wait])

    def greedy(k):
        first = xp.full(60_000, k)
        next(late, int)()
        return float((first + xp.ones(60_000)).sum())

    graph = {k: Task(k, partial(greedy, k), nbytes=8, space=DEVICE) for k in range(6)}
    gc.collect()
    with POOL.limited_to(4 * 480_000), config.set({"num-workers": 2}):
        found = get_engine("threads").run(graph, list(graph))
    assert found == [60_000.0 * (k + 1) for k in range(6)]


@pytest.mark.parametrize("engine", ENGINES)
def test_requested_results_that_do_not_fit_together_say_so(xp, engine):
    graph = {k: Task(k, partial(xp.full, 10_000, float(k)), label="full") for k in range(9)}
    gc.collect()
    with POOL.limited_to(500_000), pytest.raises(DeviceMemoryError, match="results of full"):
        get_engine(engine).run(graph, list(graph))


@pytest.mark.parametrize("engine", ENGINES)
def test_what_persist_keeps_leaves_the_device_for_those_who_find_no_room(xp, engine):
    host = np.random.default_rng(5).random((400, 100))
    x = ga.asarray(host, chunks=(50, 100), like="fake")
    gc.collect()
    # Two tasks that wait for each other hold a chunk each; and small results never leave.
    with POOL.limited_to(3 * host.nbytes // 2 + 4096):
        kept = x.persist(engine=engine)
        before = POOL.used
        ones = ga.ones((400, 100), chunks=(100, 100), like="fake")
        large = ones.map_blocks(hold_all, dtype=float)
        assert large.sum().compute(engine=engine) == 40_000
        assert POOL.used < before
        np.testing.assert_array_equal((kept + 1).compute(engine=engine), host + 1)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[x > 0.5].compute(),
        lambda x: x.reshape(-1)[x.reshape(-1) > 0.5].compute(),
        lambda x: np.flatnonzero(x > 0.5).compute(),
        lambda x: (x + 1).persist().sum().compute(),
        lambda x: x[x > 0.5].persist().sum().compute(),
        lambda x: x[x[:, 0] > 0.5].compute_chunk_sizes().sum(axis=0).compute(),
    ],
    ids=["mask", "mask of a line", "flatnonzero", "persist", "persisted mask", "counted"],
)
def test_whatever_was_promised_results_find_a_way(xp, engine, function):
    host = np.random.default_rng(6).random((800, 200))
    lazy = ga.asarray(host, chunks=(40, 100), like="fake")
    with config.set({"device-memory-limit": host.nbytes, "engine": engine, "num-workers": 2}):
        expected = function(lazy)
        gc.collect()
        with POOL.limited_to(host.nbytes // 5):
            np.testing.assert_allclose(function(lazy), expected)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("step", [-1, -2])
def test_views_are_written_away_where_there_is_no_room_for_a_copy(xp, engine, step):
    host = np.random.default_rng(3).random((1000, 1000))
    lazy = ga.asarray(host, like="fake", chunks=100)[::step].rechunk(77)
    with POOL.limited_to(800_000):
        np.testing.assert_array_equal(lazy.compute(engine=engine), host[::step])


def test_a_result_that_cannot_be_copied_away_is_no_room_and_no_error(xp):
    task = Task("x", lambda: None, label="x", nbytes=40)
    results = [xp.arange(10)[::2]]
    spiller = Spiller(number({"x": task}, ("x",)), results, EventDesk(()))
    with POOL.limited_to(0):
        assert spiller.write(0, 0, on_shelf=True) is None
