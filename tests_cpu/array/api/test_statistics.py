"""Averages, covariances and moments against NumPy."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes

CLOSE = {"rtol": 1e-9, "atol": 1e-9}


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


def test_lazy():
    with nothing_computes():
        ga.cov(ga.ones((4, 4), chunks=2))


@pytest.mark.parametrize("dtype", ["i2", "u1", "f4", "i8"])
def test_weighted_averages_do_not_overflow(dtype):
    array = (np.arange(200) % 100 + 100).astype(dtype)
    expected = np.average(array, weights=array)
    result = ga.average(ga.from_array(array, chunks=30), weights=array)
    assert result.dtype == expected.dtype
    np.testing.assert_allclose(result.compute(), expected)


@pytest.mark.parametrize("axis", [None, 0])
def test_weights_that_sum_to_zero_are_refused(axis):
    x = ga.from_array(np.arange(6.0).reshape(2, 3), chunks=2)
    w = np.array([[1, 0, 1], [-1, 0, -1]])
    with nothing_computes():
        lazy = ga.average(x, axis, weights=w)
    with pytest.raises(ZeroDivisionError, match="sum to zero"):
        lazy.compute()
