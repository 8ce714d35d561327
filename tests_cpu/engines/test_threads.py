import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.base import config
from gpuscale.engines.base import get_engine
from gpuscale.engines.events import RunFinished, RunStarted, TaskFailed, TaskFinished
from gpuscale.engines.sync import SyncEngine
from gpuscale.engines.threads import ThreadsEngine, default_workers
from gpuscale.graph.task import Task


@pytest.fixture
def engine():
    engine = ThreadsEngine(num_workers=3)
    yield engine
    engine.close()


def squares(n, fn=lambda i: i * i, nbytes=0):
    """A graph large enough for threads: n sources and their sum."""
    graph = {i: Task(i, fn, (), (i,), nbytes=nbytes) for i in range(n)}
    graph["sum"] = Task("sum", lambda *x: sum(x), tuple(range(n)))
    return graph


def test_results_come_in_the_order_of_the_request(engine):
    assert engine.run(squares(10), [3, "sum", 3]) == [9, 285, 9]
    assert engine.run({}, []) == []


@settings(max_examples=60)
@given(
    st.integers(0, 2**32),
    st.integers(1, 60),
    st.integers(1, 4),
    st.sampled_from([0, 100, 1000, 1 << 30]),
)
def test_results_are_those_of_sync(random_graph, seed, n, num_workers, limit):
    rng = Random(seed)
    graph, keys = random_graph(rng, n)
    for key in rng.sample(range(n), n // 10):
        graph[key].fn = slow
    engine = ThreadsEngine(num_workers, memory_limit=limit)
    assert engine.run(graph, keys) == SyncEngine().run(graph, keys)
    engine.close()


def slow(*values):
    time.sleep(1e-4)
    return hash(values)


def test_tasks_run_at_the_same_time(engine):
    meeting = threading.Barrier(3, timeout=20)
    graph = {i: Task(i, meeting.wait) for i in range(6)}
    assert sorted(engine.run(graph, list(graph))) == [0, 0, 1, 1, 2, 2]


def test_a_task_may_take_a_whole_batch_hostage(engine):
    # Tiny tasks make batches grow; then one task waits for another that may be in its own batch
    # only until an idle worker takes it over.
    done = threading.Event()
    graph = {i: Task(i, int) for i in range(500)}
    graph["wait"] = Task("wait", done.wait, (), (20,), priority=-1)
    graph |= {("late", i): Task(("late", i), int, priority=-2) for i in range(40)}
    graph["set"] = Task("set", done.set, priority=-3)
    keys = list(graph)
    results = dict(zip(keys, engine.run(graph, keys), strict=True))
    assert results["wait"] is True


def test_many_short_runs_reuse_the_threads(engine):
    before = threading.active_count()
    for i in range(300):
        assert engine.run(squares(5), ["sum"]) == [30], i
    assert threading.active_count() <= before + 15  # some may be on their way back to the pool


def test_tiny_graphs_run_in_the_calling_thread(engine):
    where = threading.get_ident
    assert engine.run({"x": Task("x", where)}, ["x"]) == [where()]
    assert engine.run({"x": Task("x", where, nbytes=1 << 30)}, ["x"]) != [where()]
    graph = {i: Task(i, where) for i in range(10)}
    assert where() not in engine.run(graph, list(graph))


def test_runs_inside_tasks_do_not_wait_for_each_other():
    engine = ThreadsEngine(num_workers=2)

    def nested(i):
        assert engine.run(squares(8), ["sum"]) == [140]
        return i

    assert engine.run(squares(20, nested), ["sum"]) == [190]
    engine.close()


def test_runs_of_several_threads_at_once(engine):
    results = []

    def compute():
        results.append(engine.run(squares(50), ["sum"]))

    threads = [threading.Thread(target=compute) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[40425]] * 8


def test_bytes_under_way_stay_in_the_budget():
    lock, now, most = threading.Lock(), [0], [0]

    def source(i):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(1e-3)
        return Chunk(i)

    class Chunk:
        def __init__(self, i):
            self.i = i

        def __del__(self):
            with lock:
                now[0] -= 1

    graph = {}
    for i in range(60):
        graph["x", i] = Task(("x", i), source, (), (i,), nbytes=1000)
        graph[i] = Task(i, lambda chunk: chunk.i, (("x", i),), nbytes=1)
    engine = ThreadsEngine(num_workers=8, memory_limit=3500)
    assert engine.run(graph, list(range(60))) == list(range(60))
    assert most[0] == 3
    engine.close()


def test_results_are_dropped_after_the_run(engine):
    alive = weakref.WeakSet()

    class Chunk:
        def __init__(self, i):
            alive.add(self)

    graph = {("x", i): Task(("x", i), Chunk, (), (i,)) for i in range(20)}
    graph |= {i: Task(i, lambda _: 1, (("x", i),)) for i in range(20)}
    kept = engine.run(graph, [*range(20), ("x", 3)])
    del graph
    gc.collect()
    assert list(alive) == [kept[-1]]


def test_an_exception_ends_the_run_and_says_where(engine):
    ran = []

    def fail(x, i):
        if i == 7:
            raise ZeroDivisionError("no")
        time.sleep(1e-3)
        ran.append(i)
        return np.ones(3)

    graph = {"x": Task("x", lambda: np.ones((2, 3)))}
    for i in range(200):
        graph[i] = Task(i, fail, ("x",), (i,), label="divide", origin=("model.py", 12))
    with pytest.raises(ZeroDivisionError, match="no") as caught:
        engine.run(graph, list(range(200)))
    (note,) = caught.value.__notes__
    assert "divide" in note and "model.py:12" in note and "(2, 3)" in note and "48 B" in note
    assert caught.traceback[-1].name == "fail"
    assert len(ran) < 100
    assert engine.run(squares(10), ["sum"]) == [285]


def test_no_task_runs_any_more_when_an_exception_arrives(engine):
    running = []

    def work(i):
        if i == 5:
            raise ValueError(i)
        running.append(i)
        time.sleep(5e-3)
        running.remove(i)
        return i

    for _ in range(10):
        with pytest.raises(ValueError, match="5"):
            engine.run(squares(50, work), ["sum"])
        assert running == []


def test_a_failed_run_leaves_nothing_in_memory(engine):
    alive = weakref.WeakSet()

    class Chunk:
        def __init__(self, i):
            alive.add(self)
            if i == 30:
                raise MemoryError("too much")

    with pytest.raises(MemoryError, match="too much"):
        engine.run(squares(60, Chunk), ["sum"])
    gc.collect()
    assert len(alive) == 0


def test_a_listener_that_raises_ends_the_run(engine):
    def listener(event):
        if isinstance(event, TaskFinished):
            raise LookupError("listener")

    with pytest.raises(LookupError, match="listener"):
        engine.run(squares(20), ["sum"], listeners=[listener])
    assert engine.run(squares(10), ["sum"]) == [285]


def test_listeners_are_called_in_the_calling_thread(engine):
    events, threads = [], set()

    def listener(event):
        events.append(event)
        threads.add(threading.get_ident())

    engine.run(squares(20, nbytes=8), ["sum"], listeners=[listener])
    assert threads == {threading.get_ident()}
    assert isinstance(events[0], RunStarted)
    assert (events[0].n_tasks, events[0].nbytes, events[0].n_workers) == (21, 160, 3)
    finished = [event for event in events if isinstance(event, TaskFinished)]
    assert {event.key for event in finished} == {*range(20), "sum"}
    assert all(0 <= event.worker < 3 and event.start <= event.stop for event in finished)
    assert isinstance(events[-1], RunFinished)
    assert (events[-1].n_finished, events[-1].error) == (21, None)


def test_events_of_a_failure(engine):
    events = []
    error = ValueError("no")

    def fail(i):
        raise error

    with pytest.raises(ValueError, match="no"):
        engine.run(squares(5, fail), ["sum"], listeners=[events.append])
    assert any(isinstance(event, TaskFailed) and event.error is error for event in events)
    assert events[-1].error is error


def test_tasks_see_the_callers_context(engine):
    def divide(i):
        return np.ones(3) / np.zeros(3)

    with np.errstate(divide="ignore"):
        assert np.isinf(engine.run(squares(10, divide), ["sum"])[0]).all()
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        engine.run(squares(10, divide), ["sum"])


def test_the_number_of_workers():
    assert default_workers() == len(os.sched_getaffinity(0))
    with config.set({"num-workers": 5}):
        events = []
        ThreadsEngine().run(squares(10), ["sum"], listeners=[events.append])
        assert events[0].n_workers == 5
    assert get_engine("threads", num_workers=2) is get_engine("threads", num_workers=2)


def test_a_closed_engine_may_be_used_again(engine):
    engine.run(squares(10), ["sum"])
    engine.close()
    assert engine.run(squares(10), ["sum"]) == [285]


def test_threads_end_with_their_engine():
    engine = ThreadsEngine(num_workers=2)
    engine.run(squares(10), ["sum"])
    mine = weakref.WeakSet(engine._pool._idle)
    del engine
    gc.collect()
    for thread in list(mine):
        thread.join(timeout=20)
        assert not thread.is_alive()


def run_script(body, *, interrupt_after=None):
    """Run a script in a process of its own; send it SIGINT once it has printed ``ready``."""
    head = """
        import os, signal, sys, threading, time
        from gpuscale.engines.threads import ThreadsEngine
        from gpuscale.graph.task import Task

        def squares(n, fn):
            graph = {i: Task(i, fn, (), (i,)) for i in range(n)}
            graph["sum"] = Task("sum", lambda *x: sum(x), tuple(range(n)))
            return graph

        # A shell that starts the tests in the background has Ctrl-C ignored by all below it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        engine = ThreadsEngine(num_workers=2)
    """
    script = textwrap.dedent(head) + textwrap.dedent(body)
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            if interrupt_after is not None:
                assert process.stdout.readline().strip() == interrupt_after
                process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, err
    return out


def test_ctrl_c_stops_a_run_and_leaves_the_process_usable():
    out = run_script(
        """
        started = []
        end = threading.Event()

        def work(i):
            started.append(i)
            if len(started) == 2:
                print("ready", flush=True)
            end.wait(30)  # what Ctrl-C cannot end: a long call outside the interpreter
            return i

        try:
            engine.run(squares(20, work), ["sum"])
        except KeyboardInterrupt:
            n_started = len(started)
        again = engine.run(squares(10, lambda i: i * i), ["sum"])
        end.set()
        time.sleep(0.3)
        print(n_started, again, len(started))
        """,
        interrupt_after="ready",
    )
    assert out.split("\n")[0] == "2 [285] 2"


def test_ctrl_c_reaches_the_caller_within_a_second_of_cpu_bound_work():
    out = run_script(
        """
        def work(i):
            if i == 3:
                print("ready", flush=True)
            deadline = time.perf_counter() + 0.05
            while time.perf_counter() < deadline:
                pass
            return i

        signal.signal(signal.SIGINT, lambda *_: note_and_raise())

        def note_and_raise():
            global sent
            sent = time.perf_counter()
            raise KeyboardInterrupt

        try:
            engine.run(squares(2000, work), ["sum"])
        except KeyboardInterrupt:
            print(time.perf_counter() - sent)
        """,
        interrupt_after="ready",
    )
    assert float(out) < 20  # 1000 tasks of 0.05 s are left: it did not wait for them


def test_a_forked_child_makes_threads_of_its_own():
    out = run_script(
        """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads, on purpose

        engine.run(squares(10, lambda i: i * i), ["sum"])
        child = os.fork()
        result = engine.run(squares(10, lambda i: i * i), ["sum"])
        if child == 0:
            os._exit(0 if result == [285] else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), result)
        """
    )
    assert out == "0 [285]\n"


def test_a_process_may_end_while_tasks_run():
    run_script(
        """
        threading.Thread(
            target=engine.run, args=(squares(10, lambda i: time.sleep(30)), ["sum"]), daemon=True
        ).start()
        time.sleep(0.2)
        """
    )
