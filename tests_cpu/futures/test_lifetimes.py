"""How long results, tasks and what they were given live."""

import gc
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from concurrent.futures import CancelledError
from operator import add

import numpy as np
import pytest

import gpuscale as gs

from .tasks import SOON, Gate, square


def test_a_result_goes_with_its_last_future(client):
    future = client.submit(np.ones, 10)
    result = weakref.ref(future.result(SOON))
    same = client.submit(np.ones, 10)
    del future
    assert result() is not None
    user = client.submit(np.sum, same)
    assert user.result(SOON) == 10
    del same
    assert result() is None


def test_what_a_finished_task_was_given_goes(client):
    x = np.ones(10)
    given, held = weakref.ref(x), np.ones(3)
    scattered = client.scatter(held)
    futures = [client.submit(np.sum, x), client.submit(lambda y, z: z, [x], scattered)]
    gs.wait(futures, SOON)
    del x
    assert given() is None
    assert futures[1].result() is held
    del scattered, futures
    deadline = time.monotonic() + SOON
    while sys.getrefcount(held) > 2 and time.monotonic() < deadline:
        gc.collect()  # nothing else would look for cycles while this sleeps
        time.sleep(0.01)  # the thread that ran the last task lets go of what it was given soon
    holders = [(each, gc.get_referrers(each)) for each in gc.get_referrers(held)]
    assert sys.getrefcount(held) == 2, holders


def test_what_goes_while_another_run_pokes_the_client_is_noticed(client, monkeypatch):
    future = client.submit(np.ones, 10)
    result = weakref.ref(future.result(SOON))
    futures, session = [future], client._session
    del future
    monkeypatch.setattr(session, "_wake_another", lambda: run_in_a_thread(futures.clear))
    session.poke()
    assert result() is None


def run_in_a_thread(call):
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def test_what_the_frames_of_an_exception_hold_goes_with_its_futures(client):
    def ask():
        seen = np.ones(10)
        future = client.submit(divmod, 1, 0, pure=False)
        needs = client.submit(square, future)
        for each in (future, needs):  # this frame, which holds both, is in the traceback
            with pytest.raises(ZeroDivisionError):
                each.result(SOON)
        return weakref.ref(seen)

    seen = ask()
    gc.collect()
    assert seen() is None
    client.nbytes()  # which lets go of what is noticed late
    assert client._session.job.wanted() == []


def test_what_needs_a_failed_task_of_an_earlier_graph_has_its_exception(client):
    first = gs.delayed(divmod)(1, 0)
    failed = client.compute(first)
    assert isinstance(failed.exception(SOON), ZeroDivisionError)
    last = gs.delayed(str)(gs.delayed(list)(gs.delayed(tuple)(first)))
    later = client.compute(last)
    assert later.exception(SOON) is failed.exception()
    del failed, later
    assert isinstance(client.compute(last).exception(SOON), ZeroDivisionError)


def test_scattering_waits_for_no_worker(lonely):
    gate = Gate()
    running = lonely.submit(gate)
    assert gate.begun.wait(SOON)
    future = lonely.scatter([1, 2])
    assert lonely.gather(future) == [1, 2]
    user = lonely.submit(sum, future)
    gate.open.set()
    assert user.result(SOON) == 3 and running.result(SOON) is None


def test_release(client):
    future = client.submit(np.ones, 10)
    result = weakref.ref(future.result(SOON))
    future.release()
    assert result() is None and future.status == "cancelled"
    with pytest.raises(CancelledError):
        future.result()


def test_what_nobody_keeps_does_not_run_unless_it_is_fired_and_forgotten(lonely):
    gate, ran = Gate(), []
    first = lonely.submit(gate)
    assert gate.begun.wait(SOON)
    lonely.submit(ran.append, "dropped")
    gs.fire_and_forget([lonely.submit(ran.append, "fired")])
    last = lonely.submit(ran.append, "kept")
    gate.open.set()
    gs.wait([first, last], SOON)
    assert ran == ["fired", "kept"]


KEPT = {
    "fired": "gs.fire_and_forget(client.map(work, range(3)))",
    "called back": "[client.submit(work, k).add_done_callback(id) for k in range(3)]",
    "executor": "[client.get_executor().submit(work, k) for k in range(3)]",
    "no client": "gs.fire_and_forget(client.map(work, range(3))); del client",
    "after another": "gs.fire_and_forget(client.submit(lambda: gs.fire_and_forget("
    "gs.get_client().map(work, range(3)))))",
}
UNKEPT = {
    "not kept": "future = client.submit(wait_for_ever)",
    "closed": "gs.fire_and_forget(client.submit(wait_for_ever)); client.close(timeout=0)",
}


def at_the_end_of_a_program(statement):
    program = f"""
        import threading, time
        import gpuscale as gs

        def work(k):
            time.sleep(0.2)  # by then the program is at its end
            print(k, flush=True)

        def wait_for_ever():
            threading.Event().wait()

        client = gs.Client(threads_per_worker=1)
        {statement}
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize("case", KEPT)
def test_the_end_of_the_program_waits_for_what_runs_in_any_case(case):
    assert sorted(at_the_end_of_a_program(KEPT[case])) == ["0", "1", "2"]


@pytest.mark.parametrize("case", UNKEPT)
def test_the_end_of_the_program_does_not_wait_for_others(case):
    assert at_the_end_of_a_program(UNKEPT[case]) == []


def test_many_tasks_leave_nothing_behind(client):
    def live_objects():
        gc.collect()
        return len(gc.get_objects())

    def work(n):
        for k in range(n):
            assert client.submit(square, k).result(SOON) == k * k
        futures = client.map(square, range(n))
        chained = [client.submit(add, f, 1) for f in futures]
        assert client.gather(chained)[-1] == (n - 1) ** 2 + 1

    work(500)
    before, state = live_objects(), client._session.job.state
    n_numbers = len(state._tasks)
    work(500)
    assert live_objects() - before < 300
    assert len(state._tasks) < n_numbers + 100
    assert (state.alive, state.unfinished) == ([0, 0], 0)


def test_a_long_chain_neither_overflows_nor_keeps_what_is_past(client):
    future = client.submit(np.zeros, 1)
    for _ in range(1000):
        future = client.submit(add, future, 1, pure=False)
    assert future.result(SOON) == [1000]
    until = time.monotonic() + SOON
    while len(client.has_what()["inproc"]) > 1:
        assert time.monotonic() < until
    gate = Gate()
    future = client.submit(gate, 0)
    for _ in range(2000):
        future = client.submit(add, future, 1, pure=False)
    gate.open.set()
    assert future.result(SOON) == 2000
    bad = client.submit(divmod, 1, 0)
    for _ in range(2000):
        bad = client.submit(add, bad, 1, pure=False)
    assert isinstance(bad.exception(SOON), ZeroDivisionError)
    del bad
