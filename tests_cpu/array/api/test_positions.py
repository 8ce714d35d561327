"""Where the smallest and the largest elements are, against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq
from gpuscale.testing.strategies import pairs

NUMBERS = ("bool", "int8", "uint8", "int32", "int64", "float32", "float64")


@pytest.mark.parametrize("name", ["argmin", "argmax"])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_positions(name, data):
    array, x = data.draw(pairs(dtypes=NUMBERS, min_side=1))
    axis = data.draw(st.none() | st.integers(0, array.ndim - 1) if array.ndim else st.none())
    options = {"axis": axis, "keepdims": data.draw(st.booleans())}
    assert_eq(getattr(ga, name)(x, **options), getattr(np, name)(array, **options))


@pytest.mark.parametrize("name", ["argmin", "argmax", "nanargmin", "nanargmax"])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_positions_beside_nan(name, data):
    dtype = data.draw(st.sampled_from(["float32", "complex64", "complex128", "object"]))
    numbers = st.sampled_from([-np.inf, -1.0, 0.0, 2.0, np.inf, np.nan])
    if dtype.startswith("complex"):
        numbers = st.builds(complex, numbers, numbers)
    if dtype == "object" and not name.startswith("nan"):
        numbers = st.integers(-3, 3)  # which of NaN and a number comes first depends on the order
    values = data.draw(st.lists(numbers, min_size=1, max_size=9))
    array = np.array(values, dtype)
    if name.startswith("nan") and not (array == array).any():
        array[0] = 1
    x = ga.asarray(array, chunks=data.draw(st.integers(1, 4)))
    assert_eq(getattr(ga, name)(x), getattr(np, name)(array))


def test_all_nan_slice_has_no_position():
    with pytest.raises(ValueError, match="All-NaN"):
        ga.nanargmax(ga.full(3, np.nan)).compute()


@pytest.mark.parametrize("name", ["argmin", "argmax", "nanargmin"])
def test_empty_extent_has_no_position(name):
    with pytest.raises(ValueError, match="empty"):
        getattr(ga, name)(ga.zeros((0, 3)), axis=0)


@pytest.mark.parametrize("name", ["argmin", "argmax", "nanargmin", "nanargmax"])
def test_one_axis_or_none(name):
    x = np.ones((2, 3))
    for function, array in ((getattr(np, name), x), (getattr(ga, name), ga.asarray(x))):
        with pytest.raises(TypeError):
            function(array, axis=(0, 1))
        with pytest.raises(np.exceptions.AxisError):
            function(array, axis=2)
