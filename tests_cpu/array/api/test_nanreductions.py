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


MISSING = {
    "c16": np.array([1 + 2j, complex(3, np.nan), 0.5j, np.nan, 7, 2]),
    "M8[D]": np.array(["2020-01-01", "NaT", "2021-05-01", "NaT", "1999-01-01", "2000-01"], "M8[D]"),
    "m8[s]": np.array([3, "NaT", -4, "NaT", 2, 1], "m8[s]"),
    "O": np.array([3, np.nan, -4, np.nan, 2, 1], object),
}


@pytest.mark.parametrize("name", ["nanmin", "nanmax"])
@pytest.mark.parametrize("dtype", MISSING)
@pytest.mark.filterwarnings("ignore:All-NaN")
def test_extremes_of_other_elements(name, dtype):
    array = MISSING[dtype].reshape(3, 2)
    x = ga.from_array(array, chunks=(2, 1))
    for axis in (None, 0, 1):
        expected = np.asarray(getattr(np, name)(array, axis=axis), array.dtype)
        assert_eq(getattr(ga, name)(x, axis=axis), expected)


@pytest.mark.parametrize("name", ["nanmin", "nanmax", "nansum", "nanprod"])
@pytest.mark.parametrize("dtype", ["i4", "f4", "f8", "c16"])
def test_initial_and_where(name, dtype):
    array = np.arange(12).astype(dtype).reshape(3, 4)
    if array.dtype.kind in "fc":
        array[1, 2], array[2] = np.nan, np.nan
    x = ga.from_array(array, chunks=2)
    for where in (True, array.real % 3 != 1, np.array([True, False, True, True])):
        for axis in (None, 1):
            wishes = {"initial": 2, "where": where, "axis": axis}
            assert_eq(getattr(ga, name)(x, **wishes), getattr(np, name)(array, **wishes))
    if name in ("nanmin", "nanmax"):
        for module, given in ((np, array), (ga, x)):
            with pytest.raises(ValueError, match=f"'f{name[3:]}' does not have an identity"):
                getattr(module, name)(given, where=array.real > 1)


@pytest.mark.parametrize("name", ["nanmean", "nanvar", "nanstd"])
@pytest.mark.parametrize("dtype", ["i4", "f4", "f8", "c16"])
@pytest.mark.filterwarnings("ignore:Mean of empty", "ignore:Degrees of freedom", "ignore:invalid")
def test_where_of_means(name, dtype):
    array = np.arange(12).astype(dtype).reshape(3, 4)
    if array.dtype.kind in "fc":
        array[1, 2], array[2] = np.nan, np.nan
    x = ga.from_array(array, chunks=2)
    options = [{}] if name == "nanmean" else [{}, {"ddof": 3}, {"correction": 1}]
    for where in (True, array.real % 3 != 1, np.array([True, False, True, True])):
        for axis in (None, 1):
            for each in options:
                wishes = {"where": where, "axis": axis, **each}
                with np.errstate(all="ignore"):
                    expected = getattr(np, name)(array, **wishes)
                assert_eq(getattr(ga, name)(x, **wishes), expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["i2", "f4", "f8", "c16"])
@pytest.mark.filterwarnings("ignore")
def test_dtypes(dtype):
    array = np.array([[1, 2, 3], [4, 5, np.nan]])
    x = ga.from_array(array, chunks=2)
    for name in ("nansum", "nanprod", "nanmean", "nanvar"):
        try:
            expected = getattr(np, name)(array, axis=1, dtype=dtype)
        except TypeError:
            with pytest.raises(TypeError, match="must be inexact"):
                getattr(ga, name)(x, axis=1, dtype=dtype)
        else:
            assert_eq(getattr(ga, name)(x, axis=1, dtype=dtype), expected, rtol=1e-6)
