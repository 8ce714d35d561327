"""Masked arrays for tests: pairs of NumPy's and ours, and their comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gpuscale.array as ga
from gpuscale.testing.strategies import chunks

__all__ = ["assert_masked_eq", "masked_pairs"]


def assert_masked_eq(actual: Any, expected: Any, rtol: float = 0.0) -> None:
    """Assert that two masked arrays are equal in shape, dtype, masks, and values that count.

    Parameters
    ----------
    actual : gpuscale.array.ma.MaskedArray
        Computed with the engine "sync".
    expected : numpy.ma.MaskedArray or scalar
    rtol : float

    Raises
    ------
    AssertionError

    Examples
    --------
    >>> assert_masked_eq(ga.ma.masked_equal([1, 2], 2), np.ma.masked_equal([1, 2], 2))
    """
    result = actual.compute(engine="sync")
    assert np.ma.isMaskedArray(result) == np.ma.isMaskedArray(expected)
    assert np.shape(result) == np.shape(expected)
    np.testing.assert_array_equal(np.ma.getmaskarray(result), np.ma.getmaskarray(expected))
    flags = ~np.ma.getmaskarray(expected)
    a, b = np.ma.getdata(result)[flags], np.ma.getdata(expected)[flags]
    assert a.dtype == b.dtype
    np.testing.assert_allclose(a, b, rtol=rtol)


@st.composite
def masked_pairs(
    draw: Any, dtype: Any = None, shape: Any = None
) -> tuple[np.ma.MaskedArray[Any, Any], ga.ma.MaskedArray]:
    """Draw a masked array of NumPy's and a lazy one of the same elements and mask."""
    dtype = dtype or draw(st.sampled_from(["int64", "float64"]))
    shape = shape or draw(hnp.array_shapes(max_dims=2, max_side=6))
    elements: Any = st.integers(-5, 5) if dtype == "int64" else st.floats(-5, 5, width=16)
    data = draw(hnp.arrays(dtype, shape, elements=elements))
    mask = draw(hnp.arrays(bool, shape))
    cut = draw(chunks(shape))
    lazy = ga.ma.masked_array(ga.from_array(data, chunks=cut), ga.from_array(mask, chunks=-1))
    return np.ma.MaskedArray(data, mask), lazy
