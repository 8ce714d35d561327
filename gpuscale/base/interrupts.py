"""Ctrl-C while something is done that should not be left half done."""

from __future__ import annotations

import signal
import threading

# Those of `signal` turn numbers into enums and back, which takes far longer than all the rest.
from _signal import getsignal  # type: ignore[import-not-found]
from _signal import signal as set_handler
from _thread import interrupt_main
from contextlib import AbstractContextManager
from types import FrameType
from typing import Any

__all__ = ["held_back", "press_again"]


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
    """Have a Ctrl-C that was caught come again, in what the program does after the caller.

    For what Python calls when an object goes: an exception that leaves it goes nowhere.

    Examples
    --------
    >>> import weakref
    >>> def tell(_):
    ...     try:
    ...         signal.raise_signal(signal.SIGINT)
    ...     except KeyboardInterrupt:
    ...         press_again()
    >>> kept = {1}
    >>> reference = weakref.ref(kept, tell)
    >>> try:
    ...     del kept
    ...     print("not reached")
    ... except KeyboardInterrupt:
    ...     print("interrupted")
    interrupted
    """
    press = map(interrupt_main, [signal.SIGINT])
    [_] = press  # Python looks for signals when a call returns, and this is none: it looks later
