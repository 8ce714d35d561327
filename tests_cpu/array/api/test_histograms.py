"""Histograms against NumPy."""

import re
import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

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
    try:
        expected, expected_edges = np.histogram(array, bins, limits)
    except ValueError as error:  # extremes too close to each other
        with pytest.raises(ValueError, match=str(error)):
            ga.histogram(x, bins, limits)[0].compute()
        return
    counts, edges = ga.histogram(x, bins, limits)
    np.testing.assert_array_equal(edges, expected_edges)
    assert_eq(counts, expected)


@pytest.mark.parametrize("limits", [None, (0, 256), (-1, 2**17), (0.5, 1.5)])
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "u8", "f4"])
def test_histogram_of_a_range_beyond_the_dtype(dtype, limits):
    array = np.array([1, 2], dtype)
    expected, expected_edges = np.histogram(array, 4, limits)
    counts, edges = ga.histogram(ga.from_array(array, chunks=1), 4, limits)
    np.testing.assert_array_equal(edges, expected_edges, strict=True)
    assert_eq(counts, expected)


@pytest.mark.parametrize("density", [False, True])
def test_histogram_weights_and_density(density):
    rng = np.random.default_rng(0)
    array, weights = rng.normal(size=(2, 500))
    x, w = ga.from_array(array, chunks=77), ga.from_array(abs(weights), chunks=100)
    expected, _ = np.histogram(array, 8, (-2, 2), density=density, weights=abs(weights))
    counts, _ = ga.histogram(x, 8, (-2, 2), density=density, weights=w)
    assert_eq(counts, expected, rtol=1e-12)


EDGES = [{"bins": 4}, {"bins": 4, "range": (-2, 2)}, {"bins": [-2, 0, 1, 3]}]


@pytest.mark.parametrize("options", EDGES)
@pytest.mark.parametrize("chunks", [1, 5, 12])
def test_histograms_of_complex_numbers_and_weights(options, chunks):
    rng = np.random.default_rng(0)
    real, imag = rng.normal(size=(2, 12))
    weights = real[::-1] + 1j * imag
    x, y, w = (ga.from_array(a, chunks=chunks) for a in (real, real + 1j * imag, weights))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bins go by real parts, says NumPy
        expected, expected_edges = np.histogram(real + 1j * imag, **options)
        counts, edges = ga.histogram(y, **options)
        np.testing.assert_array_equal(edges, expected_edges, strict=True)
        assert_eq(counts, expected)
    expected, _ = np.histogram(real, weights=weights, **options)
    assert_eq(ga.histogram(x, weights=w, **options)[0], expected, rtol=1e-12)


@pytest.mark.parametrize("chunks", [1, 5, 12])
def test_boolean_weights(chunks):
    array = np.arange(12.0)
    x = ga.from_array(array, chunks=chunks)
    for density in (False, True):
        expected, _ = np.histogram(array, 4, density=density, weights=array > 4)
        assert_eq(ga.histogram(x, 4, density=density, weights=x > 4)[0], expected)
    with pytest.raises(TypeError):
        np.histogram(array, [0, 5, 9], weights=array > 4)
    with pytest.raises(TypeError, match="astype"):
        ga.histogram(x, [0, 5, 9], weights=x > 4)


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


@pytest.mark.parametrize("chunks", [1, 7, 40])
@pytest.mark.parametrize("dtype", ["i2", "f4", "f8"])
@pytest.mark.parametrize("density", [False, True])
def test_histograms_are_lazy(chunks, dtype, density):
    """Whether limits, extremes or edges are lazy, for several chunkings, with their dtypes."""
    rng = np.random.default_rng(5)
    array, weights = (100 * rng.random((2, 40))).astype(dtype)
    x, w = ga.from_array(array, chunks=chunks), ga.from_array(weights, chunks=9)
    edges = np.array([1, 3, 40, 41, 99], dtype)
    cases = [
        (4, None, 4, None),
        (4, (0, 50), 4, (0, 50)),
        (5, (x.min(), 120), 5, (array.min(), 120)),
        (5, (-3.5, x.max()), 5, (-3.5, array.max())),
        (ga.from_array(edges, chunks=2), None, edges, None),
    ]
    for bins, limits, own_bins, own_limits in cases:
        with nothing_computes():
            counts, found = ga.histogram(x, bins, limits, density, w)
            ga.histogram_bin_edges(x, bins, limits)
        expected, expected_edges = np.histogram(array, own_bins, own_limits, density, weights)
        assert_eq(counts, expected, rtol=1e-5)
        np.testing.assert_array_equal(found, expected_edges, strict=True)
        with nothing_computes():
            counts, *found = ga.histogram2d(x, w, bins, limits and [limits, limits], density)
        own_limits = own_limits and [own_limits, own_limits]
        expected, *both = np.histogram2d(array, weights, own_bins, own_limits, density)
        assert_eq(counts, expected, rtol=1e-5)
        for ours, theirs in zip(found, both, strict=True):
            np.testing.assert_array_equal(ours, theirs, strict=True)


def test_lazy_limits_and_edges_that_are_none():
    x = ga.from_array(np.array([1.0, np.nan, 3]), chunks=2)
    counts, edges = ga.histogram(x, 3)
    for each in (counts, edges):
        with pytest.raises(ValueError, match="range of .* is not finite"):
            each.compute()
    counts, _ = ga.histogram(ga.arange(3), ga.asarray([3, 1]))
    with pytest.raises(ValueError, match="increase"):
        counts.compute()


def test_no_elements_have_the_range_of_numpy():
    counts, edges = ga.histogram(ga.zeros(0), 3)
    expected, expected_edges = np.histogram(np.zeros(0), 3)
    assert_eq(counts, expected)
    np.testing.assert_array_equal(edges, expected_edges)


def test_bad_input():
    x = ga.arange(5)
    with pytest.raises(ValueError, match="positive"):
        ga.histogram(x, 0)
    with pytest.raises(ValueError, match="increase"):
        ga.histogram(x, [3, 1])
    with pytest.raises(ValueError, match="same shape"):
        ga.histogram(x, 3, weights=ga.ones(4))


def test_no_rule_for_bins_sees_weights():
    x = ga.arange(4.0, chunks=2)
    with pytest.raises(TypeError, match="Automated estimation"):
        ga.histogram(x, bins="auto", weights=x)


def _float(dtype):
    limit = 200 if dtype == "f2" else 1000
    return {"elements": st.floats(-limit, limit, width=np.dtype(dtype).itemsize * 8)}


@st.composite
def _sample(draw, shape):
    dtype = draw(st.sampled_from(["?", "i1", "u1", "i4", "u8", "i8", "f2", "f4", "f8"]))
    options = _float(dtype) if "f" in dtype else {}
    return draw(hnp.arrays(dtype, shape, **options))


LIMITS = st.sampled_from(
    [None, (-10, 100), (-0.3, 7.7), (np.float32(-0.3), np.float32(7.7)), (np.float64(0.1), 50)]
)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_elements_fall_where_numpy_puts_them(data):
    """The dtypes of limits decide; doubles put elements near an edge of floats elsewhere."""
    array = data.draw(_sample(data.draw(st.integers(1, 30))))
    x = data.draw(chunked(array))
    bins = data.draw(st.integers(1, 60) | st.sampled_from(["sturges", "rice", "sqrt"]))
    limits = data.draw(LIMITS)
    if isinstance(bins, str) and limits is not None:
        inside = array[(array >= limits[0]) & (array <= limits[1])].astype(float)
        # Numbers that lie close together have NumPy make bins by the billion for wide limits.
        assume(inside.size == 0 or not 0 < np.ptp(inside) < 1e-3)
    weights = None
    if not isinstance(bins, str) and data.draw(st.booleans()):
        weights = np.arange(len(array))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of bool: NumPy counts it as uint8
        try:
            expected, expected_edges = np.histogram(array, bins, limits, weights=weights)
        except ValueError as error:
            with pytest.raises(ValueError, match=re.escape(str(error)[:20])):
                ga.histogram(x, bins, limits, weights=weights)[0].compute()
            return
    source = data.draw(st.sampled_from([x, (x + x.dtype.type(0)) if x.dtype != bool else x]))
    counts, edges = ga.histogram(source, bins, limits, weights=weights)
    np.testing.assert_array_equal(edges, expected_edges, strict=True)
    assert_eq(counts, expected)
    np.testing.assert_array_equal(ga.histogram_bin_edges(x, bins, limits), edges, strict=True)


def test_points_that_are_one_large_integer():
    columns = [np.array([False]), np.array([2**52 + 2], dtype="u8")]
    expected, *expected_edges = np.histogram2d(*columns, 1)
    counts, *edges = ga.histogram2d(*map(ga.asarray, columns), 1)
    for ours, theirs in zip(edges, expected_edges, strict=True):
        np.testing.assert_array_equal(ours, theirs, strict=True)
    assert_eq(counts, expected)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_points_fall_where_numpy_puts_them(data):
    length = data.draw(st.integers(1, 20))
    columns = [data.draw(_sample(length)) for _ in range(2)]
    lazy = [data.draw(chunked(c)) for c in columns]
    bins = data.draw(st.integers(1, 30))
    limits = data.draw(st.none() | st.lists(LIMITS, min_size=2, max_size=2))
    expected, *expected_edges = np.histogram2d(*columns, bins, limits)
    counts, *edges = ga.histogram2d(*lazy, bins, limits)
    for ours, theirs in zip(edges, expected_edges, strict=True):
        np.testing.assert_array_equal(ours, theirs, strict=True)
    assert_eq(counts, expected)


@pytest.mark.parametrize("bins", [51, 6, "sturges"])
def test_shades_of_an_image(bins):
    array = (np.random.default_rng(0).integers(0, 256, 10_000) / np.float32(255)).astype("f4")
    counts, edges = ga.histogram(ga.from_array(array, chunks=3000), bins)
    expected, expected_edges = np.histogram(array, bins)
    np.testing.assert_array_equal(edges, expected_edges, strict=True)
    assert_eq(counts, expected)


def test_density_of_points_in_floats():
    columns = np.random.default_rng(0).random((2, 100)).astype("f4")
    expected = np.histogram2d(*columns, (3, 5), density=True)[0]
    counts = ga.histogram2d(*ga.from_array(columns, chunks=30), (3, 5), density=True)[0]
    assert_eq(counts, expected)
