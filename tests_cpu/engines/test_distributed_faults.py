"""What goes wrong on a cluster: errors that say so, and right answers all the same."""

import os
import signal
import sys
import threading
import time
import uuid

import numpy as np
import pytest

import gpuscale as gs
import gpuscale.array as ga
import gpuscale.cluster
import gpuscale.graph.shuffle
from gpuscale.base.errors import EngineError, MemoryBudgetError, TaskTimeoutError

distributed = pytest.importorskip("distributed", exc_type=ModuleNotFoundError)

from gpuscale.engines.distributed import DistributedEngine  # noqa: E402
from gpuscale.engines.reserving import PROCESS  # noqa: E402

A = np.random.default_rng(0).random((200, 50))
LIMIT = (2 << 30) + PROCESS


@pytest.fixture(scope="module")
def client():
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    options |= {"resources": {"GPU": 1}, "memory_limit": LIMIT}
    # Not that of distributed, which gives up workers that are slow to come again.
    cluster = gpuscale.cluster.LocalCluster(**options)
    with cluster, distributed.Client(cluster) as client:
        yield client


@pytest.fixture
def engine(client):
    return DistributedEngine(client)


def wait_until(condition):
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def slow(chunk):
    time.sleep(0.1)
    return chunk + 1


def test_a_worker_that_dies_takes_data_of_this_process_along(client, engine):
    a = np.random.default_rng(1).random((200, 1000))
    x = ga.from_array(a, chunks=(10, 1000)).map_blocks(slow, dtype=float)
    pid = next(iter(client.run(os.getpid).values()))
    timer = threading.Timer(0.5, os.kill, (pid, signal.SIGKILL))
    timer.start()
    np.testing.assert_array_equal(x.compute(engine=engine), a + 1)
    timer.join()


def test_a_worker_that_dies_takes_pieces_of_a_rechunk_along(client, engine, monkeypatch):
    monkeypatch.setattr(gpuscale.graph.shuffle, "LEAST_PIECE", 0)
    x = ga.from_array(A[:30, :30], chunks=(1, 30)).map_blocks(slow, dtype=float)
    y = x.rechunk((30, 1)).map_blocks(slow, dtype=float)
    for seconds in (0.5, 2.0):  # while pieces are handed over, and while blocks are taken
        pid = next(iter(client.run(os.getpid).values()))
        timer = threading.Timer(seconds, os.kill, (pid, signal.SIGKILL))
        timer.start()
        np.testing.assert_array_equal(y.compute(engine=engine), A[:30, :30] + 2)
        timer.join()
        client.wait_for_workers(2)


def kill_holder(client, kept):
    """Kill the worker that holds the first chunk of an array."""
    (worker,) = client.who_has(gs.cluster.futures_of(kept)[:1]).popitem()[1]
    os.kill(client.run(os.getpid)[worker], signal.SIGKILL)


def test_persisted_data_of_this_process_go_with_their_workers(client, engine):
    a = np.arange(400_000.0).reshape(4, -1)
    (kept,) = gs.persist(ga.from_array(a, chunks=(1, -1)) + 1, engine=engine)
    assert kept.sum().compute(engine=engine) == pytest.approx((a + 1).sum())
    kill_holder(client, kept)
    for use in (lambda: (kept * 2).sum().compute(engine=engine), lambda: np.asarray(kept)):
        with pytest.raises(EngineError, match="persisted is lost with its worker.* it again"):
            use()
    with pytest.raises(EngineError, match="persisted is lost") as caught:
        kept.sum().compute(engine=engine)
    assert "test_distributed_faults.py" in caught.value.__notes__[0]
    client.wait_for_workers(2)


def test_little_data_of_this_process_outlive_their_workers(client, engine):
    (kept,) = gs.persist(ga.from_array(A, chunks=50) + 1, engine=engine)
    assert kept.sum().compute(engine=engine) == pytest.approx((A + 1).sum())
    kill_holder(client, kept)
    assert kept.sum().compute(engine=engine) == pytest.approx((A + 1).sum())
    client.wait_for_workers(2)


class WithLock(Exception):  # noqa: N818 - the user's own
    def __init__(self, text):
        super().__init__(text)
        self.lock = threading.Lock()


def fail_oddly(text):
    raise WithLock(text)


class OfTwo(Exception):  # noqa: N818 - the user's own
    def __init__(self, text, number):
        super().__init__(text)
        self.number = number


def fail_with_two(text):
    raise OfTwo(text, 2)


def test_an_exception_whose_class_takes_more_than_it_hands_on(engine):
    with pytest.raises(OfTwo, match="no luck") as caught:
        gs.delayed(fail_with_two)("no luck").compute(engine=engine)
    assert caught.value.number == 2
    assert "test_distributed_faults.py" in caught.value.__notes__[0]


def test_an_exception_that_cannot_be_pickled(engine):
    with pytest.raises(EngineError, match="WithLock: no luck") as caught:
        gs.delayed(fail_oddly)("no luck").compute(engine=engine)
    assert "test_distributed_faults.py" in caught.value.__notes__[0]


class OfAnotherProcess:
    """What pickles, and cannot be read in a process other than its own."""

    def __init__(self):
        self.home = os.getpid()

    def __setstate__(self, state):
        if state["home"] != os.getpid():
            raise ValueError("there is no such device here")


def test_a_result_that_cannot_be_read_here(engine):
    with pytest.raises(ValueError, match="no such device here") as caught:
        gs.compute(*[gs.delayed(OfAnotherProcess)() for _ in range(3)], engine=engine)
    assert "in operation OfAnotherProcess, written at" in caught.value.__notes__[0]


def test_a_task_that_wants_to_exit_fails_alone(client, engine):
    before = client.run(os.getpid)
    with pytest.raises(EngineError, match="SystemExit: 3"):
        gs.delayed(sys.exit)(3).compute(engine=engine)
    assert client.run(os.getpid) == before


def test_one_failure_among_many_takes_no_other_results_along(engine):
    words = "12x4" * 50
    calls = [gs.delayed(int)(word) for word in words]
    results = gs.compute(*calls, engine=engine, on_error="continue")
    assert [each for each in results if isinstance(each, int)] == [1, 2, 4] * 50
    failures = [each for each in results if not isinstance(each, int)]
    assert {repr(each.error) for each in failures} == {
        "ValueError(\"invalid literal for int() with base 10: 'x'\")"
    }


def test_resources(engine):
    with gs.annotate(resources={"GPU": 1}):
        runs = gs.delayed(len)([1, 2])
    assert runs.compute(engine=engine) == 2
    with gs.annotate(resources={"TPU": 1}):
        never = gs.delayed(len)([1, 2])
    for start in (never.compute, never.persist):
        with pytest.raises(EngineError, match="'TPU': 1}, which no worker of the cluster has"):
            start(engine=engine)


def test_retries_timeouts_and_priorities(engine, tmp_path):
    def flaky():
        (tmp_path / f"{time.monotonic_ns()}").touch()
        if len(os.listdir(tmp_path)) < 3:
            raise OSError("once more")
        return 7

    with gs.annotate(retries=3, backoff=0.01, priority=2):
        assert gs.delayed(flaky)().compute(engine=engine) == 7
    with gs.annotate(timeout=0.1):
        late = gs.delayed(time.sleep)(2)
    with pytest.raises(TaskTimeoutError, match="took longer than its timeout"):
        late.compute(engine=engine)


def test_a_plan_that_no_worker_has_room_for_is_refused(engine):
    x = ga.ones((30_000, 30_000), chunks=-1).map_blocks(np.negative)
    with pytest.raises(MemoryBudgetError, match=r"has for tasks is 2\.0 GiB.*give workers more"):
        x.sum().compute(engine=engine)
    with gs.annotate(memory="3 GiB"):
        hungry = gs.delayed(len)("ab")
    with pytest.raises(MemoryBudgetError, match="what the smallest worker has"):
        hungry.compute(engine=engine)


def test_a_task_whose_inputs_say_that_it_takes_too_much(engine):
    x = ga.arange(400_000, chunks=20_000)
    with pytest.raises(MemoryBudgetError, match="sort the elements"):
        ga.unique(x).compute(engine=engine, memory_limit="2 MB")


def test_results_keep_to_the_limit_of_this_process(engine):
    x = ga.ones((2000, 1000), chunks=100) + 1
    with pytest.raises(MemoryBudgetError, match=r"the result would take 15\.3 MiB"):
        x.compute(engine=engine, memory_limit="10 MiB")
    assert x.sum().compute(engine=engine, memory_limit="10 MiB") == 4_000_000


def test_options_hold_in_tasks(engine):
    ask = gs.delayed(lambda: gs.config.get("codegen.min-elements"), pure=False)
    with gs.config.set({"codegen.min-elements": 12}):
        assert ask().compute(engine=engine) == 12
    assert ask().compute(engine=engine) == 1_000_000


def interrupt_when_busy(client):
    """Press Ctrl-C while this thread waits for results.

    Not before: an exception in a callback of the collector of garbage is ignored.
    """

    def interrupt():
        deadline = time.monotonic() + 30
        while not any(client.processing().values()) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()


def test_ctrl_c_cancels(client, engine):
    x = ga.ones((400, 10), chunks=(2, 10)).map_blocks(slow, dtype=float)
    interrupt_when_busy(client)
    with pytest.raises(KeyboardInterrupt):
        x.compute(engine=engine)
    deadline = time.monotonic() + 20
    while any(client.processing().values()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(client.processing().values())


def test_batches_that_nobody_waits_for_end_after_a_task(client, engine, tmp_path):
    def held(chunk):
        (tmp_path / uuid.uuid4().hex).touch()
        wait_until(lambda: (tmp_path.parent / f"{tmp_path.name}-go").exists())
        return chunk

    def all_cancelled():
        states = client.run(lambda dask_worker: {t.state for t in dask_worker.state.tasks.values()})
        return all("cancelled" in each for each in states.values())

    x = ga.ones((400, 10), chunks=(2, 10)).map_blocks(held, dtype=float)
    (kept,) = gs.persist(x, engine=engine)
    wait_until(lambda: len(list(tmp_path.iterdir())) == 2)  # a task on each worker
    del kept
    wait_until(all_cancelled)
    (tmp_path.parent / f"{tmp_path.name}-go").touch()
    workers = client.scheduler_info()["workers"]
    client.gather([client.submit(int, workers=[each], pure=False) for each in workers])
    assert len(list(tmp_path.iterdir())) == 2


def test_ctrl_c_while_results_are_let_go(engine, monkeypatch):
    """Where Python lets go of them, in `__del__`, it would ignore the exception."""
    release = distributed.Future.release
    main = threading.main_thread()

    def interrupted(future):
        if not future._cleared and threading.current_thread() is main:
            monkeypatch.undo()
            signal.raise_signal(signal.SIGINT)
        release(future)

    calls = [gs.delayed(slow)(i) for i in range(8)]
    monkeypatch.setattr(distributed.Future, "release", interrupted)
    with pytest.raises(KeyboardInterrupt):
        gs.compute(*calls, engine=engine)


def test_what_is_cancelled_takes_nothing_else_along(client, engine):
    """A scheduler that is asked to cancel what others need as well drops the client."""
    (kept,) = gs.persist(ga.from_array(A, chunks=50) + 1, engine=engine)
    assert kept.sum().compute(engine=engine) == pytest.approx((A + 1).sum())
    with gs.annotate(retries=1):  # each travels alone
        first = [gs.delayed(slow)(i) for i in range(8)]
        last = [gs.delayed(slow)(each) for each in [gs.delayed(slow)(each) for each in first]]
    interrupt_when_busy(client)
    with pytest.raises(KeyboardInterrupt):
        gs.compute(*first, *last, engine=engine)
    assert kept.sum().compute(engine=engine) == pytest.approx((A + 1).sum())
    assert client.status == "running"


def test_a_cluster_that_ends():
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**options, processes=False) as cluster:
        client = distributed.Client(cluster)
        engine = DistributedEngine(client)
        assert ga.ones(6, chunks=2).sum().compute(engine=engine) == 6
    client.close()
    with pytest.raises(EngineError, match="the client of the cluster is closed"):
        ga.ones(6, chunks=2).sum().compute(engine=engine)


def test_files_and_arrays_of_this_process_are_written_here(engine, tmp_path):
    h5py = pytest.importorskip("h5py")
    x = ga.from_array(A, chunks=30)
    target = np.zeros(A.shape)
    ga.store(x * 2, target, engine=engine)
    np.testing.assert_array_equal(target, A * 2)
    ga.to_hdf5(x * 3, tmp_path / "x.h5", "/x", engine=engine)
    with h5py.File(tmp_path / "x.h5") as file:
        np.testing.assert_array_equal(file["x"][:], A * 3)


def test_what_would_write_into_a_copy_is_refused(engine):
    later = ga.store(ga.from_array(A, chunks=30), np.zeros(A.shape), compute=False)
    with pytest.raises(EngineError, match="it would write into a copy"):
        later.compute(engine=engine)


class Locked:
    """An array of the user's that cannot be sent."""

    shape, dtype = A.shape, A.dtype

    def __init__(self):
        self.lock = threading.Lock()

    def __getitem__(self, key):
        with self.lock:
            return A[key]


def test_what_cannot_be_sent_is_read_here(engine):
    x = ga.from_array(Locked(), chunks=30)
    np.testing.assert_array_equal((x + 1).compute(engine=engine), A + 1)


def test_results_are_explained_from_a_run(client):
    with gs.config.set(engine="distributed"), client.as_current():
        assert "sum" in ga.ones((40, 40), chunks=10).sum().explain(analyze=True)


@pytest.mark.parametrize("analyze", [False, True])
def test_what_the_smallest_worker_may_take_is_explained(client, analyze):
    x = ga.ones((40, 40), chunks=10).sum()
    with gs.config.set(engine="distributed"), client.as_current():
        assert "memory limit 2.0 GiB" in x.explain(analyze=analyze)


def test_products_keep_to_the_memory_of_workers(client, monkeypatch):
    """Where rows of blocks fit the program, and no worker."""
    x = ga.ones((1000, 1000), chunks=100)
    monkeypatch.setattr(DistributedEngine, "_limit", lambda engine: (1 << 20, 1))
    with gs.config.set(engine="distributed"), client.as_current():
        assert "TreeReduce" in str((x @ x).explain())


def test_checkpoints_are_written_by_workers(engine, tmp_path):
    x = ga.from_array(A, chunks=30)
    (kept,) = gs.persist(x + 1, path=tmp_path, engine=engine)
    np.testing.assert_array_equal(kept.compute(engine="threads"), A + 1)
    y = gs.checkpoint(x * 2, tmp_path)
    assert y.sum().compute(engine=engine) == pytest.approx((A * 2).sum())
    np.testing.assert_array_equal(y[3:5].compute(engine="threads"), (A * 2)[3:5])
