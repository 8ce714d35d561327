"""Offsets, positions and regrouped sizes against plain counting."""

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Unknown
from gpuscale.chunks.blocks import (
    Grid,
    block_indices,
    block_shape,
    locate,
    max_block,
    merge_sizes,
    n_blocks,
    numblocks,
    offsets,
    shape_of,
    uniform_sizes,
)

axis_sizes = st.lists(st.integers(0, 7), min_size=1, max_size=8).map(tuple)
grids = st.lists(axis_sizes, min_size=0, max_size=3).map(tuple)


@given(axis_sizes)
def test_every_position_is_in_the_block_that_numpy_splits_it_into(sizes):
    pieces = np.split(np.arange(sum(sizes)), offsets(sizes)[1:-1])
    where = [(block, local) for block, piece in enumerate(pieces) for local in range(len(piece))]
    assert [locate(sizes, position) for position in range(sum(sizes))] == where


@pytest.mark.parametrize("position", [-1, 5, 6])
def test_positions_outside_an_axis_are_refused(position):
    with pytest.raises(IndexError, match="outside an axis of length 5"):
        locate((3, 2), position)


@given(grids)
def test_the_blocks_of_a_grid_tile_the_array(chunks):
    covered = np.zeros(shape_of(chunks), int)
    grid = Grid(chunks)
    for index in grid:
        block = covered[(*grid.slices(index), ...)]
        assert block.shape == block_shape(chunks, index)
        assert all(a <= b for a, b in zip(block.shape, max_block(chunks), strict=True))
        if block.size:
            assert grid.locate(grid.start(index)) == (index, (0,) * len(chunks))
        block += 1
    assert (covered == 1).all()
    assert len(grid) == n_blocks(chunks) == len(list(block_indices(chunks)))
    assert list(block_indices(chunks)) == list(np.ndindex(*numblocks(chunks)))


@given(st.integers(0, 50), st.integers(1, 12))
def test_uniform_sizes_differ_only_at_the_end(length, size):
    sizes = uniform_sizes(length, size)
    assert sum(sizes) == length
    assert set(sizes[:-1]) <= {size}
    assert 0 < sizes[-1] <= size or (length == 0 and sizes == (0,))


@given(axis_sizes, st.integers(1, 20))
def test_merged_blocks_keep_to_old_boundaries_and_to_the_target(sizes, target):
    merged = merge_sizes(sizes, target)
    assert sum(merged) == sum(sizes)
    assert set(accumulate(merged)) <= set(accumulate(sizes))
    assert all(size <= max(target, *sizes) for size in merged)
    assert all(a + b > target for a, b in zip(merged, merged[1:], strict=False))
    assert 0 not in merged or merged == (0,)


def test_unknown_sizes_name_the_remedy():
    sizes = (2, Unknown("t", 1))
    for function in (offsets, lambda s: max_block((s,)), lambda s: shape_of((s,))):
        with pytest.raises(UnknownSizeError, match="compute_chunk_sizes"):
            function(sizes)
    assert block_shape((sizes,), (1,)) == (Unknown("t", 1),)
