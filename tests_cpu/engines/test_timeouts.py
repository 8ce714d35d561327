import gc
import threading
import time
import weakref

import pytest

from gpuscale.engines.seats import sit_down, stepped_aside
from gpuscale.engines.timeouts import call_within


def test_results_and_exceptions_come_through():
    assert call_within(5, lambda: 7, TimeoutError()) == 7
    with pytest.raises(KeyError, match="x"):
        call_within(5, lambda: {}["x"], TimeoutError())


def test_a_late_result_is_dropped():
    end, alive = threading.Event(), weakref.WeakSet()

    class Result:
        def __init__(self):
            alive.add(self)

    def hang():
        end.wait(20)
        return Result()

    with pytest.raises(TimeoutError, match="late"):
        call_within(0.01, hang, TimeoutError("late"))
    end.set()
    time.sleep(0.05)
    gc.collect()
    assert not alive


def test_nothing_is_kept_of_what_raises():
    alive = weakref.WeakSet()

    class Input:
        pass

    def fail():
        alive.add(mine := Input())
        raise ValueError(id(mine))

    gc.disable()
    try:
        with pytest.raises(ValueError, match=r"\d"):
            call_within(5, fail, TimeoutError())
        assert not alive
    finally:
        gc.enable()


class Seat:
    """Counts who sits where."""

    session = None

    def __init__(self):
        self.left = 0

    def leave(self):
        self.left += 1

    def take(self):
        self.left -= 1


@pytest.fixture
def seat():
    seat = Seat()
    sit_down(seat)
    yield seat
    sit_down(None)


def test_a_call_that_waits_gives_the_place_of_its_worker_away(seat):
    def wait():
        with stepped_aside():
            return seat.left

    assert call_within(5, wait, TimeoutError()) == 1
    assert seat.left == 0


def test_a_worker_that_goes_on_has_its_place_again_and_keeps_it(seat):
    end, ended = threading.Event(), threading.Event()

    def wait():
        with stepped_aside():
            end.wait(20)
        with stepped_aside():
            ended.set()

    with pytest.raises(TimeoutError):
        call_within(0.02, wait, TimeoutError())
    assert seat.left == 0
    end.set()
    assert ended.wait(20)
    time.sleep(0.01)
    assert seat.left == 0
