"""Results on disk, which are read back whole or in regions; their files go with these objects.

A region is read by `pread`: pages of a mapped file would count as memory of the process.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise, product
from operator import mul
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

from gpuscale.backends.seams import array_namespace
from gpuscale.memory.spill_file import SpillFile

__all__ = [
    "ArrayOnDisk",
    "OnDisk",
    "Spilled",
    "SpilledArray",
    "SpilledObject",
    "SpilledTuple",
    "bytes_of",
]

Bounds: TypeAlias = list[tuple[int, int]]

# Bytes that take as long to read as it takes to ask for a run of bytes by itself.
_GAP = 1 << 13
BUFFER = 1 << 20  # memory for bytes that are read or copied on the way


class OnDisk:
    """A result on disk, or one of a device on the host, from where it may go to disk.

    Copies and pickles of it are of the result, since a file has one owner.
    """

    @property
    def stored(self) -> int:
        """Bytes on disk."""
        raise NotImplementedError

    def load(self) -> Any:
        """Read all of it."""
        raise NotImplementedError

    def regions(self) -> Any:
        """Return what a function gets that reads regions."""
        return self.load()

    def __reduce__(self) -> tuple[Any, ...]:
        return _itself, (self.load(),)


def _itself(value: Any) -> Any:
    return value


class ArrayOnDisk(OnDisk):
    """An array on disk, which is read in regions by integers and slices.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    _axes: Sequence[int]  # in the order in which memory had them

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the array where it belongs."""
        return self.size * int(self.dtype.itemsize)

    @property
    def outer_axis(self) -> int:
        """Axis along which one part after the other is stored."""
        return self._axes[0]

    def __len__(self) -> int:
        return int(self.shape[0])

    def regions(self) -> ArrayOnDisk:
        """Return what a function gets that reads regions."""
        return self


class SpilledArray(ArrayOnDisk):
    """An array in a file of this process, its axes in the order in which memory had them.

    Indexing by integers and slices reads that region into a new array; nothing stays in memory.

    Parameters
    ----------
    file : SpillFile
    shape : tuple of int
    dtype : numpy.dtype
    axes : tuple of int
        Axes in the order in which the file has them.
    writeable : bool
        Whether what is read may be changed, as the array itself.
    """

    def __init__(
        self,
        file: SpillFile,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        axes: tuple[int, ...],
        writeable: bool = True,
    ) -> None:
        self.shape, self.dtype, self._writeable = shape, dtype, writeable
        self._file, self._axes = file, axes
        sizes = accumulate((shape[axis] for axis in axes[:0:-1]), mul, initial=dtype.itemsize)
        self._strides = list(sizes)[::-1]  # bytes from one element to the next, in the file

    #: Type of what comes back.
    kind = np.ndarray

    @property
    def stored(self) -> int:
        """Bytes on disk."""
        return self._file.stored

    def __repr__(self) -> str:
        return f"SpilledArray(shape={self.shape}, dtype={self.dtype})"

    def __getitem__(self, index: Any) -> Any:
        index = _full_index(index, self.ndim)
        spans = [_span(each, n) for each, n in zip(index, self.shape, strict=True)]
        found = np.empty([spans[a][1] - spans[a][0] for a in self._axes], self.dtype)
        if found.size:
            self._read([spans[a] for a in self._axes], found)
        found = found.transpose(np.argsort(self._axes))
        found.flags.writeable = self._writeable
        if all(isinstance(each, slice) and each.step in (None, 1) for each in index):
            return found
        return found[tuple(_within(each) for each in index)]

    def take(self, positions: Any, axis: int) -> np.ndarray[Any, Any]:
        """Read chosen positions along an axis: neighbours together, but few at a time."""
        shape = list(self.shape)
        row_bytes = max(1, self.nbytes // max(1, shape[axis]))
        shape[axis] = len(positions)
        out = np.empty(shape, self.dtype)
        order = np.argsort(positions, kind="stable")
        ascending = np.asarray(positions)[order]
        before: tuple[slice, ...] = (slice(None),) * axis
        for part in _neighbours(ascending, 1 + _GAP // row_bytes, max(1, BUFFER // row_bytes)):
            first, last = ascending[part][0], ascending[part][-1]
            read = self[(*before, slice(first, last + 1))]
            to: tuple[Any, ...] = (*before, order[part])
            out[to] = read.take(ascending[part] - first, axis=axis)
        return out

    def load(self) -> np.ndarray[Any, Any]:
        """Read all of it."""
        whole: np.ndarray[Any, Any] = self[...]
        return whole

    def _read(self, bounds: Bounds, out: np.ndarray[Any, Any]) -> None:
        """Read a region, given in the file's order of axes, into contiguous memory."""
        axis = len(bounds) - 1  # along which one run of bytes reaches
        while axis > 0 and bounds[axis] == (0, self.shape[self._axes[axis]]):
            axis -= 1
        if axis > 0:
            begin, end = bounds[axis]
            if self._strides[axis - 1] - (end - begin) * self._strides[axis] <= _GAP:
                self._read_across(axis - 1, bounds, out)
                return
        self._file.read_into(bytes_of(out), self._runs(axis, bounds))

    def _runs(self, axis: int, bounds: Bounds) -> Iterator[tuple[int, int]]:
        """Runs of bytes that reach along an axis and all after it."""
        if not bounds:
            yield 0, self.dtype.itemsize
            return
        starts = np.zeros(1, np.int64)
        for (begin, end), stride in zip(bounds[:axis], self._strides[:axis], strict=True):
            starts = np.add.outer(starts, np.arange(begin, end) * stride).ravel()
        begin, end = bounds[axis]
        stride = self._strides[axis]
        for start in starts.tolist():
            yield start + begin * stride, start + end * stride

    def _read_across(self, axis: int, bounds: Bounds, out: np.ndarray[Any, Any]) -> None:
        """Read what lies between short runs along with them, a few at a time."""
        rest: list[Any] = [slice(*span) for span in bounds[axis + 1 :]]
        whole = [(0, self.shape[a]) for a in self._axes[axis + 1 :]]
        rows = max(1, BUFFER // self._strides[axis])
        begin, end = bounds[axis]
        for place in product(*(range(b - a) for a, b in bounds[:axis])):
            fixed = [(a + k, a + k + 1) for (a, _), k in zip(bounds, place, strict=False)]
            for first in range(begin, end, rows):
                last = min(first + rows, end)
                buffer = np.empty([last - first, *(n for _, n in whole)], self.dtype)
                runs = self._runs(axis, [*fixed, (first, last), *whole])
                self._file.read_into(bytes_of(buffer), runs)
                to: tuple[Any, ...] = (*place, slice(first - begin, last - begin))
                out[to] = buffer[(slice(None), *rest)]


@array_namespace.register(SpilledArray)
def _array_namespace(data: SpilledArray) -> ModuleType:
    return np


class SpilledTuple(OnDisk):
    """A tuple of arrays on disk."""

    #: Type of what comes back.
    kind = tuple

    def __init__(self, items: Iterable[Any]) -> None:
        self.items = tuple(items)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays where they belong."""
        return sum(each.nbytes for each in self.items)

    @property
    def stored(self) -> int:
        """Bytes on disk."""
        return sum(each.stored for each in self.items)

    def load(self) -> tuple[Any, ...]:
        """Read all of it."""
        return tuple(each.load() for each in self.items)

    def regions(self) -> tuple[Any, ...]:
        """Return what a function gets that reads regions."""
        return tuple(each.regions() for each in self.items)


class SpilledObject(OnDisk):
    """Any other result, pickled; of tables it says the shape."""

    def __init__(
        self,
        file: SpillFile,
        sizes: list[int],
        nbytes: int,
        kind: type,
        shape: tuple[int, ...] | None = None,
    ) -> None:
        self._file, self._sizes, self.nbytes, self.kind = file, sizes, nbytes, kind
        self.shape = shape

    @property
    def stored(self) -> int:
        """Bytes on disk."""
        return self._file.stored

    def load(self) -> Any:
        """Read it."""
        # Memory of its own for each: what is kept of the result alone then stays.
        buffers = [memoryview(np.empty(size, np.uint8)) for size in self._sizes]  # type: ignore[arg-type]
        self._file.read_all(buffers)
        return pickle.loads(buffers[0], buffers=buffers[1:])


Spilled: TypeAlias = "SpilledArray | SpilledTuple | SpilledObject"


def bytes_of(data: np.ndarray[Any, Any]) -> memoryview:
    """Return the memory of a contiguous array."""
    # An array of bytes first: buffers know neither dates nor all structures.
    return memoryview(data.reshape(-1).view(np.uint8))  # type: ignore[arg-type]


def _neighbours(ascending: np.ndarray[Any, Any], gap: int, most: int) -> Iterator[slice]:
    """Cut ascending positions where they are far apart, or have gone far.

    Examples
    --------
    >>> [(s.start, s.stop) for s in _neighbours(np.array([1, 2, 9, 10, 11, 12]), 2, 3)]
    [(0, 2), (2, 5), (5, 6)]
    """
    jumps = np.flatnonzero(np.diff(ascending) > gap) + 1
    for start, stop in pairwise([0, *jumps.tolist(), len(ascending)]):
        while start < stop:
            end = start + int(np.searchsorted(ascending[start:stop], ascending[start] + most))
            yield slice(start, end)
            start = end


def _full_index(index: Any, ndim: int) -> tuple[Any, ...]:
    """Return one integer or slice for each axis."""
    index = index if isinstance(index, tuple) else (index,)
    dots = [k for k, each in enumerate(index) if each is Ellipsis]
    for at in dots[:1]:
        index = (*index[:at], *[slice(None)] * (ndim - len(index) + 1), *index[at + 1 :])
    if len(index) > ndim or not all(isinstance(i, slice | int | np.integer) for i in index):
        raise IndexError(f"a spilled array is read by integers and slices, not by {index!r}")
    return (*index, *[slice(None)] * (ndim - len(index)))


def _span(index: Any, length: int) -> tuple[int, int]:
    """Where what an index chooses begins and ends along an axis."""
    if isinstance(index, slice):
        chosen = range(*index.indices(length))
        return (min(chosen[0], chosen[-1]), max(chosen[0], chosen[-1]) + 1) if chosen else (0, 0)
    if not -length <= index < length:
        raise IndexError(f"index {index} is out of bounds for an axis of size {length}")
    return index % length, index % length + 1


def _within(index: Any) -> Any:
    """Return what an index chooses of what has been read for it."""
    return slice(None, None, index.step) if isinstance(index, slice) else 0
