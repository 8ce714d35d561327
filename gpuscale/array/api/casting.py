"""Elements as those of another dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.collection import Array
from gpuscale.array.construct import cast
from gpuscale.array.convert import as_array
from gpuscale.base.errors import NotSupportedError

__all__ = ["astype"]


def astype(
    x: Any, dtype: Any, /, *, copy: bool = True, casting: Any = "unsafe", device: Any = None
) -> Array:
    """Convert the elements to a dtype.

    Raises
    ------
    TypeError
        If ``casting`` forbids the conversion.
    NotSupportedError
        If Python objects are to become strings of no given length.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.astype(ga.asarray([1.7]), int).compute()
    array([1])
    """
    x = as_array(x)
    dtype = np.dtype(dtype)
    if not np.can_cast(x.dtype, dtype, casting):
        raise TypeError(f"Cannot cast array data from {x.dtype!r} to {dtype!r} by rule {casting!r}")
    if device is not None:
        x = x.to_device(device)
    dtype = _sized(dtype, x.dtype)
    return x if x.dtype == dtype and not copy else Array(cast(x.expr, dtype))


def _sized(dtype: np.dtype[Any], given: np.dtype[Any]) -> np.dtype[Any]:
    """Give strings of no length the one that all elements fit, and dates of no unit theirs."""
    if given.kind in "mM" and dtype.kind in "mM":
        return np.zeros(0, given).astype(dtype).dtype
    if dtype.itemsize or dtype.kind not in "USV":
        return dtype
    if given.kind in "OT":
        raise NotSupportedError(
            f"how long strings of {given} are depends on data; say it, as in astype('U20')"
        )
    return np.zeros(0, given).astype(dtype).dtype
