"""Whether arrays agree, against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import numpy_arrays, pairs


@settings(max_examples=30)
@given(pairs(), st.booleans(), st.data())
def test_equality_of_arrays(pair, equal_nan, data):
    array, x = pair
    other = array.copy()
    if other.size and data.draw(st.booleans()):
        other.flat[0] = 1
    expected = np.array_equal(array, other, equal_nan=equal_nan)
    assert bool(ga.array_equal(x, other, equal_nan=equal_nan)) == expected
    assert bool(ga.array_equiv(x, other)) == np.array_equiv(array, other)
    assert bool(ga.array_equiv(x, array[None])) == np.array_equiv(array, array[None])


@settings(max_examples=30)
@given(pairs(dtypes=("float64",)), st.booleans())
def test_closeness(pair, equal_nan):
    array, x = pair
    with np.errstate(all="ignore"):
        for factor in (1 + 1e-9, 1.01):
            expected = np.allclose(array, array * factor, equal_nan=equal_nan)
            assert bool(ga.allclose(x, x * factor, equal_nan=equal_nan)) == expected


def test_other_shapes():
    assert not ga.array_equal(ga.ones(3), ga.ones((1, 3)))
    assert not ga.array_equiv(ga.ones(3), ga.ones(4))
    with pytest.raises(ValueError, match="broadcast"):
        ga.allclose(ga.ones(3), ga.ones(4))


@settings(max_examples=20)
@given(numpy_arrays())
def test_missing_elements(array):
    x = ga.from_array(array, chunks=2)
    expected = np.isnan(array) if array.dtype.kind == "f" else np.zeros(array.shape, bool)
    assert_eq(ga.isnull(x), expected)
    assert_eq(ga.notnull(x), ~expected)


def test_missing_elements_of_other_dtypes():
    dates = np.array(["2001-01-01", "NaT"], "datetime64[D]")
    assert ga.isnull(ga.from_array(dates)).compute().tolist() == [False, True]
    objects = np.array([None, 1, "a", np.nan], object)
    assert ga.isnull(ga.from_array(objects)).compute().tolist() == [True, False, False, True]


def test_comparing_is_lazy():
    x = ga.ones(5, chunks=2)
    with nothing_computes():
        assert ga.array_equal(x, x + 1).shape == ga.allclose(x, 2).shape == ()
