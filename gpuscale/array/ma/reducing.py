"""Functions of `numpy.ma` that reduce or run along an axis, over the elements that count."""

from __future__ import annotations

from functools import partial
from math import prod as _product
from typing import Any

import numpy as np

from gpuscale.array.api import positions, products, quantiles, reductions, scanning
from gpuscale.array.api.reductions import reduced_axes
from gpuscale.array.api.taking import whole_axis
from gpuscale.array.collection import Array
from gpuscale.array.convert import known_node
from gpuscale.array.ma.array import MaskedArray, apply_finite, extreme
from gpuscale.array.ma.functions import masked_array
from gpuscale.array.ma.moving import squeeze
from gpuscale.array.ma.packing import unpack
from gpuscale.array.ufunc import call
from gpuscale.chunks.blocks import max_block
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = [
    "all",
    "amax",
    "amin",
    "anom",
    "anomalies",
    "any",
    "argmax",
    "argmin",
    "count",
    "count_masked",
    "cumprod",
    "cumsum",
    "dot",
    "max",
    "mean",
    "median",
    "min",
    "prod",
    "product",
    "ptp",
    "std",
    "sum",
    "trace",
    "var",
]


def count(obj: Any, axis: Any = None, keepdims: bool = False) -> Array:
    """Number of elements that count, along some axes."""
    return reductions.count_nonzero(~masked_array(obj).mask, axis, keepdims=keepdims)


def count_masked(arr: Any, axis: Any = None) -> Array:
    """Number of masked elements along some axes."""
    return reductions.count_nonzero(masked_array(arr).mask, axis)


def _reduced(
    function: Any, fill: Any, x: MaskedArray, axis: Any, keepdims: bool, **options: Any
) -> MaskedArray:
    result = function(x.filled(fill), axis=axis, keepdims=keepdims, **options)
    return MaskedArray(result, x.mask.all(axis=axis, keepdims=keepdims))


def sum(a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> MaskedArray:
    """Sum of the elements that count; masked where none does.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ma.sum(ga.ma.masked_equal([1, 9, 2], 9)).compute()
    np.int64(3)
    """
    return _reduced(reductions.sum, 0, masked_array(a), axis, keepdims, dtype=dtype)


def prod(a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> MaskedArray:
    """Product of the elements that count; masked where none does."""
    return _reduced(reductions.prod, 1, masked_array(a), axis, keepdims, dtype=dtype)


product = prod


def any(a: Any, axis: Any = None, *, keepdims: bool = False) -> MaskedArray:
    """Whether one of the elements that count is true; masked where none counts."""
    return _reduced(reductions.any, 0, masked_array(a), axis, keepdims)


def all(a: Any, axis: Any = None, *, keepdims: bool = False) -> MaskedArray:
    """Whether all elements that count are true; masked where none counts."""
    return _reduced(reductions.all, 1, masked_array(a), axis, keepdims)


def min(obj: Any, axis: Any = None, *, keepdims: bool = False) -> MaskedArray:
    """Smallest element that counts; masked where none does."""
    x = masked_array(obj)
    return _reduced(reductions.min, extreme(x, 1), x, axis, keepdims)


def max(obj: Any, axis: Any = None, *, keepdims: bool = False) -> MaskedArray:
    """Largest element that counts; masked where none does."""
    x = masked_array(obj)
    return _reduced(reductions.max, extreme(x, -1), x, axis, keepdims)


amin, amax = min, max


def mean(a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> MaskedArray:
    """Mean of the elements that count; masked where none does."""
    x = masked_array(a)
    kind = np.dtype(dtype or (x.dtype if x.dtype.kind in "fc" else float))
    total = reductions.sum(x.filled(0).astype(kind), axis=axis, keepdims=keepdims)
    result = total / count(x, axis, keepdims)
    mask = x.mask.all(axis=axis, keepdims=keepdims)
    return MaskedArray(result.astype(kind, copy=False), mask)


def var(
    a: Any, axis: Any = None, dtype: Any = None, *, ddof: int = 0, keepdims: bool = False
) -> MaskedArray:
    """Variance of the elements that count; masked where no more than ``ddof`` do."""
    x = masked_array(a) if dtype is None else masked_array(a).astype(dtype)
    off = x - mean(x, axis, keepdims=True).data
    squares = off.data.real**2 + off.data.imag**2 if off.dtype.kind == "c" else off.data**2
    kept = call("where", x.mask, squares.dtype.type(0), squares)
    free = count(x, axis, keepdims) - ddof
    total = reductions.sum(kept, axis=axis, keepdims=keepdims)
    return MaskedArray((total / free).astype(squares.dtype, copy=False), free <= 0)


def std(
    a: Any, axis: Any = None, dtype: Any = None, *, ddof: int = 0, keepdims: bool = False
) -> MaskedArray:
    """Standard deviation of the elements that count; masked where no more than ``ddof`` do."""
    return apply_finite("sqrt", var(a, axis, dtype, ddof=ddof, keepdims=keepdims))


def argmax(
    a: Any, axis: int | None = None, fill_value: Any = None, *, keepdims: bool = False
) -> Array:
    """Position of the first largest element that counts; of the flat array by default.

    Parameters
    ----------
    a : array
    axis : int, optional
    fill_value : scalar, optional
        What masked elements count as; the smallest value there is by default.
    keepdims : bool

    Raises
    ------
    NotSupportedError
        If the dtype has no smallest value.
    """
    x = masked_array(a)
    filled = x.filled(extreme(x, -1) if fill_value is None else fill_value)
    return positions.argmax(filled, axis, keepdims=keepdims)


def argmin(
    a: Any, axis: int | None = None, fill_value: Any = None, *, keepdims: bool = False
) -> Array:
    """Position of the first smallest element that counts; of the flat array by default.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ma.argmin(ga.ma.masked_equal([3, 0, 2], 0)).compute()
    np.int64(2)
    """
    x = masked_array(a)
    filled = x.filled(extreme(x, 1) if fill_value is None else fill_value)
    return positions.argmin(filled, axis, keepdims=keepdims)


def _running(function: Any, neutral: int, a: Any, axis: int | None, dtype: Any) -> MaskedArray:
    x = masked_array(a)
    data = function(x.filled(neutral), axis, dtype)
    return MaskedArray(data, x.mask.ravel() if axis is None else x.mask)


def cumsum(a: Any, axis: int | None = None, dtype: Any = None) -> MaskedArray:
    """Running sums, in which masked elements count as zero; they stay masked.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ma.cumsum(ga.ma.masked_equal([1, 9, 2], 9)).compute()
    masked_array(data=[1, --, 3],
                 mask=[False,  True, False],
           fill_value=999999)
    """
    return _running(scanning.cumsum, 0, a, axis, dtype)


def cumprod(a: Any, axis: int | None = None, dtype: Any = None) -> MaskedArray:
    """Running products, in which masked elements count as one; they stay masked."""
    return _running(scanning.cumprod, 1, a, axis, dtype)


def ptp(obj: Any, axis: Any = None, *, keepdims: bool = False) -> MaskedArray:
    """Range of the elements that count, ``max - min``, along some axes.

    Booleans have none, but a masked one where all are masked, which is found out now.
    """
    x = masked_array(obj)
    if x.dtype == bool and axis is None and not keepdims and x.mask.all().compute():
        return x.max()  # else booleans cannot be subtracted
    return x.max(axis, keepdims=keepdims) - x.min(axis, keepdims=keepdims)


def anom(a: Any, axis: Any = None, dtype: Any = None) -> MaskedArray:
    """Differences from the mean of the elements that count."""
    x = masked_array(a)
    return x - x.mean(axis, dtype, keepdims=True)


anomalies = anom


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Array:
    """Sum of the elements that count of a diagonal; a float by default, as in `numpy.ma`."""
    diagonal = masked_array(a).diagonal(offset, axis1, axis2)
    return diagonal.astype(float if dtype is None else dtype).filled(0).sum(axis=-1)


def dot(a: Any, b: Any) -> MaskedArray:
    """Product of two arrays, in which masked elements count as zero; masked where all do."""
    x, y = masked_array(a), masked_array(b)
    data = products.dot(x.filled(0), y.filled(0))
    return MaskedArray(data, ~products.dot(~x.mask, ~y.mask))


def median(a: Any, axis: Any = None, *, keepdims: bool = False) -> MaskedArray:
    """Exact median of the elements that count along some axes; masked where none does.

    Parameters
    ----------
    a : array
    axis : int or tuple of int, optional
        All axes by default.
    keepdims : bool

    Raises
    ------
    numpy.exceptions.AxisError
        If an axis does not exist.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ma.median(ga.ma.masked_equal([3, 9, 1, 2], 9)).compute()
    np.float64(2.0)
    """
    x = masked_array(a)
    axes = reduced_axes(axis, x.ndim)
    if len(axes) == x.ndim:
        data = quantiles.median(x.data[~x.mask])
        data = data.reshape((1,) * x.ndim) if keepdims else data
        return MaskedArray(data, x.mask.all(keepdims=keepdims))
    known = MaskedArray(Array(known_node(x.data)), x.mask)
    return _of_lines(known, axes, keepdims)


def _of_lines(x: MaskedArray, axes: tuple[int, ...], keepdims: bool) -> MaskedArray:
    """Medians of whole lines, by `numpy.ma`."""
    kind = np.ma.median(np.ma.zeros(1, x.dtype)).dtype
    lines = whole_axis(x.expr, *axes)  # records of elements and masks
    chunks = tuple((1,) if k in axes else sizes for k, sizes in enumerate(lines.meta.chunks))
    meta = lines.meta.with_(dtype=np.dtype([("data", kind), ("mask", bool)]), chunks=chunks)
    room = 6 * lines.meta.dtype.itemsize * _product(max_block(lines.meta.chunks))
    kernel = FunctionKernel(partial(_median, axes=axes), label="median", room=room)
    inputs = (BlockInput(lines, axes=tuple(range(x.ndim))),)
    both = Blockwise(kernel, inputs, lines.meta.chunks, meta)
    backend = x.data.backend
    result = MaskedArray(unpack(both, "data", kind, backend), unpack(both, "mask", bool, backend))
    return result if keepdims else squeeze(result, axes)


def _median(both: Any, axes: tuple[int, ...]) -> Any:
    found = np.ma.median(np.ma.MaskedArray(both["data"], both["mask"]), axes, keepdims=True)
    out = np.empty(found.shape, [("data", found.dtype), ("mask", bool)])
    out["data"], out["mask"] = np.ma.getdata(found), np.ma.getmaskarray(found)
    return out
