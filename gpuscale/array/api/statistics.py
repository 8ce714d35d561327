"""Order statistics, weighted means, covariances, gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpuscale.array.api.elementwise import where
from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.joining import concatenate
from gpuscale.array.api.manipulation import broadcast_to, expand_dims, moveaxis
from gpuscale.array.api.reductions import mean
from gpuscale.array.api.reductions import sum as _sum
from gpuscale.array.api.reshaping import reshape
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array
from gpuscale.array.ufunc import call, into
from gpuscale.backends.seams import array_namespace
from gpuscale.chunks.axes import normalize_axes
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import SelectPlan

__all__ = [
    "average",
    "corrcoef",
    "cov",
    "gradient",
    "median",
    "moment",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
]

METHODS = (
    "averaged_inverted_cdf",
    "closest_observation",
    "hazen",
    "higher",
    "interpolated_inverted_cdf",
    "inverted_cdf",
    "linear",
    "lower",
    "median_unbiased",
    "midpoint",
    "nearest",
    "normal_unbiased",
    "weibull",
)


# --- order statistics ----------------------------------------------------------------------------


def _one_axis(x: Array, axis: Any) -> tuple[Array, tuple[int, ...]]:
    """Put the given axes last, as one axis; also return which they were."""
    axes = tuple(sorted(normalize_axes(axis, x.ndim)))
    kept = [k for k in range(x.ndim) if k not in axes]
    moved = moveaxis(x, axes, tuple(range(len(kept), x.ndim))) if axes else x
    return reshape(
        moved, (*(x.shape[k] for k in kept), -1) if x.size else (*(x.shape[k] for k in kept), 0)
    ), axes


def _quantile(
    name: str, x: Any, q: Any, axis: Any, keepdims: bool, out: Any, method: str, nan: bool
) -> Array:
    if method not in METHODS:
        raise ValueError(f"{method!r} is not a valid method. Use one of: {', '.join(METHODS)}")
    x = as_array(x).compute_chunk_sizes()
    q = np.asarray(q, dtype=np.float64 if x.dtype.kind != "f" or np.ndim(q) else None)
    if x.dtype.kind == "c":
        raise TypeError("a must be an array of real numbers")
    if not (np.all(q >= 0) and np.all(q <= 1)):
        raise ValueError("Quantiles must be in the range [0, 1]")
    shape = x.shape
    flat, axes = _one_axis(x, axis)
    dtype = np.quantile(np.ones(1, x.dtype), q, method=method).dtype  # type: ignore[call-overload]
    if flat.ndim == 1 and flat.numblocks[0] > 1 and not nan:
        result = _of_long_axis(flat, q, method, dtype)
    else:
        whole = flat.rechunk({k: -1 if k == flat.ndim - 1 else "auto" for k in range(flat.ndim)})
        last = flat.ndim - 1
        places = tuple(range(q.ndim))
        result = map_blocks(
            _quantile_of_chunk,
            whole,
            q=q,
            method=method,
            nan=nan,
            dtype=dtype,
            drop_axis=last,
            new_axis=places or None,
            name=name,
            chunks=(*((n,) for n in q.shape), *whole.chunks[:-1]) if places else None,
        )
    if keepdims:
        keep = tuple(1 if k in axes else n for k, n in enumerate(shape))
        result = reshape(result, (*q.shape, *keep))
    return into(out, result)


def _quantile_of_chunk(chunk: Any, q: Any, method: str, nan: bool) -> Any:
    xp = array_namespace(chunk)
    function = xp.nanquantile if nan else xp.quantile
    if chunk.shape[-1] == 0:
        return xp.full((*q.shape, *chunk.shape[:-1]), xp.nan, dtype=function(xp.ones(1), q).dtype)
    return function(chunk, xp.asarray(q), axis=-1, method=method)


def _of_long_axis(x: Array, q: Any, method: str, dtype: Any) -> Array:
    """Quantiles of one long axis: select the neighbours of each, sort nothing.

    NumPy decides which neighbours those are: it is asked for the quantiles of the positions.
    """
    n = x.shape[0]
    positions = np.quantile(np.arange(n, dtype=np.float64), q, method=method)  # type: ignore
    low = np.floor(positions).astype(np.int64)
    high = np.ceil(positions).astype(np.int64)
    fraction = as_array(np.asarray(positions - low).astype(dtype if dtype.kind == "f" else float))
    ranks, where_in = np.unique(np.stack([low, high]), return_inverse=True)
    meta = x.expr.meta.with_(chunks=((len(ranks),),))
    found = Array(Exchange((x.expr,), SelectPlan(tuple(ranks.tolist())), meta)).astype(dtype)
    index = where_in.reshape(2, *low.shape)
    below, above = (reshape(found[places.ravel()], places.shape) for places in index)
    result = where(fraction == 0, below, below + (above - below) * fraction)
    return Array(result.astype(dtype).expr)


def quantile(
    x: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
) -> Array:
    """Exact quantiles along some axes.

    Parameters
    ----------
    x : array of real numbers
    q : float or sequence of float
        Between 0 and 1.
    axis : int or tuple of int, optional
        Flattened by default.
    out : Array, optional
    method : str
        NumPy's methods.
    keepdims : bool

    Raises
    ------
    ValueError
        If ``q`` is out of range or there is no such method.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.quantile(ga.arange(5, chunks=2), 0.5).compute()
    np.float64(2.0)
    """
    return _quantile("quantile", x, q, axis, keepdims, out, method, nan=False)


def percentile(
    x: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
) -> Array:
    """Exact percentiles along some axes: `quantile` of ``q / 100``."""
    fractions = np.true_divide(q, 100)
    if not (np.all(fractions >= 0) and np.all(fractions <= 1)):
        raise ValueError("Percentiles must be in the range [0, 100]")
    return _quantile("percentile", x, fractions, axis, keepdims, out, method, nan=False)


def nanquantile(
    x: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
) -> Array:
    """Exact quantiles of the elements that are not NaN."""
    return _quantile("nanquantile", x, q, axis, keepdims, out, method, nan=True)


def nanpercentile(
    x: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
) -> Array:
    """Exact percentiles of the elements that are not NaN."""
    return nanquantile(x, np.true_divide(q, 100), axis, out, method=method, keepdims=keepdims)


def median(x: Any, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Array:
    """Exact median along some axes, of all elements by default.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.median(ga.asarray([3, 1, 2], chunks=2)).compute()
    np.float64(2.0)
    """
    return quantile(x, 0.5, axis, out, keepdims=keepdims)


def nanmedian(x: Any, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Array:
    """Exact median of the elements that are not NaN."""
    return nanquantile(x, 0.5, axis, out, keepdims=keepdims)


# --- means and moments ---------------------------------------------------------------------------


def average(
    x: Any,
    axis: Any = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """Weighted mean along some axes.

    Parameters
    ----------
    x : array
    axis : int or tuple of int, optional
    weights : array, optional
        With the shape of ``x``, or the length of the one axis.
    returned : bool
        Return the sum of the weights as well.
    keepdims : bool

    Raises
    ------
    TypeError, ValueError
        If the weights do not fit.
    """
    x = as_array(x)
    if weights is None:
        result = mean(x, axis, keepdims=keepdims)
        count = x.size / result.size if result.size else 0.0
        total = broadcast_to(as_array(np.asarray(count, result.dtype)), result.shape)
    else:
        w = as_array(weights)
        if w.shape != x.shape:
            w = _fit_weights(w, x, axis)
        kind = np.result_type(x.dtype, w.dtype, np.float64 if x.dtype.kind in "biu" else x.dtype)
        total = _sum(broadcast_to(w, x.shape), axis, dtype=kind, keepdims=keepdims)
        result = _sum(x * w, axis, dtype=kind, keepdims=keepdims) / total
    return (result, total) if returned else result


def _fit_weights(w: Array, x: Array, axis: Any) -> Array:
    if axis is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    axes = normalize_axes(axis, x.ndim)
    if w.shape != tuple(x.shape[k] for k in axes):
        raise ValueError(
            "Shape of weights must be consistent with shape of a along specified axis."
        )
    order = sorted(range(len(axes)), key=axes.__getitem__)
    w = w.transpose(order)
    return expand_dims(w, tuple(k for k in range(x.ndim) if k not in axes))


def moment(
    x: Any,
    order: int,
    axis: Any = None,
    dtype: Any = None,
    keepdims: bool = False,
    ddof: int = 0,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Central moment of some order along some axes, in two passes.

    Raises
    ------
    ValueError
        If the order is not a non-negative integer.
    """
    if not isinstance(order, int) or order < 0:
        raise ValueError("Order must be an integer >= 0")
    x = as_array(x)
    axes = normalize_axes(axis, x.ndim)
    off = x - mean(x, axis, dtype=dtype, keepdims=True, split_every=split_every)
    total = _sum(off**order, axis, dtype=dtype, keepdims=keepdims, split_every=split_every)
    n = int(np.prod([x.shape[k] for k in axes], dtype=np.int64))
    return into(out, total / (n - ddof))


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Array:
    """Covariance matrix of variables.

    Parameters
    ----------
    m : array with at most two axes
        Variables are rows.
    y : array, optional
        More variables.
    rowvar : bool
        Whether rows are variables; else columns.
    bias : bool
        Divide by n instead of n - 1.
    ddof : int, optional
        Overrides ``bias``.
    fweights, aweights : array, optional
        Counts and importances of the observations.
    dtype : dtype, optional

    Raises
    ------
    ValueError
        If there are too many axes.
    """
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    x = _variables(m, rowvar, dtype)
    if y is not None:
        x = concatenate([x, _variables(y, rowvar, dtype)], 0)
    ddof = (0 if bias else 1) if ddof is None else int(ddof)
    w = _observation_weights(x.shape[1], fweights, aweights)
    if w is None:
        center, factor = mean(x, axis=1, keepdims=True), float(x.shape[1] - ddof)
        weighted = off = x - center
        scale: Any = 1.0 / factor if factor > 0 else np.nan
    else:
        total = w.sum()
        off = x - expand_dims(_sum(x * w, axis=1) / total, 1)
        weighted = off * w
        if aweights is None or ddof == 0:
            free = total - ddof
        else:
            free = total - ddof * (w * as_array(aweights)).sum() / total
        scale = 1.0 / free
    result = weighted @ call("conjugate", off).T * scale
    return result.squeeze() if 1 in result.shape else result


def _variables(m: Any, rowvar: bool, dtype: Any) -> Array:
    x = as_array(m)
    if x.ndim > 2:
        raise ValueError("m has more than 2 dimensions")
    if x.ndim < 2:
        x = reshape(x, (1, -1)) if x.size else reshape(x, (1, 0))
    elif not rowvar and x.shape[0] != 1:
        x = x.T
    return x.astype(np.result_type(x.dtype, np.float64) if dtype is None else dtype)


def _observation_weights(n: int, fweights: Any, aweights: Any) -> Array | None:
    w: Array | None = None
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is None:
            continue
        each = as_array(given)
        if each.ndim > 1:
            raise RuntimeError(f"cannot handle multidimensional {name}")
        if each.shape != (n,):
            raise RuntimeError(f"incompatible numbers of samples and {name}")
        w = each.astype(float) if w is None else w * each
    return w


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Array:
    """Correlation coefficients of variables; parameters as for `cov`."""
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    spread = call("sqrt", call("real", c.compute_chunk_sizes().diagonal()))
    result = c / spread[:, None] / spread[None, :]
    return call("clip", result, -1, 1) if result.dtype.kind == "f" else result


# --- gradient ------------------------------------------------------------------------------------


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Gradient by central differences inside and one-sided ones at the edges.

    Parameters
    ----------
    f : array
    *varargs : number or array with one axis
        Spacing: one for all axes, or one for each, or the coordinates along each.
    axis : int or tuple of int, optional
        All axes by default.
    edge_order : {1, 2}
        Accuracy at the edges.

    Returns
    -------
    Array, or tuple of Array
        One for each axis.

    Raises
    ------
    ValueError
        If an axis is too short, or the spacings do not fit.
    """
    f = as_array(f)
    axes = normalize_axes(axis, f.ndim)
    if edge_order not in (1, 2):
        raise ValueError("'edge_order' greater than 2 not supported")
    spacings = _spacings(varargs, axes, f)
    f = f if f.dtype.kind in "fc" else f.astype(np.float64)
    results = []
    for number, spacing in zip(axes, spacings, strict=True):
        if f.shape[number] < edge_order + 1:
            raise ValueError(
                "Shape of array too small to calculate a numerical gradient, at least "
                "(edge_order + 1) elements are required."
            )
        results.append(_gradient_axis(f, number, spacing, edge_order))
    return results[0] if len(results) == 1 else tuple(results)


def _spacings(varargs: Sequence[Any], axes: tuple[int, ...], f: Array) -> list[Any]:
    if not varargs:
        return [1.0] * len(axes)
    given = [np.asarray(v) for v in varargs]
    if len(given) == 1 and given[0].ndim == 0:
        given = given * len(axes)
    if len(given) != len(axes):
        raise TypeError("invalid number of arguments")
    result: list[Any] = []
    for axis, each in zip(axes, given, strict=True):
        if each.ndim == 0:
            result.append(float(each))
            continue
        if each.shape != (f.shape[axis],):
            raise ValueError(
                "when 1d, distances must match the length of the corresponding dimension"
            )
        steps = np.diff(each.astype(float))
        result.append(float(steps[0]) if (steps == steps[0]).all() else steps)
    return result


def _gradient_axis(f: Array, axis: int, spacing: Any, edge_order: int) -> Array:
    before = (slice(None),) * axis

    def at(start: int | None, stop: int | None) -> Array:
        return f[(*before, slice(start, stop))]

    uniform = np.ndim(spacing) == 0
    if uniform:
        inner = (at(2, None) - at(None, -2)) / (2.0 * spacing)
        first, last = spacing, spacing
    else:
        left, right = (_along(s, axis, f.ndim) for s in (spacing[:-1], spacing[1:]))
        inner = (
            at(None, -2) * (-right / (left * (left + right)))
            + at(1, -1) * ((right - left) / (left * right))
            + at(2, None) * (left / (right * (left + right)))
        )
        first, last = spacing[0], spacing[-1]
    if edge_order == 1:
        head = (at(1, 2) - at(0, 1)) / first
        tail = (at(-1, None) - at(-2, -1)) / last
    else:
        a, b = (spacing, spacing) if uniform else (spacing[0], spacing[1])
        head = (
            at(0, 1) * (-(2.0 * a + b) / (a * (a + b)))
            + at(1, 2) * ((a + b) / (a * b))
            + at(2, 3) * (-a / (b * (a + b)))
        )
        a, b = (spacing, spacing) if uniform else (spacing[-2], spacing[-1])
        tail = (
            at(-3, -2) * (b / (a * (a + b)))
            + at(-2, -1) * (-(b + a) / (a * b))
            + at(-1, None) * ((2.0 * b + a) / (b * (a + b)))
        )
    return concatenate([head, inner, tail], axis)


def _along(values: Any, axis: int, ndim: int) -> Any:
    return np.reshape(values, (-1, *(1,) * (ndim - axis - 1)))
