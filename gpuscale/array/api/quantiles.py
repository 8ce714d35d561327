"""Exact quantiles, percentiles and medians.

Of all elements they are found without sorting or keeping them, see `gpuscale.graph.select`; along
some axes the others are cut into blocks, and NumPy works on each.
"""

from __future__ import annotations

import warnings
from math import prod
from typing import Any

import numpy as np

from gpuscale.array import sorted_quantiles as sorted_quantiles  # it registers its row
from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.index_functions import computed
from gpuscale.array.api.manipulation import broadcast_to, moveaxis
from gpuscale.array.api.reshaping import reshape
from gpuscale.array.api.statistics import fit_weights
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_given, placed
from gpuscale.array.ranks import MEAN, METHODS, QuantileRule
from gpuscale.array.rules.free import is_free
from gpuscale.array.ufunc import into
from gpuscale.backends.seams import array_namespace, row_quantiles
from gpuscale.chunks.axes import normalize_axes
from gpuscale.chunks.sampling import sample_step
from gpuscale.codegen.functions import boxed
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import SelectPlan

__all__ = [
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
]

FEW = 1 << 17  # elements that NumPy goes through as a whole in a millisecond


def _quantile(
    name: str,
    x: Any,
    q: Any,
    axis: Any,
    keepdims: bool,
    out: Any,
    method: str,
    nan: bool,
    weights: Any = None,
) -> Array:
    x, weights = as_given((x, weights), name)
    x = x.compute_chunk_sizes()
    if x.dtype.kind == "c" and method != MEAN:
        raise TypeError("a must be an array of real numbers")
    q = computed(q)
    shares = np.asarray(q)
    if not (np.all(shares >= 0) and np.all(shares <= 1)):
        raise ValueError("Quantiles must be in the range [0, 1]")
    if shares.dtype.kind in "iu" and method == "linear":
        method = "lower"  # the smallest and the largest element, with their dtype
    if weights is not None:
        weights = _fitting(weights, x, axis, method)
    axes = tuple(sorted(normalize_axes(axis, x.ndim)))
    if x.size == 0:
        return into(out, _of_none(x, q, axes, keepdims, method, nan))
    everything = len(axes) == x.ndim and weights is None
    if everything and x.dtype.kind in "iuf" and x.size > FEW and shares.size:
        fractions = tuple(shares.astype(float).ravel().tolist())
        dtype, weak = _dtype(x.dtype, q, method), _is_weak(q)
        result = reshape(
            _of_all(x, QuantileRule(fractions, method, dtype, weak, nan)), shares.shape
        )
    else:
        result = _along(name, x, q, axes, method, nan, weights)
    if keepdims:
        keep = tuple(1 if k in axes else n for k, n in enumerate(x.shape))
        result = reshape(result, (*shares.shape, *keep))
    return into(out, result)


def _fitting(w: Array, x: Array, axis: Any, method: str) -> Array:
    """Weights with the axes of an array."""
    if method != "inverted_cdf":
        raise ValueError(f"Only method 'inverted_cdf' supports weights. Got: {method}.")
    return broadcast_to(w if w.shape == x.shape else fit_weights(w, x, axis), x.shape)


def _of_none(
    x: Array, q: Any, axes: tuple[int, ...], keepdims: bool, method: str, nan: bool
) -> Array:
    """Quantiles of no elements: NumPy's value, or its exception, for the smallest such array."""
    tiny: Any = np.empty([min(n, 1) for n in x.shape], x.dtype)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = _of_numpy(tiny, q, axes, method, nan, keepdims=keepdims)
    kept = tuple(1 if k in axes else n for k, n in enumerate(x.shape) if keepdims or k not in axes)
    lead = np.shape(value)[: np.ndim(value) - len(kept)]
    return broadcast_to(placed(np.asarray(value), x), (*lead, *kept))


def _dtype(dtype: Any, q: Any, method: str) -> np.dtype[Any]:
    """The dtype that NumPy's result has, or its exception."""
    if dtype.kind == "O":
        return np.dtype(object)
    one = np.ones(1, dtype)
    result = np.median(one) if method == MEAN else np.quantile(one, q, method=method)  # type: ignore
    return np.asarray(result).dtype


def _is_weak(q: Any) -> bool:
    """Whether a fraction leaves the dtype of the elements alone, as one of Python's does."""
    return type(q) in (int, float)


def _of_all(x: Array, rule: QuantileRule) -> Array:
    """Quantiles of all elements, whatever their order.

    Where a slice computes nothing else, it is the sample. Of several axes it would see only some
    rows and columns, which may differ from the others; there each block is sampled on its own.
    """
    inputs: tuple[Node, ...] = (x.expr,)
    if x.ndim == 1 and is_free(x.expr):
        step = sample_step(x.size, len(rule.q))
        inputs = (x.expr, x[step // 2 :: step].rechunk(-1).expr)
    meta = x.expr.meta.with_(dtype=rule.dtype, chunks=((len(rule.q),),))
    return Array(Exchange(inputs, SelectPlan(rule), meta))


def _along(
    name: str, x: Array, q: Any, axes: tuple[int, ...], method: str, nan: bool, weights: Any
) -> Array:
    """Quantiles along some axes, which become one in one block; NumPy sorts each row."""
    whole = _rows(x, axes)
    places = tuple(range(np.ndim(q)))
    return map_blocks(
        _quantile_of_chunk,
        whole,
        *([] if weights is None else [_rows(weights, axes).rechunk(whole.chunks)]),
        q=q,
        method=method,
        nan=nan,
        dtype=_dtype(x.dtype, q, method),
        drop_axis=whole.ndim - 1,
        new_axis=places or None,
        name=name,
        chunks=(*((n,) for n in np.shape(q)), *whole.chunks[:-1]) if places else None,
    )


def _rows(x: Array, axes: tuple[int, ...]) -> Array:
    """Make one axis of some, the last one, in one block."""
    kept = [k for k in range(x.ndim) if k not in axes]
    moved = moveaxis(x, axes, tuple(range(len(kept), x.ndim))) if axes else x
    rest = tuple(x.shape[k] for k in kept)
    rows = reshape(moved, (*rest, prod(x.shape[k] for k in axes)))
    return rows.rechunk({k: -1 if k == len(rest) else "auto" for k in range(rows.ndim)})


def _quantile_of_chunk(chunk: Any, weights: Any = None, *, q: Any, method: str, nan: bool) -> Any:
    # Contiguous ones are partitioned faster than rows that lie apart.
    chunk = array_namespace(chunk).ascontiguousarray(chunk)
    result = row_quantiles(chunk, weights, q, method, nan)
    return boxed(result, chunk.dtype) if chunk.dtype.kind == "O" and not np.ndim(result) else result


@row_quantiles.register(np.ndarray)
def _rows_by_numpy(chunk: Any, weights: Any, q: Any, method: str, nan: bool) -> Any:
    more = {} if weights is None else {"weights": weights}
    return _of_numpy(chunk, q, -1, method, nan, **more)


def _of_numpy(x: Any, q: Any, axis: Any, method: str, nan: bool, **more: Any) -> Any:
    if method == MEAN:
        return (np.nanmedian if nan else np.median)(x, axis=axis, **more)
    function: Any = np.nanquantile if nan else np.quantile
    return function(x, q if _is_weak(q) else np.asarray(q), axis=axis, method=method, **more)


def _checked(method: str) -> str:
    if method not in METHODS:
        raise ValueError(f"{method!r} is not a valid method. Use one of: {', '.join(METHODS)}")
    return method


def _fractions(percents: Any) -> Any:
    """Percents as fractions; one of Python's numbers stays one."""
    percents = computed(percents)
    fractions = percents / 100 if _is_weak(percents) else np.true_divide(percents, 100)
    if not (np.all(fractions >= 0) and np.all(fractions <= 1)):
        raise ValueError("Percentiles must be in the range [0, 100]")
    return fractions


def quantile(
    x: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
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
    weights : array, optional
        How often each element counts, for the method "inverted_cdf"; with the shape of ``x``, or
        the lengths of ``axis``.

    Raises
    ------
    ValueError
        If ``q`` is out of range, there is no such method, or it takes no weights.
    IndexError
        If there are no elements, for most methods and dtypes.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.quantile(ga.arange(5, chunks=2), 0.5).compute()
    np.float64(2.0)
    """
    return _quantile(
        "quantile", x, q, axis, keepdims, out, _checked(method), nan=False, weights=weights
    )


def percentile(
    x: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
) -> Array:
    """Exact percentiles along some axes: `quantile` of ``q / 100``."""
    return _quantile(
        "percentile",
        x,
        _fractions(q),
        axis,
        keepdims,
        out,
        _checked(method),
        nan=False,
        weights=weights,
    )


def nanquantile(
    x: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
) -> Array:
    """Exact quantiles of the elements that are not NaN."""
    return _quantile(
        "nanquantile", x, q, axis, keepdims, out, _checked(method), nan=True, weights=weights
    )


def nanpercentile(
    x: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
) -> Array:
    """Exact percentiles of the elements that are not NaN."""
    return _quantile(
        "nanpercentile",
        x,
        _fractions(q),
        axis,
        keepdims,
        out,
        _checked(method),
        nan=True,
        weights=weights,
    )


def median(x: Any, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Array:
    """Exact median along some axes, of all elements by default.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.median(ga.asarray([3, 1, 2], chunks=2)).compute()
    np.float64(2.0)
    """
    return _quantile("median", x, 0.5, axis, keepdims, out, MEAN, nan=False)


def nanmedian(x: Any, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Array:
    """Exact median of the elements that are not NaN."""
    return _quantile("nanmedian", x, 0.5, axis, keepdims, out, MEAN, nan=True)
