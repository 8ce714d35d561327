"""A worker that waits for other tasks gives its place to another thread meanwhile.

Otherwise a task that submits tasks and waits for them could wait for ever: for tasks that nobody
runs, since every worker waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

__all__ = ["Seat", "seat_here", "sit_down", "stepped_aside"]


class Seat(Protocol):
    """The place of one worker among those that run at the same time."""

    def leave(self) -> None:
        """Let another thread run tasks in this one's place."""

    def take(self) -> None:
        """Wait until there is a place again."""


# Not of the thread: a task that may take so long and no longer runs in another one.
_here: ContextVar[Seat | None] = ContextVar("gpuscale-seat", default=None)


def sit_down(seat: Seat | None) -> None:
    """Say which place the tasks of the calling context have; None for none any more."""
    _here.set(seat)


def seat_here() -> Seat | None:
    """Return the place of the task that calls, None outside of the tasks of a session."""
    return _here.get()


@contextmanager
def stepped_aside() -> Iterator[None]:
    """Give away the place of the task that calls, if it has one, and take one again at the end."""
    seat = seat_here()
    if seat is None:
        yield
        return
    seat.leave()
    try:
        yield
    finally:
        seat.take()
