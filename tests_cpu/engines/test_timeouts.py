import gc
import threading
import time
import weakref

import pytest

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
