"""Operands become nodes with NumPy 2's promotion."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq

DTYPES = ["bool", "int8", "uint8", "int64", "uint64", "float32", "float64", "complex64"]
SCALARS = [True, 2, 2.5, 1 + 2j]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scalar", SCALARS)
def test_python_scalars_are_weak(dtype, scalar):
    array = np.ones(3, dtype)
    x = ga.from_array(array)
    assert_eq(x + scalar, array + scalar)
    assert_eq(scalar * x, scalar * array)
    assert_eq(ga.maximum(x, scalar), np.maximum(array, scalar))


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_scalars_are_not(dtype):
    array = np.ones(3, dtype)
    assert_eq(ga.from_array(array) + np.float32(2), array + np.float32(2))


def test_an_integer_that_does_not_fit_is_refused():
    x = ga.ones(3, dtype="int8")
    with pytest.raises(OverflowError, match="out of bounds for int8"):
        x + 300
    with pytest.raises(OverflowError, match="out of bounds for uint8"):
        ga.ones(3, dtype="uint8") - (-1)


@pytest.mark.parametrize("value", [-1, 300, 2**63])
@pytest.mark.parametrize("name", ["equal", "not_equal", "less", "greater_equal"])
def test_comparisons_with_it_are_exact(name, value):
    array = np.arange(5, dtype=np.uint8)
    assert_eq(getattr(ga, name)(ga.from_array(array), value), getattr(np, name)(array, value))


def test_other_numbers_need_no_other_program():
    x = ga.ones(3)
    first, second = (x * 123.5).expr, (x * 99.25).expr
    programs = [node.inputs[1].program for node in (first, second)]
    assert programs[0] == programs[1]
