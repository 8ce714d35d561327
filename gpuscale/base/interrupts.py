"""Ctrl-C while something is done that should not be left half done."""

from __future__ import annotations

import signal
import sys
import threading

# Those of `signal` turn numbers into enums and back, which takes far longer than all the rest.
from _signal import getsignal  # type: ignore[import-not-found]
from _signal import signal as set_handler
from contextlib import AbstractContextManager
from types import FrameType
from typing import Any

__all__ = ["held_back", "press_again"]

MOMENT = 0.01  # seconds


class held_back(AbstractContextManager[None]):  # noqa: N801 - it reads as a function
    """Let a Ctrl-C wait until the end of a block; the next one goes through at once.

    Outside of the main thread, which alone hears of it, and where nothing in Python handles it,
    this does nothing.

    Raises
    ------
    KeyboardInterrupt
        At the end, or whatever else the program does on Ctrl-C.

    Examples
    --------
    >>> try:
    ...     with held_back():
    ...         signal.raise_signal(signal.SIGINT)
    ...         print("written")
    ... except KeyboardInterrupt:
    ...     print("interrupted")
    written
    interrupted
    """

    __slots__ = ("_before", "_is_waiting")

    def __enter__(self) -> None:
        self._is_waiting = False
        self._before: Any = None  # the program's handler
        if threading.current_thread() is threading.main_thread():
            before: Any = getsignal(signal.SIGINT)
            if callable(before):
                self._before = before
                set_handler(signal.SIGINT, self._note)  # the last step: what follows is held back

    def __exit__(self, *error: object) -> None:
        if self._before is not None:
            set_handler(signal.SIGINT, self._before)
            if self._is_waiting:
                self._before(signal.SIGINT, None)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._is_waiting:
            self._is_waiting = False
            self._before(number, frame)
        else:
            self._is_waiting = True


def press_again() -> None:
    """Have a Ctrl-C that was caught come again in a moment, when the main thread is elsewhere.

    For what Python calls when an object goes: an exception that leaves it goes nowhere. A Ctrl-C
    that came at once would often meet the next such call, of another object.

    Examples
    --------
    >>> import time
    >>> try:
    ...     press_again()
    ...     time.sleep(20)
    ... except KeyboardInterrupt:
    ...     print("interrupted")
    interrupted
    """
    if not sys.is_finalizing():  # when no thread begins any more
        main = threading.main_thread().ident  # which only a signal wakes up where it waits
        timer = threading.Timer(MOMENT, signal.pthread_kill, (main, signal.SIGINT))
        timer.daemon = True
        timer.start()
