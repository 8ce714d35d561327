"""Memory of the fake device: a buffer, counted by the pool, and who wrote it last."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np

from gpuscale.testing.fake_device.pool import POOL
from gpuscale.testing.fake_device.streams import Stream, current_stream, refuse

__all__ = ["Memory", "is_held_once"]

_MANY = 1000  # parts that are told apart
_EXACT = 1000  # steps to find out whether two views overlap; beyond, they are said to


class Write(NamedTuple):
    """Work of a stream that writes a part of some memory."""

    stream: Stream
    number: int
    part: np.ndarray[Any, Any]


class Memory:
    """One allocation, shared by all arrays that are views of it.

    Parameters
    ----------
    root : ndarray
        The array of NumPy that owns the bytes.
    """

    __slots__ = ("_nbytes", "_writes", "root")

    def __init__(self, root: np.ndarray[Any, Any]) -> None:
        self._nbytes = 0
        POOL.take(root.nbytes)
        self._nbytes = root.nbytes
        self.root = root
        # Parts that streams may still be writing: disjoint ones may have several writers.
        self._writes: dict[Any, Write] = {}

    def __del__(self) -> None:
        POOL.give(self._nbytes)

    def written(self, part: np.ndarray[Any, Any]) -> None:
        """Note that the current stream writes a part."""
        stream = current_stream()
        self._check(part, stream)
        if len(self._writes) >= _MANY or part.size == self.root.size:
            self._writes = {k: w for k, w in self._writes.items() if not self._is_past(w, stream)}
        if len(self._writes) >= _MANY:
            part = self.root
        place = (stream, part.__array_interface__["data"], part.shape, part.strides)
        self._writes[place] = Write(stream, stream.issue(), part)

    def _is_past(self, write: Write, stream: Stream) -> bool:
        """Whether nobody need wait for a write, with all written anew by a stream."""
        return write.stream is stream or write.number <= write.stream.finished

    def read(self, part: np.ndarray[Any, Any]) -> None:
        """Check that the current stream has waited for those who write a part."""
        if self._writes:
            self._check(part, current_stream())

    def _check(self, part: np.ndarray[Any, Any], stream: Stream) -> None:
        for write in tuple(self._writes.values()):
            if not stream.is_after(write.stream, write.number) and _overlap(part, write.part):
                raise refuse(stream, write.stream, part)


def _overlap(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    try:
        return np.shares_memory(one, other, max_work=_EXACT)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def is_held_once(array: Any) -> bool:
    """Say whether only one array shows a memory."""
    return _holders(array) <= _ONE


def _holders(array: Any) -> int:
    return sys.getrefcount(array._memory)


class _Holder:
    def __init__(self) -> None:
        self._memory = object()


_ONE = _holders(_Holder())  # how these are counted differs between versions of Python
