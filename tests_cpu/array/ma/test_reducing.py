"""Reductions and scans of masked arrays against `numpy.ma`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.masks import assert_masked_eq, masked_pairs
from gpuscale.testing.memory import assert_room_is_enough


@settings(max_examples=12, deadline=None)
@given(masked_pairs(), st.booleans(), st.data())
def test_reductions(pair, keepdims, data):
    x, y = pair
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    options = {"axis": axis, "keepdims": keepdims}
    for name in ("ptp", "sum", "mean", "std", "min", "prod"):
        expected = getattr(x, name)(**options)
        assert_masked_eq(getattr(ga.ma, name)(y, **options), expected, rtol=1e-9)
        assert_masked_eq(getattr(y, name)(**options), expected, rtol=1e-9)
    for name in ("argmax", "argmin", "count"):
        assert_eq(getattr(y, name)(**options), getattr(x, name)(**options))
    assert_eq(ga.ma.argmin(y, axis, fill_value=-9), np.ma.argmin(x, axis, fill_value=-9))
    assert_eq(ga.ma.count_masked(y, axis), np.ma.count_masked(x, axis))
    expected = np.ma.median(x, **options)
    expected = np.ma.asarray(expected) if np.ndim(expected) else expected
    assert_masked_eq(ga.ma.median(y, **options), expected, rtol=1e-12)
    assert_masked_eq(y.sum(axis, "f4"), x.sum(axis, "f4"), rtol=1e-5)
    assert_masked_eq(y.cumsum(axis), x.cumsum(axis), rtol=1e-12)
    assert_masked_eq(ga.ma.cumprod(y, axis), np.ma.cumprod(x, axis), rtol=1e-9)
    assert_masked_eq(np.mean(y, axis), x.mean(axis), rtol=1e-12)
    if axis is not None:
        assert_masked_eq(
            y.anom(axis).filled(1) + 0 * y, (x.anom(axis).filled(1) + 0 * x), rtol=1e-6
        )


@settings(max_examples=10, deadline=None)
@given(masked_pairs(shape=(4, 3)), masked_pairs(shape=(3, 5)))
def test_products(one, other):
    (x, y), (v, w) = one, other
    assert_masked_eq(y.dot(w), x.dot(v), rtol=1e-9)
    assert_eq(y.trace(), np.asarray(x.trace()), rtol=1e-9, atol=1e-12)
    assert_masked_eq(y.diagonal(1), x.diagonal(1))


@pytest.mark.parametrize("dtype", ["i1", "f4", "f8", "bool"])
def test_medians(dtype):
    generator = np.random.default_rng(0)
    data = generator.integers(0, 2 if dtype == "bool" else 90, (6, 5, 7)).astype(dtype)
    if dtype == "f8":
        data[0, 0, :2] = np.nan, np.inf
    mask = generator.random((6, 5, 7)) < 0.6
    mask[1, 2] = True
    x, y = np.ma.MaskedArray(data, mask), ga.ma.masked_array(ga.from_array(data, chunks=3), mask)
    for axis in (None, 0, 2, (0, 2), (1, -1), (0, 1, 2)):
        with np.errstate(all="ignore"):
            expected = np.ma.median(x, axis)
        assert_masked_eq(ga.ma.median(y, axis), expected)
    assert_masked_eq(ga.ma.median(ga.ma.masked_all((2, 2))), np.ma.median(np.ma.masked_all((2, 2))))
    with nothing_computes():
        ga.ma.median(y, axis=1)
    with pytest.raises(np.exceptions.AxisError):
        ga.ma.median(y, axis=3)


def test_medians_take_the_room_that_was_projected():
    data = np.random.default_rng(0).random((300, 400))
    y = ga.ma.masked_less(ga.from_array(data, chunks=150), 0.3)
    assert_room_is_enough(ga.ma.median(y, axis=0))


def test_ranges_of_booleans():
    for mask in (True, [[True, False], [False, True]]):
        x = np.ma.MaskedArray(np.eye(2, dtype=bool), mask)
        y = ga.asarray(x, chunks=1)
        for options in ({}, {"axis": 0}, {"keepdims": True}):
            try:
                expected = np.ma.ptp(x, **options)
            except TypeError:
                with pytest.raises(TypeError, match="subtract"):
                    ga.ma.ptp(y, **options)
            else:
                assert expected is np.ma.masked
                assert ga.ma.ptp(y, **options).compute() is np.ma.masked
