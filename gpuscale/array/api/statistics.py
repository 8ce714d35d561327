"""Weighted means, moments, covariances."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api.averages import mean
from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.joining import concatenate
from gpuscale.array.api.manipulation import broadcast_to, expand_dims
from gpuscale.array.api.reductions import sum as _sum
from gpuscale.array.api.reshaping import reshape
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array, as_given, beside
from gpuscale.array.ufunc import call, into
from gpuscale.chunks.axes import normalize_axes

__all__ = ["average", "corrcoef", "cov", "moment"]


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
    ZeroDivisionError
        When computed, if weights sum to zero.
    """
    x, w = as_given((x, weights), "average")
    if w is None:
        result = mean(x, axis, keepdims=keepdims)
        count = x.size / result.size if result.size else 0.0
        total = broadcast_to(beside(result.dtype.type(count), result, "average"), result.shape)
    else:
        if w.shape != x.shape:
            w = fit_weights(w, x, axis)
        kind = np.result_type(x.dtype, w.dtype, np.float64 if x.dtype.kind in "biu" else x.dtype)
        total = _sum(broadcast_to(w, x.shape), axis, dtype=kind, keepdims=keepdims)
        # In the wide dtype: products of small integers would wrap around.
        result = _sum(call("multiply", x, w, dtype=kind), axis, keepdims=keepdims)
        result = result / map_blocks(_not_zero, total, dtype=kind)
    return (result, total) if returned else result


def _not_zero(total: Any) -> Any:
    if (total == 0).any():
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    return total


def fit_weights(w: Array, x: Array, axis: Any) -> Array:
    """Weights of some axes as an array that broadcasts with all.

    Raises
    ------
    TypeError, ValueError
        If they do not fit.
    """
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
    m, y, fweights, aweights = as_given((m, y, fweights, aweights), "cov")
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
            free = total - ddof * (w * aweights).sum() / total
        scale = 1.0 / free
    result = weighted @ call("conjugate", off).T * scale
    return result.squeeze() if 1 in result.shape else result


def _variables(x: Array, rowvar: bool, dtype: Any) -> Array:
    if x.ndim > 2:
        raise ValueError("m has more than 2 dimensions")
    if x.ndim < 2:
        x = reshape(x, (1, -1)) if x.size else reshape(x, (1, 0))
    elif not rowvar and x.shape[0] != 1:
        x = x.T
    return x.astype(np.result_type(x.dtype, np.float64) if dtype is None else dtype)


def _observation_weights(n: int, fweights: Array | None, aweights: Array | None) -> Array | None:
    w: Array | None = None
    for name, each in (("fweights", fweights), ("aweights", aweights)):
        if each is None:
            continue
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
