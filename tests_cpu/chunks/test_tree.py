"""Reduction trees: every block is combined once, level by level."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base.errors import ChunkError
from gpuscale.chunks.tree import (
    axis_groups,
    groups,
    levels,
    n_combines,
    split_every_per_axis,
)

numblocks = st.lists(st.integers(1, 12), min_size=1, max_size=3).map(tuple)


@given(st.integers(0, 300), st.integers(2, 20))
def test_groups_of_an_axis_are_even_and_in_order(n_blocks, split_every):
    ranges = axis_groups(n_blocks, split_every)
    assert [block for each in ranges for block in each] == list(range(n_blocks))
    sizes = {len(each) for each in ranges}
    assert not sizes or (max(sizes) <= split_every and max(sizes) - min(sizes) <= 1)
    assert len(ranges) == -(-n_blocks // split_every)


@given(numblocks, st.data())
def test_summing_up_the_tree_gives_numpys_sum(numblocks, data):
    axes = tuple(axis for axis in range(len(numblocks)) if data.draw(st.booleans()))
    split_every = split_every_per_axis(data.draw(st.integers(2, 10)), axes)
    values = np.arange(np.prod(numblocks)).reshape(numblocks) + 1
    level = values
    n_tasks = 0
    for grid in levels(numblocks, split_every):
        combined = np.zeros(grid, int)
        for out_index, blocks in groups(level.shape, split_every):
            assert len(blocks) <= np.prod([*split_every.values(), 1])
            combined[out_index] = sum(level[block] for block in blocks)
            n_tasks += 1
        level = combined
    np.testing.assert_array_equal(level, values.sum(axis=axes, keepdims=True))
    assert n_tasks == n_combines(numblocks, split_every)


def test_a_wide_tree_is_shallow():
    assert levels((100_000,), {0: 8}) == [(12500,), (1563,), (196,), (25,), (4,), (1,)]
    assert levels((1, 5), {0: 8}) == [(1, 5)]


def test_split_every_is_shared_out():
    assert split_every_per_axis(None, (0,)) == {0: 8}
    assert split_every_per_axis(27, (0, 1, 2)) == {0: 3, 1: 3, 2: 3}
    assert split_every_per_axis(2, (0, 1)) == {0: 2, 1: 2}
    assert split_every_per_axis({1: 3, 5: 4}, (0, 1)) == {0: 8, 1: 3}
    assert split_every_per_axis(4, ()) == {}


@pytest.mark.parametrize("wrong", [1, 0, -3, {0: 1}, True])
def test_a_tree_that_never_ends_is_refused(wrong):
    with pytest.raises(ChunkError, match="at least 2"):
        split_every_per_axis(wrong, (0,))
