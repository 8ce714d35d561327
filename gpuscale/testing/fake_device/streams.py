"""Streams and events of the fake device: work on two of them is ordered only by waiting.

Each piece of work on a stream has a number. A stream knows how far into each other stream it has
waited, an event how far the stream was that recorded it: vector clocks (Fidge 1988, Mattern 1989).
What is written to memory keeps stream and number; whoever reads it must have waited so far.
"""

from __future__ import annotations

import itertools
import threading
from typing import Any

__all__ = ["Event", "Stream", "StreamOrderError", "current_stream"]

Clock = dict["Stream", int]

_numbers = itertools.count(1)
_local = threading.local()
_lock = threading.RLock()


class StreamOrderError(RuntimeError):
    """An array is read on a stream that has not waited for the one that writes it."""


class Stream:
    """A queue of work, as `cupy.cuda.Stream`.

    Parameters
    ----------
    null : bool
        The stream that is current where nobody says another: ordered with all that are not
        ``non_blocking``.
    non_blocking : bool
        Not ordered with the null stream.

    Examples
    --------
    >>> from gpuscale.testing import fake_device
    >>> with fake_device.active() as xp:
    ...     with fake_device.Stream(non_blocking=True) as one:
    ...         x = xp.arange(3)
    ...     with fake_device.Stream(non_blocking=True) as other:
    ...         try:
    ...             x + 1
    ...         except fake_device.StreamOrderError as error:
    ...             print(error)
    ...         other.wait_event(one.record())
    ...         y = x + 1
    stream ... reads an array of shape (3,) that stream ... writes, without having waited for ...
    """

    null: Stream

    def __init__(self, null: bool = False, non_blocking: bool = False) -> None:
        self.number = 0 if null else next(_numbers)
        self.is_null, self.non_blocking = null, non_blocking
        self.issued = self.finished = 0
        self._waited: Clock = {}
        self._outer: list[Stream | None] = []

    def __enter__(self) -> Stream:
        self._outer.append(getattr(_local, "stream", None))
        _local.stream = self
        return self

    def __exit__(self, *error: object) -> None:
        _local.stream = self._outer.pop()

    def use(self) -> Stream:
        """Let this be the current stream of the thread."""
        _local.stream = self
        return self

    def record(self, event: Event | None = None) -> Event:
        """Return an event that happens when all work so far is done."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """Let work from here on begin after an event."""
        with _lock:
            _merge(self._waited, event.clock)

    def synchronize(self) -> None:
        """Wait, on the host, for all work so far."""
        with _lock:
            _finish(self.clock())

    @property
    def done(self) -> bool:
        """Whether all work so far has been waited for."""
        return self.finished == self.issued

    def issue(self) -> int:
        """Return the number of a new piece of work."""
        with _lock:
            self.issued += 1
            return self.issued

    def clock(self) -> Clock:
        """Return how far each stream is that this one has waited for, itself among them."""
        return {**self._waited, self: self.issued}

    def is_after(self, other: Stream, number: int) -> bool:
        """Whether work that begins here now begins after a piece of work of another stream."""
        if other is self or number <= other.finished or self._waited.get(other, 0) >= number:
            return True
        implied = self.is_null and not other.non_blocking
        return implied or other.is_null and not self.non_blocking

    def __repr__(self) -> str:
        return f"<Stream {'null' if self.is_null else self.number}>"


class Event:
    """A point in the work of a stream, as `cupy.cuda.Event`."""

    def __init__(self) -> None:
        self.clock: Clock = {}

    def record(self, stream: Stream | None = None) -> None:
        """Happen when all work so far of a stream is done, of the current one by default."""
        with _lock:
            self.clock = (stream or current_stream()).clock()

    def synchronize(self) -> None:
        """Wait, on the host, until it has happened."""
        with _lock:
            _finish(self.clock)

    @property
    def done(self) -> bool:
        """Whether somebody has waited for all of the work before it."""
        return all(number <= stream.finished for stream, number in self.clock.items())


Stream.null = Stream(null=True)


def current_stream() -> Stream:
    """Return the stream of this thread's work."""
    stream: Stream | None = getattr(_local, "stream", None)
    return Stream.null if stream is None else stream


def _merge(clock: Clock, other: Clock) -> None:
    for stream, number in other.items():
        clock[stream] = max(clock.get(stream, 0), number)


def _finish(clock: Clock) -> None:
    for stream, number in clock.items():
        stream.finished = max(stream.finished, number)


def refuse(reader: Stream, writer: Stream, array: Any) -> StreamOrderError:
    """Return the error of a read that comes too early."""
    return StreamOrderError(
        f"stream {_name(reader)} reads an array of shape {array.shape} that stream "
        f"{_name(writer)} writes, without having waited for it; record an event there and wait "
        "for it here, or synchronize the stream that writes"
    )


def _name(stream: Stream) -> str:
    return "null" if stream.is_null else str(stream.number)
