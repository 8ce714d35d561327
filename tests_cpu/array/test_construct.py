"""Operands become nodes with NumPy 2's promotion."""

import contextlib
import warnings

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


BINARY = [
    "add", "divide", "floor_divide", "power", "float_power", "hypot", "arctan2", "logaddexp",
    "nextafter", "copysign", "heaviside", "logical_and", "logical_or", "logical_xor", "ldexp",
    "bitwise_or", "left_shift", "gcd", "maximum", "fmin", "equal", "less",
]  # fmt: skip


def same(ours, theirs):
    """Both give the same, or raise the same; where only C cannot hold a number, ours may do."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = theirs()
        except (OverflowError, TypeError, ValueError) as error:
            kind = next(k for k in (OverflowError, TypeError, ValueError) if isinstance(error, k))
            with (
                contextlib.suppress(OverflowError)
                if "C long" in str(error)
                else pytest.raises(kind)
            ):
                ours()
        else:
            assert_eq(ours(), expected, rtol=1e-3 if expected.dtype == np.float16 else 1e-12)


@pytest.mark.parametrize("value", [-3, 2, 300, 2**40, 2**63, 2**70, True, 2.5])
@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int64", "uint64", "float32"])
def test_python_integers_beyond_the_dtype(name, dtype, value):
    array = np.array([1, 0, 3]).astype(dtype)
    x = ga.from_array(array, chunks=2)
    ours, theirs = getattr(ga, name), getattr(np, name)
    same(lambda: ours(x, value), lambda: theirs(array, value))
    same(lambda: ours(value, x), lambda: theirs(value, array))


@pytest.mark.parametrize("value", [-3, 300, 2**63, 2**70])
def test_where_wraps_them_and_clip_ignores_bounds_beyond_the_dtype(value):
    array = np.array([1, 2, 200], np.uint8)
    x = ga.from_array(array, chunks=2)
    same(lambda: ga.where(x > 1, x, value), lambda: np.where(array > 1, array, value))
    for low, high in ((value, 5), (3, value), (value, None), (None, value), (-1, value)):
        same(lambda b=(low, high): ga.clip(x, *b), lambda b=(low, high): np.clip(array, *b))


@pytest.mark.parametrize("exponent", [-1, np.int8(-1)])
def test_negative_powers_of_integers_are_refused_at_once(exponent):
    x = ga.arange(3)
    for lazy in (x, x > 1):
        with pytest.raises(ValueError, match="negative integer powers"):
            lazy**exponent
    assert_eq(x[:0] ** -1, np.arange(0) ** -1)
    assert_eq(ga.ones(2) ** -1, np.ones(2))
