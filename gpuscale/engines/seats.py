"""A worker that waits for other tasks gives its place to another thread meanwhile.

Otherwise a task that submits tasks and waits for them could wait for ever: for tasks that nobody
runs, since every worker waits.
"""

from __future__ import annotations

from collections.abc import Generator
from contextvars import ContextVar
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from gpuscale.base.blocks import block

if TYPE_CHECKING:
    from gpuscale.engines.working import Workers

__all__ = ["LentSeat", "Seat", "WorkerSeat", "seat_here", "sit_down", "stepped_aside"]


class Seat(Protocol):
    """The place of one worker among those that run at the same time."""

    @property
    def session(self) -> object:
        """Whose workers these are."""

    def leave(self) -> None:
        """Let another thread run tasks in this one's place."""

    def take(self) -> None:
        """Wait until there is a place again."""


class WorkerSeat:
    """The place of a worker of a session."""

    __slots__ = ("finished", "granted", "left", "session", "task", "to_write", "worker")

    def __init__(self, session: Workers, worker: int) -> None:
        self.session, self.worker = session, worker
        self.finished: list[tuple[int, int]] = []  # tasks and bytes, not reported yet
        self.task: int | None = None  # that runs
        self.to_write: int | None = None  # a result, to disk
        self.left = 0  # how often the place was given away and not taken again
        self.granted = Lock()
        self.granted.acquire()

    def leave(self) -> None:
        """Let another thread run tasks in this one's place; RuntimeError if there is none."""
        if self.left == 0:
            self.session._leave(self)
        self.left += 1

    def take(self) -> None:
        """Wait until there is a place again."""
        if self.left == 1:
            self.session._take(self)
        self.left = max(0, self.left - 1)


class LentSeat:
    """A place that a call in another thread has for as long as its worker waits for it."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._left = 0
        self._is_over = False
        self._lock = Lock()  # held while the place is given away or taken

    @property
    def session(self) -> object:
        """Whose workers these are."""
        return self._seat.session

    def leave(self) -> None:
        """Let another thread run tasks in this one's place, unless it is the worker's again."""
        with self._lock:
            if not self._is_over:
                self._seat.leave()
                self._left += 1

    def take(self) -> None:
        """Wait until there is a place again, unless it is the worker's again."""
        with self._lock:
            if not self._is_over and self._left:
                self._seat.take()
                self._left -= 1

    def end(self) -> None:
        """Have the place be the worker's again, who goes on without the call."""
        with self._lock:
            self._is_over = True
            for _ in range(self._left):
                self._seat.take()


# Not of the thread: a task that may take so long and no longer runs in another one.
_here: ContextVar[Seat | None] = ContextVar("gpuscale-seat", default=None)


def sit_down(seat: Seat | None) -> None:
    """Say which place the tasks of the calling context have; None for none any more."""
    _here.set(seat)


def seat_here() -> Seat | None:
    """Return the place of the task that calls, None outside of the tasks of a session."""
    return _here.get()


@block
def stepped_aside() -> Generator[None, None, None]:
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
