"""Functions that change an array in place, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.testing.equality import assert_eq
from gpuscale.testing.memory import assert_room_is_enough
from gpuscale.testing.strategies import chunked

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6)


def counted(shape):
    return np.arange(np.prod(shape, dtype=int)).reshape(shape)


@given(st.data(), SHAPES, st.sampled_from(("raise", "wrap", "clip")))
@settings(max_examples=60, deadline=None)
def test_put(data, shape, mode):
    array = counted(shape)
    beyond = 0 if mode == "raise" else 20
    positions = st.integers(-array.size - beyond, array.size - 1 + beyond)
    index = data.draw(hnp.arrays(np.int64, st.integers(0, 6), elements=positions))
    values = -1 - np.arange(data.draw(st.integers(1, 4)))
    x = data.draw(chunked(array))
    np.put(array, index, values, mode)
    ga.put(x, index, values, mode)
    assert_eq(x, array)


def test_methods_change_the_handle():
    array = np.arange(6.0).reshape(2, 3)
    x = ga.from_array(array, chunks=2)
    view = x[0]
    for each in (array, x):
        each.put([0, -1], [7, 8])
        each.put(9, 1, mode="clip")
    assert_eq(x, array)
    array.fill(2)
    x.fill(2)
    assert_eq(x, array)
    assert_eq(view, np.arange(3.0))
    with pytest.raises(ValueError, match="broadcast"):
        x.fill([1, 2])


def test_put_special_cases():
    x = ga.zeros((), dtype=int)
    ga.put(x, [0], 5)
    assert_eq(x, np.array(5))
    x = ga.arange(4, chunks=3)
    ga.put(x, [], 5)
    ga.put(x, [0], [])
    ga.put(x, ga.asarray([3]), ga.asarray([9]))
    assert_eq(x, np.array([0, 1, 2, 9]))
    with pytest.raises(IndexError, match="index 4 is out of bounds for axis 0 with size 4"):
        ga.put(x, [4], 0)
    with pytest.raises(ValueError, match="clipmode"):
        ga.put(x, [0], 0, mode="none")
    with pytest.raises(TypeError, match=r"use numpy\.put"):
        ga.put(np.zeros(3), [0], 0)


@given(st.data(), SHAPES)
@settings(max_examples=40, deadline=None)
def test_place_and_putmask(data, shape):
    array = counted(shape).astype(float)
    mask = data.draw(hnp.arrays(bool, shape))
    values = -1 - np.arange(data.draw(st.integers(1, 4)))
    x, keep = data.draw(chunked(array)), data.draw(chunked(mask))
    y = x.copy()
    expected = array.copy()
    np.place(expected, mask, values)
    ga.place(x, keep, values)
    assert_eq(x, expected)
    np.putmask(array, mask, values)
    ga.putmask(y, keep, values)
    assert_eq(y, array)


def test_masks_and_values_that_do_not_fit():
    x = ga.arange(4, chunks=3)
    for function in (ga.place, ga.putmask):
        with pytest.raises(ValueError, match="same size"):
            function(x, [True], 0)
        with pytest.raises(TypeError, match="'safe'"):
            function(x, x > 1, np.array([1.5]))
    with pytest.raises(ValueError, match="empty array"):
        ga.place(x, x > 1, [])
    ga.putmask(x, x > 1, [])
    assert_eq(x, np.arange(4))


def test_copyto():
    array = counted((3, 4)).astype(np.int16)
    x = ga.asarray(array, chunks=2)
    some = [True, False, True, False]
    for source, mask in [(7, True), (np.arange(4), some), ([[1], [2], [3]], True)]:
        np.copyto(array, source, where=mask)
        ga.copyto(x, source, where=mask)
        assert_eq(x, array)
    with pytest.raises(TypeError, match="same_kind"):
        ga.copyto(x, 1.5)
    with pytest.raises(TypeError, match="same_kind"):
        ga.copyto(x, np.ones(4))
    ga.copyto(x, np.full(4, 1.5), casting="unsafe")
    assert_eq(x, np.ones((3, 4), np.int16))
    with pytest.raises(ValueError, match="could not broadcast input"):
        ga.copyto(x, np.arange(3))
    with pytest.raises(ValueError, match="where mask"):
        ga.copyto(x, 1, where=np.ones((2, 3, 4), bool))


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("shape", [(4, 4), (7, 3), (3, 7), (3, 3, 3)])
@pytest.mark.parametrize("value", [9, [7, 8]])
def test_fill_diagonal(shape, value, wrap):
    array = counted(shape)
    x = ga.asarray(array, chunks=2)
    np.fill_diagonal(array, value, wrap)
    ga.fill_diagonal(x, value, wrap)
    assert_eq(x, array)


def test_arrays_without_diagonal():
    with pytest.raises(ValueError, match="at least 2-d"):
        ga.fill_diagonal(ga.zeros(3), 1)
    with pytest.raises(ValueError, match="equal length"):
        ga.fill_diagonal(ga.zeros((3, 3, 2)), 1)


@given(st.data(), SHAPES)
@settings(max_examples=60, deadline=None)
def test_put_along_axis(data, shape):
    array = counted(shape)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    own = [data.draw(st.sampled_from((1, n))) for n in shape]
    own[axis] = 1  # NumPy leaves open which of several values for one place stays
    places = data.draw(
        hnp.arrays(np.int64, own, elements=st.integers(-shape[axis], shape[axis] - 1))
    )
    full = list(shape)
    full[axis] = 1
    values = data.draw(st.sampled_from((-1, -1.5 - counted(full))))
    x, indices = data.draw(chunked(array)), data.draw(chunked(places))
    expected = array.copy()
    np.put_along_axis(expected, places, values, axis)
    for size in ("1 MiB", 8):  # of a chunk; lines in one block, or block by block
        y = x.copy()
        with config.set({"array.chunk-size": size}):
            ga.put_along_axis(y, indices, values, axis)
        assert_eq(y, expected)


def test_long_lines_are_put_block_by_block():
    values, places = np.arange(200_000.0), np.random.default_rng(0).permutation(200_000)
    x = ga.from_array(values, chunks=20_000).map_blocks(np.copy, dtype=float)  # 1.6 MB
    order = ga.from_array(places, chunks=25_000)
    with config.set({"memory-limit": "2 MB"}):
        ga.put_along_axis(x, order, -x, 0)
        assert_room_is_enough(x[:100])
        np.testing.assert_array_equal(x[:300].compute(), -np.argsort(places)[:300])


def test_put_along_the_flattened_array_and_errors():
    x = ga.zeros((2, 3), chunks=2)
    ga.put_along_axis(x, [4, 0], [1, 2], None)
    assert_eq(x, np.array([[2.0, 0, 0], [0, 1, 0]]))
    with pytest.raises(IndexError, match="integer"):
        ga.put_along_axis(x, ga.ones((2, 1)), 0, 1)
    with pytest.raises(ValueError, match="same number of dimensions"):
        ga.put_along_axis(x, [0], 0, 1)
