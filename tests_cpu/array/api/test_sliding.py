"""Sliding windows against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale
import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import pairs


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_against_numpy(data):
    array, x = data.draw(pairs(min_dims=1, min_side=1, dtypes=("int16", "float64")))
    axis = data.draw(st.lists(st.integers(-array.ndim, array.ndim - 1), max_size=3))
    window = [data.draw(st.integers(1, array.shape[a])) for a in axis]
    numpys = np.lib.stride_tricks.sliding_window_view
    try:
        expected = numpys(array, window, axis)
    except ValueError as error:  # an axis that came twice was too short for both
        with pytest.raises(ValueError, match=str(error)):
            ga.sliding_window_view(x, window, axis)
        return
    assert_eq(ga.lib.stride_tricks.sliding_window_view(x, window, axis), expected)
    assert_eq(numpys(x, window, axis), expected)
    assert_eq(ga.sliding_window_view(x, array.shape), numpys(array, array.shape))


def test_laziness_blocks_and_what_follows():
    x = ga.arange(100, chunks=10)
    with nothing_computes():
        y = ga.sliding_window_view(x, 25)
        smoothed = y.mean(axis=-1)
    assert y.chunks == ((10,) * 7 + (6,), (25,))
    assert_eq(smoothed, np.lib.stride_tricks.sliding_window_view(np.arange(100), 25).mean(-1))
    table = ga.ones((6, 4), chunks=3)
    assert ga.overlap.sliding_window_view(table, 2, axis=1).shape == (6, 3, 2)


def test_blocks_stay_small():
    x = ga.ones(1_000_000, chunks=-1)
    with gpuscale.config.set({"array.chunk-size": "8 MB", "memory-limit": "100 MB"}):
        y = ga.sliding_window_view(x, 500)
        assert max(y.chunks[0]) * 500 * 8 <= 8_000_000
        assert float(y[::1000].sum().compute()) == 500 * 1000
        assert len(ga.sliding_window_view(x, 500, automatic_rechunk=False).chunks[0]) == 1


def test_refusals():
    x = ga.ones((3, 4))
    for args, options, message in (
        ((4,), {"axis": 0}, "cannot be larger"),
        ((0,), {"axis": 0}, "positive"),
        ((2,), {}, "needs 2 numbers"),
        (((2, 2),), {"axis": 0}, "needs 1 numbers"),
        ((2,), {"axis": 2}, "out of bounds"),
        ((2,), {"axis": 0, "writeable": True}, "assign to the array itself"),
    ):
        with pytest.raises((ValueError, TypeError, NotImplementedError), match=message):
            ga.sliding_window_view(x, *args, **options)
