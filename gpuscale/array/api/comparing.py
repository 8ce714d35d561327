"""Whether arrays agree; the answers are lazy arrays without axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api.creation import zeros
from gpuscale.array.api.elementwise import isclose
from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.operators import equality
from gpuscale.array.api.reductions import all as _all
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array, as_arrays
from gpuscale.array.ufunc import call

__all__ = ["allclose", "array_equal", "array_equiv", "isnull", "notnull"]


def allclose(
    a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Array:
    """Say whether all elements are equal within a tolerance; see `isclose`.

    Returns
    -------
    Array
        Without axes; ``bool()`` computes it.

    Raises
    ------
    ValueError
        If the shapes do not broadcast.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> bool(ga.allclose(ga.ones(3), 1 + 1e-9))
    True
    """
    return _all(isclose(a, b, rtol, atol, equal_nan))


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Array:
    """Say whether two arrays have the same shape and elements.

    Parameters
    ----------
    a1, a2 : array
    equal_nan : bool
        Take NaN for equal to NaN.

    Returns
    -------
    Array
        Without axes; ``bool()`` computes it.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> bool(ga.array_equal(ga.arange(3), [0, 1, 2])), bool(ga.array_equal(ga.arange(3), [0]))
    (True, False)
    """
    x, y = as_arrays((a1, a2), "array_equal")
    if x.shape != y.shape:
        return zeros((), bool, like=x)
    same = equality("equal", x, y)
    if equal_nan:
        same = same | (isnull(x) & isnull(y))
    return _all(same)


def array_equiv(a1: Any, a2: Any) -> Array:
    """Say whether two arrays have the same elements once they are broadcast together.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> bool(ga.array_equiv([1, 1], ga.ones((3, 2))))
    True
    """
    x, y = as_arrays((a1, a2), "array_equiv")
    try:
        np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return zeros((), bool, like=x)
    return _all(equality("equal", x, y))


def isnull(values: Any) -> Array:
    """Say which elements are missing: NaN, or NaT; None among Python objects.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.isnull(ga.asarray([1.0, ga.nan])).compute()
    array([False,  True])
    """
    x = as_array(values)
    if x.dtype.kind in "fc":
        return call("isnan", x)
    if x.dtype.kind in "mM":
        return call("isnat", x)
    if x.dtype.kind == "O":
        return map_blocks(_is_missing, x, dtype=np.bool_)
    return call("not_equal", x, x)


def _is_missing(chunk: Any) -> Any:
    return np.array([v is None or v != v for v in chunk.flat], bool).reshape(chunk.shape)


def notnull(values: Any) -> Array:
    """Say which elements are not missing; see `isnull`."""
    return call("logical_not", isnull(values))
