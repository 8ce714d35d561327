"""Functions of blocks and of whole arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.array.api.functional import whole
from gpuscale.base.errors import ChunkError
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunked, pairs


@given(data=st.data())
@settings(max_examples=30)
def test_map_blocks_of_aligned_arrays(data):
    a, x = data.draw(pairs(dtypes=("int64", "float64"), special=False))
    y = data.draw(chunked(a))
    assert_eq(ga.map_blocks(lambda p, q, k: p * k + q, x, y, k=3), a * 3 + a)


@given(data=st.data())
@settings(max_examples=20)
def test_last_axes_are_aligned(data):
    a, x = data.draw(pairs(dtypes=("float64",), min_dims=2, max_dims=2, min_side=1, special=False))
    row = data.draw(chunked(a[0]))
    column = data.draw(chunked(a[:, :1]))
    assert_eq(ga.map_blocks(lambda p, q, r: p + q - r, x, row, column), a + a[0] - a[:, :1])


@given(data=st.data())
@settings(max_examples=20)
def test_dropped_and_new_axes(data):
    a, x = data.draw(pairs(dtypes=("int64",), min_dims=3, max_dims=3, min_side=1))
    axis = data.draw(st.integers(-3, 2))
    assert_eq(x.map_blocks(lambda b: b.sum(axis), drop_axis=axis), a.sum(axis))
    new = data.draw(st.integers(-4, 3))
    assert_eq(x.map_blocks(lambda b: np.expand_dims(b, new), new_axis=new), np.expand_dims(a, new))


def test_block_id_and_info():
    x = ga.zeros((4, 6), chunks=(2, 3))

    def number(b, block_id):
        return np.full_like(b, 10 * block_id[0] + block_id[1], dtype=int)

    numbers = ga.map_blocks(number, x)
    assert_eq(numbers, np.array([[0, 1], [10, 11]]).repeat(2, 0).repeat(3, 1))

    def starts(b, block_info):
        (row, _), (column, _) = block_info[0]["array-location"]
        assert block_info[0]["shape"] == b.shape or block_info[0]["shape"] == (4, 6)
        assert block_info[None]["chunk-location"] == block_info[0]["chunk-location"]
        return np.full_like(b, row + column, dtype=int)

    assert ga.map_blocks(starts, x, dtype=int).compute()[::2, ::3].tolist() == [[0, 3], [2, 5]]


def test_blocks_from_nothing():
    x = ga.map_blocks(lambda block_id: np.full(2, block_id[0]), chunks=((2, 2, 2),), dtype=int)
    assert_eq(x, np.repeat(np.arange(3), 2))


def test_values_are_passed_as_they_are():
    x = ga.arange(6, chunks=4)
    table = np.array([0.0, 10.0])
    assert_eq(ga.map_blocks(np.interp, x, np.array([0, 5]), table), np.arange(6) * 2.0)
    weights = ga.arange(3, chunks=1)  # an array among the options is whole
    assert_eq(ga.map_blocks(lambda b, w: b * w.sum(), x, w=weights), np.arange(6) * 3)


def test_sizes_that_depend_on_data():
    x = ga.arange(10, chunks=5)
    even = x.map_blocks(lambda b: b[b % 2 == 0], chunks=(np.nan,))
    assert even.chunks[0][0] != even.chunks[0][1]
    assert_eq(even, np.arange(0, 10, 2))
    assert even.shape == (5,)


def test_dtype_is_kept():
    x = ga.arange(4, chunks=2)
    assert_eq(x.map_blocks(lambda b: b / 2, dtype="float32"), (np.arange(4) / 2).astype("float32"))
    assert_eq(
        x.map_blocks(lambda b: b / 2, meta=np.empty(0, "float32")), np.float32([0, 0.5, 1, 1.5])
    )


def test_lazy():
    with nothing_computes():
        ga.map_blocks(lambda b: b + 1, ga.ones(4), chunks=(4,)).sum()


def test_wrong_shapes_are_refused():
    x = ga.ones((4, 4), chunks=2)
    with pytest.raises(
        ValueError, match=r"returned a block of shape \(2,\) where map_blocks expects"
    ):
        x.map_blocks(lambda b: b.sum(0), dtype=float).compute(engine="sync")
    with pytest.raises(ChunkError, match="3 items for a result of 2 axes"):
        x.map_blocks(lambda b: b, chunks=(1, 1, 1))
    with pytest.raises(ChunkError, match="1 sizes for axis 0, which has 2 blocks"):
        x.map_blocks(lambda b: b, chunks=((4,), (2, 2)))
    with pytest.raises(TypeError, match="must be callable"):
        ga.map_blocks(3, x)
    with pytest.raises(ValueError, match="pass dtype="):
        x.map_blocks(lambda b: 1 / 0)
    with pytest.raises(np.exceptions.AxisError):
        x.map_blocks(lambda b: b, drop_axis=2)


@given(data=st.data())
@settings(max_examples=15)
def test_whole(data):
    a, x = data.draw(pairs(dtypes=("int64",), min_dims=1, max_dims=2))
    result = whole(np.cumsum, x, shape=(a.size,), dtype=int, chunks=2)
    assert result.numblocks == (max(1, -(-a.size // 2)),)
    assert_eq(result, np.cumsum(a))


def test_whole_of_several():
    a = np.arange(6)
    x = ga.from_array(a, chunks=2)
    assert_eq(whole(np.interp, [x, x, -x], shape=(6,), dtype=float), -a * 1.0)
