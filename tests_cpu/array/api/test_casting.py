"""Casting against NumPy."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.base.errors import NotSupportedError
from gpuscale.testing import assert_eq
from gpuscale.testing.strategies import pairs


@settings(max_examples=30)
@given(pairs(special=False), st.sampled_from(["int8", "float32", "complex64", "bool"]))
def test_casting(pair, dtype):
    array, x = pair
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if array.dtype.kind != "f" or dtype != "int8":  # out of range is not defined
            assert_eq(x.astype(dtype), array.astype(dtype))
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        with pytest.raises(TypeError, match="Cannot cast"):
            x.astype(dtype, casting="same_kind")


@pytest.mark.parametrize("dtype", ["i8", "u1", "f8", "?", "M8[D]", "S3"])
@pytest.mark.parametrize("kind", [str, "U", "S"])
def test_numbers_become_whole_strings(dtype, kind):
    array = np.array([10, 200, 3]).astype("u1").astype(dtype)
    result = ga.from_array(array, chunks=2).astype(kind)
    expected = array.astype(kind)
    assert result.dtype == np.zeros(0, dtype).astype(kind).dtype
    np.testing.assert_array_equal(result.compute(), expected)


def test_strings_of_objects_need_a_length():
    x = ga.from_array(np.array(["a", 22], dtype=object))
    with pytest.raises(NotSupportedError, match="astype"):
        x.astype(str)
