"""Quantiles against NumPy, of rows as wholes and of all elements by selection."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.array.api import quantiles
from gpuscale.array.ranks import METHODS
from gpuscale.chunks import sampling
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunked, numpy_arrays

CLOSE = {"rtol": 1e-9, "atol": 1e-9}
NUMBERS = ("int8", "uint8", "int64", "uint64", "float32", "float64")
SHARES = [0.0, 0.3, 1.0, [0.1, 0.5, 0.9], [[0.2], [1.0]], 1, np.float64(0.5)]

# NumPy says so of small integers: the distance of two of them is one too, and wraps around.
OVERFLOW = "ignore:overflow encountered in scalar subtract"
pytestmark = pytest.mark.filterwarnings("ignore:All-NaN", "ignore:invalid value", OVERFLOW)


@pytest.fixture
def selected(monkeypatch):
    """Few elements are selected as many are, from a small sample."""
    monkeypatch.setattr(quantiles, "FEW", 0)
    monkeypatch.setattr(sampling, "LEAST", 16)


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
def test_nan_quantiles(data):
    array = data.draw(numpy_arrays(dtypes=("float64",), min_dims=1, max_dims=2, min_side=1))
    x = data.draw(chunked(array))
    axis = data.draw(st.none() | st.integers(0, array.ndim - 1))
    assert_eq(ga.median(x, axis=axis), np.median(array, axis=axis), **CLOSE)
    assert_eq(ga.nanmedian(x, axis=axis), np.nanmedian(array, axis=axis), **CLOSE)
    array[np.isinf(array)] = 7
    x = ga.from_array(array, chunks=x.chunks)
    assert_eq(ga.nanpercentile(x, 30, axis=axis), np.nanpercentile(array, 30, axis=axis), **CLOSE)


@pytest.mark.usefixtures("selected")
@pytest.mark.parametrize("method", METHODS)
def test_selected_quantiles_are_those_of_numpy_to_the_last_bit(method):
    @given(st.data())
    @settings(max_examples=12, deadline=None)
    def check(data):
        array = data.draw(numpy_arrays(dtypes=NUMBERS, min_dims=1, max_dims=3, min_side=1))
        x = data.draw(chunked(array))
        q, keepdims = data.draw(st.sampled_from(SHARES)), data.draw(st.booleans())
        kinds = {"method": method, "keepdims": keepdims}
        expected, result = np.quantile(array, q, **kinds), ga.quantile(x, q, **kinds)
        if np.isnan(array).any():  # NumPy's dtype is then that of the array, whatever q is
            np.testing.assert_array_equal(result.compute(), expected)
        else:
            assert_eq(result, expected)
        expected = np.nanquantile(array, q, **kinds)
        np.testing.assert_array_equal(ga.nanquantile(x, q, **kinds).compute(), expected)

    check()


@pytest.mark.usefixtures("selected")
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_selected_medians(data):
    array = data.draw(numpy_arrays(dtypes=NUMBERS, min_dims=1, max_dims=3, min_side=1))
    x = data.draw(chunked(array))
    assert_eq(ga.median(x), np.median(array))
    assert_eq(ga.nanmedian(x), np.nanmedian(array))


def test_percentiles_in_one_dtype():
    array = np.random.default_rng(0).normal(size=300_000).astype("float32")
    x = ga.from_array(array, chunks=40_000)
    for q in (37, 12.5, np.float64(50), [10, 90]):
        assert_eq(ga.percentile(x, q), np.percentile(array, q))
        assert ga.percentile(x, q).dtype == np.percentile(array, q).dtype


@pytest.mark.parametrize("chunks", [(500, 600), (37, 1200), (1000, 11)])
def test_all_elements_of_what_is_computed_on_the_way(chunks):
    x = ga.random.default_rng(1).normal(size=(1000, 1200), chunks=chunks)
    q = [0.0, 0.01, 0.5, 0.75, 1.0]
    for y in (x, x * 2, (x - x.mean(axis=0)).T, np.exp(x)[::2], x.map_blocks(np.sin)):
        assert_eq(ga.quantile(y, q), np.quantile(y.compute(), q), **CLOSE)


def test_all_elements_of_rows_that_differ():
    rng = np.random.default_rng(2)
    array = rng.normal(size=(800, 1)) + rng.normal(scale=1e-3, size=(800, 900))
    assert_eq(ga.median(ga.from_array(array, chunks=200)), np.median(array))
    assert_eq(ga.median(ga.from_array(array.T, chunks=200)), np.median(array))


def test_a_function_is_called_once_for_each_block():
    calls = []

    def note(chunk):
        calls.append(len(chunk))
        return chunk

    x = ga.arange(400_000, chunks=50_000).map_blocks(note, dtype=np.int64)
    calls.clear()
    assert ga.median(x + 1).compute() == 200_000.5
    assert calls == [50_000] * 8


def test_many_percentiles():
    array = np.random.default_rng(0).normal(size=300_000)
    array[::7] = np.round(array[::7])
    q = np.linspace(0, 100, 101)
    assert_eq(ga.percentile(ga.from_array(array, chunks=70_000), q), np.percentile(array, q))


def test_one_nan_decides():
    array = np.arange(200_000.0)
    array[7777] = np.nan
    x = ga.from_array(array, chunks=30_000)
    assert np.isnan(ga.median(x).compute())
    assert_eq(ga.nanmedian(x), np.nanmedian(array))
    assert np.isnan(ga.nanmedian(x * np.nan).compute())


def test_lazy_and_bad_input():
    x = ga.ones((4, 4), chunks=2)
    with nothing_computes():
        ga.quantile(x, 0.5, axis=0)
        ga.median(x)
        ga.median(ga.ones(1_000_000))
    with pytest.raises(ValueError, match="range"):
        ga.quantile(x, 1.5)
    with pytest.raises(ValueError, match="range"):
        ga.percentile(x, 150)
    with pytest.raises(ValueError, match="method"):
        ga.quantile(x, 0.5, method="guess")
    with pytest.raises(ValueError, match="method"):
        ga.quantile(x, 0.5, method="mean")
    with pytest.raises(TypeError, match="real"):
        ga.quantile(x * 1j, 0.5)


@pytest.mark.parametrize("name", ["median", "nanmedian"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_medians_of_complex_numbers(name, axis):
    array = np.array([[1 + 2j, 3, 2], [1 + 1j, 0, 5j]])
    assert_eq(
        getattr(ga, name)(ga.from_array(array, chunks=2), axis), getattr(np, name)(array, axis)
    )


def same(name, array, x, *args, **options):
    """Both give the same, or raise the same."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = getattr(np, name)(array, *args, **options)
        except (IndexError, TypeError, ValueError) as error:
            with pytest.raises(type(error)):  # some of them depend on data
                getattr(ga, name)(x, *args, **options).compute()
        else:
            assert_eq(getattr(ga, name)(x, *args, **options), expected)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (0, 0)])
@pytest.mark.parametrize("dtype", ["i8", "f4", "M8[D]"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_no_elements(shape, dtype, keepdims):
    array = np.empty(shape, dtype)
    x = ga.from_array(array)
    for axis in (None, *range(len(shape)), tuple(range(len(shape)))):
        for name in ("median", "nanmedian"):
            same(name, array, x, axis=axis, keepdims=keepdims)
        for name in ("quantile", "nanpercentile"):
            for q in (0.5, 1, [0.25, 0.5], []):
                for method in ("linear", "nearest", "inverted_cdf", "hazen"):
                    same(name, array, x, q, axis=axis, keepdims=keepdims, method=method)


@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_weights(name, data):
    array = data.draw(numpy_arrays(dtypes=("int32", "float64"), min_dims=1, max_dims=2, min_side=1))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x = data.draw(chunked(array))
    axis = data.draw(st.none() | st.integers(0, array.ndim - 1))
    whole = axis is None or name == "nanquantile" or data.draw(st.booleans())
    shape = array.shape if whole else array.shape[axis]
    weights = rng.integers(0, 4, shape) + (rng.random(shape) < 0.9) * 0.5
    q = data.draw(st.sampled_from([0, 0.3, 1.0, [0.1, 0.9]]))
    same(name, array, x, q, axis=axis, method="inverted_cdf", weights=weights)


def test_wrong_weights():
    x = ga.ones((3, 2), chunks=2)
    with pytest.raises(ValueError, match="Only method 'inverted_cdf' supports weights"):
        ga.quantile(x, 0.5, weights=np.ones((3, 2)))
    with pytest.raises(TypeError, match="Axis must be specified"):
        ga.quantile(x, 0.5, weights=np.ones(2), method="inverted_cdf")
    nothing = {"axis": 1, "weights": np.zeros((3, 2)), "method": "inverted_cdf"}
    same("nanquantile", np.ones((3, 2)), x, 0.5, **nothing)
    with pytest.raises(ValueError, match="non-negative"):
        ga.quantile(x, 0.5, weights=-x, method="inverted_cdf").compute()


def test_lazy_fractions():
    array = np.arange(6)
    x, q = ga.from_array(array, chunks=4), np.array([0.25, 0.5])
    assert_eq(ga.quantile(x, ga.from_array(q, chunks=1)), np.quantile(array, q))
    assert_eq(ga.nanpercentile(x, ga.from_array(q, chunks=1)), np.nanpercentile(array, q))
