"""Functions of `numpy.ma` that ask about masks and make them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api import creation
from gpuscale.array.api.elementwise import isclose
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array
from gpuscale.array.ma.array import MaskedArray, mask_of
from gpuscale.array.ma.functions import getdata, getmaskarray, masked_array
from gpuscale.array.ufunc import call

__all__ = [
    "MaskType",
    "allclose",
    "allequal",
    "arange",
    "array",
    "asanyarray",
    "asarray",
    "default_fill_value",
    "empty",
    "getmask",
    "isMA",
    "isMaskedArray",
    "is_masked",
    "isarray",
    "mask_or",
    "masked",
    "masked_all",
    "masked_all_like",
    "maximum_fill_value",
    "minimum_fill_value",
    "nomask",
    "ones",
    "zeros",
]

MaskType, masked, nomask = np.ma.MaskType, np.ma.masked, np.ma.nomask
default_fill_value = np.ma.default_fill_value
maximum_fill_value, minimum_fill_value = np.ma.maximum_fill_value, np.ma.minimum_fill_value
array = masked_array


def asarray(a: Any, dtype: Any = None) -> MaskedArray:
    """Make a masked array of anything; one that is there comes back as it is."""
    if isinstance(a, MaskedArray) and dtype in (None, a.dtype):
        return a
    return masked_array(a, dtype=dtype)


asanyarray = asarray


def isMaskedArray(x: Any) -> bool:
    """Whether something is a masked array, of gpuscale or of NumPy."""
    return isinstance(x, MaskedArray | np.ma.MaskedArray)


isMA = isarray = isMaskedArray


def getmask(a: Any) -> Any:
    """Which elements do not count; `nomask` for an array without a mask."""
    mask = mask_of(a)
    return nomask if mask is None else mask


def is_masked(x: Any) -> Array:
    """Whether an element is masked; found when it is computed, or asked for as a truth value."""
    return getmaskarray(x).any()


def mask_or(m1: Any, m2: Any, copy: bool = False, shrink: bool = True) -> Any:
    """Join two masks; `nomask` and False mask nothing.

    A mask stays one where it masks nothing, since that is not known before it is computed; NumPy
    makes `nomask` of it if ``shrink`` says so.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ma.mask_or([True, False], ga.asarray([False, False])).compute()
    array([ True, False])
    """
    given = [as_array(m).astype(bool) for m in (m1, m2) if m is not nomask and m is not False]
    return call("logical_or", *given) if len(given) == 2 else given[0] if given else nomask


def allequal(a: Any, b: Any, fill_value: bool = True) -> Array:
    """Whether all elements are equal, where masked ones are if ``fill_value`` says so."""
    return _all(getdata(a) == getdata(b), a, b, fill_value)


def allclose(
    a: Any, b: Any, masked_equal: bool = True, rtol: float = 1e-05, atol: float = 1e-08
) -> Array:
    """Whether all elements are equal within a tolerance, masked ones if ``masked_equal`` says so.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> bool(ga.ma.allclose(ga.ma.masked_equal([1.0, 7.0], 7.0), [1.0, 2.0]).compute())
    True
    """
    return _all(isclose(getdata(a), getdata(b), rtol, atol), a, b, masked_equal)


def _all(same: Array, a: Any, b: Any, masked_counts: bool) -> Array:
    mask = getmaskarray(a) | getmaskarray(b)
    return (same | mask if masked_counts else same & ~mask).all()


# --- new arrays ----------------------------------------------------------------------------------


def zeros(shape: Any, dtype: Any = None, **options: Any) -> MaskedArray:
    """Masked array of zeros, none of them masked; see `gpuscale.array.zeros`."""
    return MaskedArray(creation.zeros(shape, dtype, **options))


def ones(shape: Any, dtype: Any = None, **options: Any) -> MaskedArray:
    """Masked array of ones, none of them masked; see `gpuscale.array.ones`."""
    return MaskedArray(creation.ones(shape, dtype, **options))


def empty(shape: Any, dtype: Any = None, **options: Any) -> MaskedArray:
    """Masked array of whatever, none of it masked; see `gpuscale.array.empty`."""
    return MaskedArray(creation.empty(shape, dtype, **options))


def arange(*args: Any, **options: Any) -> MaskedArray:
    """Masked array of evenly spaced numbers, none masked; see `gpuscale.array.arange`."""
    return MaskedArray(creation.arange(*args, **options))


def masked_all(shape: Any, dtype: Any = float, **options: Any) -> MaskedArray:
    """Array all of whose elements are masked.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ma.masked_all(2).compute()
    masked_array(data=[--, --],
                 mask=[ True,  True],
           fill_value=1e+20,
                dtype=float64)
    """
    return MaskedArray(creation.zeros(shape, dtype, **options), True)


def masked_all_like(arr: Any) -> MaskedArray:
    """Array of the shape, dtype and chunks of another, all of whose elements are masked."""
    return MaskedArray(creation.zeros_like(getdata(arr)), True)
