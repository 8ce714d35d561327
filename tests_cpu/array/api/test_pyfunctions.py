"""Python functions of elements and vectors against NumPy's loops."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq
from gpuscale.testing.strategies import chunked, pairs


@given(data=st.data())
@settings(max_examples=20)
def test_frompyfunc(data):
    a, x = data.draw(pairs(dtypes=("int64",), min_dims=1, max_dims=2, min_side=1))
    y = data.draw(chunked(a))
    assert_eq(ga.frompyfunc(math.gcd, 2, 1)(x, y), np.frompyfunc(math.gcd, 2, 1)(a, a))
    quotient, rest = ga.frompyfunc(divmod, 2, 2)(x, 7)
    expected = np.frompyfunc(divmod, 2, 2)(a, 7)
    assert_eq(quotient, np.asarray(expected[0], object))
    assert_eq(rest, np.asarray(expected[1], object))


def test_frompyfunc_counts_arguments():
    with pytest.raises(TypeError, match="takes 2 arrays, got 1"):
        ga.frompyfunc(math.gcd, 2, 1)(ga.ones(3))


@given(data=st.data())
@settings(max_examples=20)
def test_vectorize(data):
    a, x = data.draw(pairs(dtypes=("int64", "float64"), max_dims=2, min_side=1, special=False))

    def larger(p, q, scale=1):
        return scale * (p if p > q else p + q)

    assert_eq(ga.vectorize(larger)(x, 2), np.vectorize(larger, otypes=[a.dtype])(a, 2))
    assert_eq(ga.vectorize(larger, otypes="d")(x, x), np.vectorize(larger, otypes="d")(a, a))
    scaled = ga.vectorize(larger, excluded={"scale"})(x, 2, scale=3)
    assert_eq(scaled, np.vectorize(larger, otypes=[a.dtype], excluded={"scale"})(a, 2, scale=3))


def test_vectorize_of_vectors_and_of_several_results():
    a = np.arange(12.0).reshape(4, 3)
    x = ga.from_array(a, chunks=2)
    assert_eq(ga.vectorize(np.dot, signature="(n),(n)->()")(x, x), (a * a).sum(-1))
    both = ga.vectorize(lambda v: (v, -v))(x)
    assert_eq(both[1], -a)


@given(data=st.data())
@settings(max_examples=25)
def test_apply_along_axis(data):
    a, x = data.draw(pairs(dtypes=("int64",), min_dims=1, min_side=1))
    axis = data.draw(st.integers(-a.ndim, a.ndim - 1))
    for function in (np.sort, np.sum, lambda v: np.outer(v, [1, 2])):
        assert_eq(ga.apply_along_axis(function, axis, x), np.apply_along_axis(function, axis, a))


def test_apply_along_axis_as_promised():
    x = ga.ones((2, 3), chunks=1)
    result = ga.apply_along_axis(np.quantile, 1, x, 0.5, shape=(), dtype=float, method="lower")
    assert_eq(result, np.ones(2))
    with pytest.raises(np.exceptions.AxisError):
        ga.apply_along_axis(np.sum, 2, x)


def test_apply_over_axes():
    a = np.arange(24).reshape(2, 3, 4)
    x = ga.from_array(a, chunks=2)
    assert_eq(ga.apply_over_axes(ga.sum, x, [0, -1]), np.apply_over_axes(np.sum, a, [0, -1]))
    assert_eq(ga.apply_over_axes(ga.max, x, 1), np.apply_over_axes(np.max, a, 1))
    with pytest.raises(ValueError, match="correct shape"):
        ga.apply_over_axes(lambda v, axis: v[0, 0], x, 0)


@given(data=st.data())
@settings(max_examples=30)
def test_piecewise(data):
    a, x = data.draw(pairs(dtypes=("int64", "float64"), special=False))

    def scaled(v, k):
        return v * k

    both = ga.piecewise(x, [x < 0, x > 5], [scaled, 2], 3)
    assert_eq(both, np.piecewise(a, [a < 0, a > 5], [scaled, 2], 3))
    rest = ga.piecewise(x, [x < 0], [scaled, lambda v, k: v + k], k=3)
    assert_eq(rest, np.piecewise(a, [a < 0], [scaled, lambda v, k: v + k], k=3))


def test_piecewise_of_one_condition():
    a = np.arange(4)
    x = ga.from_array(a, chunks=2)
    assert_eq(ga.piecewise(x, x > 1, [10]), np.piecewise(a, a > 1, [10]))
    assert_eq(
        ga.piecewise(x, [True, False, True, False], [9, 8]),
        np.piecewise(a, [True, False, True, False], [9, 8]),
    )
    with pytest.raises(ValueError, match="1 or 2 functions are expected"):
        ga.piecewise(x, x > 1, [1, 2, 3])
