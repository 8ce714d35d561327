"""The book of a session, without threads: keys, wishes and what follows from an end."""

import gc
import weakref
from concurrent.futures import CancelledError
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.base.errors import EngineError
from gpuscale.engines.invariants import check
from gpuscale.graph.options import TaskOptions
from gpuscale.graph.task import Task

from .book_driver import Driver


def double(x):
    return 2 * x


def fail(*_):
    raise ZeroDivisionError("no")


@pytest.fixture
def driver():
    return Driver()


def test_results_stay_as_long_as_somebody_holds_the_outcome(driver):
    (x,) = driver.add(Task("x", double, (), (1,)))
    (y,) = driver.add(Task("y", double, ("x",)))
    driver.run()
    assert (x.value, y.value) == (2, 4)
    del x
    driver.call("let_go")
    assert driver.keys == {"y"}
    assert driver.book._results.count(None) == len(driver.book._results) - 1
    del y
    driver.call("let_go")
    assert driver.keys == set()


def test_what_nobody_wants_does_not_run(driver):
    (x,) = driver.add(Task("x", double, (), (1,)))
    (y,) = driver.add(Task("y", double, ("x",)))
    del y
    driver.call("let_go")
    driver.run()
    assert driver.ran == ["x"]
    (z,) = driver.add(Task("z", double, ("x",)))
    del x
    driver.run()
    assert z.value == 4


def test_the_same_key_is_the_same_task(driver):
    (x,) = driver.add(Task("x", double, (), (1,)))
    assert driver.add(Task("x", double, (), (1,))) == [x]
    driver.run()
    assert driver.add(Task("x", double, (), (1,)), Task("y", fail), wanted=[Task("x", int)]) == [x]
    assert driver.ran == ["x"]
    key = Task("k", int)
    one, two = driver.add(key, wanted=[key, key])
    assert one is two


def test_a_result_between_others_can_be_asked_for_later(driver):
    x, y = Task("x", double, (), (1,)), Task("y", double, ("x",))
    (wanted,) = driver.add(x, y, wanted=[y])
    assert driver.keys == {"x", "y"}
    (between,) = driver.add(x)
    driver.run()
    assert (between.value, wanted.value, driver.ran) == (2, 4, ["x", "y"])


def test_a_result_that_waits_to_go_is_wanted_again(driver):
    (x,) = driver.add(Task("x", double, (), (1,)))
    driver.run()
    driver.book._on_lost = lambda ref: None  # nobody has found the time to look yet
    del x
    (again,) = driver.add(Task("x", double, (), (1,)))
    driver.call("let_go")
    assert (again.status, again.value, driver.ran) == ("finished", 2, ["x"])


def test_an_error_arises_in_all_that_need_it_and_in_nothing_else(driver):
    (x,) = driver.add(Task("x", fail))
    (y,) = driver.add(Task("y", double, ("x",)))
    (other,) = driver.add(Task("other", double, (), (1,)))
    driver.run()
    (late,) = driver.add(Task("late", double, ("y",)))
    driver.run()
    assert [each.status for each in (x, y, late, other)] == ["error"] * 3 + ["finished"]
    assert x.error is y.error is late.error
    assert driver.ran == ["x", "other"]
    del x, y, late, other
    driver.call("let_go")
    assert driver.keys == set()


def test_a_failed_task_that_nobody_wants_is_forgotten(driver):
    x, y = Task("x", fail), Task("y", double, ("x",))
    (wanted,) = driver.add(x, y, wanted=[y])
    driver.run()
    assert (wanted.status, driver.keys) == ("error", {"y"})


@pytest.mark.parametrize("when", ["waiting", "ready", "running", "finished", "failed"])
def test_cancelling(driver, when):
    (x,) = driver.add(Task("x", fail if when == "failed" else double, (), (1,)))
    (y,) = driver.add(Task("y", double, ("x",)))
    (z,) = driver.add(Task("z", double, ("y",)))
    if when in ("finished", "failed"):
        driver.run()
    started = driver.start() if when == "running" else []
    victim = y if when == "waiting" else x
    driver.call("cancel", victim)
    for i in started:
        driver.finish(i)
    driver.run()
    expected = {
        "waiting": ["finished", "cancelled", "cancelled"],
        "finished": ["cancelled", "finished", "finished"],
        "failed": ["cancelled", "error", "error"],
    }.get(when, ["cancelled"] * 3)
    assert [each.status for each in (x, y, z)] == expected
    driver.call("cancel", victim)  # once more does nothing
    (again,) = driver.add(Task("x", double, (), (1,)))
    driver.run()
    assert (again.value, again is x) == (2, when == "waiting")
    del x, y, z, again, victim
    driver.call("let_go")
    assert driver.keys == set()


def test_trying_again(driver):
    answers = [ZeroDivisionError(), 5]

    def flaky():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    (x,) = driver.add(Task("x", flaky))
    (y,) = driver.add(Task("y", double, ("x",)))
    (z,) = driver.add(Task("z", double, ("x",)))
    driver.run()
    driver.call("try_again", [y, x])
    assert (x.status, y.status, z.status) == ("pending", "pending", "error")
    driver.run()
    assert (x.value, y.value, z.status) == (5, 10, "error")


def test_closing_cancels_what_has_not_ended(driver):
    (x,) = driver.add(Task("x", double, (), (1,)))
    driver.run()
    (y,) = driver.add(Task("y", double, ("x",)))
    (i,) = driver.start()
    (z,) = driver.add(Task("z", double, ("y",)))
    driver.call("close")
    assert (y.status, z.status) == ("pending", "cancelled")
    driver.finish(i)
    assert (x.value, y.value) == (2, 4)
    with pytest.raises(CancelledError, match="'z' was cancelled: its client was closed before"):
        z.get()
    driver.call("end")
    assert set(driver.book._results) == {None}


def test_what_a_closed_session_no_longer_waits_for_is_cancelled(driver):
    (x,) = driver.add(Task("x", double, (), (1,)))
    (i,) = driver.start()
    driver.call("close")
    driver.call("give_up_running")
    driver.finish(i)
    with pytest.raises(CancelledError, match="'x' was cancelled: its client was closed while it"):
        x.get()


def test_what_no_worker_had_begun_is_taken_back(driver):
    (x,) = driver.add(Task("x", double, (), (1,)))
    (i,) = driver.start()
    driver.call("close")
    driver.call("withdraw", i)
    assert x.status == "cancelled"


@settings(max_examples=150)
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_any_events_in_any_order(seed, n):
    """Add, drop, cancel, start, finish: what is asked for comes, and nothing is left behind."""
    rng = Random(seed)
    driver = Driver()
    held, values, running, outcome = {}, {}, [], None
    for step in range(n):
        event = rng.choice(["add", "add", "add", "drop", "cancel", "start", "finish", "let_go"])
        if event == "add":
            known = [key for key, each in held.items() if each.status != "cancelled"]
            deps = tuple(rng.choices(known, k=rng.randrange(3)) if known else ())
            fails = rng.random() < 0.15 or any(values[d] is None for d in deps)
            values[step] = None if fails else step + sum(values[d] for d in deps)
            fn = fail if fails and all(values[d] is not None for d in deps) else lambda *x: sum(x)
            (held[step],) = driver.add(Task(step, fn, deps, (step,)))
        elif event == "drop" and held:
            del held[rng.choice(list(held))]
        elif event == "cancel" and held:
            driver.call("cancel", held[rng.choice(list(held))])
        elif event == "start":
            running += driver.start(rng.randrange(1, 4))
        elif event == "finish" and running:
            driver.finish(running.pop(rng.randrange(len(running))))
        elif event == "let_go":
            driver.call("let_go")
        check(driver.book.state, [i for i, ref in driver.book._wanted.items() if i is not None])
    while running:
        driver.finish(running.pop())
    driver.run()
    for key, outcome in held.items():
        assert outcome.status in ("finished", "error", "cancelled")
        if outcome.status == "finished":
            assert outcome.value == values[key]
        elif outcome.status == "error":
            assert values[key] is None
    assert len(driver.ran) == len(set(driver.ran))
    held.clear()
    del outcome
    driver.call("let_go")
    book = driver.book
    assert (driver.keys, book._wanted) == (set(), {})
    assert set(book._results) <= {None}
    assert book.state.alive == book.state.reserved == [0, 0] and not book.state.unfinished


def test_what_a_running_task_reads_goes_once_when_a_closed_session_ends(driver):
    """Its future may go while the task still runs."""
    (x,) = driver.add(Task("x", int))
    driver.run()
    (y,) = driver.add(Task("y", str, ("x",)))
    (running,) = driver.start()
    driver.call("close")
    del x
    driver.call("let_go")
    driver.finish(running)
    driver.call("end")
    assert y.value == "0"
    assert driver.book._results == [None, None]


def test_a_failed_task_that_waits_to_go_is_tried_again_when_it_is_wanted(driver):
    answers = [ZeroDivisionError("first"), 5, 7]

    def flaky():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    x, y = Task("x", flaky), Task("y", double, ("x",))
    (outcome,) = driver.add(x)
    driver.run()
    driver.book._on_lost = lambda ref: None  # nobody has found the time to look yet
    assert outcome.status == "error"
    del outcome
    (needs,) = driver.add(x, y, wanted=[y])
    driver.run()
    assert needs.value == 10
    driver.call("cancel", needs)
    (again,) = driver.add(Task("x", flaky))
    driver.run()
    assert again.value == 7


def test_the_book_holds_no_exceptions(driver):
    class Big(Exception):
        """An exception that may be watched."""

    def fail():
        raise Big

    (x,) = driver.add(Task("x", fail))
    (y,) = driver.add(Task("y", double, ("x",)))
    driver.run()
    error = weakref.ref(x.error)
    assert y.error is error()
    for outcome in (x, y):
        driver.call("cancel", outcome)
    del outcome
    gc.collect()
    assert error() is None and x.status == y.status == "cancelled"


def test_a_task_that_asks_for_too_much_takes_no_other_along(driver):
    """It comes when others lie in the inbox, and needs what nobody but another task wants."""
    tasks = Task("x", int), Task("user", double, ("x",))
    (user,) = driver.add(*tasks, wanted=tasks[1:])
    (other,) = driver.add(Task("other", int))
    much = Task("much", double, ("x",), options=TaskOptions(resources={"GPU": 1}))
    with pytest.raises(EngineError, match="asks for 1 of 'GPU'"):
        driver.add(much)
    driver.run()
    assert (user.value, other.value) == (0, 0)
