"""Affine views against NumPy: whole arrays, compositions, and block by block."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base.errors import ChunkError, UnknownSizeError
from gpuscale.base.types import Unknown
from gpuscale.chunks import views
from gpuscale.chunks.blocks import Grid, block_indices, block_shape, shape_of
from gpuscale.chunks.slicing import slice_view

axis_sizes = st.lists(st.integers(0, 4), min_size=1, max_size=4).map(tuple)


def grids(max_ndim=3):
    return st.lists(axis_sizes, max_size=max_ndim).map(tuple)


def read(source, axes, shape):
    """Gather what a view (or a local map of one) reads."""
    index = []
    for out_axis, start, step in axes:
        positions = np.array(start)
        if out_axis is not None:
            along = [1] * len(shape)
            along[out_axis] = shape[out_axis]
            positions = (start + step * np.arange(shape[out_axis])).reshape(along)
        index.append(positions)
    return np.broadcast_to(source[tuple(index)], shape)


def numbered(shape):
    return np.arange(np.prod(shape, dtype=int)).reshape(shape)


@st.composite
def random_view(draw, shape):
    """A view with the NumPy array that it should give."""
    source = numbered(shape)
    kinds = ["transpose", "expand_dims", "squeeze", "flip", "slice", "broadcast"]
    kind = draw(st.sampled_from(kinds + ["diagonal"] * (len(shape) > 1)))
    axes = draw(st.permutations(range(len(shape))))
    some = tuple(axes[: draw(st.integers(0, len(shape)))])
    if kind == "transpose":
        return views.transpose(shape, axes), source.transpose(axes)
    if kind == "expand_dims":
        place = draw(st.integers(-len(shape) - 1, len(shape)))
        return views.expand_dims(shape, place), np.expand_dims(source, place)
    if kind == "squeeze":
        return views.squeeze(shape), np.squeeze(source)
    if kind == "flip":
        return views.flip(shape, some), np.flip(source, some)
    if kind == "broadcast":
        target = (2, *(3 if length == 1 else length for length in shape))
        return views.broadcast_to(shape, target), np.broadcast_to(source, target)
    if kind == "diagonal":
        offset = draw(st.integers(-5, 5))
        pair = axes[0], axes[1]
        return views.diagonal(shape, offset, *pair), np.diagonal(source, offset, *pair)
    index = tuple(draw(slices) for _ in some)
    return slice_view(index, shape), source[index]


bounds = st.none() | st.integers(-6, 6)
slices = st.builds(slice, bounds, bounds, st.none() | st.sampled_from([-3, -2, -1, 1, 2, 3]))


@given(grids(), st.data())
def test_a_view_reads_what_numpy_reads(chunks, data):
    shape = shape_of(chunks)
    view, expected = data.draw(random_view(shape))
    assert view.shape == expected.shape
    np.testing.assert_array_equal(read(numbered(shape), view.axes, view.shape), expected)


@given(grids(2), st.data())
def test_a_chain_of_views_is_one_view(chunks, data):
    shape = shape_of(chunks)
    source = numbered(shape)
    chain = views.identity(shape)
    expected = source
    for _ in range(data.draw(st.integers(1, 4))):
        view, positions = data.draw(random_view(expected.shape))
        expected = expected.reshape(-1)[positions]
        chain = views.compose(view, chain)
    assert chain.shape == expected.shape
    np.testing.assert_array_equal(read(source, chain.axes, chain.shape), expected)


def source_blocks(view, source_chunks, out_chunks):
    """Yield each output block, the source block that it reads, and where it starts in that."""
    tables = views.axis_tables(view, source_chunks, out_chunks)
    for index in block_indices(out_chunks):
        rows = [
            table[0 if out_axis is None else index[out_axis]]
            for table, (out_axis, _, _) in zip(tables, view.axes, strict=True)
        ]
        yield index, tuple(block for block, _ in rows), tuple(start for _, start in rows)


@given(grids(), st.data())
def test_every_output_block_reads_one_source_block(chunks, data):
    shape = shape_of(chunks)
    source, grid = numbered(shape), Grid(chunks)
    view, expected = data.draw(random_view(shape))
    new = {0: (1, 1)} if view.shape[:1] == (2,) and view.axes == views.identity(shape).axes else {}
    out_chunks = views.view_chunks(view, chunks, new)
    assert shape_of(out_chunks) == view.shape
    out_grid = Grid(out_chunks)
    for out_index, index, starts in source_blocks(view, chunks, out_chunks):
        local = [(a, start, step) for (a, _, step), start in zip(view.axes, starts, strict=True)]
        block = source[grid.slices(index)]
        out_shape = block_shape(out_chunks, out_index)
        if 0 in out_shape:
            continue
        for length, (out_axis, start, step) in zip(block.shape, local, strict=True):
            n = 1 if out_axis is None else out_shape[out_axis]
            assert 0 <= start < length
            assert 0 <= start + step * (n - 1) < length
        got = read(block, local, out_shape)
        np.testing.assert_array_equal(got, expected[out_grid.slices(out_index)])
    assert {i for i, _, _ in source_blocks(view, chunks, out_chunks)} == set(
        block_indices(out_chunks)
    )


@given(grids(), st.data())
def test_inherited_blocks_are_empty_only_where_the_axis_is_or_is_kept_whole(chunks, data):
    shape = shape_of(chunks)
    index = tuple(data.draw(slices) for _ in shape)
    view = slice_view(index, shape)
    for sizes, source_sizes in zip(views.view_chunks(view, chunks), chunks, strict=True):
        assert 0 not in sizes or sizes == (0,) or sizes == source_sizes


def test_equal_views_are_spelt_alike():
    shape = (6, 1, 0)
    back_and_forth = views.compose(views.flip(shape), views.flip(shape))
    assert back_and_forth == views.identity(shape)
    assert views.is_identity(back_and_forth, shape)
    assert not views.is_identity(views.flip(shape), shape)
    grown = views.expand_dims((6,), 0)
    assert views.is_identity(views.compose(views.squeeze((1, 6)), grown), (6,))
    assert slice_view(slice(3, 4, 7), (6,)) == slice_view(slice(3, 4), (6,))
    assert slice_view(slice(3, 3), (6,)) == slice_view(slice(5, 2), (6,))


def test_a_diagonal_is_cut_where_either_axis_is():
    view = views.diagonal((6, 6))
    assert views.view_chunks(view, ((4, 2), (3, 3))) == ((3, 1, 2),)


def test_a_block_that_straddles_two_source_blocks_is_refused():
    view = views.identity((6,))
    with pytest.raises(ChunkError, match=r"reads positions 2 to 3 of the source"):
        views.axis_tables(view, ((3, 3),), ((2, 2, 2),))
    assert views.axis_tables(view, ((3, 3),), ((2, 1, 3),)) == (((0, 0), (0, 2), (1, 0)),)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: views.transpose((2, 3), (0, 0)), ValueError, "repeated axis in transpose"),
        (lambda: views.transpose((2, 3), (0,)), ValueError, "axes don't match array"),
        (lambda: views.transpose((2, 3), (0, 5)), np.exceptions.AxisError, "axis 5 is out of"),
        (lambda: views.broadcast_to((2, 3), (3, 3)), ValueError, r"\(2, 3\) to shape \(3, 3\)"),
        (lambda: views.broadcast_to((2, 3), (3,)), ValueError, "cannot broadcast"),
        (lambda: views.squeeze((2, 1), 0), ValueError, "not equal to one"),
        (lambda: views.squeeze((2, 1), 5), np.exceptions.AxisError, "axis 5"),
        (lambda: views.expand_dims((2,), 7), np.exceptions.AxisError, "axis 7"),
        (lambda: views.expand_dims((2,), (0, 0)), ValueError, "repeated axis"),
        (lambda: views.flip((2,), 7), np.exceptions.AxisError, "axis 7"),
        (lambda: views.diagonal((2,)), ValueError, "at least two dimensions"),
        (lambda: views.diagonal((2, 2), 0, 1, -1), ValueError, "cannot be the same"),
    ],
)
def test_mistakes_raise_numpys_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_squeeze_takes_only_the_given_axes():
    assert views.squeeze((1, 1, 4), -2).shape == (1, 4)
    assert views.flip((3, 4)).axes == ((0, 2, -1), (1, 3, -1))


def test_unknown_axes_pass_through_whole():
    sizes = (Unknown("a", 0), Unknown("a", 1))
    shape = (Unknown("a", -1), 4)
    view = views.transpose(shape)
    out_chunks = views.view_chunks(view, (sizes, (2, 2)))
    assert out_chunks == ((2, 2), sizes)
    assert views.axis_tables(view, (sizes, (2, 2)), out_chunks)[0] == ((0, 0), (1, 0))
    assert views.broadcast_to(shape, (3, *shape)).shape == (3, *shape)
    for make in (
        lambda: views.flip(shape, 0),
        lambda: views.view_chunks(views.broadcast_to((1,), shape[:1]), ((1,),)),
        lambda: views.axis_tables(view, (sizes, (2, 2)), ((2, 2), (3, 3))),
    ):
        with pytest.raises(UnknownSizeError, match="compute_chunk_sizes"):
            make()
    given = {0: sizes}
    assert views.view_chunks(views.broadcast_to((1,), shape[:1]), ((1,),), given) == (sizes,)
