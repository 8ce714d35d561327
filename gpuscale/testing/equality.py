"""Compare what gpuscale computes with what NumPy does."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.base.types import is_known
from gpuscale.codegen.functions import boxed
from gpuscale.collection import Collection

__all__ = ["assert_eq"]


def assert_eq(actual: Any, expected: Any, *, rtol: float = 0.0, atol: float = 0.0) -> None:
    """Assert that two arrays are equal in values, dtype and shape.

    Parameters
    ----------
    actual : Array or array
        Computed, with the engine "sync", if it is lazy; the metadata promised before must be
        those of the result.
    expected : array
    rtol, atol : float
        Tolerance; exact by default, where NaN equals NaN.

    Raises
    ------
    AssertionError

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> assert_eq(ga.arange(3) + 1, np.array([1, 2, 3]))
    """
    result = actual
    if isinstance(actual, Collection):
        meta = actual.expr.meta
        result = actual.compute(engine="sync")
        one_object = meta.dtype.kind == "O" and meta.shape == ()
        result = boxed(result, meta.dtype) if one_object else np.asarray(result)
        assert meta.dtype == result.dtype, f"promised {meta.dtype}, computed {result.dtype}"
        if is_known(meta.shape):
            assert meta.shape == result.shape, f"promised {meta.shape}, computed {result.shape}"
    result, expected = np.asarray(result), np.asarray(expected)
    assert result.dtype == expected.dtype, f"{result.dtype} is not {expected.dtype}"
    assert result.shape == expected.shape, f"{result.shape} is not {expected.shape}"
    if rtol or atol:
        np.testing.assert_allclose(result, expected, rtol=rtol, atol=atol)
    else:
        np.testing.assert_array_equal(result, expected)
