"""Arrays that lie in a file byte for byte: memory-mapped, so a piece is a view."""

from __future__ import annotations

import mmap
import os
import threading
from functools import cached_property
from itertools import accumulate
from operator import mul
from typing import Any, TypeAlias
from weakref import WeakSet

import numpy as np

from gpuscale.base.tokens import tokenize
from gpuscale.base.types import PathLike
from gpuscale.io.bands import copied_in_bands, is_copied
from gpuscale.io.pieces import Cost, PieceReader, Region
from gpuscale.io.places import place_of

__all__ = [
    "MappedArray",
    "MappedReader",
    "Stamp",
    "c_strides",
    "check_unchanged",
    "file_stamp",
    "leave_pages",
    "stamp_of",
]

Stamp: TypeAlias = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds."""


def c_strides(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[int, ...]:
    """Return the strides, in bytes, of an array whose last axis varies fastest.

    Examples
    --------
    >>> c_strides((2, 3, 4), np.dtype("int16"))
    (24, 8, 2)
    """
    steps = accumulate(reversed(shape[1:]), mul, initial=dtype.itemsize)
    return tuple(steps)[::-1] if shape else ()


def stamp_of(status: os.stat_result) -> Stamp:
    """Return what changes with the contents of a file."""
    return status.st_size, status.st_mtime_ns


def file_stamp(path: str) -> tuple[Any, ...]:
    """Return what identifies the present contents of a file without reading it."""
    status = os.stat(path)
    return os.path.abspath(path), *stamp_of(status)


def check_unchanged(path: PathLike, before: Stamp, now: Stamp) -> None:
    """Refuse a file that is not what it was.

    Raises
    ------
    ValueError
        If it has another size or was written to.

    Examples
    --------
    >>> check_unchanged("x.npy", (144, 1), (128, 2))
    Traceback (most recent call last):
    ...
    ValueError: x.npy has changed since it was opened, from 144 bytes to 128; open it again
    """
    if now != before:
        how = f"from {before[0]} bytes to {now[0]}" if now[0] != before[0] else "in its contents"
        raise ValueError(f"{path} has changed since it was opened, {how}; open it again")


_ALL: WeakSet[MappedArray] = WeakSet()
_ALL_LOCK = threading.Lock()


class MappedArray:
    """Part of a file as an array; pickling it sends the file's name, not its bytes.

    Parameters
    ----------
    path : str
    dtype : numpy.dtype
    shape : tuple of int
    strides : tuple of int
        In bytes; may be negative.
    offset : int
        Byte of the file that holds element ``[0, 0, ...]``.
    writable : bool
        Whether assigning to the array changes the file.
    stamp : Stamp, optional
        What the file must still have where a piece is taken; by default it may change, but not
        become too short.

    Notes
    -----
    A file that replaces this one under its name does not matter once this one is mapped. A file
    that becomes shorter while someone computes with a piece kills the process (SIGBUS).
    """

    def __init__(
        self,
        path: str,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        offset: int,
        writable: bool = False,
        stamp: Stamp | None = None,
    ) -> None:
        self._state = path, dtype, shape, strides, offset, writable, stamp
        self._lock = threading.Lock()
        self._mapping: mmap.mmap | None = None
        self._inode: tuple[int, int] = (0, 0)
        with _ALL_LOCK:
            _ALL.add(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return MappedArray, self._state

    @property
    def array(self) -> np.ndarray[Any, Any]:
        """The file's bytes as they are; mapped at first use, once in each process.

        Raises
        ------
        ValueError
            If the file has changed.
        """
        with self._lock:
            array = self._array
        if self._mapping is not None:
            self._check(self._mapping)
        return array

    def piece(self, region: Region) -> np.ndarray[Any, Any]:
        """Return a view of one piece."""
        index: Any = (*region, ...)  # so that no piece is a scalar
        return self.array[index]

    def leave_pages(self) -> None:
        """Let go of the pages; the array stays as it is."""
        if self._mapping is not None:
            self._mapping.madvise(mmap.MADV_DONTNEED)

    @cached_property
    def _array(self) -> np.ndarray[Any, Any]:
        path, dtype, shape, strides, offset, writable, stamp = self._state
        if 0 in shape:
            return np.empty(shape, dtype)
        with open(path, "r+b" if writable else "rb") as file:
            status = os.fstat(file.fileno())
            if stamp is not None:
                check_unchanged(path, stamp, stamp_of(status))
            _check_length(path, status.st_size, dtype, shape, strides, offset)
            access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
            self._mapping = mmap.mmap(file.fileno(), 0, access=access)
            self._inode = status.st_dev, status.st_ino
        return np.ndarray(shape, dtype, self._mapping, offset, strides)

    def _check(self, mapping: mmap.mmap) -> None:
        path, dtype, shape, strides, offset, _, stamp = self._state
        if stamp is not None:
            try:
                status = os.stat(path)
            except OSError:  # it lost its name, but what is mapped stays
                status = None
            if status is not None and (status.st_dev, status.st_ino) == self._inode:
                check_unchanged(path, stamp, stamp_of(status))
                return
        _check_length(path, mapping.size(), dtype, shape, strides, offset)


def leave_pages() -> None:
    """Let go of the pages of all mapped files that this process has touched.

    They stay in the system's cache, from which the next access has them, and no longer count as
    memory of the process, by which a cluster judges its workers.
    """
    with _ALL_LOCK:
        every = list(_ALL)
    for each in every:
        each.leave_pages()


class MappedReader(PieceReader):
    """Reads pieces of a memory-mapped array, without copying.

    Parameters
    ----------
    path : str
    dtype : numpy.dtype
    shape, strides : tuple of int
        Strides are in bytes.
    offset : int
        Byte of the file that holds the first element.
    stamp : Stamp, optional
        What the file must still have where a piece is read; by default it may change.

    Raises
    ------
    ValueError
        If the file is shorter than the array, or the elements are Python objects.
    """

    chunks = None
    cost: Cost = "view"

    def __init__(
        self,
        path: str,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        offset: int,
        stamp: Stamp | None = None,
    ) -> None:
        if dtype.hasobject:
            raise ValueError(f"{path} holds Python objects, which cannot be read in pieces")
        self.dtype, self.shape = dtype, shape
        _check_length(path, os.path.getsize(path), dtype, shape, strides, offset)
        self.token = tokenize("mapped", *file_stamp(path), str(dtype), shape, strides, offset)
        self.must_stay = stamp is not None
        self._path = name = os.path.abspath(path)
        self._mapped = MappedArray(name, dtype, shape, strides, offset, stamp=stamp)

    def read(self, region: Region) -> np.ndarray[Any, Any]:
        """Return a read-only view of the file, or a copy within `gpuscale.io.bands.few_pages`."""
        view = self._mapped.piece(region)
        return copied_in_bands(view, self._mapped.leave_pages) if is_copied(view) else view

    def shows(self, target: Any) -> bool:
        """Whether an array lies in the same file."""
        return os.path.realpath(self._path) == place_of(target)[0]

    @classmethod
    def of_memmap(cls, array: np.memmap[Any, Any]) -> MappedReader:
        """Return a reader of what an open `numpy.memmap`, or a view of one, shows."""
        mapping = array._mmap  # type: ignore[attr-defined]
        base = np.frombuffer(mapping, np.uint8).__array_interface__["data"][0]
        # A view keeps the offset of the array it was cut from, but its address is its own.
        start = array.offset - array.offset % mmap.ALLOCATIONGRANULARITY
        offset = start + array.__array_interface__["data"][0] - base
        return cls(str(array.filename), array.dtype, array.shape, array.strides, offset)


def _check_length(
    path: str,
    found: int,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    offset: int,
) -> None:
    if 0 in shape:
        return
    reach = sum((n - 1) * max(step, 0) for n, step in zip(shape, strides, strict=True))
    expected = offset + reach + dtype.itemsize
    if found < expected:
        raise ValueError(
            f"{path} is truncated: an array of shape {shape} and dtype {dtype} ends at byte "
            f"{expected}, but the file has {found} bytes"
        )
