"""What clients run is seen by all who watch."""

import io
import logging
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.diagnostics import (
    CacheProfiler,
    Callback,
    Profiler,
    ProgressBar,
    ResourceProfiler,
)
from gpuscale.diagnostics.record import Recorder
from gpuscale.diagnostics.rows import FAILED, FINISHED, RETRIED


def twice(x):
    return 2 * x


@pytest.fixture
def client():
    with gs.Client(threads_per_worker=2, memory_limit="64 MiB") as client:
        yield client


def start_all(client):
    """Start a task in each way; return the futures."""
    a = client.submit(twice, 1)
    b = client.map(twice, [2, 3], pure=False)
    c = client.scatter([4])
    d = client.compute(ga.arange(6, chunks=2).sum())
    e = client.compute(gs.delayed(twice)(5))
    f = client.get({"x": 6, "y": (twice, "x")}, "y", sync=False)
    with client.get_executor() as executor:
        assert executor.submit(twice, 7).result() == 14
    return [a, *b, *c, d, e, f]


def test_a_profiler_sees_every_kind_of_task(client):
    with Profiler() as prof:
        futures = start_all(client)
        results = client.gather(futures)
    assert results == [2, 4, 6, 4, 15, 10, 12]
    labels = [data.task.label for data in prof.results]
    assert labels.count("twice") == 5  # submit, map, compute, executor
    assert {future.key for future in futures} <= {data.key for data in prof.results}
    assert all(data.start_time <= data.end_time for data in prof.results)
    assert {data.worker_id for data in prof.results} <= {0, 1}
    n_tasks = len(prof.results)
    assert client.submit(twice, 8).result() == 16
    assert len(prof.results) == n_tasks  # it is off


@pytest.mark.parametrize("fails", [False, True])
def test_a_task_that_began_before_a_callback_came_waits_no_more_when_it_ends(client, fails):
    begun, go_on = threading.Event(), threading.Event()

    def task():
        begun.set()
        go_on.wait()
        return 1 // (not fails)

    states = []
    future = client.submit(task, pure=False)
    assert begun.wait(20)
    with Callback(finish=lambda graph, state, errored: states.append(state)):
        go_on.set()
        future.exception()
    ended = {future.key} if not fails else set()
    assert states == [{"waiting": set(), "ready": set(), "running": set(), "finished": ended}]


def test_a_callback_sees_the_same_events_as_of_a_compute(client):
    events = []
    with Callback(
        start=lambda graph: events.append(("start", len(graph))),
        pretask=lambda key, graph, state: events.append(("pre", key, key in state["waiting"])),
        posttask=lambda key, result, graph, state, worker: events.append(("post", key, result)),
        finish=lambda graph, state, errored: events.append(("finish", errored)),
    ):
        x = client.submit(twice, 1, key="x")
        x.result()
        y = client.submit(twice, x, key="y")
        y.result()
    assert events == [
        ("start", 1),
        ("pre", "x", True),
        ("post", "x", 2),
        ("pre", "y", True),
        ("post", "y", 4),
        ("finish", False),
    ]


def test_what_a_callback_raises_is_raised_at_the_end_of_its_block(client):
    with pytest.raises(ZeroDivisionError), Callback(posttask=lambda *args: 1 // 0):
        assert client.submit(twice, 1).result() == 2
    assert client.submit(twice, 2).result() == 4


def test_a_client_that_opens_later_is_seen_too():
    with Profiler() as prof:
        with gs.Client(threads_per_worker=1) as client:
            client.submit(twice, 1).result()
        with gs.Client(threads_per_worker=1, set_as_default=False) as client:
            client.submit(twice, 2).result()
    assert len(prof.results) == 2


def test_register_and_unregister(client):
    prof = Profiler()
    prof.register()
    client.submit(twice, 1).result()
    prof.unregister()
    client.submit(twice, 2).result()
    assert len(prof.results) == 1


def test_a_cache_profiler_says_how_long_results_are_held(client):
    with CacheProfiler(metric=len) as cprof:
        x = client.submit(bytes, 100)
        copy = client.submit(bytearray, x)
        assert len(copy.result()) == 100
        held = time.perf_counter()
        x.cancel()
        client.submit(bytes, 7).result()
    by_size = {}
    for data in cprof.results:
        by_size.setdefault(data.metric, []).append(data)
    assert sorted(by_size) == [7, 100]
    assert len(by_size[100]) == 2
    assert all(data.free_time > held for data in by_size[100])


def test_a_cache_profiler_that_fails_says_so(client):
    with pytest.raises(TypeError), CacheProfiler(metric=len):
        client.submit(abs, 100).result()


def test_resources_are_recorded_while_a_client_works(client):
    rprof = ResourceProfiler(dt=0.01)
    rprof.register()
    client.submit(time.sleep, 0.05).result()
    rprof.unregister()
    assert len(rprof.results) >= 2
    assert not any(t.name == "gpuscale-sampler" for t in threading.enumerate())


def test_a_record_of_a_client(client):
    with Recorder() as recorder:
        x = client.submit(np.ones, 100_000, key="x")
        total = client.submit(np.sum, x, key="total")
        with gs.annotate(retries=1, backoff=0.001):
            bad = client.submit(divmod, 1, 0, key="bad")
        assert total.result() == 100_000
        assert isinstance(bad.exception(), ZeroDivisionError)
        del x, total
        client.submit(twice, 1, key="last").result()
    (run,) = recorder.runs
    assert run.grows and run.n_workers == 2 and run.budget == 64 << 20
    rows = {}
    for key, outcome in zip(run.keys, run.outcome.tolist(), strict=True):
        rows.setdefault(key, []).append(outcome)
    assert rows == {
        "x": [FINISHED], "total": [FINISHED], "bad": [RETRIED, FAILED], "last": [FINISHED],
    }  # fmt: skip
    path = [run.keys[row] for row in run.critical]
    assert path in (["x", "total"], ["last"])
    assert run.memory.alive.max() >= 800_000
    assert run.memory.alive[-1] == 0
    first = run.troubles[run.keys.index("bad")]
    assert first.text == "ZeroDivisionError: integer division or modulo by zero"
    assert first.origin[0] == __file__


def test_a_record_keeps_no_results_and_arguments(client):
    class Thing:
        pass

    import weakref

    thing = Thing()
    gone = weakref.ref(thing)
    with Recorder():
        client.submit(id, thing).result()
        del thing
        deadline = time.monotonic() + 10
        while gone() is not None and time.monotonic() < deadline:
            client.has_what()
            time.sleep(0.05)
        assert gone() is None


def test_a_bar_counts_the_tasks_of_a_client(client):
    out = io.StringIO()
    waits = threading.Event()
    before = client.submit(waits.wait, pure=False)
    with ProgressBar(out=out):
        futures = client.map(twice, range(8))
        waits.set()
        client.gather([before, *futures])
    assert "9/9" in out.getvalue().split("\r")[-1]
    assert out.getvalue().endswith("\n")


def test_a_computation_beside_a_client_has_a_bar_of_its_own(client):
    out = io.StringIO()
    with ProgressBar(out=out):
        client.gather(client.map(twice, range(3)))
        gs.compute([gs.delayed(twice)(k) for k in range(5)], engine="sync")
        client.submit(twice, 10).result()
    assert "5/5" in out.getvalue()
    assert "4/4" in out.getvalue()


def test_computations_inside_of_tasks_have_no_bars(client):
    def inner():
        return gs.compute([gs.delayed(twice)(k) for k in range(5)])[0]

    out = io.StringIO()
    with ProgressBar(out=out):
        assert client.submit(inner).result() == [0, 2, 4, 6, 8]
    assert "1/1" in out.getvalue()
    assert "5/5" not in out.getvalue()


def test_clients_log_their_tasks(caplog):
    with (
        caplog.at_level(logging.INFO, "gpuscale.run"),
        gs.Client(threads_per_worker=1) as client,
        gs.annotate(retries=1, backoff=0.001),
    ):
        assert client.submit(divmod, 1, 0).exception() is not None
    said = [record.getMessage() for record in caplog.records]
    assert sum("is tried again" in line for line in said) == 1
    assert sum("failed at" in line for line in said) == 2
    assert any(line.startswith("run is over") for line in said)


def test_a_report_tells_of_a_client(client, tmp_path):
    pytest.importorskip("bokeh", exc_type=ModuleNotFoundError)
    with gs.report(tmp_path / "run.html"):
        client.gather(client.map(twice, range(10)))
    text = (tmp_path / "run.html").read_text()
    assert "<td>twice</td>" in text
    assert "memory limit of 64.0 MiB" in text


def test_a_child_of_a_fork_goes_on_without_listeners(client):
    with Profiler() as prof:
        client.submit(twice, 1).result()
        child = os.fork()
        if not child:
            try:
                prof.unregister()
                os._exit(0)
            except BaseException:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        client.submit(twice, 2).result()
    assert len(prof.results) == 2


def test_what_is_left_open_ends_with_the_program():
    script = (
        "import gpuscale as gs\n"
        "from gpuscale.diagnostics import Callback\n"
        "Callback(finish=lambda *args: print('over', flush=True)).register()\n"
        "client = gs.Client(threads_per_worker=1)\n"
        "client.submit(abs, -1).result()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("over\n", "")


def test_results_on_disk_are_in_memory_again_when_somebody_asks(client):
    def block(k):
        return np.full(2_000_000, k, float)

    with Recorder() as recorder:
        futures = client.map(block, range(8))
        gs.wait(futures)
        deadline = time.monotonic() + 20
        while client._session.job.state.alive[0] > 64 << 20 and time.monotonic() < deadline:
            time.sleep(0.01)
        for k, future in enumerate(futures):
            assert future.result()[0] == k
        most = client._session.job.state.alive[0]
    least = client._session.job.state.alive[0]  # some more may go to disk at any time
    (run,) = recorder.runs
    assert run.spilled and any(event.stays for event in run.loaded)
    before_the_end = run.memory.alive[run.memory.time < run.end][-1]
    assert least - 100 <= before_the_end <= most + 100
    assert run.memory.alive.min() >= 0
    assert run.memory.alive[-1] == 0
