"""Repeating, shifting, padding, inserting and deleting elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpuscale.array.api.averages import mean as _mean
from gpuscale.array.api.creation import full, zeros
from gpuscale.array.api.functional import whole
from gpuscale.array.api.joining import concatenate
from gpuscale.array.api.manipulation import broadcast_to, expand_dims, flip
from gpuscale.array.api.quantiles import median as _median
from gpuscale.array.api.reductions import max as _max
from gpuscale.array.api.reductions import min as _min
from gpuscale.array.api.reshaping import along_axis, ravel, reshape
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array
from gpuscale.chunks.axes import normalize_axes, normalize_axis

__all__ = ["delete", "insert", "pad", "repeat", "resize", "roll", "tile"]


def _along(x: Array, axis: int, part: Any) -> Array:
    return x[(*(slice(None),) * axis, part)]


def roll(x: Any, /, shift: Any, axis: Any = None) -> Array:
    """Shift elements along some axes; those that leave at one end come back at the other.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.roll(ga.arange(4), 1).compute()
    array([3, 0, 1, 2])
    """
    x = as_array(x)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    shifts = shift if isinstance(shift, tuple | list) else (shift,)
    if not axes or not shifts:
        return Array(x.expr)
    if len(axes) != len(shifts):
        if 1 not in (len(axes), len(shifts)):
            raise ValueError("'shift' and 'axis' should be scalars or 1D sequences")
        axes, shifts = (list(v) * (max(len(axes), len(shifts)) // len(v)) for v in (axes, shifts))
    for each, amount in zip(axes, shifts, strict=True):
        number = normalize_axis(each, x.ndim)
        length = x.shape[number]
        at = -int(amount) % length if length else 0
        if at:
            parts = [_along(x, number, slice(at, None)), _along(x, number, slice(None, at))]
            x = concatenate(parts, number)
    return x


def repeat(x: Any, repeats: Any, /, axis: int | None = None) -> Array:
    """Repeat each element.

    Parameters
    ----------
    x : array
    repeats : int or array of int
        How often, for all elements or for each along the axis; an array is computed now, since
        it decides the shape.
    axis : int, optional
        Flattened by default.

    Raises
    ------
    ValueError
        If a count is negative, or there are not as many as elements.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.repeat(ga.arange(2), 2).compute()
    array([0, 0, 1, 1])
    """
    x, axis = along_axis(x, axis)
    counts = np.asarray(repeats)
    if counts.dtype.kind not in "biu":
        raise TypeError(
            f"Cannot cast array data from {counts.dtype!r} to dtype('int64') according to the "
            "rule 'safe'"
        )
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
    return _along(x, axis, np.repeat(np.arange(x.shape[axis]), counts))


def tile(x: Any, repetitions: Any, /) -> Array:
    """Repeat the whole array along each axis.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.tile(ga.arange(2), 2).compute()
    array([0, 1, 0, 1])
    """
    x = as_array(x)
    times = tuple(repetitions) if isinstance(repetitions, tuple | list) else (repetitions,)
    if any(n < 0 for n in times):
        raise ValueError(f"negative dimensions are not allowed: {times}")
    x = x[(None,) * max(0, len(times) - x.ndim)]
    times = (1,) * (x.ndim - len(times)) + times
    for axis, n in enumerate(times):
        if n == 0:
            x = _along(x, axis, slice(0, 0))
        elif n > 1:
            x = concatenate([x] * n, axis)
    return x


def resize(x: Any, new_shape: Any) -> Array:
    """Fill a shape with the elements in C order, from the start again where they end."""
    x = ravel(x)
    shape = tuple(new_shape) if isinstance(new_shape, tuple | list) else (new_shape,)
    if any(n < 0 for n in shape):
        raise ValueError("all elements of `new_shape` must be non-negative")
    size = int(np.prod(shape, dtype=np.int64))
    if x.size == 0 or size == 0:
        return zeros(shape, x.dtype)
    return reshape(tile(x, -(-size // x.size))[:size], shape)


# --- insert and delete ---------------------------------------------------------------------------


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
    places = obj.compute() if isinstance(obj, Array) else obj
    kept = np.delete(np.arange(x.shape[axis]), places)
    return _along(x, axis, kept)


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
    x = as_array(x)
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalize_axis(axis, x.ndim)
    length = x.shape[axis]
    # NumPy itself says where things go: insert the negative numbers -1, -2, ... among positions.
    count = np.insert(np.arange(length), obj, 0).size - length
    order = np.insert(np.arange(length), obj, -1 - np.arange(count))
    values = as_array(values).astype(x.dtype)
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    if np.ndim(obj) == 0 and not isinstance(obj, slice) and values.ndim:
        # As in NumPy, for one position the first axis of values is the inserted one.
        values = values[(None,) * (x.ndim - values.ndim)].swapaxes(0, axis) if axis else values
        count = max(count, values.shape[axis] if values.ndim == x.ndim else 1)
        shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
        at = int(np.flatnonzero(order < 0)[0])
        order = np.concatenate([order[:at], -1 - np.arange(count), order[at + 1 :]])
    both = concatenate([x, broadcast_to(values, shape)], axis)
    return _along(both, axis, np.where(order < 0, length - 1 - order, order))


# --- pad -----------------------------------------------------------------------------------------


def pad(x: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Array:
    """Put elements around an array.

    Parameters
    ----------
    x : array
    pad_width : int, (int, int), sequence of (int, int), or dict
        How many before and after, for all axes or for each.
    mode : str or callable
        NumPy's modes: "constant", "edge", "linear_ramp", "maximum", "mean", "median", "minimum",
        "reflect", "symmetric", "wrap", "empty", or a function of (vector, width, axis, kwargs).
    **kwargs
        Options of the mode, as in NumPy: ``constant_values``, ``end_values``, ``stat_length``,
        ``reflect_type``.

    Raises
    ------
    ValueError
        If the mode or a width is wrong.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.pad(ga.arange(3), (1, 2), mode="edge").compute()
    array([0, 0, 1, 2, 2, 2])
    """
    x = as_array(x)
    widths = _per_axis(pad_width, x.ndim, "pad_width")
    if any(n < 0 for pair in widths for n in pair):
        raise ValueError("index can't contain negative values")
    if callable(mode):
        shape = tuple(n + sum(pair) for n, pair in zip(x.shape, widths, strict=True))
        return whole(np.pad, x, widths, mode, shape=shape, dtype=x.dtype, **kwargs)
    if mode not in _MODES:
        raise ValueError(f"mode '{mode}' is not supported; use one of {', '.join(_MODES)}")
    allowed = _MODES[mode]
    wrong = sorted(set(kwargs) - {allowed})
    if wrong:
        raise ValueError(f"unsupported keyword arguments for mode '{mode}': {set(wrong)}")
    option = kwargs.get(allowed) if allowed else None
    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = _pad_axis(x, axis, before, after, mode, option)
    return x


_MODES = {
    "constant": "constant_values",
    "edge": None,
    "empty": None,
    "linear_ramp": "end_values",
    "maximum": "stat_length",
    "mean": "stat_length",
    "median": "stat_length",
    "minimum": "stat_length",
    "reflect": "reflect_type",
    "symmetric": "reflect_type",
    "wrap": None,
}

_STATISTICS: dict[str, Callable[..., Array]] = {
    "maximum": _max,
    "mean": _mean,
    "median": _median,
    "minimum": _min,
}


def _per_axis(value: Any, ndim: int, name: str) -> list[tuple[Any, Any]]:
    """Spell (before, after) out for each axis."""
    if isinstance(value, dict):
        pairs: list[Any] = [(0, 0)] * ndim
        for axis, each in value.items():
            (number,) = normalize_axes(axis, ndim)
            pairs[number] = each if isinstance(each, tuple | list) else (each, each)
        return [(int(a), int(b)) for a, b in pairs]
    given = np.asarray(value)
    if name == "pad_width" and given.dtype.kind not in "iu":
        raise TypeError("`pad_width` must be of integral type.")
    try:
        return [tuple(pair) for pair in np.broadcast_to(given, (ndim, 2)).tolist()]
    except ValueError:
        raise ValueError(
            f"{name} of shape {given.shape} does not give (before, after) for {ndim} axes"
        ) from None


def _pad_axis(x: Array, axis: int, before: int, after: int, mode: str, option: Any) -> Array:
    length = x.shape[axis]
    if mode in ("constant", "empty", "linear_ramp"):
        first, last = _per_axis(0 if option is None else option, x.ndim, mode)[axis]
        ends = [
            _constant(x, axis, before, first, mode, 0),
            x,
            _constant(x, axis, after, last, mode, length - 1),
        ]
        return concatenate(ends, axis)
    if length == 0:
        raise ValueError(
            f"can't extend empty axis {axis} using modes other than 'constant' or 'empty'"
        )
    if mode in _STATISTICS:
        return _pad_statistic(x, axis, before, after, mode, option)
    if option == "odd":
        return _pad_odd(x, axis, before, after, mode)
    return _along(x, axis, np.pad(np.arange(length), (before, after), mode=mode))  # type: ignore


def _constant(x: Array, axis: int, width: int, value: Any, mode: str, edge: int) -> Array:
    shape = (*x.shape[:axis], width, *x.shape[axis + 1 :])
    if mode != "linear_ramp" or width == 0:
        return full(shape, np.asarray(value).astype(x.dtype)[()], x.dtype, like=x)
    # NumPy's ramp: evenly spaced from the end value to, not including, the edge.
    steps = np.linspace(0, 1, width, endpoint=False)
    steps = steps if edge == 0 else steps[::-1]
    along = as_array(steps.reshape(-1, *(1,) * (x.ndim - axis - 1)))
    border = _along(x, axis, slice(edge, edge + 1))
    return (value + (border - value) * along).astype(x.dtype)


def _pad_statistic(x: Array, axis: int, before: int, after: int, mode: str, option: Any) -> Array:
    length = x.shape[axis]
    lengths = (None, None) if option is None else _per_axis(option, x.ndim, "stat_length")[axis]
    first, last = (length if n is None else min(int(n), length) for n in lengths)
    if mode in ("maximum", "minimum") and 0 in (first, last):
        raise ValueError("stat_length of 0 yields no value for padding")
    parts = []
    for part, width in ((slice(0, first), before), (slice(length - last, length), after)):
        value = _STATISTICS[mode](_along(x, axis, part), axis=axis, keepdims=True)
        if x.dtype.kind in "iu" and mode in ("mean", "median"):
            value = value.round()
        shape = (*x.shape[:axis], width, *x.shape[axis + 1 :])
        parts.append(broadcast_to(value.astype(x.dtype), shape))
    return concatenate([parts[0], x, parts[1]], axis)


def _pad_odd(x: Array, axis: int, before: int, after: int, mode: str) -> Array:
    """Reflect around the edges, which are the center of symmetry, as often as needed."""
    skip = 1 if mode == "reflect" else 0
    while before or after:
        length = x.shape[axis]
        reach = length - skip
        if reach <= 0:
            return _pad_axis(x, axis, before, after, "edge", None)
        left, right = min(before, reach), min(after, reach)
        first, last = _along(x, axis, slice(0, 1)), _along(x, axis, slice(length - 1, length))
        head = flip(_along(x, axis, slice(skip, skip + left)), axis)
        tail = flip(_along(x, axis, slice(length - skip - right, length - skip)), axis)
        x = concatenate([2 * first - head, x, 2 * last - tail], axis)
        before, after = before - left, after - right
    return x
