import threading
import time
from contextvars import copy_context

import pytest

from gpuscale.engines.events import (
    Progressed,
    Released,
    RunFinished,
    RunStarted,
    TaskFailed,
    TaskFinished,
    TaskRetried,
    TasksAdded,
    TaskStarted,
)
from gpuscale.engines.outcome import Outcome
from gpuscale.engines.session import Session
from gpuscale.engines.tokens import Tokens
from gpuscale.graph.options import TaskOptions
from gpuscale.graph.task import Task


class Listener:
    def __init__(self, *wants):
        self.wants = wants or None
        self.events = []
        self.threads = set()

    def __call__(self, event):
        self.events.append(event)
        self.threads.add(threading.get_ident())

    def of(self, *types):
        return [event for event in self.events if isinstance(event, types)]


@pytest.fixture
def session():
    session = Session(2, 1e6, Tokens(), copy_context(), set())
    yield session
    session.close()


def submit(session, key, fn, *deps, **options):
    task = Task(key, fn, deps, label=key, **options)
    (outcome,) = session.add({key: task}, [Outcome(task)])
    return outcome


def test_a_session_is_a_run_that_grows(session):
    listener = Listener()
    session.watch(listener)
    x = submit(session, "x", lambda: b"four")
    assert x.wait() and x.get() == b"four"
    y = submit(session, "y", len, "x")
    y.wait()
    assert session.unwatch(listener) is None
    kinds = [type(event) for event in listener.events if not isinstance(event, Progressed)]
    assert kinds == [
        RunStarted, TaskStarted, TaskFinished, TasksAdded, TaskStarted, TaskFinished, RunFinished,
    ]  # fmt: skip
    begun = listener.events[0]
    assert begun.grows and begun.n_workers == 2 and begun.budget == 1e6
    assert [task.key for task in begun.tasks] == ["x"]
    assert listener.events[-1].n_finished == 2
    assert len(listener.threads) == 1
    assert threading.get_ident() not in listener.threads


def test_nothing_is_told_of_a_session_that_does_nothing(session):
    listener = Listener()
    session.watch(listener)
    session.unwatch(listener)
    assert listener.events == []


def test_tasks_that_are_there_already_belong_to_the_run(session):
    go_on = threading.Event()
    first = submit(session, "first", go_on.wait)
    second = submit(session, "second", bool, "first")
    while "first" not in {o.key for o in session.pending()} or not session.job.state.running:
        time.sleep(0.001)
    listener = Listener()
    session.watch(listener)
    go_on.set()
    assert second.wait()
    session.unwatch(listener)
    (begun,) = listener.of(RunStarted)
    assert {task.key for task in begun.tasks} == {"first", "second"}
    told = listener.of(TaskFinished)
    assert [event.key for event in told] == ["first", "second"]
    assert begun.time - 1.0 < told[0].start <= told[0].stop  # as far as it was seen
    assert listener.of(RunFinished)[0].n_finished == 2
    assert first.get()


def test_a_task_that_fails_after_a_listener_came_is_told(session):
    begun, go_on = threading.Event(), threading.Event()

    def fail():
        begun.set()
        go_on.wait()
        raise ZeroDivisionError("told")

    failing = submit(session, "failing", fail, options=TaskOptions(retries=1, backoff=0.001))
    assert begun.wait(20)
    listener = Listener(TaskFailed, TaskRetried)
    before = time.perf_counter()
    session.watch(listener)
    go_on.set()
    assert failing.wait()
    session.unwatch(listener)
    assert [type(event) for event in listener.events] == [TaskFailed, TaskRetried, TaskFailed]
    first = listener.events[0]
    assert (first.key, first.label, str(first.error)) == ("failing", "failing", "told")
    assert before - 1.0 < first.start <= first.stop  # as far as it was seen


def test_results_that_nobody_holds_are_released(session):
    listener = Listener(Released)
    session.watch(listener)
    x = submit(session, "x", bytes)
    x.wait()
    session.held()
    assert listener.events == []
    del x
    deadline = time.monotonic() + 10
    while not listener.events and time.monotonic() < deadline:
        session.held()
        time.sleep(0.01)
    assert [event.key for event in listener.events] == ["x"]


def test_failures_and_retries_are_told(session):
    listener = Listener(TaskFailed, TaskRetried)
    session.watch(listener)
    options = TaskOptions(retries=1, backoff=0.001)
    x = submit(session, "x", lambda: 1 // 0, options=options)
    x.wait()
    session.unwatch(listener)
    assert [type(event) for event in listener.events] == [TaskFailed, TaskRetried, TaskFailed]
    assert listener.events[1].attempt == 1
    assert isinstance(listener.events[2].error, ZeroDivisionError)


def test_progress_counts_what_came_and_what_ended(session):
    before = submit(session, "before", bytes)
    before.wait()
    listener = Listener(Progressed, RunFinished)
    session.watch(listener)
    outcomes = [submit(session, f"x{k}", bytes) for k in range(5)]
    outcomes.append(submit(session, "bad", lambda: 1 // 0))
    for outcome in outcomes:
        outcome.wait()
    session.unwatch(listener)
    *_, progressed, finished = listener.events
    assert (progressed.n_finished, progressed.n_tasks, finished.n_finished) == (6, 6, 5)


def test_what_a_listener_raises_comes_back_once_it_is_off(session):
    def wrong(event):
        told.append(type(event))
        raise ValueError("mine")

    told = []
    other = Listener(TaskFinished)
    session.watch(wrong)
    session.watch(other)
    submit(session, "x", bytes).wait()
    error = session.unwatch(wrong)
    assert isinstance(error, ValueError)
    assert told == [RunStarted, RunFinished]
    session.unwatch(other)
    assert [event.key for event in other.events] == ["x"]


def test_closing_ends_the_run_and_raises_what_listeners_raised():
    session = Session(1, 1e6, Tokens(), copy_context(), set())
    listener = Listener(RunFinished)
    session.watch(listener)
    session.watch(lambda event: 1 // 0)
    submit(session, "x", bytes).wait()
    with pytest.raises(ZeroDivisionError):
        session.close()
    assert [event.n_finished for event in listener.events] == [1]
    session.watch(listener)  # it is closed: nothing will come
    assert session.unwatch(listener) is None


def test_a_listener_may_switch_itself_off(session):
    told = []

    def once(event):
        told.append(type(event))
        session.unwatch(once)

    session.watch(once)
    submit(session, "x", bytes).wait()
    deadline = time.monotonic() + 10
    while len(told) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert told[0] is RunStarted and told[-1] is RunFinished


def test_a_listener_does_not_hear_of_what_it_submits_unless_others_do_as_well(session):
    kept, done = [], threading.Event()

    class Submitting(Listener):
        def __call__(self, event):
            super().__call__(event)
            if isinstance(event, TaskFinished) and event.key == "x":
                kept.append(submit(session, "own", bytes))
                kept[0].wait()
                done.set()

    listener, other = Submitting(TasksAdded, TaskFinished, RunFinished), Listener(TaskFinished)
    session.watch(listener)
    session.watch(other)
    x = submit(session, "x", bytes)
    assert done.wait(20) and x.get() == b""
    kept.clear()  # nobody who listens wants to know that it is released
    deadline = time.monotonic() + 20
    while "own" in session.held() and time.monotonic() < deadline:
        time.sleep(0.01)
    again = submit(session, "own", bytes)
    assert again.wait()
    session.unwatch(listener)
    session.unwatch(other)
    assert [event.key for event in listener.of(TaskFinished)] == ["x", "own"]
    assert [[task.key for task in event.tasks] for event in listener.of(TasksAdded)] == [["own"]]
    assert [event.key for event in other.of(TaskFinished)] == ["x", "own", "own"]
    assert listener.of(RunFinished)[0].n_finished == 3


def test_the_thread_ends_with_the_last_listener(session):
    listener = Listener()
    session.watch(listener)
    session.watch(listener)  # which is the same
    assert sum(t.name == "gpuscale-watching" for t in threading.enumerate()) == 1
    session.unwatch(listener)
    deadline = time.monotonic() + 10
    while any(t.name == "gpuscale-watching" for t in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
