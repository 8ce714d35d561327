"""The fake device as an engine sees it: a checked stream for each task that runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gpuscale.backends.devices import MemoryFigures
from gpuscale.testing.fake_device.pool import POOL
from gpuscale.testing.fake_device.streams import Stream

__all__ = ["FakeDevice"]


class FakeDevice:
    """See `gpuscale.backends.devices.Device`.

    Parameters
    ----------
    xp : module
        The namespace.
    """

    index = 0

    def __init__(self, xp: Any) -> None:
        self._xp = xp
        self._idle: deque[Stream] = deque()  # streams that no task uses

    @contextmanager
    def running(self, label: str) -> Iterator[None]:
        """Use a stream that no other task uses, and wait for it."""
        try:
            stream = self._idle.pop()
        except IndexError:
            stream = Stream()
        try:
            with stream:
                yield
        finally:
            stream.synchronize()
            self._idle.append(stream)

    def upload(self, data: Any) -> Any:
        """Copy an array of the host to the device."""
        return self._xp.asarray(data)

    def free_blocks(self) -> None:
        """Note that somebody asked: nothing is kept for arrays to come."""
        POOL.emptied += 1

    def figures(self) -> MemoryFigures:
        """Say how the memory stands."""
        return MemoryFigures(POOL.used, 0, POOL.limit)
