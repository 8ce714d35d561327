"""Pickles of results that are read back as they were."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np

from gpuscale.base.strides import axes_in_memory

__all__ = ["LayoutPickler", "laid_out", "packed", "pickled", "unpacked"]

#: What begins in memory where such a number of bytes begins suits all libraries.
_ALIGNED = 64


class LayoutPickler(pickle.Pickler):
    """Keeps of arrays in which order memory has their axes, and whether they may be written.

    Pickle by itself does so of arrays without gaps that are in C or Fortran order, and NumPy before
    2.3 of these alone.

    Examples
    --------
    >>> import io
    >>> x = np.zeros((2, 3, 4)).transpose(1, 0, 2)
    >>> file = io.BytesIO()
    >>> LayoutPickler(file, protocol=5).dump([x])
    >>> pickle.loads(file.getvalue())[0].strides == x.strides
    True
    """

    def reducer_override(self, value: Any) -> Any:
        """Say how to make such an array again."""
        if type(value) is not np.ndarray:
            return NotImplemented
        if value.flags.forc and (value.flags.writeable or not value.dtype.hasobject):
            return NotImplemented
        axes = axes_in_memory(value)
        return laid_out, (value.transpose(axes).copy(), axes, value.flags.writeable)


def laid_out(
    array: np.ndarray[Any, Any], axes: tuple[int, ...], writeable: bool
) -> np.ndarray[Any, Any]:
    """Return an array whose memory has its axes in some order.

    Parameters
    ----------
    array : numpy.ndarray
        With the axes in that order.
    axes : tuple of int
        Which of the axes of the result these are.
    writeable : bool

    Examples
    --------
    >>> laid_out(np.zeros((4, 2)), (1, 0), True).shape
    (2, 4)
    """
    array = array.transpose(np.argsort(axes))
    if not writeable:
        array.flags.writeable = False
    return array


def pickled(value: Any) -> list[memoryview]:
    """Return a pickle, and the memory that lies beside it.

    Examples
    --------
    >>> [len(each) for each in pickled(np.zeros(1000))][1:]
    [8000]
    """
    main = io.BytesIO()
    buffers: list[pickle.PickleBuffer] = []
    LayoutPickler(main, protocol=5, buffer_callback=buffers.append).dump(value)
    return [main.getbuffer(), *(each.raw() for each in buffers)]


def packed(value: Any) -> np.ndarray[Any, Any]:
    """Return a value as bytes, behind which others may follow.

    Examples
    --------
    >>> list(unpacked(np.concatenate([packed({"x": 1}), packed("text")])))
    [{'x': 1}, 'text']
    """
    parts = pickled(value)
    head = np.array([len(parts), *map(len, parts)], np.int64)
    arrays = [head.view(np.uint8), *(np.frombuffer(part, np.uint8) for part in parts)]
    found = np.zeros(sum(_padded(len(each)) for each in arrays), np.uint8)
    start = 0
    for each in arrays:
        found[start : start + len(each)] = each
        start += _padded(len(each))
    return found


def unpacked(data: np.ndarray[Any, Any]) -> Iterator[Any]:
    """Yield the values that `packed` made bytes of, each in memory of its own."""
    start = 0
    while start < len(data):
        (count,) = data[start : start + 8].view(np.int64)
        sizes = data[start + 8 : start + 8 * (count + 1)].view(np.int64)
        start += _padded(8 * (count + 1))
        parts = []
        for size in sizes:
            parts.append(memoryview(data[start : start + size].copy()))  # type: ignore[arg-type]
            start += _padded(int(size))
        yield pickle.loads(parts[0], buffers=parts[1:])


def _padded(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED
