"""Arrays that lie in a file byte for byte: memory-mapped, so a piece is a view."""

from __future__ import annotations

import mmap
import os
import threading
from functools import cached_property
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np

from gpuscale.base.tokens import tokenize
from gpuscale.io.pieces import Cost, PieceReader, Region

__all__ = ["MappedArray", "MappedReader", "c_strides", "file_stamp"]


def c_strides(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[int, ...]:
    """Return the strides, in bytes, of an array whose last axis varies fastest.

    Examples
    --------
    >>> c_strides((2, 3, 4), np.dtype("int16"))
    (24, 8, 2)
    """
    steps = accumulate(reversed(shape[1:]), mul, initial=dtype.itemsize)
    return tuple(steps)[::-1] if shape else ()


def file_stamp(path: str) -> tuple[Any, ...]:
    """Return what identifies the present contents of a file without reading it."""
    status = os.stat(path)
    return os.path.abspath(path), status.st_size, status.st_mtime_ns


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
    """

    def __init__(
        self,
        path: str,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        offset: int,
        writable: bool = False,
    ) -> None:
        self._state = path, dtype, shape, strides, offset, writable
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return MappedArray, self._state

    @property
    def array(self) -> np.ndarray[Any, Any]:
        """The file's bytes as they are; mapped at first use, once in each process."""
        with self._lock:
            return self._array

    def piece(self, region: Region) -> np.ndarray[Any, Any]:
        """Return a view of one piece."""
        index: Any = (*region, ...)  # so that no piece is a scalar
        return self.array[index]

    @cached_property
    def _array(self) -> np.ndarray[Any, Any]:
        path, dtype, shape, strides, offset, writable = self._state
        if 0 in shape:
            return np.empty(shape, dtype)
        with open(path, "r+b" if writable else "rb") as file:
            access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
            mapping = mmap.mmap(file.fileno(), 0, access=access)
        return np.ndarray(shape, dtype, mapping, offset, strides)


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
    ) -> None:
        if dtype.hasobject:
            raise ValueError(f"{path} holds Python objects, which cannot be read in pieces")
        self.dtype, self.shape = dtype, shape
        _check_length(path, dtype, shape, strides, offset)
        self.token = tokenize("mapped", *file_stamp(path), str(dtype), shape, strides, offset)
        self._mapped = MappedArray(os.path.abspath(path), dtype, shape, strides, offset)

    def read(self, region: Region) -> np.ndarray[Any, Any]:
        """Return a read-only view of the file."""
        return self._mapped.piece(region)

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
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    offset: int,
) -> None:
    if 0 in shape:
        return
    reach = sum((n - 1) * max(step, 0) for n, step in zip(shape, strides, strict=True))
    expected, found = offset + reach + dtype.itemsize, os.path.getsize(path)
    if found < expected:
        raise ValueError(
            f"{path} is truncated: an array of shape {shape} and dtype {dtype} ends at byte "
            f"{expected}, but the file has {found} bytes"
        )
