"""Matrices for tests of linear algebra, and a comparison that knows how dtypes round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing.equality import assert_eq
from gpuscale.testing.strategies import chunks

__all__ = ["close", "lazily", "matrix", "positive", "regular"]

DTYPES = ("float32", "float64", "complex64", "complex128", "int64")
_TOLERANCE = {"f": 2e-4, "F": 2e-4, "d": 1e-9, "D": 1e-9, "l": 1e-9}


def lazily(data: Any, array: np.ndarray[Any, Any]) -> ga.Array:
    """Draw a lazy array of the same elements, cut somehow."""
    return ga.from_array(array, chunks=data.draw(chunks(array.shape)))


def matrix(data: Any, *shape: int, dtypes: Sequence[str] = DTYPES) -> np.ndarray[Any, Any]:
    """Draw normally distributed numbers of some dtype."""
    dtype = np.dtype(data.draw(st.sampled_from(dtypes)))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    values = rng.normal(size=shape)
    if dtype.kind == "c":
        values = values + 1j * rng.normal(size=shape)
    result: np.ndarray[Any, Any] = (values * 10 if dtype.kind == "i" else values).astype(dtype)
    return result


def regular(
    data: Any, n: int, dtypes: Sequence[str] = DTYPES, stack: tuple[int, ...] = ()
) -> np.ndarray[Any, Any]:
    """Draw square matrices that are far from singular."""
    a = matrix(data, *stack, n, n, dtypes=dtypes)
    return a + (20 * np.eye(n)).astype(a.dtype)


def positive(
    data: Any, n: int, dtypes: Sequence[str] = DTYPES, stack: tuple[int, ...] = ()
) -> np.ndarray[Any, Any]:
    """Draw Hermitian, positive definite matrices."""
    a = matrix(data, *stack, n, n, dtypes=dtypes)
    result: np.ndarray[Any, Any] = a @ a.swapaxes(-1, -2).conj() + (n + 1) * np.eye(n)
    return result.astype(a.dtype)


def close(actual: Any, expected: Any, scale: float = 1.0) -> None:
    """Assert equal shapes and dtypes, and values equal up to rounding of the dtype.

    Parameters
    ----------
    actual, expected
        As for `gpuscale.testing.assert_eq`.
    scale : float
        How much the work magnifies rounding.
    """
    tolerance = _TOLERANCE.get(np.asarray(expected).dtype.char, 0) * scale
    assert_eq(actual, expected, rtol=tolerance, atol=tolerance)
