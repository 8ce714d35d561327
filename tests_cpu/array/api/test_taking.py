"""Elements picked by position or condition, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.base.types import is_known
from gpuscale.testing.equality import assert_eq
from gpuscale.testing.memory import assert_room_is_enough
from gpuscale.testing.strategies import chunked

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6)


def counted(shape):
    return np.arange(np.prod(shape, dtype=int)).reshape(shape)


@given(st.data(), SHAPES, st.sampled_from(("raise", "wrap", "clip")))
@settings(max_examples=60, deadline=None)
def test_take(data, shape, mode):
    array = counted(shape)
    axis = data.draw(st.none() | st.integers(-len(shape), len(shape) - 1))
    length = array.size if axis is None else shape[axis]
    beyond = 0 if mode == "raise" else 20
    positions = st.integers(-length - beyond, length - 1 + beyond)
    some = hnp.array_shapes(min_dims=0, max_dims=2, max_side=5)
    indices = data.draw(hnp.arrays(np.int64, some, elements=positions))
    x = data.draw(chunked(array))
    expected = np.take(array, indices, axis, mode=mode)
    assert_eq(ga.take(x, indices, axis, mode=mode), expected)
    assert_eq(ga.take(x, ga.asarray(indices), axis, mode=mode), expected)


def test_take_of_nothing_and_errors():
    x = ga.arange(6, chunks=4).reshape((2, 3))
    assert_eq(x.take([], axis=1), np.zeros((2, 0), int))
    assert_eq(ga.take(x, 4), np.int64(4))
    out = ga.zeros(2, dtype=int)
    assert ga.take(x, [1, 5], out=out) is out
    assert_eq(out, np.array([1, 5]))
    with pytest.raises(IndexError, match="index 3 is out of bounds for axis 1 with size 3"):
        x.take([3], axis=1)
    with pytest.raises(IndexError, match="empty"):
        ga.take(ga.zeros(0), [0])
    with pytest.raises(TypeError, match="integers"):
        x.take([0.5])
    with pytest.raises(ValueError, match="clipmode"):
        x.take([0], mode="none")


@given(st.data(), SHAPES)
@settings(max_examples=60, deadline=None)
def test_compress(data, shape):
    array = counted(shape)
    axis = data.draw(st.none() | st.integers(-len(shape), len(shape) - 1))
    length = array.size if axis is None else shape[axis]
    condition = data.draw(hnp.arrays(bool, st.integers(0, length)))
    x = data.draw(chunked(array))
    expected = np.compress(condition, array, axis)
    assert_eq(ga.compress(condition, x, axis), expected)
    assert_eq(x.compress(condition, axis), array.compress(condition, axis))
    assert_eq(ga.compress(data.draw(chunked(condition)), x, axis), expected)


def test_conditions_that_do_not_fit():
    x = ga.arange(3, chunks=2)
    assert_eq(ga.compress([True, False, True, False], x), np.array([0, 2]))
    for lazy in (False, True):
        condition = np.ones(5, bool)
        with pytest.raises(IndexError, match="index 4 is out of bounds for axis 0 with size 3"):
            ga.compress(ga.asarray(condition) if lazy else condition, x)
    with pytest.raises(ValueError, match="1-d"):
        ga.compress([[True]], x)


def test_extract():
    array = counted((4, 5))
    x = ga.asarray(array, chunks=(2, 3))
    kept = ga.extract(x % 3 == 0, x)
    assert not is_known(kept.chunks)
    assert_eq(kept, np.extract(array % 3 == 0, array))


@pytest.mark.parametrize("mode", ["raise", "wrap", "clip"])
def test_choose(mode):
    which = np.array([[0, 1, 2], [2, 1, 0]]) + (0 if mode == "raise" else 2)
    choices = [counted((2, 3)), np.array([10.5, 11.5, 12.5]), np.array([[100], [200]])]
    lazy = [ga.asarray(choices[0], chunks=(1, 2)), choices[1], ga.asarray(choices[2], chunks=1)]
    x = ga.asarray(which, chunks=(2, 2))
    assert_eq(x.choose(lazy, mode=mode), np.choose(which, choices, mode=mode))
    stacked = np.stack([choices[0], -choices[0], choices[0] * 2])
    assert_eq(ga.choose(x, ga.asarray(stacked), mode=mode), np.choose(which, stacked, mode=mode))


def test_choose_out_of_bounds():
    with pytest.raises(ValueError, match="invalid entry"):
        ga.choose(ga.asarray([3]), [[1], [2]]).compute(engine="sync")
    with pytest.raises(ValueError, match="at least one"):
        ga.choose(ga.asarray([0]), [])


def test_select():
    array = counted((3, 4))
    x = ga.asarray(array, chunks=(2, 3))
    expected = np.select([array < 3, array > 8], [array, array * 1.5], array[0])
    assert_eq(ga.select([x < 3, x > 8], [x, x * 1.5], x[0]), expected)
    assert_eq(ga.select([x < 3], [7], 2.5), np.select([array < 3], [7], 2.5))
    small = array.astype(np.int8)
    assert_eq(ga.select([x < 3], [ga.asarray(small)], 1), np.select([array < 3], [small], 1))
    with pytest.raises(ValueError, match="same length"):
        ga.select([x < 3], [])
    with pytest.raises(ValueError, match="empty"):
        ga.select([], [])
    with pytest.raises(TypeError, match="boolean"):
        ga.select([x], [x])


@given(st.data(), SHAPES)
@settings(max_examples=60, deadline=None)
def test_take_along_axis(data, shape):
    array = counted(shape)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    own = [data.draw(st.sampled_from((1, n))) for n in shape]
    own[axis] = data.draw(st.integers(1, 6))
    places = data.draw(
        hnp.arrays(np.int64, own, elements=st.integers(-shape[axis], shape[axis] - 1))
    )
    x, indices = data.draw(chunked(array)), data.draw(chunked(places))
    for size in ("1 MiB", 8):  # of a chunk; lines in one block, or block by block
        with config.set({"array.chunk-size": size}):
            assert_eq(ga.take_along_axis(x, indices, axis), np.take_along_axis(array, places, axis))


def test_an_axis_in_one_block_does_not_make_blocks_larger_than_configured():
    x = ga.ones((60, 60), chunks=(60, 10)).persist()
    places = ga.zeros((60, 2), dtype=int)
    with config.set({"array.chunk-size": "8 kB"}):
        assert max(ga.take_along_axis(x, places, 1).chunks[0]) < 60
    assert_eq(ga.take_along_axis(x, np.zeros(3, int), None), np.ones(3))


def test_long_lines_are_taken_block_by_block():
    values = np.random.default_rng(0).random(200_000)
    x = ga.from_array(values, chunks=20_000).map_blocks(np.copy, dtype=float)  # 1.6 MB
    with config.set({"memory-limit": "1.2 MB"}):
        y = ga.take_along_axis(x, ga.argsort(x), 0)
        assert_room_is_enough(y[:100])
        np.testing.assert_array_equal(y[-500:].compute(), np.sort(values)[-500:])
        with pytest.raises(IndexError, match="index -200001 is out of bounds for axis 0"):
            ga.take_along_axis(x, np.array([1, -200_001]), 0).compute()


def test_lines_that_do_not_fit():
    x = ga.ones((3, 4), chunks=2)
    with pytest.raises(IndexError, match="integer"):
        ga.take_along_axis(x, ga.ones((3, 1)), 1)
    with pytest.raises(ValueError, match="same number of dimensions"):
        ga.take_along_axis(x, ga.zeros(3, dtype=int), 1)
    with pytest.raises(IndexError, match="out of bounds"):
        ga.take_along_axis(x, ga.full((3, 1), 4), 1).compute(engine="sync")


def test_shuffle():
    array = counted((8, 3))
    x = ga.asarray(array, chunks=(3, 2))
    groups = [[7, 0], [3], [], [2, 2, 5], [1]]
    flat = [7, 0, 3, 2, 2, 5, 1]
    assert_eq(ga.shuffle(x, groups, axis=0), array[flat])
    assert ga.shuffle(x, groups, axis=0).chunks[0] == (3, 3, 1)
    assert ga.shuffle(x, groups, 0, chunks=None).chunks[0] == (2, 1, 3, 1)
    assert_eq(x.shuffle([[2], [0, 1]], axis=-1), array[:, [2, 0, 1]])
    with pytest.raises(IndexError, match="out of bounds"):
        ga.shuffle(x, [[8]])
    with pytest.raises(ValueError, match="list of lists"):
        ga.shuffle(x, [1, 2])
    with pytest.raises(ValueError, match="auto"):
        ga.shuffle(x, [[1]], chunks=3)
