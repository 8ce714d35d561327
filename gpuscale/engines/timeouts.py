"""Calls that may take so long and no longer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from gpuscale.engines.pool import ThreadPool
from gpuscale.engines.seats import LentSeat, seat_here, sit_down

__all__ = ["call_within"]

_pool = ThreadPool()


def call_within(seconds: float, call: Callable[[], Any], late: Exception) -> Any:
    """Make a call in another thread; return what it returns, or raise what it raises.

    Nothing can end a thread from outside. One that takes too long is left to itself: what it
    returns is dropped, and if it ever ends, it makes other calls.

    Parameters
    ----------
    seconds : float
    call : callable
    late : Exception
        Raised when the call has not ended by then.

    Examples
    --------
    >>> call_within(5, lambda: 1, TimeoutError())
    1
    """
    over = threading.Lock()
    over.acquire()
    returned: list[Any] = []
    raised: list[BaseException] = []

    seat = seat_here()
    lent = None if seat is None else LentSeat(seat)

    def run() -> None:
        sit_down(lent)
        try:
            returned.append(call())
        except BaseException as error:
            raised.append(error)
        over.release()

    _pool.call(run)
    if not over.acquire(timeout=min(seconds, threading.TIMEOUT_MAX)):
        if lent is not None:
            lent.end()
        raise late
    if raised:
        try:
            raise raised[0]
        finally:
            raised.clear()  # its traceback holds this frame: no circle, no kept inputs
    return returned[0]
