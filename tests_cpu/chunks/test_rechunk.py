"""Pieces and plans of a rechunk, carried out on NumPy arrays."""

from itertools import pairwise
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Unknown
from gpuscale.chunks.blocks import block_indices, max_block, n_blocks, offsets, shape_of
from gpuscale.chunks.blocks import uniform_sizes as uniform
from gpuscale.chunks.rechunk import intersections, plan_rechunk, step_cost

cuts = st.lists(st.integers(0, 40), max_size=8)


def cut(length, cuts):
    """Cut an axis at arbitrary places; a place named twice makes an empty block."""
    places = sorted(min(place, length) for place in cuts)
    return tuple(np.diff([0, *places, length]).tolist())


@given(st.integers(0, 40), cuts, cuts)
def test_pieces_put_together_are_the_new_blocks(length, old_cuts, new_cuts):
    old, new = cut(length, old_cuts), cut(length, new_cuts)
    data = np.arange(length)
    old_blocks = np.split(data, offsets(old)[1:-1])
    pieces = intersections(old, new)
    for expected, parts in zip(np.split(data, offsets(new)[1:-1]), pieces, strict=True):
        assert len(parts) >= 1
        assert len(parts) == 1 or all(stop > start for _, start, stop in parts)
        got = np.concatenate([old_blocks[block][start:stop] for block, start, stop in parts])
        np.testing.assert_array_equal(got, expected)


grid_pairs = st.lists(st.tuples(st.integers(0, 40), cuts, cuts), min_size=1, max_size=3)


@given(grid_pairs, st.integers(1, 10**5))
def test_a_plan_ends_at_the_new_grid_and_keeps_the_shape(axes, max_bytes):
    old = tuple(cut(length, before) for length, before, _ in axes)
    new = tuple(cut(length, after) for length, _, after in axes)
    plan = plan_rechunk(old, new, 8, max_bytes)
    assert plan[-1:] == [new] if old != new else plan == []
    for before, after in pairwise([old, *plan]):
        assert before != after
        assert shape_of(after) == shape_of(old)
        largest = max(prod(max_block(old)), prod(max_block(new)), max_bytes // 8)
        assert prod(max_block(after)) <= largest


@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 10**6))
def test_no_step_holds_much_more_than_asked_or_than_the_best_plan_found(rows, columns, max_bytes):
    old = (uniform(4000, rows), (4000,))
    new = ((4000,), uniform(4000, columns))
    held = [
        step_cost(a, b, 8).held_bytes
        for a, b in pairwise([old, *plan_rechunk(old, new, 8, max_bytes)])
    ]
    roomy = [
        step_cost(a, b, 8).held_bytes for a, b in pairwise([old, *plan_rechunk(old, new, 8, 2**40)])
    ]
    assert max(held) <= max(max_bytes, max(roomy))


def test_the_cost_of_a_step_counts_pieces_and_whole_blocks():
    old, new = ((2, 3), (4, 4)), ((5,), (2, 6))
    pieces = [
        len(row) * len(column)
        for row in intersections(old[0], new[0])
        for column in intersections(old[1], new[1])
    ]
    assert step_cost(old, new, 8) == (sum(pieces), 8 * (5 * 8 + 5 * 6))


def test_few_pieces_need_no_detour():
    old, new = (uniform(10**5, 100), (50,)), (uniform(10**5, 170), (50,))
    assert plan_rechunk(old, new, 8, 10**9) == [new]


def test_many_thin_blocks_go_through_wide_ones():
    old, new = ((1,) * 5000, (5000,)), ((5000,), (1,) * 5000)
    plan = plan_rechunk(old, new, 8, 2**30)
    steps = [step_cost(a, b, 8) for a, b in pairwise([old, *plan])]
    assert len(plan) == 3
    assert sum(step.pieces for step in steps) < 20_000 < step_cost(old, new, 8).pieces == 25 * 10**6
    assert max(step.held_bytes for step in steps) <= 2**30


def test_a_small_budget_bounds_what_a_task_holds():
    old, new = (uniform(8000, 80), (8000,)), ((8000,), uniform(8000, 80))
    direct = step_cost(old, new, 8).held_bytes
    plan = plan_rechunk(old, new, 8, direct // 4)
    held = [step_cost(a, b, 8).held_bytes for a, b in pairwise([old, *plan])]
    assert len(plan) > 1
    assert max(held) <= direct // 4


def test_grids_that_make_up_different_arrays_are_refused():
    for old, new in ((((4,),), ((5,),)), (((4,),), ((4,), (1,)))):
        with pytest.raises(ValueError, match="cannot rechunk"):
            plan_rechunk(old, new, 8, 100)
    with pytest.raises(ValueError, match="4 and of 5"):
        intersections((4,), (5,))


def test_unknown_axes_stay_as_they_are():
    sizes = (Unknown("a", 0), Unknown("a", 1))
    assert plan_rechunk((sizes, (4, 4)), (sizes, (8,)), 8, 10**9) == [(sizes, (8,))]
    assert plan_rechunk((sizes,), (sizes,), 8, 10**9) == []
    with pytest.raises(UnknownSizeError, match=r"axis 0.*compute_chunk_sizes"):
        plan_rechunk((sizes, (4, 4)), (sizes[:1], (8,)), 8, 10**9)


def test_a_plan_gives_the_right_array():
    old, new = ((3, 4, 1), (8,)), ((8,), (1, 5, 2))
    data = np.arange(64).reshape(8, 8)
    blocks = {i: data[np.ix_(*positions(old, i))] for i in block_indices(old)}
    for before, after in pairwise([old, *plan_rechunk(old, new, 8, 300)]):
        tables = [intersections(a, b) for a, b in zip(before, after, strict=True)]
        blocks = {
            i: np.block(
                [
                    [blocks[r[0], c[0]][r[1] : r[2], c[1] : c[2]] for c in tables[1][i[1]]]
                    for r in tables[0][i[0]]
                ]
            )
            for i in block_indices(after)
        }
    assert len(blocks) == n_blocks(new)
    for i, block in blocks.items():
        np.testing.assert_array_equal(block, data[np.ix_(*positions(new, i))])


def positions(chunks, index):
    starts = [offsets(sizes) for sizes in chunks]
    return [range(s[i], s[i + 1]) for s, i in zip(starts, index, strict=True)]
