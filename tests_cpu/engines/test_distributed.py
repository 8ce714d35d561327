"""The distributed engine on a cluster of two processes: results, errors, handles, events."""

import logging
import os
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest

import gpuscale as gs
import gpuscale.array as ga
import gpuscale.graph.shuffle
from gpuscale.base.errors import EngineError
from gpuscale.diagnostics.listening import Watcher
from gpuscale.engines import sending
from gpuscale.engines.base import get_engine
from gpuscale.engines.events import (
    RunFinished,
    RunStarted,
    TaskFailed,
    TaskFinished,
    TaskRetried,
    TaskStarted,
    WorkerJoined,
)

distributed = pytest.importorskip("distributed", exc_type=ModuleNotFoundError)

from gpuscale.engines.distributed import DistributedEngine  # noqa: E402


@pytest.fixture(scope="module")
def client():
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client


@pytest.fixture
def engine(client):
    return DistributedEngine(client)


A = np.random.default_rng(0).random((300, 200))


@pytest.mark.parametrize(
    "compute",
    [
        lambda xp, x: (x + x.T[:200, :200].mean()) * 2,
        lambda xp, x: x - x.mean(axis=0),
        lambda xp, x: xp.sort(x.ravel()),
        lambda xp, x: x @ x.T,
        lambda xp, x: xp.cumsum(x, axis=0),
        lambda xp, x: x[x > 0.5],
        lambda xp, x: xp.unique(xp.round(x, 1)),
        lambda xp, x: xp.percentile(x, [10, 50], axis=1),
        lambda xp, x: x[np.arange(299, -1, -2)],
    ],
)
@pytest.mark.parametrize("chunks", [70, (300, 9), -1])
def test_results_are_those_of_numpy(engine, compute, chunks):
    result = compute(ga, ga.from_array(A, chunks=chunks)).compute(engine=engine)
    np.testing.assert_allclose(result, compute(np, A))


@pytest.fixture
def shuffled(monkeypatch):
    """Shuffles of small arrays; the list of the tasks that waited for pieces."""
    waited = []

    def watched(*args):
        parcels, wanted = sending.pack(*args)
        waited.extend(parcel for parcel in parcels if parcel.waits is not None)
        return parcels, wanted

    monkeypatch.setattr(gs.graph.shuffle, "LEAST_PIECE", 0)
    monkeypatch.setattr("gpuscale.engines.distributed.pack", watched)
    return waited


@pytest.mark.parametrize("dtype", ["f8", "?", "M8[D]"])
@pytest.mark.parametrize("shape", [(20, 20), (20, 5, 4)])
def test_pieces_of_a_rechunk_go_from_worker_to_worker(engine, shuffled, dtype, shape):
    a = np.arange(400).reshape(shape).astype(dtype)
    x = ga.from_array(a, chunks=(1, *shape[1:])).map_blocks(np.copy)
    y = x.rechunk((-1, *[1] * (len(shape) - 1)))
    parts = y.map_blocks(lambda block: block[::-1])
    whole, backwards = gs.compute(y, parts, engine=engine)
    np.testing.assert_array_equal(whole, a)
    np.testing.assert_array_equal(backwards, a[::-1])
    (kept,) = gs.persist(y.T, engine=engine)
    np.testing.assert_array_equal(kept.compute(engine=engine), a.T)
    assert len(shuffled) == 2


def test_rechunks_one_after_the_other(engine, shuffled):
    a = np.random.default_rng(1).random((20, 20))
    x = ga.from_array(a, chunks=(1, 20)).map_blocks(np.negative).rechunk((20, 1))
    y = x.map_blocks(np.sort, axis=0).rechunk((1, 20)).map_blocks(np.sort, axis=1)
    expected = np.sort(np.sort(-a, axis=0), axis=1)
    np.testing.assert_array_equal(y.compute(engine=engine), expected)
    np.testing.assert_array_equal((x + x.T).compute(engine=engine), -a - a.T)
    assert len(shuffled) >= 3


def test_a_block_that_fails_before_a_rechunk(engine, shuffled):
    def some(block):
        if block[0, 0] == 7:
            raise ValueError("seven")
        return block

    x = ga.from_array(np.full((20, 20), np.arange(20)[:, None]), chunks=(1, 20))
    y = x.map_blocks(some, dtype=int).rechunk((20, 1)).map_blocks(np.negative)
    with pytest.raises(ValueError, match="seven") as caught:
        y.compute(engine=engine)
    assert "in operation some, written at" in caught.value.__notes__[0]
    good = ga.ones(10, chunks=5).sum()
    found = gs.compute(good, y.max(), engine=engine, on_error="continue")
    assert found[0] == 10
    assert isinstance(found[1].error, ValueError)
    assert len(shuffled) == 2


def test_new_blocks_of_a_rechunk_that_need_no_block_that_failed(engine, shuffled):
    def some(block):
        if block[0, 0] == 7:
            raise ValueError("seven")
        return block

    a = np.full((20, 20), np.arange(20)[:, None])
    x = ga.from_array(a, chunks=(1, 20)).map_blocks(some, dtype=int)
    y = x.rechunk((10, 2))
    bad, good = gs.compute(y[:10].max(), y[10:].max(), engine=engine, on_error="continue")
    assert isinstance(bad.error, ValueError)
    assert "some" in bad.name
    assert good == 19
    assert len(shuffled) == 1


def test_a_rechunk_is_no_warning(engine, shuffled):
    lines, log = [], logging.getLogger("distributed.shuffle._scheduler_plugin")
    handler = logging.Handler()
    handler.emit = lines.append
    log.addHandler(handler)
    try:
        a = np.arange(100.0).reshape(10, 10)
        y = ga.from_array(a, chunks=(1, 10)).map_blocks(np.copy).rechunk((10, 1))
        np.testing.assert_array_equal(y.compute(engine=engine), a)
        assert len(shuffled) == 1
        assert not lines
        log.warning("Shuffle %s initialized by somebody else", "0123")
        assert len(lines) == 1
    finally:
        log.removeHandler(handler)


def _other_arguments(id, index):
    """What a later release might have."""


@pytest.mark.parametrize("change", ["absent", "other arguments"])
def test_a_release_whose_workers_pass_no_pieces(engine, shuffled, monkeypatch, change):
    from distributed.shuffle import _rechunk

    if change == "absent":
        monkeypatch.delattr(_rechunk, "rechunk_unpack")
    else:
        monkeypatch.setattr(_rechunk, "rechunk_unpack", _other_arguments)
    a = np.arange(400.0).reshape(20, 20)
    y = ga.from_array(a, chunks=(1, 20)).map_blocks(np.copy).rechunk((20, 1))
    np.testing.assert_array_equal(y.compute(engine=engine), a)
    assert not shuffled


@pytest.mark.parametrize("size", [2, 3, (2, 6), (4, 1)])
def test_the_byte_order_of_blocks_with_gaps_stays(engine, size):
    a = np.arange(24, dtype=">i4").reshape(4, 6)
    x = ga.from_array(a, chunks=size)
    for lazy in (x, x[:, 1:5].rechunk((3, 2)), (x + 0).astype(">i4").T[1:, :3]):
        orders = lazy.map_blocks(_order, dtype="S1").compute(engine=engine)
        assert (orders == b">").all()


def _order(block):
    return np.full(block.shape, block.dtype.byteorder, "S1")


def test_limits_of_workers_that_begin_again_are_remembered(engine, monkeypatch):
    limit = engine._limit()
    monkeypatch.setattr(DistributedEngine, "_workers", lambda self: {})
    assert engine._limit() == limit
    assert DistributedEngine(engine.client)._limit()[1] == 1  # which has not seen any


def test_a_plan_is_for_what_processes_of_workers_leave(engine, monkeypatch):
    workers = {
        k: {"memory_limit": limit << 20, "nthreads": 2} for k, limit in enumerate((300, 500))
    }
    monkeypatch.setattr(DistributedEngine, "_workers", lambda self: workers)
    with engine.planning():
        x = ga.ones((4000, 4000), chunks="auto")
        assert np.prod(x.chunksize) * 8 <= (140 << 20) // 32
        with pytest.raises(gs.base.errors.MemoryBudgetError, match=r"has for tasks is 140\.0 MiB"):
            ga.ones(20 << 20, chunks=-1).cumsum().sum().compute(engine=engine)
    with gs.config.set({"engine": "distributed"}):
        said = str(x.explain())
    assert "memory limit 140.0 MiB of a worker's tasks" in said


def test_random_numbers_are_the_same_in_all_processes(engine):
    x = ga.random.default_rng(5).normal(size=(500, 400), chunks=100)
    assert (x.compute(engine=engine) == x.compute(engine="threads")).all()


def test_delayed_calls_and_arrays_mix(engine):
    x = ga.from_array(A, chunks=100)
    add = gs.delayed(lambda a, b: a + b)
    total, text, values = gs.compute(
        add(x.sum(), 1), add("a", "b"), {"k": [add(1, add(2, 3))]}, engine=engine
    )
    assert total == pytest.approx(A.sum() + 1)
    assert (text, values) == ("ab", {"k": [6]})


def test_a_dictionary_of_tasks(engine):
    assert gs.get({"x": 1, "y": (max, "x", 2), "z": (sum, ["x", "y"])}, "z", engine=engine) == 3


def test_persisted_chunks_stay_on_the_workers(client, engine):
    x = ga.from_array(A, chunks=100)
    (kept,) = gs.persist(x + 1, engine=engine)
    np.testing.assert_allclose(kept.sum(axis=0).compute(engine=engine), (A + 1).sum(axis=0))
    held = sum(map(len, client.has_what().values()))
    assert held > 0
    np.testing.assert_allclose(kept[::7, 3].compute(engine=engine), (A + 1)[::7, 3])
    np.testing.assert_allclose(kept[150:].compute(engine="threads"), (A + 1)[150:])
    del kept
    deadline = time.monotonic() + 30
    while sum(map(len, client.has_what().values())) >= held and time.monotonic() < deadline:
        time.sleep(0.05)
    assert sum(map(len, client.has_what().values())) < held


def test_persisted_arrays_of_unknown_size_know_it(engine):
    x = ga.from_array(A, chunks=100)
    (kept,) = gs.persist(x[x > 0.5], engine=engine)
    assert kept.shape == ((A > 0.5).sum(),)
    np.testing.assert_allclose(kept[5:9].compute(engine=engine), A[A > 0.5][5:9])


def test_persisted_calls(engine):
    (kept,) = gs.persist(gs.delayed(dict)(a=1), engine=engine)
    assert (kept["a"] + 1).compute(engine=engine) == 2
    assert kept.compute(engine="threads") == {"a": 1}


def test_files_are_read_and_written_by_workers(engine, tmp_path):
    np.save(tmp_path / "a.npy", A)
    x = ga.from_npy(tmp_path / "a.npy", chunks=100)
    with gs.config.set(engine="distributed"), distributed_default(engine):
        (x * 2).to_zarr(tmp_path / "b.zarr")
        back = ga.from_zarr(tmp_path / "b.zarr")
        np.testing.assert_allclose(back.compute(), A * 2)
        seen = x.map_blocks(lambda chunk: np.full((1, 1), os.getpid()), chunks=(1, 1), dtype=int)
        assert os.getpid() not in seen.compute()


class distributed_default:  # noqa: N801 - reads as a block
    """The engine's client is the one that is open."""

    def __init__(self, engine):
        self.client = engine.client

    def __enter__(self):
        self.block = self.client.as_current()
        self.block.__enter__()

    def __exit__(self, *error):
        self.block.__exit__(*error)


def test_an_error_names_the_line_of_the_user(engine):
    def shifted(chunk):
        return chunk - np.zeros(7)

    with pytest.raises(ValueError, match="could not be broadcast") as caught:
        ga.from_array(A, chunks=100).map_blocks(shifted, dtype=float).compute(engine=engine)
    assert "in operation shifted, written at" in caught.value.__notes__[0]
    assert "test_distributed.py" in caught.value.__notes__[0]


def test_what_failed_stands_in_the_place_of_results(engine):
    bad, good = gs.delayed(int)("no"), gs.delayed(int)("7")
    results = gs.compute(good, bad + 1, bad, engine=engine, on_error="continue")
    assert results[0] == 7
    assert [repr(each).split(":")[0] for each in results[1:]] == ["<Failure of int"] * 2
    assert isinstance(results[1].error, ValueError)


def test_a_task_that_kills_its_workers_is_named(engine):
    die = gs.delayed(os._exit)
    with pytest.raises(EngineError, match="the task .*exit.* was given to 4 workers") as caught:
        die(1).compute(engine=engine)
    assert "test_distributed.py" in caught.value.__notes__[0]
    # The cluster is there afterwards.
    assert (ga.ones(10, chunks=3) + 1).sum().compute(engine=engine) == 20


def test_profilers_hear_of_tasks(engine):
    with gs.diagnostics.Profiler() as profiler:
        ga.random.default_rng(1).random((900, 900), chunks=100).std().compute(engine=engine)
    assert any("uniform" in str(each.key) for each in profiler.results)


def test_an_existing_client_is_an_engine(client):
    x = ga.ones(10, chunks=3)
    assert x.sum().compute(engine=client) == 10
    with client.as_current():
        assert get_engine("distributed").client is client
        assert x.sum().compute(engine="distributed") == 10
    with pytest.raises(EngineError, match="an engine is a name such as 'threads'"):
        get_engine(7)


class Listen(Watcher):
    def __init__(self):
        self.events = []

    def __call__(self, event):
        self.events.append(event)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


def test_events_of_a_run(engine):
    def rested(chunk):
        time.sleep(0.05)  # so that one worker does not do all before the other wakes up
        return chunk

    with Listen() as heard:
        ga.ones((40, 40), chunks=10).map_blocks(rested).sum().compute(engine=engine)
    started, finished, ended = map(heard.of, (RunStarted, TaskFinished, RunFinished))
    assert len(started) == len(ended) == 1
    assert len(finished) == started[0].n_tasks == ended[0].n_finished
    assert all(event.start <= event.stop for event in finished)
    names = {event.worker: event.name for event in heard.of(WorkerJoined)}
    assert sorted(names.values()) == ["0", "1", "this program"]
    assert {event.worker for event in finished} <= set(names)


def told(engine, **options):
    """What is told of calls of which some fail, some are tried again, and some need those."""

    def flaky(folder=[]):  # noqa: B006 - a pickle of it is a copy with a list of its own
        folder.append(1)
        if len(folder) < 3:
            raise OSError("once more")
        return 7

    with gs.annotate(retries=2, backoff=0.001):
        again = gs.delayed(flaky)()
    bad, good = gs.delayed(int)("no"), gs.delayed(int)("7")
    with Listen() as heard, suppress(ValueError):
        gs.compute(again, good, bad, bad + 1, [bad, good], engine=engine, **options)
    return heard


def test_failures_are_told_as_in_process(engine):
    here, there = told("sync", on_error="continue"), told(engine, on_error="continue")
    for kind in (TaskStarted, TaskFinished, TaskFailed, TaskRetried):
        labels = [sorted(event.label for event in each.of(kind)) for each in (here, there)]
        assert labels[0] == labels[1], kind
    for kind, detail in ((TaskFailed, "error"), (TaskRetried, "attempt")):
        said = [
            sorted(repr(getattr(event, detail)) for event in each.of(kind))
            for each in (here, there)
        ]
        assert said[0] == said[1]
    for each in (here, there):
        (ended,) = each.of(RunFinished)
        assert (ended.n_finished, len(ended.failures)) == (4, 1)
    assert all(event.start < event.stop for event in there.of(TaskFailed))


def test_a_failure_that_ends_the_run_is_told(engine):
    failed = told(engine).of(TaskFailed)
    assert "ValueError" in [type(event.error).__name__ for event in failed]


def test_tasks_take_as_long_as_they_are_told_to(engine):
    def slow(k):
        time.sleep(0.03)
        return k

    with gs.diagnostics.Profiler() as profiler:
        each = [gs.delayed(abs)(gs.delayed(slow)(k)) for k in range(60)]
        gs.delayed(sum)(each).compute(engine=engine)
    took = defaultdict(list)
    for result in profiler.results:
        took[result.task.label].append(result.end_time - result.start_time)
    assert len(took["slow"]) == len(took["abs"]) == 60
    assert min(took["slow"]) >= 0.03
    assert sorted(took["abs"])[30] < 0.015


def test_results_hold_what_workers_have_measured(engine):
    y = gs.delayed(np.ones)(1000)
    with Listen() as heard:
        gs.delayed(np.sum)(y).compute(engine=engine)
    nbytes = {event.label: event.nbytes for event in heard.of(TaskFinished)}
    assert nbytes["ones"] == 8000


def test_a_report_names_the_workers(engine, tmp_path):
    pytest.importorskip("bokeh", exc_type=ModuleNotFoundError)
    x = ga.random.default_rng(0).random((300, 300), chunks=50)
    with gs.report(tmp_path / "run.html") as report:
        (x - x.mean(axis=0)).std().compute(engine=engine)
        with pytest.raises(ValueError, match="no"):
            gs.delayed(int)("no").compute(engine=engine)
    names = report.runs[0].worker_names
    assert [names[number] for number in range(2)] == ["0", "1"]
    text = (tmp_path / "run.html").read_text()
    assert "this program" in text
    assert "Failures and retries" in text


def test_several_runs_are_watched_at_once(engine):
    def run():
        with gs.diagnostics.Profiler():
            return float(ga.ones((40, 40), chunks=4).sum().compute(engine=engine))

    with Listen() as heard, ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda _: run(), range(6))) == [1600.0] * 6
    started, ended = heard.of(RunStarted), heard.of(RunFinished)
    assert [event.n_tasks for event in started] == [event.n_finished for event in ended]


def test_no_client_is_open(monkeypatch):
    def nobody():
        raise ValueError("No clients found")

    monkeypatch.setattr(distributed, "default_client", nobody)
    with pytest.raises(EngineError, match=r"needs an open client: with gpuscale\.cluster\.Client"):
        ga.ones(3).sum().compute(engine=DistributedEngine())
