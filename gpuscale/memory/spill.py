"""Write results to disk, to make room in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard

import numpy as np

from gpuscale.base.errors import SpillError
from gpuscale.base.sizes import format_bytes
from gpuscale.base.strides import axes_in_memory
from gpuscale.memory.parts import Parts, SpilledParts
from gpuscale.memory.pickler import pickled
from gpuscale.memory.spill_folder import SpillFolder
from gpuscale.memory.spilled import (
    BUFFER,
    OnDisk,
    SpilledArray,
    SpilledObject,
    SpilledTuple,
    bytes_of,
)

__all__ = ["is_plain", "spill"]


def spill(result: Any, folder: SpillFolder, nbytes: int = 0) -> OnDisk | None:
    """Write a result to disk.

    Parameters
    ----------
    result : object
    folder : SpillFolder
    nbytes : int
        Bytes that it holds, where it is no array.

    Returns
    -------
    SpilledArray, SpilledTuple, SpilledParts, SpilledObject or None
        None for a result that cannot be pickled, or that lies on a device.

    Raises
    ------
    SpillError
        If the disk is full, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     spilled = spill(np.arange(12).reshape(3, 4), SpillFolder(Path(folder)))
    ...     spilled[1:, 2].tolist(), spilled.nbytes
    ([6, 10], 96)
    """
    try:
        return _written(result, folder, nbytes)
    except OSError as error:
        raise SpillError(
            f"a result of {format_bytes(nbytes)} could not be written to {folder.path} to make "
            f"room in memory: {error}; free room there, set the option temporary-directory to a "
            "folder on a larger disk, or raise the option memory-limit"
        ) from error


def _written(result: Any, folder: SpillFolder, nbytes: int) -> OnDisk | None:
    if is_plain(result):
        return _write_array(result, folder)
    if type(result) is tuple and result and all(map(is_plain, result)):
        return SpilledTuple([_write_array(each, folder) for each in result])
    if hasattr(type(result), "__cuda_array_interface__"):
        return None
    try:
        if isinstance(result, Parts):
            return _write_parts(result, folder)
        return _write_object(result, folder, nbytes)
    except _NotPickled:
        return None  # it stays in memory


def is_plain(result: Any) -> TypeGuard[np.ndarray[Any, Any]]:
    """Say whether a result is an array whose bytes are all there is of it."""
    return type(result) is np.ndarray and not result.dtype.hasobject


def _write_array(result: np.ndarray[Any, Any], folder: SpillFolder) -> SpilledArray:
    axes = axes_in_memory(result)
    laid_out = result.transpose(axes)
    file = folder.store(_parts(laid_out), _sample(laid_out), laid_out.nbytes)
    return SpilledArray(file, result.shape, result.dtype, axes, result.flags.writeable)


def _parts(data: np.ndarray[Any, Any]) -> Iterator[memoryview]:
    """Bytes of an array in C order; of one with gaps a copy of a few rows at a time."""
    if not data.nbytes:
        return
    if data.flags.c_contiguous:
        yield bytes_of(data)
        return
    rows = max(1, BUFFER * len(data) // data.nbytes)
    for first in range(0, len(data), rows):
        yield bytes_of(np.ascontiguousarray(data[first : first + rows]))


def _sample(data: np.ndarray[Any, Any]) -> memoryview:
    if data.flags.c_contiguous and data.nbytes:
        return bytes_of(data)
    return memoryview(data.flat[: BUFFER // 8].tobytes())


class _NotPickled(Exception):
    """A result that cannot be pickled."""


def _write_object(result: Any, folder: SpillFolder, nbytes: int) -> SpilledObject:
    parts = _pickled(result)
    file = folder.store(parts, max(parts, key=len), sum(map(len, parts)))
    shape = getattr(result, "shape", None)
    return SpilledObject(file, list(map(len, parts)), nbytes, type(result), shape)


def _write_parts(result: Parts, folder: SpillFolder) -> SpilledParts:
    sizes: list[list[int]] = []

    def pickles() -> Iterator[memoryview]:
        for number in range(len(result)):  # what is pickled goes before the next one comes
            parts = _pickled(result[number])
            sizes.append(list(map(len, parts)))
            yield from parts

    sample = max(_pickled(result[len(result) // 2]), key=len)
    file = folder.store(pickles(), sample, result.nbytes)
    return SpilledParts(file, sizes, result.nbytes, type(result))


def _pickled(result: Any) -> list[memoryview]:
    """Return a pickle, and what lies beside it."""
    try:
        return pickled(result)
    except Exception as error:  # whatever its own methods raise
        raise _NotPickled from error
