"""Positions of what is not zero, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gpuscale.array as ga
from gpuscale.base.types import is_known
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunked, pairs

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6)


@given(pairs(dtypes=("bool", "int8", "float64"), min_dims=1))
@settings(max_examples=60, deadline=None)
def test_nonzero(pair):
    array, x = pair
    for ours, theirs in zip(ga.nonzero(x), np.nonzero(array), strict=True):
        assert_eq(ours, theirs)
    assert_eq(ga.flatnonzero(x), np.flatnonzero(array))
    assert_eq(ga.argwhere(x), np.argwhere(array))


def test_positions_are_counted_on_demand():
    x = ga.arange(12, chunks=5).reshape((3, 4))
    rows, columns = ga.where(x % 5 == 0)
    assert not is_known(rows.chunks) and not is_known((rows + columns).chunks)
    assert len(rows) == 3
    assert_eq(x[rows, columns], np.array([0, 5, 10]))


@pytest.mark.parametrize("value", [0, 7])
def test_arrays_without_axes(value):
    assert_eq(ga.argwhere(ga.asarray(value)), np.argwhere(value))
    assert_eq(ga.flatnonzero(ga.asarray(value)), np.flatnonzero(value))
    with pytest.raises(ValueError, match="0d arrays"):
        ga.nonzero(ga.asarray(value))


@given(st.data(), SHAPES, st.sampled_from("CF"))
@settings(max_examples=40, deadline=None)
def test_numbers_and_positions(data, shape, order):
    numbers = data.draw(
        hnp.arrays(np.int64, st.integers(1, 8), elements=st.integers(0, int(np.prod(shape)) - 1))
    )
    x = data.draw(chunked(numbers))
    found, expected = ga.unravel_index(x, shape, order), np.unravel_index(numbers, shape, order)
    for ours, theirs in zip(found, expected, strict=True):
        assert_eq(ours, theirs)
    assert_eq(ga.ravel_multi_index(found, shape, order=order), numbers)


def test_positions_of_what_has_unknown_size():
    x = ga.arange(20, chunks=6)
    kept = x[x % 3 == 0]
    expected = np.unravel_index(np.arange(0, 20, 3), (4, 5))
    for ours, theirs in zip(ga.unravel_index(kept, (4, 5)), expected, strict=True):
        assert_eq(ours, theirs)


@pytest.mark.parametrize("mode", ["wrap", "clip", ("wrap", "clip")])
def test_positions_out_of_bounds_by_mode(mode):
    positions = np.array([5, -1]), np.array([7, -3])
    ours = ga.ravel_multi_index(tuple(map(ga.asarray, positions)), (3, 4), mode=mode)
    assert_eq(ours, np.ravel_multi_index(positions, (3, 4), mode=mode))


def test_bad_numbers_and_positions():
    with pytest.raises(ValueError, match="out of bounds"):
        ga.unravel_index([6], (2, 3))
    lazy = ga.unravel_index(ga.asarray([6]), (2, 3))
    with pytest.raises(ValueError, match="out of bounds"):
        lazy[0].compute(engine="sync")
    with pytest.raises(TypeError, match="int indices"):
        ga.unravel_index(ga.ones(2), (2, 3))
    with pytest.raises(ValueError, match="length 2"):
        ga.ravel_multi_index((ga.arange(2),), (2, 3))
    with pytest.raises(TypeError, match="int indices"):
        ga.ravel_multi_index((ga.ones(2), ga.ones(2)), (2, 3))
    bad = ga.ravel_multi_index((ga.asarray([2]), ga.asarray([0])), (2, 3))
    with pytest.raises(ValueError, match="invalid entry"):
        bad.compute(engine="sync")


TRIMMED = [
    np.array([0, 0, 3, 0, 5, 0]),
    np.zeros(4),
    np.array([1.0, 2.0]),
    np.zeros(0),
    np.pad(np.array([[0, 1], [2, 0]]), ((1, 2), (3, 0))),
    np.array(["", "a", ""]),
]


@pytest.mark.parametrize("array", TRIMMED, ids=str)
@pytest.mark.parametrize("trim", ["fb", "F", "b"])
def test_trim_zeros(array, trim):
    x = ga.from_array(array, chunks=2)
    for axis in (None, 0, -1, tuple(range(array.ndim)), ()):
        with nothing_computes():
            result = ga.trim_zeros(x, trim, axis)
        assert_eq(result, np.trim_zeros(array, trim, axis))


def test_trim_zeros_at_no_end():
    with pytest.raises(ValueError, match="unexpected"):
        ga.trim_zeros(ga.arange(3), "x")
