"""Sampled functions against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunked, chunks, pairs


@settings(max_examples=25)
@given(pairs(min_dims=1, max_side=9), st.data())
def test_coarsen(pair, data):
    array, x = pair
    axis = data.draw(st.integers(0, array.ndim - 1))
    n = data.draw(st.integers(1, 3))
    length = array.shape[axis] // n * n
    kept = array[(slice(None),) * axis + (slice(length),)]
    shape = (*array.shape[:axis], length // n, n, *array.shape[axis + 1 :])
    for reduction in (np.sum, np.any, ga.sum):
        host = getattr(np, reduction.__name__)
        with np.errstate(all="ignore"):
            expected = host(kept.reshape(shape), axis=axis + 1)
            actual = ga.coarsen(reduction, x, {axis: n}, trim_excess=True)
            assert_eq(actual, expected, rtol=1e-5)


def test_errors_name_what_was_called_and_not_what_it_is_made_of():
    with pytest.raises(ValueError, match=r"block \(0,\) of coarsen has come out in shape \(2, 2\)"):
        ga.coarsen(lambda cells, axis: cells, ga.ones(4), {0: 2}).compute()
    with pytest.raises(TypeError, match="argument functions of piecewise is lazy"):
        ga.piecewise(ga.ones(4), [[True] * 4], [gs.delayed(abs)(1)])


def test_coarsen_refuses_cells_that_do_not_fit():
    with pytest.raises(ValueError, match="trim_excess"):
        ga.coarsen(np.sum, ga.ones(5), {0: 2})
    with pytest.raises(ValueError, match="at least one"):
        ga.coarsen(np.sum, ga.ones(5), {0: 0})
    with pytest.raises(np.exceptions.AxisError):
        ga.coarsen(np.sum, ga.ones(5), {1: 2})


@settings(max_examples=25)
@given(pairs(dtypes=("float64", "int32"), min_dims=1, special=False), st.data())
def test_trapezoid(pair, data):
    array, x = pair
    axis = data.draw(st.integers(-array.ndim, array.ndim - 1))
    points = np.sort(np.random.default_rng(0).random(array.shape[axis]))
    assert_eq(ga.trapezoid(x, dx=2.0, axis=axis), np.trapezoid(array, dx=2.0, axis=axis), rtol=1e-9)
    expected = np.trapezoid(array, points, axis=axis)
    assert_eq(ga.trapezoid(x, points, axis=axis), expected, rtol=1e-9, atol=1e-9)
    everywhere = np.random.default_rng(0).random(array.shape)
    expected = np.trapezoid(array, everywhere, axis=axis)
    assert_eq(ga.trapezoid(x, everywhere, axis=axis), expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=25)
@given(pairs(dtypes=("float64",)), st.data())
def test_interp(pair, data):
    array, x = pair
    points, values = np.array([-20.0, 0, 7, 500]), np.array([1.0, -3, 8, 2])
    cut = data.draw(chunked(values))
    for options in ({}, {"left": -1, "right": 9}):
        assert_eq(ga.interp(x, points, cut, **options), np.interp(array, points, values, **options))
    finite = np.nan_to_num(array)
    expected = np.interp(finite, points, values, period=100.0)
    assert_eq(ga.interp(ga.nan_to_num(x), points, cut, period=100.0), expected, rtol=1e-9)
    with pytest.raises(ValueError, match="same length"):
        ga.interp(x, points, values[1:])
    with pytest.raises(ValueError, match="empty"):
        ga.interp(x, [], [])


@settings(max_examples=40)
@given(st.data())
def test_unwrap(data):
    shape = data.draw(st.sampled_from([(9,), (3, 7)]))
    cut = data.draw(chunks(shape))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    rng = np.random.default_rng(data.draw(st.integers(0, 20)))
    angles = rng.uniform(-9, 9, shape)
    assert_eq(
        ga.unwrap(ga.from_array(angles, cut), axis=axis), np.unwrap(angles, axis=axis), rtol=1e-9
    )
    steps = rng.integers(-9, 9, shape)
    for period in (4, 5):
        expected = np.unwrap(steps, axis=axis, period=period)
        assert_eq(ga.unwrap(ga.from_array(steps, cut), axis=axis, period=period), expected)
    expected = np.unwrap(angles, discont=5.0, axis=axis)
    actual = ga.unwrap(ga.from_array(angles, cut), discont=5.0, axis=axis)
    assert_eq(actual, expected, rtol=1e-9)


def test_sampling_is_lazy():
    x = ga.ones(9, chunks=4)
    with nothing_computes():
        assert ga.coarsen(np.mean, ga.trapezoid(ga.ones((4, 6))), {0: 2}, True).shape == (2,)
        assert ga.interp(ga.unwrap(x), x, x).shape == (9,)
