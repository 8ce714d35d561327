"""A worker that waits for other tasks gives its place to another thread meanwhile.

Otherwise a task that submits tasks and waits for them could wait for ever: for tasks that nobody
runs, since every worker waits.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Seat", "seat_here", "sit_down", "stepped_aside"]

_here = threading.local()


class Seat(Protocol):
    """The place of one worker among those that run at the same time."""

    def leave(self) -> None:
        """Let another thread run tasks in this one's place."""

    def take(self) -> None:
        """Wait until there is a place again."""


def sit_down(seat: Seat | None) -> None:
    """Say which place the calling thread has; None for none any more."""
    _here.seat = seat


def seat_here() -> Seat | None:
    """Return the place of the calling thread, None if it is no worker of a session."""
    seat: Seat | None = getattr(_here, "seat", None)
    return seat


@contextmanager
def stepped_aside() -> Iterator[None]:
    """Give away the place of the calling thread, if it has one, and take one again at the end."""
    seat = seat_here()
    if seat is None:
        yield
        return
    seat.leave()
    try:
        yield
    finally:
        seat.take()
