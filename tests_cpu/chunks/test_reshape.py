"""Reshape plans carried out block by block, against NumPy."""

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Unknown
from gpuscale.chunks.blocks import Grid, block_shape, max_block, n_blocks, shape_of
from gpuscale.chunks.blocks import uniform_sizes as uniform
from gpuscale.chunks.reshape import plan_reshape, resolve_shape


def carry_out(step, data):
    """Reshape block by block, as the tasks of a step do."""
    grid, out_grid = Grid(step.chunks_in), Grid(step.chunks_out)
    out = np.full(step.shape, -1)
    for index, out_index in zip(grid, out_grid, strict=True):
        block = data[(*grid.slices(index), ...)]
        out[(*out_grid.slices(out_index), ...)] = block.reshape(
            block_shape(step.chunks_out, out_index)
        )
    return out


@st.composite
def reshapes(draw):
    """Two shapes of one size with some chunks of the first: factors dealt out twice."""
    factors = draw(st.lists(st.sampled_from([1, 2, 2, 3, 5, 7]), max_size=6))

    def deal(factors):
        ndim = draw(st.integers(1 if prod(factors) > 1 else 0, 4))
        shape = [1] * ndim
        place = draw(st.booleans()) and sorted(draw(st.integers(0, 3)) for _ in factors)
        for i, factor in enumerate(factors):
            if factor > 1:
                axis = place[i] if place else draw(st.integers(0, 3))
                shape[axis % ndim] *= factor
        return tuple(shape)

    old, new = deal(factors), deal(factors)
    chunks = tuple(
        draw(st.sampled_from([uniform(n, draw(st.integers(1, n))), (n // 2, 0, n - n // 2)]))
        for n in old
    )
    return old, new, chunks


@given(reshapes())
def test_blocks_reshaped_one_by_one_make_up_the_reshaped_array(case):
    old, new, chunks = case
    data = expected = np.arange(prod(old)).reshape(old)
    steps = plan_reshape(old, new, chunks)
    assert len(steps) <= 2
    assert bool(steps) == (old != new)
    for step in steps:
        assert shape_of(step.chunks_in) == data.shape
        assert shape_of(step.chunks_out) == step.shape
        assert n_blocks(step.chunks_in) == n_blocks(step.chunks_out)
        assert prod(max_block(step.chunks_in)) <= prod(max_block(chunks))
        data = carry_out(step, data)
    np.testing.assert_array_equal(data, expected.reshape(new))


@pytest.mark.parametrize(
    ("old", "new", "chunks", "steps"),
    [
        ((6, 4), (24,), ((3, 3), (4,)), [(((3, 3), (4,)), ((12, 12),))]),
        ((24,), (6, 4), ((12, 12),), [(((12, 12),), ((3, 3), (4,)))]),
        ((24,), (6, 4), ((10, 10, 4),), [(((8, 8, 8),), ((2, 2, 2), (4,)))]),
        ((2, 100), (200,), ((1, 1), (30, 70)), [(((1, 1), (30, 70)), ((30, 70, 30, 70),))]),
        ((200,), (2, 100), ((30, 70, 30, 70),), [(((30, 70, 30, 70),), ((1, 1), (30, 70)))]),
        ((200,), (2, 100), ((50,) * 4,), [(((50,) * 4,), ((1, 1), (50, 50)))]),
        ((5, 7), (5, 1, 7), ((2, 3), (7,)), [(((2, 3), (7,)), ((2, 3), (1,), (7,)))]),
        ((6, 35), (21, 10), ((6,), (35,)), [(((6,), (35,)), ((21,), (10,)))]),
        ((), (1, 1), (), [((), ((1,), (1,)))]),
        ((1, 1), (), ((1,), (1,)), [(((1,), (1,)), ())]),
        ((0, 3), (5, 0), ((0,), (2, 1)), [(((0,), (3,)), ((5,), (0,)))]),
    ],
)
def test_grids_are_kept_where_they_can_be(old, new, chunks, steps):
    plan = plan_reshape(old, new, chunks)
    assert [(step.chunks_in, step.chunks_out) for step in plan] == steps


def test_axes_merged_and_split_at_once_go_through_a_flat_axis():
    steps = plan_reshape((6, 35, 8), (21, 10, 2, 4), ((1,) * 6, (35,), (8,)))
    assert [step.shape for step in steps] == [(210, 2, 4), (21, 10, 2, 4)]


lengths = st.lists(st.integers(-1, 6), max_size=3).map(tuple)


@given(st.lists(st.integers(0, 6), max_size=3).map(tuple), lengths)
def test_shapes_and_refusals_are_numpys(old, new):
    data = np.empty(old)
    try:
        expected = data.reshape(new).shape
    except ValueError as error:
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            resolve_shape(old, new)
        # NumPy forgets commas and a leading -1 when it writes the shape
        assert str(caught.value).split(" into ")[0] == str(error).split(" into ")[0]
    else:
        assert resolve_shape(old, new) == expected


def test_other_negative_lengths_and_floats_are_refused():
    with pytest.raises(ValueError, match="negative dimensions"):
        resolve_shape((6,), (-2, 3))
    with pytest.raises(TypeError):
        resolve_shape((6,), (2.0, 3))


def test_unknown_axes_can_be_kept():
    length, sizes = Unknown("a", -1), (Unknown("a", 0), Unknown("a", 1))
    old, chunks = (length, 4, 6), (sizes, (2, 2), (6,))
    for new in ((length, 24), (-1, 24), (length, -1)):
        (step,) = plan_reshape(old, new, chunks)
        assert step.shape == (length, 24)
        assert step.chunks_out == (sizes, (12, 12))
    assert plan_reshape(old, (length, 4, 6), chunks) == []


@pytest.mark.parametrize("new", [(24, -1, 1), (-1,), (48, 2), (Unknown("b", -1), 24)])
def test_unknown_axes_cannot_be_merged_or_moved(new):
    length, sizes = Unknown("a", -1), (Unknown("a", 0), Unknown("a", 1))
    with pytest.raises(UnknownSizeError, match=r"cannot reshape.*compute_chunk_sizes"):
        plan_reshape((length, 4, 6), new, (sizes, (2, 2), (6,)))
