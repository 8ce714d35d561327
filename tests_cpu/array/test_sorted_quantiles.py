"""Quantiles by sorting, as devices have them, against NumPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.array.ranks import METHODS
from gpuscale.array.sorted_quantiles import _row_quantiles
from gpuscale.backends.seams import row_quantiles, to_host
from gpuscale.testing import fake_device

numbers = st.sampled_from([-2.5, 0.0, 1.0, 3.0, 7.25])
SHARES = st.sampled_from([0.0, 0.3, 1.0, [0.1, 0.5, 0.9], [[0.2], [1.0]]])


def rows_of(data, elements, dtype):
    shape = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 7)))
    values = data.draw(st.lists(elements, min_size=shape[0] * shape[1], max_size=21))
    return np.array(values[: shape[0] * shape[1]], dtype).reshape(shape)


def same(found, expected):
    assert found.dtype == expected.dtype and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-6 if found.dtype == "f4" else 1e-12)


@pytest.mark.parametrize("method", METHODS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_methods(method, data):
    x = rows_of(data, numbers, data.draw(st.sampled_from(["f4", "f8", "i4"])))
    q = data.draw(SHARES)
    expected = np.quantile(x, np.asarray(q) if isinstance(q, list) else q, axis=-1, method=method)
    same(_row_quantiles(x, None, q, method, False), np.asarray(expected))


@given(data=st.data())
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("ignore:All-NaN slice")
def test_nan(data):
    x = rows_of(data, numbers | st.just(np.nan), "f8")
    for nan, function in ((True, np.nanquantile), (False, np.quantile)):
        for q in (0.3, np.array([0.1, 0.9])):
            expected = function(x, q, axis=-1)
            np.testing.assert_allclose(_row_quantiles(x, None, q, "linear", nan), expected)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_weights(data):
    x = rows_of(data, numbers | st.just(np.nan), "f8")
    x[:, 0] = 1
    weights = np.random.default_rng(x.size).integers(0, 4, x.shape) + 0.0
    weights[:, 0] = 1
    for q in (0, 0.3, np.array([0.1, 1.0])):
        options = {"axis": -1, "weights": weights, "method": "inverted_cdf"}
        expected = np.nanquantile(x, q, **options)
        np.testing.assert_array_equal(_row_quantiles(x, weights, q, "inverted_cdf", True), expected)


def test_wrong_weights():
    x = np.ones((2, 3))
    for wrong, message in ((-1.0, "non-negative"), (0.0, "all zero"), (np.inf, "inf")):
        with pytest.raises(ValueError, match=message):
            _row_quantiles(x, np.full((2, 3), wrong), 0.5, "inverted_cdf", False)


def test_a_device_answers_as_numpy():
    x = np.array([[3.0, np.nan, 1.0, 2.0], [5.0, 4.0, 9.0, 0.5]])
    with fake_device.active() as xp:
        for nan in (True, False):
            for method in ("linear", "hazen", "nearest", "mean"):
                found = row_quantiles(xp.asarray(x), None, 0.5, method, nan)
                expected = row_quantiles(x, None, 0.5, method, nan)
                np.testing.assert_array_equal(to_host(found), expected)
