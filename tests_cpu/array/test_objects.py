"""Arrays of Python objects, and what is left of them without axes, against NumPy."""

from fractions import Fraction

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq

VALUES = [[1, 2, 3], [1.5, 2, 4], [Fraction(1, 2), Fraction(1, 3), Fraction(1, 3)], [True, False]]


@pytest.mark.parametrize("values", VALUES, ids=str)
@pytest.mark.parametrize("name", ["sum", "prod", "min", "max", "mean", "var", "any"])
def test_reductions(values, name):
    array = np.array(values, object)
    x = ga.from_array(array, chunks=2)
    result, expected = getattr(x, name)().compute(), getattr(array, name)()
    assert result == expected
    assert type(result) is type(expected) or type(expected) is np.float64
    rows = np.stack([array, array])
    lazy = getattr(ga.from_array(rows, chunks=2), name)(axis=1)
    assert_eq(lazy, getattr(rows, name)(axis=1))


def test_deviations():
    array = np.array([1, 2, 4], object)
    x = ga.from_array(array, chunks=2)
    assert x.std(ddof=1).compute() == array.std(ddof=1)
    assert ga.nanmean(x).compute() == 7 / 3


def test_one_object_is_that_object():
    x = ga.from_array(np.array([[1], None, "a"], object), chunks=2)
    assert x[0].compute() == [1] and x[1].compute() is None and x[2].compute() == "a"
    assert ga.asarray(3).astype(object).compute() == 3
    assert int(ga.asarray(3).astype(object)) == 3 and not bool(ga.asarray(0).astype(object))
    y = ga.from_array(np.array([1, 2, 3], object), chunks=2)
    y[1] = 7
    y[y == 3] = 8
    assert_eq(y, np.array([1, 7, 8], object))
    assert_eq(ga.isin(x[1:], [None, 3]), np.array([True, False]))


def test_extremes_of_strings():
    array = np.array(["b", "", "abc", "b"])
    x = ga.from_array(array, chunks=3)
    assert_eq(x.argmax(), array.argmax())
    assert_eq(x.argmin(), array.argmin())
    for name in ("max", "min"):
        with pytest.raises(TypeError, match="imum"):
            getattr(x, name)()


@pytest.mark.parametrize("dtype", ["c8", "c16"])
def test_complex_numbers_as_strings(dtype):
    array = np.array([1, 0, 1 + 2.5j], dtype)
    for kind in (str, bytes, "U3"):
        assert_eq(ga.from_array(array, chunks=2).astype(kind), array.astype(kind))


def test_medians_and_gradients():
    array = np.array([[1, 2.5, 3], [4, 7, 1]], object)
    x = ga.from_array(array, chunks=2)
    assert_eq(ga.median(x, axis=1), np.median(array, axis=1))
    assert ga.median(x).compute() == np.median(array)
    assert ga.quantile(x, [0.1, 0.5]).compute().tolist() == np.quantile(array, [0.1, 0.5]).tolist()
    assert_eq(ga.gradient(x, axis=1), np.gradient(array, axis=1))
    assert ga.nanstd(x).compute() == pytest.approx(np.nanstd(array))
