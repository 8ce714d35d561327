"""Repeating, shifting, inserting and deleting elements."""

from __future__ import annotations

from operator import index as as_int
from typing import Any

import numpy as np

from gpuscale.array.api.creation import zeros
from gpuscale.array.api.index_functions import computed, is_lazy, lengths_of
from gpuscale.array.api.joining import concatenate
from gpuscale.array.api.manipulation import broadcast_to, expand_dims
from gpuscale.array.api.masking import settle
from gpuscale.array.api.reshaping import along_axis, ravel, reshape
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk
from gpuscale.array.convert import as_array, as_arrays
from gpuscale.backends.seams import array_namespace, to_host
from gpuscale.base.tokens import tokenize
from gpuscale.base.types import Unknown
from gpuscale.chunks.axes import at_axis, normalize_axis
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = ["delete", "insert", "repeat", "resize", "roll", "tile"]


def roll(x: Any, /, shift: Any, axis: Any = None) -> Array:
    """Shift elements along some axes; those that leave at one end come back at the other.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.roll(ga.arange(4), 1).compute()
    array([3, 0, 1, 2])
    """
    x = as_array(x)
    given = x.dtype
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    shifts = shift if isinstance(shift, tuple | list) else np.ravel(computed(shift)).tolist()
    if not axes or not shifts:
        return Array(x.expr)
    if len(axes) != len(shifts):
        if 1 not in (len(axes), len(shifts)):
            raise ValueError("'shift' and 'axis' should be scalars or 1D sequences")
        axes, shifts = (list(v) * (max(len(axes), len(shifts)) // len(v)) for v in (axes, shifts))
    for each, amount in zip(axes, shifts, strict=True):
        number = normalize_axis(each, x.ndim)
        length = x.shape[number]
        at = -int(computed(amount)) % length if length else 0
        if at:
            parts = [x[at_axis(number, slice(at, None))], x[at_axis(number, slice(None, at))]]
            x = concatenate(parts, number)
    return x.astype(given, copy=False)  # joining gives the machine's byte order


def repeat(x: Any, repeats: Any, /, axis: int | None = None) -> Array:
    """Repeat each element.

    Parameters
    ----------
    x : array
    repeats : int or array of int
        How often, for all elements or for each along the axis. A lazy array decides the shape,
        which is counted when someone asks.
    axis : int, optional
        Flattened by default.

    Raises
    ------
    ValueError
        If a count is negative, or there are not as many as elements; where a lazy array has
        negative ones, when it is computed.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.repeat(ga.arange(2), 2).compute()
    array([0, 0, 1, 1])
    """
    counts: Any = as_array(repeats) if is_lazy(repeats) else np.asarray(repeats)
    if isinstance(counts, Array):
        x, counts = as_arrays((x, counts), "repeat")
    x, axis = along_axis(x, axis)
    if counts.dtype.kind not in "biu":
        raise TypeError(
            f"Cannot cast array data from {counts.dtype!r} to dtype('int64') according to the "
            "rule 'safe'"
        )
    if isinstance(counts, Array):
        return Array(_repeated(x, counts, axis))
    if (counts < 0).any():
        raise ValueError("repeats may not contain negative values.")
    if counts.size == 1:
        times = int(counts.reshape(()))
        wide = expand_dims(x, axis + 1)
        shape = [*x.shape[: axis + 1], times, *x.shape[axis + 1 :]]
        flat = [*x.shape[:axis], x.shape[axis] * times, *x.shape[axis + 1 :]]
        return reshape(broadcast_to(wide, tuple(shape)), tuple(flat))
    if counts.shape != (x.shape[axis],):
        raise ValueError(
            f"operands could not be broadcast together with shape ({x.shape[axis]},) {counts.shape}"
        )
    return x[at_axis(axis, np.repeat(np.arange(x.shape[axis]), counts))]


def _repeated(x: Array, counts: Array, axis: int) -> Node:
    """Repeat each element along an axis as often as lazy counts say."""
    if counts._meta.shape in ((), (1,)):
        counts = broadcast_to(counts.reshape(()), (x.shape[axis],))
    settle(x, counts, axis)
    if counts._meta.shape != (length := x._meta.shape[axis],):
        raise ValueError(
            f"operands could not be broadcast together with shape ({length},) {counts.shape}"
        )
    node, times = x.expr, rechunk(counts.expr, (x._meta.chunks[axis],))
    meta, token = node.meta, tokenize("repeat", times)
    sizes = tuple(Unknown(token, number) for number in range(meta.numblocks[axis]))
    chunks = (*meta.chunks[:axis], sizes, *meta.chunks[axis + 1 :])
    inputs = (
        BlockInput(node, axes=tuple(range(meta.ndim))),
        BlockInput(times, axes=(axis,)),
    )
    kernel = FunctionKernel(_repeat_block, (axis,), label="repeat")
    return Blockwise(kernel, inputs, meta.chunks, meta.with_(chunks=chunks))


def _repeat_block(chunk: Any, counts: Any, axis: int) -> Any:
    """Take each element as often as it is counted; CuPy's own function takes no arrays."""
    xp = array_namespace(chunk)
    ends = xp.cumsum(counts, dtype=np.int64)
    if not ends.size:
        return chunk
    least, total = (int(to_host(each)) for each in (counts.min(), ends[-1]))
    if least < 0:
        raise ValueError("repeats may not contain negative values.")
    return xp.take(chunk, xp.searchsorted(ends, xp.arange(total), side="right"), axis=axis)


def tile(x: Any, repetitions: Any, /) -> Array:
    """Repeat the whole array along each axis.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.tile(ga.arange(2), 2).compute()
    array([0, 1, 0, 1])
    """
    x = as_array(x)
    if not isinstance(repetitions, tuple | list):
        repetitions = np.ravel(computed(repetitions))
    times = tuple(as_int(computed(n)) for n in repetitions)
    if any(n < 0 for n in times):
        raise ValueError(f"negative dimensions are not allowed: {times}")
    given = x.dtype
    x = x[(None,) * max(0, len(times) - x.ndim)]
    times = (1,) * (x.ndim - len(times)) + times
    for axis, n in enumerate(times):
        if n == 0:
            x = x[at_axis(axis, slice(0, 0))]
        elif n > 1:
            x = concatenate([x] * n, axis)
    return x.astype(given, copy=False)


def resize(x: Any, new_shape: Any) -> Array:
    """Fill a shape with the elements in C order, from the start again where they end."""
    x = ravel(x)
    shape = lengths_of(new_shape)
    if any(n < 0 for n in shape):
        raise ValueError("all elements of `new_shape` must be non-negative")
    size = int(np.prod(shape, dtype=np.int64))
    if x.size == 0 or size == 0:
        return zeros(shape, x.dtype, like=x)
    result = reshape(tile(x, -(-size // x.size))[:size], shape)
    return result.astype(x.dtype.newbyteorder("="), copy=False)


def delete(x: Any, obj: Any, axis: int | None = None) -> Array:
    """Leave out elements along an axis.

    Parameters
    ----------
    x : array
    obj : int, slice, sequence of int or of bool
        Which positions.
    axis : int, optional
        Flattened by default.

    Raises
    ------
    IndexError
        If a position does not exist.
    """
    x = as_array(x)
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalize_axis(axis, x.ndim)
    kept = np.delete(np.arange(x.shape[axis]), computed(obj))
    return x[at_axis(axis, kept)]


def insert(x: Any, obj: Any, values: Any, axis: int | None = None) -> Array:
    """Insert values before positions along an axis.

    Parameters
    ----------
    x : array
    obj : int, slice or sequence of int
        Positions in the given array.
    values : array
        Broadcast to the inserted part.
    axis : int, optional
        Flattened by default.

    Raises
    ------
    IndexError
        If a position does not exist.
    """
    x, values = as_arrays((x, values), "insert")
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalize_axis(axis, x.ndim)
    length, obj = x.shape[axis], computed(obj)
    # NumPy itself says where things go: insert the negative numbers -1, -2, ... among positions.
    count = np.insert(np.arange(length), obj, 0).size - length
    order = np.insert(np.arange(length), obj, -1 - np.arange(count))
    values = values.astype(x.dtype)
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    if np.ndim(obj) == 0 and not isinstance(obj, slice) and values.ndim:
        # As in NumPy, for one position the first axis of values is the inserted one.
        values = values[(None,) * (x.ndim - values.ndim)].swapaxes(0, axis) if axis else values
        count = max(count, values.shape[axis] if values.ndim == x.ndim else 1)
        shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
        at = int(np.flatnonzero(order < 0)[0])
        order = np.concatenate([order[:at], -1 - np.arange(count), order[at + 1 :]])
    both = concatenate([x, broadcast_to(values, shape)], axis)
    return both[at_axis(axis, np.where(order < 0, length - 1 - order, order))]
