"""Broadcast shapes against NumPy, and the common grid of several operands."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Unknown
from gpuscale.chunks.blocks import n_blocks, offsets, shape_of
from gpuscale.chunks.broadcast import broadcast_shapes, refine_sizes, unify_chunks

shapes = st.lists(st.lists(st.sampled_from([0, 1, 1, 2, 3]), max_size=3).map(tuple), max_size=4)
chunkings = st.lists(st.integers(1, 6), min_size=1, max_size=6).map(tuple)


@given(shapes)
def test_shapes_and_refusals_are_numpys(shapes):
    try:
        expected = np.broadcast_shapes(*shapes)
    except ValueError:
        with pytest.raises(ValueError, match="could not be broadcast together with shapes"):
            broadcast_shapes(*shapes)
    else:
        assert broadcast_shapes(*shapes) == expected


def test_the_error_names_the_shapes():
    with pytest.raises(ValueError, match=r"shapes \(2,3\) \(4,\)"):
        broadcast_shapes((2, 3), (4,))


def recut(length, sizes):
    """Cut an axis at those boundaries of `sizes` that it reaches."""
    cuts = sorted({min(cut, length) for cut in offsets(sizes)} | {length})
    return tuple(np.diff(cuts).tolist()) or (0,)


@given(st.lists(st.tuples(chunkings, chunkings), min_size=1, max_size=4), st.data())
def test_the_common_grid_cuts_wherever_an_operand_is_cut_or_has_the_most_blocks(cuts, data):
    shape = (data.draw(st.integers(0, 20)), data.draw(st.integers(0, 20)))
    operands = []
    for rows, columns in cuts:
        lengths = tuple(data.draw(st.sampled_from([1, length])) for length in shape)
        chunks = (recut(lengths[0], rows), recut(lengths[1], columns))
        skip = data.draw(st.integers(0, 1)) if lengths[0] == 1 else 0
        operands.append((chunks[skip:], lengths[skip:]))
    out_shape = np.broadcast_shapes(*(lengths for _, lengths in operands))
    unified = unify_chunks(*operands)
    assert shape_of(unified) == out_shape
    ndim = len(out_shape)
    full = [
        (chunks[axis], axis + ndim - len(lengths))
        for chunks, lengths in operands
        for axis in range(len(lengths))
        if lengths[axis] == out_shape[axis + ndim - len(lengths)]
    ]
    refined = all(set(offsets(sizes)) <= set(offsets(unified[axis])) for sizes, axis in full)
    finest = all(len(sizes) <= len(unified[axis]) for sizes, axis in full)
    assert refined or finest


@given(st.lists(chunkings, min_size=1, max_size=3))
def test_a_refinement_has_the_union_of_the_cuts(axes):
    length = min(map(sum, axes))
    axes = [recut(length, sizes) for sizes in axes]
    cuts = set().union(*(offsets(sizes) for sizes in axes))
    assert set(offsets(refine_sizes(*axes))) == cuts


@given(chunkings, chunkings)
def test_grids_that_agree_are_kept(rows, columns):
    assume(rows != (1,) and columns != (1,))
    chunks = (rows, columns)
    shape = shape_of(chunks)
    assert unify_chunks((chunks, shape), (chunks[1:], shape[1:]), ((), ())) == chunks


def test_grids_that_hardly_agree_follow_the_finest():
    a, b, c = (10,) * 12, (12,) * 10, (15,) * 8
    shape = (120, 120)
    unified = unify_chunks(((a, a), shape), ((b, b), shape), ((c, c), shape))
    assert unified == (a, a)
    assert n_blocks(unify_chunks(((a,), (120,)), ((b,), (120,)))) == 20


def test_a_whole_operand_follows_the_others():
    assert unify_chunks((((4, 4),), (8,)), (((8,),), (8,))) == ((4, 4),)
    assert unify_chunks() == ()


def test_unknown_axes_align_only_with_themselves():
    sizes = (Unknown("a", 0), Unknown("a", 1))
    length = Unknown("a", -1)
    one = (((1,),), (1,))
    assert unify_chunks(((sizes,), (length,)), ((sizes,), (length,)), one) == (sizes,)
    assert broadcast_shapes((3, length), (1,), (length,)) == (3, length)
    others = [(((5,),), (5,)), (((Unknown("b", 0),),), (Unknown("b", -1),))]
    for other in others:
        with pytest.raises(UnknownSizeError, match=r"axis 0.*compute_chunk_sizes"):
            unify_chunks(((sizes,), (length,)), other)
    with pytest.raises(UnknownSizeError, match="axis 0"):
        unify_chunks(((sizes,), (length,)), ((sizes[:1],), (length,)))


def test_slivers_of_one_operand_are_not_handed_on():
    even, shifted = (50,) * 4, (1, 50, 50, 50, 49)
    assert unify_chunks(((shifted,), (200,)), ((even,), (200,))) == (even,)
    whole = (200,)  # has none, but is one large block
    assert unify_chunks(((shifted,), (200,)), ((whole,), (200,))) == (shifted,)
