"""Where elements are: positions of those that are not zero, and positions as one number."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from gpuscale.array.api.creation import arange
from gpuscale.array.api.elementwise import floor_divide, logical_and, remainder
from gpuscale.array.api.folding import accumulate
from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.manipulation import flip
from gpuscale.array.api.masking import select_axis
from gpuscale.array.api.reductions import any as _any
from gpuscale.array.api.reshaping import ravel
from gpuscale.array.collection import Array
from gpuscale.array.construct import cast
from gpuscale.array.convert import as_array, as_arrays
from gpuscale.backends.seams import array_namespace
from gpuscale.chunks.axes import normalize_axes

__all__ = [
    "argwhere",
    "flatnonzero",
    "nonzero",
    "ravel_multi_index",
    "trim_zeros",
    "unravel_index",
]


def flatnonzero(x: Any) -> Array:
    """Positions of the elements that are not zero, in the flattened array.

    How many there are is counted when someone asks.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.flatnonzero(ga.asarray([0, 3, 0, 5], chunks=2)).compute()
    array([1, 3])
    """
    flags = ravel(Array(cast(as_array(x).expr, bool)))
    numbers = arange(flags.shape[0], dtype=np.int64, chunks=flags.chunks, like=flags)
    return Array(select_axis(numbers.expr, flags.expr, 0))


def nonzero(x: Any, /) -> tuple[Array, ...]:
    """Positions of the elements that are not zero: for each axis, one array.

    How many there are is counted when someone asks.

    Raises
    ------
    ValueError
        If the array has no axes.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> [a.compute().tolist() for a in ga.nonzero(ga.asarray([[0, 3], [5, 0]]))]
    [[0, 1], [1, 0]]
    """
    x = as_array(x)
    if not x.ndim:
        raise ValueError(
            "Calling nonzero on 0d arrays is not allowed. Use np.atleast_1d(scalar).nonzero() "
            "instead."
        )
    return coordinates(flatnonzero(x), x.shape)


def argwhere(x: Any) -> Array:
    """Positions of the elements that are not zero, one row each.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.argwhere(ga.asarray([[0, 3], [5, 0]])).compute()
    array([[0, 1],
           [1, 0]])
    """
    x = as_array(x)
    if not x.ndim:
        return flatnonzero(x)[:, None][:, :0]
    strides = [_stride(x.shape, axis) for axis in range(x.ndim)]
    lengths = [max(n, 1) for n in x.shape]
    return remainder(floor_divide(flatnonzero(x)[:, None], strides), lengths)


def coordinates(numbers: Array, shape: tuple[int, ...]) -> tuple[Array, ...]:
    """For each axis of a shape, positions from numbers in C order, which are not checked."""
    return tuple(
        remainder(floor_divide(numbers, _stride(shape, axis)), max(length, 1))
        for axis, length in enumerate(shape)
    )


def _stride(shape: tuple[int, ...], axis: int) -> int:
    return max(prod(shape[axis + 1 :]), 1)


def unravel_index(indices: Any, shape: Any, order: str = "C") -> tuple[Array, ...]:
    """For each axis of a shape, positions of elements from their numbers in the flattened array.

    Parameters
    ----------
    indices : int or array of int
    shape : int or tuple of int
    order : {"C", "F"}

    Raises
    ------
    ValueError
        If a number is out of bounds; for a lazy array when it is computed.
    TypeError
        If the numbers are no integers.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> [a.compute().tolist() for a in ga.unravel_index([5, 2], (2, 3))]
    [[1, 0], [2, 2]]
    """
    if not isinstance(indices, Array):
        return tuple(map(as_array, np.unravel_index(indices, shape, order=order)))  # type: ignore
    if indices.dtype.kind not in "iu":
        raise TypeError("only int indices permitted")
    lengths = tuple(np.atleast_1d(shape).tolist())
    return tuple(
        map_blocks(_unravel, indices, lengths, order, axis, dtype=np.dtype(np.intp))
        for axis in range(len(lengths))
    )


def _unravel(chunk: Any, shape: tuple[int, ...], order: str, axis: int) -> Any:
    return array_namespace(chunk).unravel_index(chunk, shape, order=order)[axis]


def ravel_multi_index(
    multi_index: Any, dims: Sequence[int], mode: Any = "raise", order: str = "C"
) -> Array:
    """Numbers of elements in the flattened array from their positions along each axis.

    Parameters
    ----------
    multi_index : sequence of arrays of int, or one array
        One for each axis, broadcast together.
    dims : tuple of int
        Shape of the array.
    mode : {"raise", "wrap", "clip"}, or a tuple with one for each axis
        What to do with positions that are out of bounds.
    order : {"C", "F"}

    Raises
    ------
    ValueError
        If a position is out of bounds; when it is computed.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ravel_multi_index((ga.asarray([1, 0]), ga.asarray([2, 2])), (2, 3)).compute()
    array([5, 2])
    """
    arrays = as_arrays(multi_index, "ravel_multi_index")
    lengths = tuple(np.atleast_1d(dims).tolist())
    if len(arrays) != len(lengths):
        raise ValueError(
            f"parameter multi_index must be a sequence of length {len(lengths)}, got {len(arrays)}"
        )
    if any(a.dtype.kind not in "iu" for a in arrays):
        raise TypeError("only int indices permitted")
    options = {"shape": lengths, "mode": mode, "order": order}
    return map_blocks(_ravel, *arrays, dtype=np.dtype(np.intp), **options)


def _ravel(*chunks: Any, shape: tuple[int, ...], mode: Any, order: str) -> Any:
    xp = array_namespace(chunks[0])
    return xp.ravel_multi_index(chunks, shape, mode=mode, order=order)


def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Array:
    """Leave out zeros at the ends; how many elements stay is counted when someone asks.

    Parameters
    ----------
    filt : array
    trim : {"fb", "f", "b"}
        Both ends, the front or the back.
    axis : int or sequence of int, optional
        Axes to trim; all by default.

    Raises
    ------
    ValueError
        If ``trim`` names no end.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.trim_zeros(ga.asarray([0, 0, 3, 0, 5, 0], chunks=2)).compute()
    array([3, 0, 5])
    """
    x = as_array(filt)
    if trim.lower() not in ("fb", "bf", "f", "b"):
        raise ValueError(f"unexpected character(s) in `trim`: {trim!r}")
    axes = normalize_axes(axis, x.ndim)
    flags = Array(cast(x.expr, bool))
    result = x.expr
    for each in axes:
        present = _any(flags, tuple(k for k in range(x.ndim) if k != each))
        inside = [accumulate("logical_or", present)] if "f" in trim.lower() else []
        if "b" in trim.lower():
            inside.append(flip(accumulate("logical_or", flip(present, 0)), 0))
        result = select_axis(result, reduce(logical_and, inside).expr, each)
    return Array(result)
