"""Elements around an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpuscale.array.api.averages import mean as _mean
from gpuscale.array.api.creation import full
from gpuscale.array.api.elementwise import floor, where
from gpuscale.array.api.functional import whole
from gpuscale.array.api.index_functions import computed
from gpuscale.array.api.joining import concatenate
from gpuscale.array.api.manipulation import broadcast_to, flip
from gpuscale.array.api.quantiles import median as _median
from gpuscale.array.api.reductions import any as _any
from gpuscale.array.api.reductions import max as _max
from gpuscale.array.api.reductions import min as _min
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array, placed
from gpuscale.chunks.axes import at_axis, normalize_axes

__all__ = ["pad"]


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
    given = x.dtype
    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = _pad_axis(x, axis, before, after, mode, option)
    return x.astype(given, copy=False)


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
            (place,) = normalize_axes(axis, ndim)
            each = computed(each)
            pairs[place] = each if isinstance(each, tuple | list) else (each, each)
        return [(int(a), int(b)) for a, b in pairs]
    given = np.asarray(computed(value))
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
    if length == 0 and mode not in ("constant", "empty"):
        raise ValueError(
            f"can't extend empty axis {axis} using modes other than 'constant' or 'empty'"
        )
    if mode in ("constant", "empty", "linear_ramp"):
        first, last = _per_axis(0 if option is None else option, x.ndim, mode)[axis]
        if mode == "linear_ramp":
            left = _ramp(x, axis, before, first, 0)
            right = flip(_ramp(x, axis, after, last, length - 1), axis)
        else:
            left, right = _constant(x, axis, before, first), _constant(x, axis, after, last)
        return concatenate([left, x, right], axis)
    if mode in _STATISTICS:
        return _pad_statistic(x, axis, before, after, mode, option)
    if option == "odd":
        return _pad_odd(x, axis, before, after, mode)
    return x[at_axis(axis, np.pad(np.arange(length), (before, after), mode=mode))]  # type: ignore


def _constant(x: Array, axis: int, width: int, value: Any) -> Array:
    shape = (*x.shape[:axis], width, *x.shape[axis + 1 :])
    return full(shape, np.asarray(value).astype(x.dtype)[()], x.dtype, like=x)


def _ramp(x: Array, axis: int, width: int, value: Any, edge: int) -> Array:
    """Go from the value to, not including, the edge: `numpy.linspace`, rounding and all."""
    if width == 0:
        return _constant(x, axis, width, value)
    dtype = np.result_type(x.dtype, np.asarray(value), 1.0)
    steps = np.arange(width, dtype=dtype).reshape(-1, *(1,) * (x.ndim - axis - 1))
    count = placed(steps, x)
    delta = x[at_axis(axis, slice(edge, edge + 1))].astype(dtype) - value
    step = delta / width
    ramp = where(_any(step == 0), count / width * delta, count * step) + value
    return (floor(ramp) if x.dtype.kind in "iu" else ramp).astype(x.dtype)


def _pad_statistic(x: Array, axis: int, before: int, after: int, mode: str, option: Any) -> Array:
    length = x.shape[axis]
    lengths = (None, None) if option is None else _per_axis(option, x.ndim, "stat_length")[axis]
    first, last = (length if n is None else min(int(n), length) for n in lengths)
    if mode in ("maximum", "minimum") and 0 in (first, last):
        raise ValueError("stat_length of 0 yields no value for padding")
    parts = []
    for part, width in ((slice(0, first), before), (slice(length - last, length), after)):
        value = _STATISTICS[mode](x[at_axis(axis, part)], axis=axis, keepdims=True)
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
        first, last = x[at_axis(axis, slice(0, 1))], x[at_axis(axis, slice(length - 1, length))]
        head = flip(x[at_axis(axis, slice(skip, skip + left))], axis)
        tail = flip(x[at_axis(axis, slice(length - skip - right, length - skip))], axis)
        x = concatenate([2 * first - head, x, 2 * last - tail], axis)
        before, after = before - left, after - right
    return x
