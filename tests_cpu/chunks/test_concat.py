"""Concatenations and stacks carried out block by block, against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Unknown
from gpuscale.chunks.blocks import Grid, shape_of
from gpuscale.chunks.concat import nesting_depth, plan_concatenate, plan_stack

cuts = st.lists(st.integers(0, 8), max_size=3)


def cut(length, cuts):
    places = sorted(min(place, length) for place in cuts)
    return tuple(np.diff([0, *places, length]).tolist())


def carry_out(plan, arrays, axis, stacked):
    out = np.full(plan.shape, -1)
    grids = [Grid(chunks) for chunks in plan.chunks_in]
    for array, chunks in zip(arrays, plan.chunks_in, strict=True):
        assert shape_of(chunks) == array.shape
    out_grid = Grid(plan.chunks)
    for index in out_grid:
        number, block = plan.sources[index[axis]]
        own = (*index[:axis], *(() if stacked else (block,)), *index[axis + 1 :])
        piece = arrays[number][grids[number].slices(own)]
        out[out_grid.slices(index)] = np.expand_dims(piece, axis) if stacked else piece
    return out


@given(st.lists(st.integers(0, 8), min_size=1, max_size=3), st.integers(1, 3), st.data())
def test_blocks_laid_side_by_side_make_up_numpys_result(shape, n_arrays, data):
    axis = data.draw(st.integers(0, len(shape) - 1))
    stacked = data.draw(st.booleans())
    arrays, operands = [], []
    for number in range(n_arrays):
        own = list(shape)
        if not stacked:
            own[axis] = data.draw(st.integers(0, 8))
        arrays.append(np.arange(np.prod(own)).reshape(own) + 1000 * number)
        operands.append((tuple(cut(n, data.draw(cuts)) for n in own), tuple(own)))
    if stacked:
        axis = data.draw(st.integers(0, len(shape)))
        plan, expected = plan_stack(operands, axis), np.stack(arrays, axis)
    else:
        plan, expected = plan_concatenate(operands, axis), np.concatenate(arrays, axis)
        assert 0 not in plan.chunks[axis] or plan.chunks[axis] == (0,)
    assert plan.shape == expected.shape == shape_of(plan.chunks)
    np.testing.assert_array_equal(carry_out(plan, arrays, axis, stacked), expected)


def whole(*shape):
    return tuple((length,) for length in shape), shape


@pytest.mark.parametrize(
    ("shapes", "axis"),
    [
        ([], 0),
        ([()], 0),
        ([(), (2,)], 0),
        ([(2, 3), (3, 4)], 0),
        ([(2, 3), (3,)], 0),
        ([(2, 3), (2, 3)], 4),
        ([(2, 3), (2, 4)], -3),
    ],
)
def test_mistakes_raise_what_numpy_raises(shapes, axis):
    for plan, function in ((plan_concatenate, np.concatenate), (plan_stack, np.stack)):
        try:
            function([np.ones(shape) for shape in shapes], axis)
        except ValueError as error:
            with pytest.raises(type(error)) as caught:
                plan([whole(*shape) for shape in shapes], axis)
            assert str(error) in str(caught.value)
        else:
            assert plan([whole(*shape) for shape in shapes], axis).shape == (len(shapes),)


def test_unknown_sizes_pass_through():
    a, b = Unknown("a", -1), Unknown("b", -1)
    sizes_a, sizes_b = (Unknown("a", 0), Unknown("a", 1)), (Unknown("b", 0),)
    one, other = ((sizes_a, (4,)), (a, 4)), ((sizes_b, (2, 2)), (b, 4))
    plan = plan_concatenate([one, other, whole(3, 4)], 0)
    assert plan.chunks == ((*sizes_a, *sizes_b, 3), (2, 2))
    assert plan.shape == plan_concatenate([one, other, whole(3, 4)], 0).shape
    assert plan.shape[0] != plan_concatenate([other, one, whole(3, 4)], 0).shape[0]
    assert plan_concatenate([one], 0).shape == (a, 4)
    assert plan_stack([one, one], 0).chunks == ((1, 1), sizes_a, (4,))
    for plan_it in (lambda: plan_stack([one, other], 0), lambda: plan_concatenate([one, other], 1)):
        with pytest.raises(UnknownSizeError, match="compute_chunk_sizes"):
            plan_it()


def test_nested_lists_are_equally_deep():
    assert nesting_depth([[[1], [2]]]) == 3
    for wrong in ([], [[1], 2], [[1], []], [1, [2]]):
        with pytest.raises(ValueError) as expected:  # noqa: PT011
            np.block(wrong)
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            nesting_depth(wrong)
        assert str(caught.value).split(" (")[0] == str(expected.value).split(" (")[0]
    with pytest.raises(TypeError, match="Only lists"):
        nesting_depth([(1, 2)])
