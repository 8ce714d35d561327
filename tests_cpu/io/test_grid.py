from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Unknown
from gpuscale.io.grid import align, compose, positions, split, stored_grid, window_grid

sizes_of_axis = st.lists(st.integers(0, 6), min_size=1, max_size=6).map(tuple)


@given(st.data(), sizes_of_axis)
def test_split_covers_what_is_selected(data, sizes):
    n = sum(sizes)
    start = data.draw(st.integers(0, n))
    selected = range(start, data.draw(st.integers(start, n)), data.draw(st.integers(1, 4)))
    chunks = np.split(np.arange(n), np.cumsum(sizes)[:-1])
    found = np.full(len(selected), -1)
    numbers = []
    for number, inside, outside in split(selected, sizes):
        found[outside] = chunks[number][inside]
        numbers.append(number)
    np.testing.assert_array_equal(found, list(selected))
    assert numbers == sorted(set(numbers))


@given(st.integers(0, 30), st.integers(1, 7), st.data())
def test_split_of_regular_chunks_is_that_of_their_sizes(n, size, data):
    start = data.draw(st.integers(0, n))
    selected = range(start, n, data.draw(st.integers(1, 4)))
    (sizes,) = stored_grid((n,), (size,))
    assert list(split(selected, size)) == list(split(selected, sizes))


@given(sizes_of_axis, st.data())
def test_align(blocks, data):
    n = sum(blocks)
    ends = sorted(data.draw(st.sets(st.integers(1, max(1, n - 1)), max_size=4)) | {0, n})
    cells = (tuple(b - a for a, b in zip(ends, ends[1:], strict=False)) or (0,),)
    aligned = align((blocks,), cells)

    def is_aligned(sizes):
        return {*accumulate(sizes)} <= {*ends}

    assert is_aligned(aligned[0])
    assert align(aligned, cells) == aligned
    assert sum(aligned[0]) == n
    assert len(aligned[0]) <= len(blocks)
    assert max(aligned[0]) <= max(blocks) + max(cells[0])
    if is_aligned(blocks):
        assert aligned == (tuple(size for size in blocks if size) or (0,),)


def test_without_a_grid_every_block_is_safe():
    assert align(((3, 1),), None) == ((3, 1),)


@given(st.integers(0, 40), st.integers(1, 5), st.integers(1, 7))
def test_window_grid_cuts_where_the_stored_chunk_changes(n, step, size):
    window = range(2, 2 + n * step, step)
    (cells,) = window_grid((window,), (size,))
    chunks = [position // size for position in window]
    ends = np.cumsum((0, *cells))
    groups = [set(chunks[a:b]) for a, b in zip(ends, ends[1:], strict=False) if b > a]
    assert all(len(group) == 1 for group in groups)
    assert len(set(chunks)) == len(groups)


def test_compose_selects_within_a_selection():
    x = np.arange(50)
    outer = positions((slice(3, 40, 3),), (50,))
    inner = (slice(2, 9, 2),)
    np.testing.assert_array_equal(x[compose(outer, inner)], x[3:40:3][2:9:2])


@pytest.mark.parametrize(
    "region", [(slice(None),), (slice(None), 0), (slice(None), slice(5, 0, -1))]
)
def test_a_region_has_a_forward_slice_for_each_axis(region):
    with pytest.raises(ValueError, match="region"):
        positions(region, (3, 6))


def test_unknown_sizes_are_refused():
    with pytest.raises(UnknownSizeError, match="compute_chunk_sizes"):
        align(((Unknown("t", 0), 3),), ((2, 2),))
