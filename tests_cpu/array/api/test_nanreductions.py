"""Reductions that leave NaN out against NumPy, over dtypes, shapes, chunkings, axes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq
from gpuscale.testing.strategies import axes, chunked, numpy_arrays, pairs

NUMBERS = ("int8", "int64", "float32", "float64")


@pytest.mark.parametrize("name", ["nanmin", "nanmax"])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
@pytest.mark.filterwarnings("ignore:All-NaN", "ignore:invalid value")
def test_extremes(name, data):
    array, x = data.draw(pairs(dtypes=NUMBERS, min_side=1))
    axis = data.draw(axes(array.ndim))
    assert_eq(getattr(ga, name)(x, axis=axis), getattr(np, name)(array, axis=axis))


@pytest.mark.parametrize("name", ["nansum", "nanprod"])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_sums_and_products(name, data):
    array = data.draw(numpy_arrays(dtypes=("int32", "float64"), special=True))
    x = data.draw(chunked(array))
    axis = data.draw(axes(array.ndim))
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(array, axis=axis)
        assert_eq(getattr(ga, name)(x, axis=axis), expected, rtol=1e-10, atol=1e-7)


@pytest.mark.parametrize("name", ["nanmean", "nanvar", "nanstd"])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
@pytest.mark.filterwarnings("ignore:Mean of empty", "ignore:Degrees of freedom")
def test_without_nan(name, data):
    elements = st.floats(-100, 100) | st.just(float("nan"))
    shape = data.draw(st.tuples(st.integers(0, 5), st.integers(0, 5)))
    values = data.draw(
        st.lists(elements, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1])
    )
    array = np.array(values, float).reshape(shape)
    x = data.draw(chunked(array))
    axis = data.draw(axes(2))
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(array, axis=axis)
        assert_eq(getattr(ga, name)(x, axis=axis), expected, rtol=1e-9, atol=1e-7)
