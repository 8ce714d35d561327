"""``reduce``, ``accumulate`` and ``reduceat`` where ufuncs of a library lack them, or are wrong.

Where it does not matter how a line is cut, elements are joined pairwise, all pairs at once. Other
operations go from the first element to the last, each step on all lines at once.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ASSOCIATIVE", "accumulate_pairwise", "fold_pairwise", "reduceat_pairwise"]

# Functions that reduce as ``reduce`` of a ufunc does, NaN and all.
_REDUCERS = {
    "add": "sum",
    "multiply": "prod",
    "minimum": "min",
    "maximum": "max",
    "logical_or": "any",
    "logical_and": "all",
}
_SCANS = {"add": "cumsum", "multiply": "cumprod"}

#: Ufuncs for which it does not matter where a line is cut.
ASSOCIATIVE = frozenset(
    [*_REDUCERS, "fmin", "fmax", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor"]
    + ["gcd", "hypot", "logaddexp", "logaddexp2"]
)


def fold_pairwise(
    xp: ModuleType,
    values: Any,
    name: str,
    axes: tuple[int, ...],
    dtype: Any = None,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """Reduce axes with a ufunc; they are kept with length 1.

    Parameters
    ----------
    xp : module
        Namespace of the values.
    values : array
        Not empty along the axes, except for those ufuncs that have a function of their own.
    name : str
    axes : tuple of int
        One at most where order matters.
    dtype : dtype, optional
        Of the result; the elements are cast first.
    initial : scalar, optional
        What to begin with; without it the first element.
    where : array of bool, optional
        Elements that take part; there is an initial value then.

    Examples
    --------
    >>> import numpy as np
    >>> fold_pairwise(np, np.array([[6, 4, 10], [9, 3, 6]]), "gcd", (1,))
    array([[2],
           [3]])
    >>> fold_pairwise(np, np.array([9, 3, 6]), "subtract", (0,), initial=1)
    array([-17])
    """
    keep = tuple(1 if axis in axes else n for axis, n in enumerate(values.shape))
    if name not in ASSOCIATIVE or initial is not None or where is not None:
        mask = None if where is None else _lines(xp, xp.broadcast_to(where, values.shape), axes)
        flat = _lines(xp, values, axes)
        return _fold_in_order(xp, flat, name, dtype, initial, mask).reshape(keep)
    dtype = bool if name.startswith("logical") else dtype
    values = values if dtype is None else values.astype(dtype, copy=False)
    if not axes:
        return values
    if name in _REDUCERS:
        options = {"dtype": dtype} if name in _SCANS else {}
        return getattr(xp, _REDUCERS[name])(values, axis=axes, keepdims=True, **options)
    flat = _lines(xp, values, axes)
    while flat.shape[-1] > 1:
        half, odd = divmod(flat.shape[-1], 2)
        joined = getattr(xp, name)(flat[..., :half], flat[..., half : 2 * half])
        flat = xp.concatenate([joined, flat[..., -1:]], axis=-1) if odd else joined
    return flat.reshape(keep)


def _lines(xp: ModuleType, values: Any, axes: tuple[int, ...]) -> Any:
    """Flatten axes into a new last one."""
    moved = xp.moveaxis(values, axes, tuple(range(-len(axes), 0))) if axes else values
    kept = values.ndim - len(axes)
    count = int(np.prod(moved.shape[kept:], dtype=int))
    return moved.reshape((*moved.shape[:kept], count))


def _loop(xp: ModuleType, name: str, given: Any, wanted: Any) -> tuple[Callable[..., Any], Any]:
    """Return a step, ``step(result, elements)``, and the dtype of results, as NumPy has them."""
    options = {} if wanted is None else {"signature": (np.dtype(wanted), None, None)}
    _, kind, out = getattr(np, name).resolve_dtypes(
        (None, np.dtype(given), None), casting="unsafe", reduction=True, **options
    )
    function = getattr(xp, name)
    return lambda result, elements: function(result, elements.astype(kind, copy=False)), out


def _fold_in_order(
    xp: ModuleType, flat: Any, name: str, dtype: Any, initial: Any, mask: Any
) -> Any:
    step, out = _loop(xp, name, flat.dtype, dtype)
    if initial is None:
        result, first = flat[..., 0].astype(out), 1
    else:
        result, first = xp.full(flat.shape[:-1], initial, out), 0
    for place in range(first, flat.shape[-1]):
        joined = step(result, flat[..., place])
        result = joined if mask is None else xp.where(mask[..., place], joined, result)
    return result


def accumulate_pairwise(
    xp: ModuleType, values: Any, name: str, axis: int, dtype: Any = None
) -> Any:
    """Accumulate along an axis with a ufunc, into a new array.

    Parameters
    ----------
    xp : module
        Namespace of the values.
    values : array
    name : str
    axis : int
    dtype : dtype, optional
        Of the result, by default that of the values; the elements are cast first.

    Notes
    -----
    Each of ``log2(n)`` passes joins what ends a power of two before an element to what ends there
    (Hillis and Steele, "Data parallel algorithms", 1986).

    Examples
    --------
    >>> import numpy as np
    >>> accumulate_pairwise(np, np.array([3, 1, 4, 1, 5]), "maximum", 0)
    array([3, 3, 4, 4, 5])
    """
    dtype = values.dtype if dtype is None else dtype
    if name in _SCANS:
        return getattr(xp, _SCANS[name])(values, axis=axis, dtype=dtype)
    lines = xp.moveaxis(values, axis, -1)
    if name not in ASSOCIATIVE:
        return xp.moveaxis(_scan_in_order(xp, lines, name, dtype), -1, axis)
    lines = lines.astype(bool if name.startswith("logical") else dtype)
    reach = 1
    while reach < lines.shape[-1]:
        joined = getattr(xp, name)(lines[..., :-reach], lines[..., reach:])
        lines = xp.concatenate([lines[..., :reach], joined], axis=-1)
        reach *= 2
    return xp.moveaxis(lines, -1, axis)


def _scan_in_order(xp: ModuleType, lines: Any, name: str, dtype: Any) -> Any:
    step, out = _loop(xp, name, lines.dtype, dtype)
    result = xp.empty(lines.shape, out)
    result[..., :1] = lines[..., :1]
    for place in range(1, lines.shape[-1]):
        result[..., place] = step(result[..., place - 1], lines[..., place])
    return result


def reduceat_pairwise(
    xp: ModuleType,
    values: Any,
    name: str,
    starts: NDArray[Any],
    axis: int,
    dtype: Any = None,
) -> Any:
    """Reduce stretches of an axis with a ufunc, each of which ends where the next begins.

    One that begins after the next is a single element.

    Parameters
    ----------
    xp : module
        Namespace of the values.
    values : array
    name : str
    starts : array of int
        In the host's memory.
    axis : int
    dtype : dtype, optional
        Of the result; the elements are cast first.

    Examples
    --------
    >>> import numpy as np
    >>> reduceat_pairwise(np, np.arange(6), "add", np.array([0, 4, 1]), 0)
    array([ 6,  4, 15])
    """
    rows = xp.moveaxis(values, axis, 0)
    lengths = np.maximum(np.diff(starts, append=rows.shape[0]), 1)
    if name not in ASSOCIATIVE:
        return xp.moveaxis(_stretches_in_order(xp, rows, name, starts, lengths, dtype), 0, axis)
    dtype = bool if name.startswith("logical") else dtype
    rows = rows.astype(values.dtype if dtype is None else dtype, copy=False)
    # What ascends lies side by side.
    runs = np.split(np.arange(starts.size), np.flatnonzero(np.diff(starts) <= 0) + 1)
    parts = [
        _halve_stretches(xp, rows[starts[run[0]] :], getattr(xp, name), lengths[run])
        for run in runs
        if run.size
    ]
    return xp.moveaxis(xp.concatenate(parts) if parts else rows[:0], 0, axis)


def _halve_stretches(
    xp: ModuleType, rows: Any, function: Callable[..., Any], lengths: NDArray[Any]
) -> Any:
    """Reduce stretches that lie side by side: join each element at an even place to the next."""
    rows = rows[: lengths.sum()]
    while rows.shape[0] > lengths.size:
        stops = np.cumsum(lengths)
        lengths, odd = -(-lengths // 2), lengths % 2 == 1
        # An odd stretch shifts those after it by half an element.
        place = xp.arange(lengths.sum())
        owner = xp.searchsorted(xp.asarray(np.cumsum(lengths)), place, side="right")
        first = 2 * place - xp.asarray(np.cumsum(odd) - odd)[owner]
        paired = first + 1 < xp.asarray(stops)[owner]
        other = xp.minimum(first + 1, rows.shape[0] - 1)
        left = rows[first]
        paired = paired.reshape((-1, *[1] * (rows.ndim - 1)))
        rows = xp.where(paired, function(left, rows[other]), left)
    return rows


def _stretches_in_order(
    xp: ModuleType,
    rows: Any,
    name: str,
    starts: NDArray[Any],
    lengths: NDArray[Any],
    dtype: Any,
) -> Any:
    step, out = _loop(xp, name, rows.dtype, dtype)
    order = np.argsort(-lengths, kind="stable")  # those that go on longest come first
    at = xp.asarray(starts[order])
    result = rows[at].astype(out)
    longest = int(lengths.max(initial=1))
    going_on = np.searchsorted(-lengths[order], -np.arange(longest)).tolist()
    for place in range(1, longest):
        count = going_on[place]
        result[:count] = step(result[:count], rows[at[:count] + place])
    return result[xp.asarray(np.argsort(order))]
