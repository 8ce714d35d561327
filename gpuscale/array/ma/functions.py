"""Functions of `numpy.ma`, for lazy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api import creation, searching
from gpuscale.array.api.elementwise import isclose, isfinite
from gpuscale.array.api.manipulation import broadcast_to
from gpuscale.array.collection import Array
from gpuscale.array.ma.array import MaskedArray, data_of, mask_of
from gpuscale.array.ufunc import call

__all__ = [
    "average",
    "empty_like",
    "filled",
    "fix_invalid",
    "getdata",
    "getmaskarray",
    "masked_array",
    "masked_equal",
    "masked_greater",
    "masked_greater_equal",
    "masked_inside",
    "masked_invalid",
    "masked_less",
    "masked_less_equal",
    "masked_not_equal",
    "masked_outside",
    "masked_values",
    "masked_where",
    "nonzero",
    "ones_like",
    "set_fill_value",
    "where",
    "zeros_like",
]


def _fill_of(x: Any) -> Any:
    if isinstance(x, np.ma.MaskedArray):
        return None if x is np.ma.masked else x.fill_value
    return x._fill if isinstance(x, MaskedArray) else None


def masked_array(
    data: Any,
    mask: Any = False,
    fill_value: Any = None,
    *,
    dtype: Any = None,
    chunks: Any = "auto",
) -> MaskedArray:
    """Make a masked array.

    Parameters
    ----------
    data : array
    mask : array of bool
        True where an element does not count, besides those masked in ``data``.
    fill_value : scalar, optional
    dtype : dtype, optional
    chunks : int, str, tuple or dict
        Block sizes, where they are not to be those of ``data``.

    Raises
    ------
    ValueError
        If the mask does not broadcast to the shape of the data.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ma.masked_array([1, 2, 3], [True, False, False]).sum().compute()
    np.int64(5)
    """
    x = data_of(data)
    own = mask_of(data)
    flags = mask if own is None else call("logical_or", own, mask)
    if dtype is not None:
        x = x.astype(dtype)
    if chunks != "auto":
        x = x.rechunk(chunks)
    fill = _fill_of(data) if fill_value is None else fill_value
    return MaskedArray(x, flags, fill)


def masked_where(condition: Any, a: Any) -> MaskedArray:
    """Mask where a condition is true.

    Raises
    ------
    IndexError
        If the shapes differ.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.arange(4)
    >>> ga.ma.masked_where(x > 2, x).sum().compute()
    np.int64(3)
    """
    flags, x = data_of(condition), data_of(a)
    if flags.ndim and flags.shape != x.shape:
        raise IndexError(
            f"Inconsistent shape between the condition and the input (got {flags.shape} and "
            f"{x.shape})"
        )
    return masked_array(a, flags)


def _masked_by(op: str, x: Any, value: Any) -> MaskedArray:
    return masked_array(x, call(op, data_of(x), value))


def masked_equal(x: Any, value: Any) -> MaskedArray:
    """Mask elements that equal a value, which becomes the fill value."""
    return masked_array(_masked_by("equal", x, value), fill_value=value)


def masked_not_equal(x: Any, value: Any) -> MaskedArray:
    """Mask elements that differ from a value."""
    return _masked_by("not_equal", x, value)


def masked_greater(x: Any, value: Any, copy: bool = True) -> MaskedArray:
    """Mask elements greater than a value; nothing is ever copied, whatever ``copy`` says."""
    return _masked_by("greater", x, value)


def masked_greater_equal(x: Any, value: Any, copy: bool = True) -> MaskedArray:
    """Mask elements greater than a value or equal to it."""
    return _masked_by("greater_equal", x, value)


def masked_less(x: Any, value: Any, copy: bool = True) -> MaskedArray:
    """Mask elements less than a value."""
    return _masked_by("less", x, value)


def masked_less_equal(x: Any, value: Any, copy: bool = True) -> MaskedArray:
    """Mask elements less than a value or equal to it."""
    return _masked_by("less_equal", x, value)


def _is_inside(x: Array, v1: Any, v2: Any) -> Array:
    low, high = (v1, v2) if v1 <= v2 else (v2, v1)
    return (x >= low) & (x <= high)


def masked_inside(x: Any, v1: Any, v2: Any) -> MaskedArray:
    """Mask elements inside an interval, its ends included.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ma.masked_inside(ga.arange(5), 3, 1).sum().compute()
    np.int64(4)
    """
    return masked_array(x, _is_inside(data_of(x), v1, v2))


def masked_outside(x: Any, v1: Any, v2: Any) -> MaskedArray:
    """Mask elements outside an interval."""
    data = data_of(x)
    low, high = (v1, v2) if v1 <= v2 else (v2, v1)
    return masked_array(x, (data < low) | (data > high))


def masked_invalid(a: Any) -> MaskedArray:
    """Mask NaN and infinities.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ma.masked_invalid([1.0, ga.nan]).sum().compute()
    np.float64(1.0)
    """
    return masked_array(a, ~isfinite(data_of(a)))


def masked_values(
    x: Any, value: Any, rtol: float = 1e-05, atol: float = 1e-08, shrink: bool = True
) -> MaskedArray:
    """Mask elements close to a value, which becomes the fill value; see `isclose`."""
    data = data_of(x)
    flags = isclose(data, value, rtol, atol) if data.dtype.kind == "f" else data == value
    return masked_array(x, flags, fill_value=value)


def fix_invalid(a: Any, fill_value: Any = None) -> MaskedArray:
    """Mask NaN and infinities, and put the fill value beneath the mask."""
    bad = ~isfinite(data_of(a))
    result = masked_array(a, bad, fill_value)
    value = result.fill_value
    return MaskedArray(call("where", bad, value, result.data), result.mask, result._fill)


# --- asking --------------------------------------------------------------------------------------


def getdata(a: Any) -> Array:
    """Elements, whether or not they count."""
    return data_of(a)


def getmaskarray(a: Any) -> Array:
    """Which elements do not count.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ma.getmaskarray(ga.ones(2)).compute()
    array([False, False])
    """
    mask = mask_of(a)
    return creation.zeros_like(data_of(a), dtype=bool) if mask is None else mask


def filled(a: Any, fill_value: Any = None) -> Array:
    """Elements, with a value in place of the masked ones; an array without a mask as it is.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ma.filled(ga.ma.masked_equal([1, 2], 2), 9).compute()
    array([1, 9])
    """
    mask = mask_of(a)
    return data_of(a) if mask is None else masked_array(a).filled(fill_value)


def set_fill_value(a: MaskedArray, fill_value: Any) -> None:
    """Set what `filled` puts in place of masked elements; an array without a mask has none.

    Raises
    ------
    TypeError
        If the value cannot be one of the elements.
    """
    if isinstance(a, MaskedArray):
        np.asarray(fill_value).astype(a.dtype, casting="same_kind")
        a._fill = fill_value


def nonzero(a: Any) -> tuple[Array, ...]:
    """Positions of the elements that count and are not zero, one array for each axis."""
    return searching.nonzero(filled(a, 0))


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Choose elements by a condition; with the condition alone, find where it is true.

    Raises
    ------
    ValueError
        If one of ``x`` and ``y`` is missing.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.ma.masked_equal(ga.arange(3), 1)
    >>> ga.ma.where(ga.asarray([True, True, False]), x, 7).compute()
    masked_array(data=[0, --, 7],
                 mask=[False,  True, False],
           fill_value=999999)
    """
    if x is None and y is None:
        return nonzero(condition)
    if x is None or y is None:
        raise ValueError("either both or neither of x and y should be given")
    chosen = data_of(condition)
    plain = [v if np.isscalar(v) else data_of(v) for v in (x, y)]
    flags = [False if np.isscalar(v) else getmaskarray(v) for v in (x, y)]
    data = call("where", chosen, *plain)
    mask = broadcast_to(call("where", chosen, *flags), data.shape)
    of_condition = mask_of(condition)
    return MaskedArray(data, mask if of_condition is None else mask | of_condition)


def average(
    a: Any,
    axis: Any = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """Weighted mean of the elements that count.

    Parameters
    ----------
    a : array
    axis : int or tuple of int, optional
    weights : array, optional
        With the shape of ``a``, or along the one axis.
    returned : bool
        Also the sum of the weights.
    keepdims : bool

    Raises
    ------
    TypeError
        If the shapes differ and no axis is given.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ma.average(ga.ma.masked_equal(ga.arange(4), 3), weights=[1, 1, 2, 5]).compute()
    np.float64(1.25)
    """
    x = masked_array(a)
    if weights is None:
        result, total = x.mean(axis, keepdims=keepdims), x.count(axis, keepdims).astype(float)
    else:
        w = data_of(weights)
        if w.shape != x.shape:
            if axis is None:
                raise TypeError("Axis must be specified when shapes of a and weights differ.")
            w = w[(slice(None), *(None,) * (x.ndim - 1 - axis % x.ndim))]
        total = MaskedArray(broadcast_to(w, x.shape), x.mask).sum(axis, keepdims=keepdims).data
        result = (x * w).sum(axis, keepdims=keepdims) / total
    return (result, total) if returned else result


def _like(x: Any, value: int, kwargs: dict[str, Any]) -> MaskedArray:
    data = creation.full_like(data_of(x), value, **kwargs)
    return MaskedArray(data, getmaskarray(x) if data.shape == data_of(x).shape else False)


def empty_like(a: Any, **kwargs: Any) -> MaskedArray:
    """Masked array of zeros with the shape, dtype, chunks and mask of another."""
    return _like(a, 0, kwargs)


def zeros_like(a: Any, **kwargs: Any) -> MaskedArray:
    """Masked array of zeros with the shape, dtype, chunks and mask of another."""
    return _like(a, 0, kwargs)


def ones_like(a: Any, **kwargs: Any) -> MaskedArray:
    """Masked array of ones with the shape, dtype, chunks and mask of another."""
    return _like(a, 1, kwargs)
