"""Outcomes: settled once, told to all who asked."""

import sys
import threading
from concurrent.futures import CancelledError

import pytest

from gpuscale.engines.outcome import Outcome
from gpuscale.engines.pool import ThreadPool
from gpuscale.graph.task import Task


def outcome():
    return Outcome(Task("x", int), parents=(Outcome(Task("y", int)),), graph={})


def test_who_asks_is_told_once_before_and_after():
    told = []
    x = outcome()
    x.call_when_settled(told.append)
    x.settle("finished", 7)
    x.settle("finished", 8)
    x.settle("error", None, ValueError())
    assert (told, x.value, x.status) == ([x], 7, "finished")
    x.call_when_settled(told.append)
    assert told == [x, x]


def test_what_was_asked_can_be_taken_back():
    told = []
    x = outcome()
    x.call_when_settled(told.append)
    x.do_not_call(told.append)
    x.do_not_call(print)
    x.settle("finished", 7)
    assert told == []


@pytest.mark.parametrize("status", ["finished", "cancelled"])
def test_what_a_success_came_from_is_let_go(status):
    x = outcome()
    x.settle(status)
    assert (x.parents, x.graph) == ((), None)


def test_a_failure_remembers_what_it_came_from_and_may_begin_again():
    x = outcome()
    x.settle("error", error=ValueError("no"))
    assert len(x.parents) == 1
    x.begin_again()
    assert (x.status, x.error) == ("pending", None)
    x.settle("finished", 1)
    assert x.get() == 1


def test_errors_keep_their_first_traceback():
    x = outcome()
    try:
        raise ValueError("no")
    except ValueError as error:
        x.settle("error", error=error)
    for _ in range(3):
        with pytest.raises(ValueError, match="no") as caught:
            x.get()
    assert len(caught.traceback) <= 3


def test_cancelled_even_with_a_result():
    x = outcome()
    x.settle("finished", 7)
    x.settle("cancelled")
    with pytest.raises(CancelledError, match="x"):
        x.get()
    assert x.value is None


def test_waiting_ends_when_it_is_settled_or_in_time():
    x = outcome()
    assert not x.wait(0)
    assert not x.wait(0.001)
    assert x._waiters == []
    waiters = [threading.Thread(target=x.wait) for _ in range(3)]
    for each in waiters:
        each.start()
    x.settle("finished", 7)
    for each in waiters:
        each.join(10)
        assert not each.is_alive()
    assert x.wait()


def test_what_raises_when_it_is_told_ends_no_worker(caplog):
    x, told, pool = outcome(), threading.Event(), ThreadPool()
    x.call_when_settled(lambda _: sys.exit(3))
    x.call_when_settled(lambda _: told.set())
    ended = threading.Event()

    def settle():
        x.settle("finished", 7)
        ended.set()

    pool.call(settle)
    assert ended.wait(20) and told.is_set()
    assert "who waited for 'x' raised" in caplog.text and "SystemExit" in caplog.text
    pool.close()


def test_what_raises_when_it_is_told_in_the_programs_own_thread_is_raised_there():
    x = outcome()
    x.call_when_settled(lambda _: sys.exit(3))
    with pytest.raises(SystemExit):
        x.settle("finished", 7)
