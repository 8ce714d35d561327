"""Python's operators, where they do more than the functions of that name, against NumPy."""

import datetime
import operator
import re
import warnings

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes

RECORDS = [("x", "i4"), ("y", "f8", 2)]
LEFT = {
    "int": np.array([1, 2, 3]),
    "str": np.array(["a", "bc", ""]),
    "bytes": np.array([b"a", b"bc", b""]),
    "object": np.array(["a", None, 3], object),
    "date": np.array(["2020-01-01", "NaT", "2021-01-01"], "M8[D]"),
    "record": np.array([(1, 2.0), (1, 3.0), (0, 2.0)], RECORDS),
}
RIGHT = [
    None, "a", "2020-01-01", b"a", 3, [1, 2, 3], datetime.date(2020, 1, 1), object(),
    ["a", "b", ""], [[1], [3]], np.array((1, [2.0, 2.0]), RECORDS)[()],
]  # fmt: skip


@pytest.mark.parametrize("operation", [operator.eq, operator.ne])
@pytest.mark.parametrize("right", RIGHT, ids=lambda each: str(each)[:9])
@pytest.mark.parametrize("left", LEFT)
def test_operators_compare_whatever_there_is(operation, left, right):
    array = LEFT[left]
    x = ga.from_array(array, chunks=2)
    try:
        expected = operation(array, right)
    except TypeError as error:
        with pytest.raises(TypeError, match=re.escape(str(error)[:12])):
            operation(x, right)
    else:
        with nothing_computes():
            lazy = operation(x, right)
        assert_eq(lazy, expected)
    assert_eq(operation(x, x[1:2]), operation(array, array[1:2]))


@pytest.mark.parametrize("kind", [int, float, complex, bool, operator.index])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (2,), (0,)])
@pytest.mark.parametrize("dtype", ["?", "i1", "u8", ">i4", "f2", "f8", "c16", "m8[s]", "O"])
def test_python_numbers(kind, shape, dtype):
    array = np.full(shape, 3).astype(dtype)
    x = ga.from_array(array, chunks=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns of arrays with axes before it refuses them
        try:
            expected = kind(array)
        except (TypeError, ValueError) as error:
            with pytest.raises(type(error)):
                kind(x)
        else:
            assert kind(x) == expected and type(kind(x)) is type(expected)


def test_round():
    array = np.array([2.675, -0.125, 1e10 / 3, 12345.0])
    x = ga.from_array(array, chunks=2)
    with nothing_computes():
        lazy = round(x.mean(), 2), round(x, 2), round(x)
    assert_eq(lazy[0], round(array.mean(), 2))
    assert_eq(lazy[1], array.round(2))
    assert_eq(lazy[2], array.round())
    assert_eq(round(x, -2), array.round(-2))
    assert round(x[0]) == 3 and type(round(x[0])) is int


def test_operators_on_strings():
    array = LEFT["str"]
    x = ga.from_array(array, chunks=2)
    assert_eq(x < "b", array < "b")
    assert_eq(x + "!", array + "!")
    assert_eq("!" + x, "!" + array)
    with pytest.raises(TypeError):
        x - "a"
    with pytest.raises(TypeError):
        ga.equal(ga.arange(3), "a")
    with pytest.raises(ValueError, match="broadcast"):
        assert ga.arange(3) == ["a", "b"]


@pytest.mark.parametrize("dtype", ["bool", "int8", "float32"])
@pytest.mark.parametrize("exponent", [0, 2, 2.0, True, np.int64(2), np.array([2, 3])])
def test_powers(dtype, exponent):
    array = np.array([1, 0], dtype)
    assert_eq(ga.from_array(array, chunks=1) ** exponent, array**exponent)


@pytest.mark.parametrize("dtype", ["c8", "c16"])
@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, -0.5, 2.0, np.float64(0.5)])
def test_powers_of_complex_numbers(dtype, exponent):
    array = np.array([2 + 3j, -4, complex(1.5, -np.inf), complex(-0.0, 0.0), 1j], dtype)
    with np.errstate(all="ignore"):
        expected = array**exponent
    assert_eq(ga.from_array(array, chunks=2) ** exponent, expected)
