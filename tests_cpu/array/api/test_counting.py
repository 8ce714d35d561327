"""Histograms, bincount, digitize and searchsorted against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunked, numpy_arrays

FINITE = {"dtypes": ("int64", "float64"), "special": False}


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_histogram(data):
    array = data.draw(numpy_arrays(**FINITE, min_side=1))
    x = data.draw(chunked(array))
    bins = data.draw(st.integers(1, 9) | st.just([-5, 0, 0.5, 7, 100]))
    limits = data.draw(st.none() | st.just((-10, 500)))
    expected, expected_edges = np.histogram(array, bins, limits)
    counts, edges = ga.histogram(x, bins, limits)
    np.testing.assert_array_equal(edges, expected_edges)
    assert_eq(counts, expected)


@pytest.mark.parametrize("density", [False, True])
def test_histogram_weights_and_density(density):
    rng = np.random.default_rng(0)
    array, weights = rng.normal(size=(2, 500))
    x, w = ga.from_array(array, chunks=77), ga.from_array(abs(weights), chunks=100)
    expected, _ = np.histogram(array, 8, (-2, 2), density=density, weights=abs(weights))
    counts, _ = ga.histogram(x, 8, (-2, 2), density=density, weights=w)
    assert_eq(counts, expected, rtol=1e-12)


@pytest.mark.parametrize("bins", [4, (3, 5), ([0, 0.5, 1], 4)])
def test_histogramdd_and_2d(bins):
    sample = np.random.default_rng(1).random((300, 2))
    x = ga.from_array(sample, chunks=(71, 1))
    counts, edges = ga.histogramdd(x, bins)
    expected, expected_edges = np.histogramdd(sample, bins)
    assert_eq(counts, expected)
    for ours, theirs in zip(edges, expected_edges, strict=True):
        np.testing.assert_allclose(ours, theirs)
    counts, *_ = ga.histogram2d(x[:, 0], x[:, 1], bins, density=True)
    expected, *_ = np.histogram2d(sample[:, 0], sample[:, 1], bins, density=True)
    assert_eq(counts, expected, rtol=1e-12)


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(0, 12), st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_bincount(values, minlength, chunk):
    array = np.array(values, int)
    x = ga.from_array(array, chunks=chunk)
    assert_eq(ga.bincount(x, minlength=minlength), np.bincount(array, minlength=minlength))
    if not values:
        return  # NumPy forgets the dtype of weights there
    weights = np.linspace(0, 1, len(array))
    assert_eq(ga.bincount(x, weights), np.bincount(array, weights), rtol=1e-12)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_searchsorted_and_digitize(data):
    array = data.draw(numpy_arrays(**FINITE))
    x = data.draw(chunked(array))
    table = np.sort(data.draw(numpy_arrays(**FINITE, min_dims=1, max_dims=1)))
    lazy_table = data.draw(chunked(table))
    side = data.draw(st.sampled_from(["left", "right"]))
    assert_eq(ga.searchsorted(lazy_table, x, side=side), np.searchsorted(table, array, side))
    assert_eq(
        ga.digitize(x, table, right=side == "left"), np.digitize(array, table, right=side == "left")
    )


def test_searchsorted_with_sorter():
    table, values = np.array([30, 10, 20]), np.array([[5, 15], [25, 35]])
    sorter = np.argsort(table)
    result = ga.searchsorted(ga.from_array(table, chunks=2), values, sorter=sorter)
    assert_eq(result, np.searchsorted(table, values, sorter=sorter))


def test_counting_is_lazy_where_sizes_are_given():
    with nothing_computes():
        ga.histogram(ga.ones(10, chunks=3), 4, (0, 1))
        ga.searchsorted(ga.arange(4), ga.ones((2, 2)))


def test_bad_input():
    x = ga.arange(5)
    with pytest.raises(ValueError, match="positive"):
        ga.histogram(x, 0)
    with pytest.raises(ValueError, match="increase"):
        ga.histogram(x, [3, 1])
    with pytest.raises(ValueError, match="same shape"):
        ga.histogram(x, 3, weights=ga.ones(4))
    with pytest.raises(ValueError, match="negative"):
        ga.bincount(ga.asarray([-1]))
    with pytest.raises(TypeError, match="safe"):
        ga.bincount(ga.ones(3))
    with pytest.raises(ValueError, match="side"):
        ga.searchsorted(x, x, side="middle")
    with pytest.raises(ValueError, match="monoton"):
        ga.digitize(x, [1, 3, 2])


def test_no_rule_for_bins_sees_weights():
    x = ga.arange(4.0, chunks=2)
    with pytest.raises(TypeError, match="Automated estimation"):
        ga.histogram(x, bins="auto", weights=x)
