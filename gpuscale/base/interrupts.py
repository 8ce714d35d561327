"""Ctrl-C while something is done that should not be left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from types import FrameType

from gpuscale.base.blocks import block

__all__ = ["held_back"]


@block
def held_back() -> Generator[None, None, None]:
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
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    handle = before
    waiting: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if waiting:
            waiting.clear()
            handle(number, frame)
        else:
            waiting.append(number)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if waiting:
            handle(signal.SIGINT, None)
