"""The memory of the fake device: what is alive in it, its peak, and a limit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gpuscale.backends.cupy_ops import out_of_memory_type
from gpuscale.base.sizes import is_fraction, parse_bytes

__all__ = ["POOL", "Pool"]


class Pool:
    """Counts the bytes of arrays that are alive; views count with what they show.

    Attributes
    ----------
    limit : int or None
        Bytes; an allocation beyond raises the out-of-memory error of CuPy.
    used, peak : int
        Bytes alive now, and at most since `reset_peak`.
    emptied : int
        How often somebody asked for what the pool holds for arrays to come; it holds nothing.

    Examples
    --------
    >>> from gpuscale.testing import fake_device
    >>> with fake_device.active() as xp, fake_device.POOL.limited_to(1000):
    ...     try:
    ...         xp.zeros(200)
    ...     except MemoryError as error:
    ...         print(error)
    Out of memory allocating 1,600 bytes (allocated so far: ... bytes, limit set to: ... bytes).
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self.used = self.peak = self.emptied = 0
        self._until_failure = 0
        # The collector of cycles may free an array while this thread allocates another.
        self._lock = threading.RLock()

    def take(self, nbytes: int) -> None:
        """Allocate.

        Raises
        ------
        cupy.cuda.memory.OutOfMemoryError
            If the limit does not allow it; without CuPy, a class of the same name.
        """
        with self._lock:
            self._until_failure -= 1
            short = self.limit is not None and self.used + nbytes > self.limit
            if short or self._until_failure == 0:
                raise out_of_memory_type()(nbytes, self.used, self.limit or 0)
            self.used += nbytes
            self.peak = max(self.peak, self.used)

    def give(self, nbytes: int) -> None:
        """Free."""
        with self._lock:
            self.used -= nbytes

    def reset_peak(self) -> None:
        """Let the peak be what is alive now."""
        with self._lock:
            self.peak = self.used

    @contextmanager
    def failing(self, at: int) -> Iterator[None]:
        """Let one allocation fail though there is room: the first from now on for 1, and so on."""
        if at < 1:
            raise ValueError(f"allocations are counted from now on, the first for 1, not {at}")
        with self._lock:
            self._until_failure = at
        try:
            yield
        finally:
            self._until_failure = 0

    @contextmanager
    def limited_to(self, size: float | str | None) -> Iterator[None]:
        """Allow so many bytes beside those that are alive already, while this lasts.

        Parameters
        ----------
        size : int, str or None
            Bytes, or a text such as ``"1 MB"``; None for no limit.

        Raises
        ------
        ValueError
            If it is no size, or a fraction, which this memory has nothing to take of.
        """
        if size is not None and is_fraction(size):
            raise ValueError(
                f"the memory of the fake device has no size of which {size!r} could be a part; "
                "say bytes, such as 1_000_000 or '1 MB'"
            )
        before = self.limit
        self.limit = None if size is None else self.used + parse_bytes(size, total=0)
        self.reset_peak()
        try:
            yield
        finally:
            self.limit = before


POOL = Pool()
"""Of this process, which has one fake device."""
