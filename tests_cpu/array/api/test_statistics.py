"""Quantiles, averages, covariances and gradients against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.array.api.statistics import METHODS
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunked, numpy_arrays

CLOSE = {"rtol": 1e-9, "atol": 1e-9}


@pytest.mark.parametrize("method", METHODS)
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_quantile(method, data):
    array = data.draw(
        numpy_arrays(dtypes=("int64", "float64"), special=False, min_dims=1, max_dims=2, min_side=1)
    )
    x = data.draw(chunked(array))
    q = data.draw(st.sampled_from([0.0, 0.3, 1.0, [0.1, 0.5, 0.9]]))
    axis = data.draw(st.none() | st.integers(0, array.ndim - 1))
    keepdims = data.draw(st.booleans())
    expected = np.quantile(array, q, axis=axis, method=method, keepdims=keepdims)
    assert_eq(ga.quantile(x, q, axis=axis, method=method, keepdims=keepdims), expected, **CLOSE)


@given(st.data())
@settings(max_examples=30, deadline=None)
@pytest.mark.filterwarnings("ignore:All-NaN", "ignore:invalid value")
def test_nan_quantiles(data):
    array = data.draw(numpy_arrays(dtypes=("float64",), min_dims=1, max_dims=2, min_side=1))
    array[np.isinf(array)] = 7
    x = data.draw(chunked(array))
    axis = data.draw(st.none() | st.integers(0, array.ndim - 1))
    assert_eq(ga.nanmedian(x, axis=axis), np.nanmedian(array, axis=axis), **CLOSE)
    assert_eq(ga.nanpercentile(x, 30, axis=axis), np.nanpercentile(array, 30, axis=axis), **CLOSE)
    assert_eq(ga.median(x, axis=axis), np.median(array, axis=axis), **CLOSE)


def test_percentile_across_many_blocks():
    array = np.random.default_rng(0).normal(size=5000)
    x = ga.from_array(array, chunks=37)
    q = [0, 1, 50, 99, 100]
    assert_eq(ga.percentile(x, q), np.percentile(array, q), rtol=1e-12)
    array[17] = np.nan
    assert_eq(ga.percentile(ga.from_array(array, chunks=37), q), np.percentile(array, q))


def test_average():
    a = np.arange(12.0).reshape(3, 4)
    x = ga.from_array(a, chunks=2)
    w = np.array([1, 2, 3, 4])
    assert_eq(ga.average(x), np.average(a))
    assert_eq(ga.average(x, axis=1, weights=w), np.average(a, axis=1, weights=w), **CLOSE)
    for ours, theirs in zip(
        ga.average(x, 0, a, returned=True), np.average(a, 0, a, returned=True), strict=True
    ):
        assert_eq(ours, theirs, **CLOSE)
    with pytest.raises(TypeError, match="Axis must"):
        ga.average(x, weights=w)


@pytest.mark.parametrize("rowvar", [True, False])
def test_cov_and_corrcoef(rowvar):
    rng = np.random.default_rng(3)
    a = rng.normal(size=(4, 30))
    a = a if rowvar else a.T
    x = ga.from_array(a, chunks=(3, 7))
    assert_eq(ga.cov(x, rowvar=rowvar), np.cov(a, rowvar=rowvar), **CLOSE)
    assert_eq(
        ga.cov(x, x, rowvar=rowvar, bias=True), np.cov(a, a, rowvar=rowvar, bias=True), **CLOSE
    )
    f = rng.integers(1, 4, 30)
    assert_eq(
        ga.cov(x, rowvar=rowvar, fweights=f, aweights=f / 2),
        np.cov(a, rowvar=rowvar, fweights=f, aweights=f / 2),
        **CLOSE,
    )
    assert_eq(ga.corrcoef(x, rowvar=rowvar), np.corrcoef(a, rowvar=rowvar), **CLOSE)


def test_moment():
    a = np.random.default_rng(0).random((5, 6))
    x = ga.from_array(a, chunks=4)
    assert_eq(ga.moment(x, 3, axis=0), ((a - a.mean(0)) ** 3).mean(0), **CLOSE)
    with pytest.raises(ValueError, match="Order"):
        ga.moment(x, -1)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradient(edge_order):
    a = np.random.default_rng(0).random((6, 7))
    x = ga.from_array(a, chunks=(4, 3))
    for ours, theirs in zip(
        ga.gradient(x, edge_order=edge_order), np.gradient(a, edge_order=edge_order), strict=True
    ):
        assert_eq(ours, theirs, **CLOSE)
    places = np.cumsum(np.arange(1.0, 8.0))
    assert_eq(
        ga.gradient(x, places, axis=1, edge_order=edge_order),
        np.gradient(a, places, axis=1, edge_order=edge_order),
        **CLOSE,
    )
    with pytest.raises(ValueError, match="too small"):
        ga.gradient(x[:1], axis=0)


def test_lazy_and_bad_input():
    x = ga.ones((4, 4), chunks=2)
    with nothing_computes():
        ga.quantile(x, 0.5, axis=0)
        ga.median(x)
        ga.cov(x)
    with pytest.raises(ValueError, match="range"):
        ga.quantile(x, 1.5)
    with pytest.raises(ValueError, match="range"):
        ga.percentile(x, 150)
    with pytest.raises(ValueError, match="method"):
        ga.quantile(x, 0.5, method="guess")
