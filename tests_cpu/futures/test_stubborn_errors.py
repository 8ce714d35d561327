"""Exceptions that take no notes, and defects of the engine: each future ends all the same."""

import threading
from collections import deque
from dataclasses import dataclass

import pytest

import gpuscale as gs
from gpuscale.base.errors import EngineError
from gpuscale.engines import blas
from gpuscale.engines.pool import ThreadPool
from gpuscale.engines.seats import stepped_aside
from gpuscale.io.chunk_locks import hold_chunks

from .tasks import SOON, square


@dataclass(frozen=True)
class HttpError(Exception):
    """An exception that takes no attributes."""

    code: int


class Silent(Exception):
    """An exception that takes no notes, in its own words."""

    def add_note(self, note):
        raise RuntimeError("no notes")

    def with_traceback(self, traceback):
        raise RuntimeError("no tracebacks")


ERRORS = {"frozen": HttpError(404), "silent": Silent("hush")}


@pytest.fixture(params=ERRORS)
def fetch(request):
    def fetch(n):
        if n % 2:
            raise ERRORS[request.param]
        return n

    fetch.error = ERRORS[request.param]
    return fetch


def test_futures_end_with_exceptions_that_take_no_notes(client, fetch):
    futures = client.map(fetch, range(4))
    needs = client.submit(square, futures[1])
    gs.wait([futures, needs], SOON)
    assert [future.status for future in futures] == ["finished", "error"] * 2
    assert futures[1].exception(SOON) is needs.exception(SOON) is fetch.error
    for future in (futures[3], needs):
        with pytest.raises(type(fetch.error)):
            future.result(SOON)
    assert client.gather(futures, errors="skip") == [0, 2]
    assert client.submit(square, 3).result(SOON) == 9


class Odd(dict):
    """A container that refuses to be looked into."""

    def items(self):
        raise ERRORS["frozen"]


def leave_as_current(client):
    with client.as_current():
        raise ERRORS["frozen"]


def leave_worker_client():
    with gs.worker_client():
        raise ERRORS["frozen"]


def write_part():
    with hold_chunks("x", [range(1, 3)], [8], [4]):
        raise ERRORS["frozen"]


BLOCKS = {
    "as_current": leave_as_current,
    "worker_client": lambda client: client.submit(leave_worker_client).result(SOON),
    "compute": lambda client: gs.compute(Odd(x=1)),
    "store": lambda client: client.submit(write_part).result(SOON),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_exceptions_that_take_no_attributes_leave_blocks_as_they_are(client, name):
    with pytest.raises(HttpError) as info:
        BLOCKS[name](client)
    assert info.value is ERRORS["frozen"]


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
def test_runs_end_with_exceptions_that_take_no_notes(fetch, scheduler):
    with gs.config.set(engine=scheduler):
        with pytest.raises(type(fetch.error)):
            gs.delayed(fetch)(1).compute()
        many = [gs.delayed(fetch)(n) for n in range(30)]
        found = gs.compute(*many, on_error="continue")
    assert found[::2] == tuple(range(0, 30, 2))
    assert all(failure.error is fetch.error for failure in found[1::2])


def test_a_defect_of_the_engine_ends_all_futures(client, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(type(client._session.job), "note_finished", broken)
    futures = client.map(square, range(20))
    with pytest.raises(EngineError, match="a defect") as info:
        futures[0].result(SOON)
    assert isinstance(info.value.__cause__, ZeroDivisionError)
    gs.wait(futures, SOON)
    with pytest.raises(EngineError, match="closed"):
        client.submit(square, 3)


def test_tasks_that_wait_while_the_engine_breaks_end(client, monkeypatch):
    """Else whoever waits for a place, and for what the worker has of BLAS, would do so for ever."""

    def broken(*_):
        raise ZeroDivisionError("a defect")

    go_on, busy = threading.Event(), blas._n_busy

    def wait():
        with stepped_aside():
            assert go_on.wait(SOON)

    waiting = [client.submit(wait, pure=False) for _ in range(5)]
    client.submit(square, 2).result(SOON)
    monkeypatch.setattr(type(client._session.job), "note_finished", broken)
    defect = client.submit(square, 3)
    assert isinstance(defect.exception(SOON), EngineError)
    go_on.set()
    gs.wait(waiting, SOON)
    client.close(SOON)
    assert not client._session._seats and blas._n_busy == busy


class Vanishing(deque):
    """Not empty when it is looked at; by then another thread has taken what there was."""

    def __bool__(self):
        return True


def test_two_threads_that_do_what_a_signal_handler_left_do_not_break_the_engine(client):
    client._session._late = Vanishing()
    assert client.gather(client.map(square, range(5))) == [0, 1, 4, 9, 16]
    assert client.status == "running"


def test_a_defect_of_the_alarm_ends_all_futures(client, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("a defect of the alarm")

    def fail():
        raise ValueError("once")

    monkeypatch.setattr(type(client._session.job.growing), "due", broken)
    with gs.annotate(retries=1, backoff=0.01):
        future = client.submit(fail)
        needs = client.submit(square, future)
    with pytest.raises(EngineError, match="a defect of the alarm") as info:
        future.result(SOON)
    assert isinstance(info.value.__cause__, ZeroDivisionError)
    assert isinstance(needs.exception(SOON), EngineError)
    with pytest.raises(EngineError, match="closed"):
        client.submit(square, 3)
    client.close(SOON)  # which waits for no thread that is gone


def no_more_threads(*_):
    raise RuntimeError("can't start new thread")


def test_a_system_without_more_threads_leaves_the_client_as_it_was(client, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(ThreadPool, "call", no_more_threads)
        for _ in range(3):  # more often than there are workers
            with pytest.raises(RuntimeError, match="new thread"):
                client.submit(square, 2)
    assert client.gather(client.map(square, range(5))) == [0, 1, 4, 9, 16]
    client.close(SOON)
    assert not client._session._seats


def test_a_listener_that_gets_no_thread_does_not_watch(client, monkeypatch):
    session, heard = client._session, []

    def listener(event):
        heard.append(event)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_more_threads)
        with pytest.raises(RuntimeError, match="new thread"):
            session.watch(listener)
    assert not session.job.watching
    session.watch(listener)
    assert client.submit(square, 2).result(SOON) == 4
    session.unwatch(listener)
    assert heard
