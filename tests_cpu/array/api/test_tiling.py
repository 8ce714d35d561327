"""Repeating, shifting, inserting and deleting against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunked, pairs

REAL = {"dtypes": ("int64", "float64"), "special": False, "min_dims": 1}


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_roll_repeat_tile(data):
    array, x = data.draw(pairs(**REAL))
    axis = data.draw(st.none() | st.integers(-array.ndim, array.ndim - 1))
    shift = data.draw(st.integers(-9, 9))
    assert_eq(ga.roll(x, shift, axis), np.roll(array, shift, axis))
    times = data.draw(st.integers(0, 3))
    assert_eq(ga.repeat(x, times, axis), np.repeat(array, times, axis))
    reps = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    assert_eq(ga.tile(x, tuple(reps)), np.tile(array, tuple(reps)))


def test_several_shifts_and_counts():
    a = np.arange(12).reshape(3, 4)
    x = ga.from_array(a, chunks=2)
    assert_eq(ga.roll(x, (1, -1), (0, 1)), np.roll(a, (1, -1), (0, 1)))
    assert_eq(ga.roll(x, 1, (0, 1)), np.roll(a, 1, (0, 1)))
    assert_eq(ga.repeat(x, [0, 2, 1], 0), np.repeat(a, [0, 2, 1], 0))
    with pytest.raises(ValueError, match="negative"):
        ga.repeat(x, -1)


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_repeat_as_often_as_lazy_counts_say(data):
    array, x = data.draw(pairs(**REAL))
    axis = data.draw(st.none() | st.integers(-array.ndim, array.ndim - 1))
    length = array.size if axis is None else array.shape[axis]
    length = data.draw(st.sampled_from([length, 1]))
    counts = np.array(data.draw(st.lists(st.integers(0, 3), min_size=length, max_size=length)), int)
    lazy = data.draw(chunked(counts))
    with nothing_computes():
        result = ga.repeat(x, lazy, axis)
    assert_eq(result, np.repeat(array, counts, axis))
    assert result.shape == np.repeat(array, counts, axis).shape


def test_lazy_counts_that_are_none():
    x = ga.arange(4, chunks=3)
    with pytest.raises(ValueError, match="negative"):
        ga.repeat(x, ga.asarray([1, 0, 1, -1])).compute()
    with pytest.raises(ValueError, match="broadcast"):
        ga.repeat(x, ga.asarray([1, 2]))
    with pytest.raises(TypeError, match="safe"):
        ga.repeat(x, ga.ones(4))
    y = ga.repeat(x[x > 0], x[x > 0])
    assert_eq(y, np.repeat([1, 2, 3], [1, 2, 3]))


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_insert_and_delete(data):
    array, x = data.draw(pairs(**REAL, min_side=1))
    axis = data.draw(st.none() | st.integers(0, array.ndim - 1))
    length = array.size if axis is None else array.shape[axis]
    where = data.draw(
        st.integers(-length, length - 1)
        | st.lists(st.integers(0, length - 1), min_size=1, max_size=3).map(list)
    )
    assert_eq(ga.delete(x, where, axis), np.delete(array, where, axis))
    assert_eq(ga.insert(x, where, 7, axis), np.insert(array, where, 7, axis))


def test_insert_rows_and_slices():
    a = np.arange(6).reshape(3, 2)
    x = ga.from_array(a, chunks=1)
    assert_eq(ga.insert(x, 1, [9, 8], axis=0), np.insert(a, 1, [9, 8], axis=0))
    assert_eq(ga.insert(x, 1, [[9], [8], [7]], axis=1), np.insert(a, 1, [[9], [8], [7]], axis=1))
    assert_eq(ga.insert(x, slice(0, 2), 5, axis=0), np.insert(a, slice(0, 2), 5, axis=0))
    assert_eq(
        ga.delete(x, slice(None, None, 2), axis=0), np.delete(a, slice(None, None, 2), axis=0)
    )
    assert_eq(ga.resize(x, (4, 3)), np.resize(a, (4, 3)))


def test_bad_input():
    with pytest.raises(IndexError):
        ga.delete(ga.ones((2, 2)), 5, axis=0)


def test_tiling_is_lazy():
    with nothing_computes():
        ga.roll(ga.tile(ga.ones((2, 2)), 2), 1)


def test_delete_at_lazy_positions():
    x = ga.arange(6, chunks=4)
    assert_eq(ga.delete(x, ga.asarray([1, -1], chunks=1)), np.delete(np.arange(6), [1, -1]))


def test_roll_along_no_axis():
    array = np.arange(6).reshape(2, 3)
    assert_eq(ga.roll(ga.from_array(array, chunks=2), 1, axis=()), np.roll(array, 1, axis=()))


@pytest.mark.parametrize("dtype", [">f8", ">i4", ">c8", ">U3", ">M8[s]"])
@pytest.mark.parametrize("chunks", [2, 12])
def test_the_byte_order_is_numpys(dtype, chunks):
    array = np.tile(np.arange(6), 2).astype(dtype)
    x = ga.from_array(array, chunks=chunks)
    for function in (
        lambda xp, z: xp.roll(z, 2),
        lambda xp, z: xp.tile(z, 2),
        lambda xp, z: xp.resize(z, 5),
        lambda xp, z: xp.pad(z, 1, mode="edge"),
        lambda xp, z: xp.unique(z),
        lambda xp, z: xp.unique(z, return_counts=True)[0],
        lambda xp, z: xp.where(z == z[0], z, z[1]),
    ):
        expected, found = function(np, array), function(ga, x)
        assert found.dtype == found.compute().dtype == expected.dtype
        assert_eq(found, expected)
    if array.dtype.kind in "fc":
        assert ga.nan_to_num(x).compute().dtype == np.nan_to_num(array).dtype
