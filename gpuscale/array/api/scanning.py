"""Running sums and products, and differences between neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.joining import concatenate
from gpuscale.array.api.nanreductions import without_nan
from gpuscale.array.api.reductions import check_adds_up
from gpuscale.array.api.reshaping import along_axis, ravel
from gpuscale.array.collection import Array
from gpuscale.array.construct import cast, native
from gpuscale.array.convert import as_array, as_given, as_node, known_node
from gpuscale.array.durations import duration_dtype
from gpuscale.array.ufunc import call, into
from gpuscale.backends.seams import accumulate, array_namespace
from gpuscale.chunks.axes import at_axis, normalize_axis
from gpuscale.codegen.ops import result_dtype
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import ScanPlan

__all__ = [
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "ediff1d",
    "nancumprod",
    "nancumsum",
    "push",
]


def _accumulator(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Dtype of a running sum or product, as NumPy widens small integers."""
    if dtype.kind in "bi":
        return np.result_type(dtype, np.int64)
    return np.result_type(dtype, np.uint64) if dtype.kind == "u" else dtype


def summing(name: str, x: Any, axis: int | None, dtype: Any, out: Any) -> Array:
    x, axis = along_axis(x, axis)
    function = {"add": "cumsum", "multiply": "cumprod"}[name]
    check_adds_up(function, x.dtype, dtype)
    dtype = duration_dtype(getattr(np, function), x.dtype, dtype)
    return scan(name, cast(x.expr, _accumulator(x.dtype) if dtype is None else dtype), axis, out)


def scan(name: str, node: Node, axis: int, out: Any) -> Array:
    node = native(node)
    if node.meta.numblocks[axis] == 1:
        whole = map_blocks(
            _run, Array(node), name=name, ufunc=name, axis=axis, dtype=node.meta.dtype
        )
        return into(out, whole)
    return into(out, Array(Exchange((node,), ScanPlan(name, axis), node.meta)))


def _run(chunk: Any, ufunc: str, axis: int) -> Any:
    return accumulate(chunk, ufunc, axis)


def cumsum(x: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Array:
    """Running sums along an axis; of the flat array where none is given.

    Parameters
    ----------
    x : array
    axis : int, optional
    dtype : dtype, optional
        Of the result and of the accumulation; small integers are widened as in NumPy.
    out : Array, optional

    Raises
    ------
    numpy.exceptions.AxisError
        If the axis does not exist.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.cumsum(ga.ones(4, chunks=2)).compute()
    array([1., 2., 3., 4.])
    """
    return summing("add", x, axis, dtype, out)


def cumprod(x: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Array:
    """Running products along an axis; parameters as for `cumsum`."""
    return summing("multiply", x, axis, dtype, out)


def _cumulative(
    function: Callable[..., Array],
    start: int,
    x: Any,
    axis: int | None,
    dtype: Any,
    include_initial: bool,
) -> Array:
    x = as_array(x)
    x = x if x.ndim else ravel(x)
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"axis must be given for an array with {x.ndim} axes")
        axis = 0
    axis = normalize_axis(axis, x.ndim)
    result = function(x, axis, dtype)
    if not include_initial:
        return result
    from gpuscale.array.api.creation import full

    shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    return concatenate([full(shape, start, result.dtype, like=x), result], axis)


def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Array:
    """Running sums; `cumsum` in the words of the Array API standard.

    Parameters
    ----------
    x : array
    axis : int, optional
        May be left out for arrays with one axis only.
    dtype : dtype, optional
    include_initial : bool
        Put a zero before the first.
    """
    return _cumulative(cumsum, 0, x, axis, dtype, include_initial)


def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Array:
    """Running products; `cumprod` in the words of the Array API standard."""
    return _cumulative(cumprod, 1, x, axis, dtype, include_initial)


def nancumsum(x: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Array:
    """Running sums in which NaN counts as zero."""
    return cumsum(Array(without_nan(0)(as_node(x))), axis, dtype, out)


def nancumprod(x: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Array:
    """Running products in which NaN counts as one."""
    return cumprod(Array(without_nan(1)(as_node(x))), axis, dtype, out)


def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Array:
    """Differences between neighbours along an axis, taken ``n`` times.

    Parameters
    ----------
    x : array
    n : int
    axis : int
    prepend, append : array or scalar, optional
        Put before and after the array first.

    Raises
    ------
    ValueError
        If ``n`` is negative, or there is no axis.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.diff(ga.asarray([1, 4, 9])).compute()
    array([3, 5])
    """
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    x, prepend, append = as_given((x, prepend, append), "diff")
    if x.ndim == 0:
        raise ValueError("diff requires input that is at least one dimensional")
    axis = normalize_axis(axis, x.ndim)
    if n == 0:
        return x
    parts = [_side(prepend, x, axis), x, _side(append, x, axis)]
    known = [part for part in parts if part is not None]
    x = concatenate(known, axis) if len(known) > 1 else x
    later, earlier = at_axis(axis, slice(1, None)), at_axis(axis, slice(None, -1))
    op = "not_equal" if x.dtype == bool else "subtract"
    for _ in range(n):
        x = call(op, x[later], x[earlier])
    return x


def _side(side: Array | None, x: Array, axis: int) -> Array | None:
    if side is None or side.ndim:
        return side
    from gpuscale.array.api.manipulation import broadcast_to

    return broadcast_to(side, (*x.shape[:axis], 1, *x.shape[axis + 1 :]))


def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Array:
    """Differences between neighbours of the flat array, with numbers put around them."""
    x, end, begin = as_given((x, to_end, to_begin), "ediff1d")
    flat = ravel(x)
    result_dtype("subtract", flat.dtype, flat.dtype)  # TypeError: truth values have no difference
    parts = [
        None if begin is None else ravel(begin),
        diff(flat),
        None if end is None else ravel(end),
    ]
    known = [part for part in parts if part is not None]
    result = concatenate(known) if len(known) > 1 else known[0]
    return result if flat.dtype.kind == "M" else result.astype(flat.dtype)


def push(x: Any, n: int | None = None, axis: int = -1) -> Array:
    """Fill NaN with the last number before it along an axis, over at most ``n`` places.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.push(ga.asarray([1.0, np.nan, np.nan])).compute()
    array([1., 1., 1.])
    """
    x = Array(known_node(x))
    axis = normalize_axis(axis, x.ndim)
    whole = x.rechunk({k: -1 if k == axis else "auto" for k in range(x.ndim)})
    return map_blocks(_push, whole, n=n, axis=axis, dtype=x.dtype, name="push")


def _push(chunk: Any, n: int | None, axis: int) -> Any:
    xp = array_namespace(chunk)
    shape = [1] * chunk.ndim
    shape[axis] = -1
    here = xp.arange(chunk.shape[axis]).reshape(shape)
    last = accumulate(xp.where(xp.isnan(chunk), -1, here), "maximum", axis)
    filled = xp.take_along_axis(chunk, xp.maximum(last, 0), axis)
    reach = last >= 0 if n is None else (last >= 0) & (here - last <= n)
    return xp.where(reach, filled, chunk)
