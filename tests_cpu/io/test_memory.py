import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.chunks.blocks import Grid
from gpuscale.expr.meta import ArrayMeta
from gpuscale.io.memory import KeptChunks, MemoryWriter

sizes = st.lists(st.integers(0, 4), min_size=1, max_size=4).map(tuple)


def keep(x, chunks):
    grid = Grid(chunks)
    kept = {number: x[(*grid.slices(number), ...)].copy() for number in grid}
    return kept, KeptChunks(kept, ArrayMeta(x.dtype, chunks))


@given(st.data(), st.lists(sizes, max_size=3).map(tuple))
def test_kept_chunks_are_read_in_any_piece(data, chunks):
    shape = tuple(map(sum, chunks))
    x = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    _, reader = keep(x, chunks)
    region = tuple(
        slice(data.draw(st.integers(0, n)), data.draw(st.integers(0, n + 1)), step)
        for n, step in zip(shape, itertools.cycle((1, 2)), strict=False)
    )
    piece = reader.read(region)
    assert isinstance(piece, np.ndarray)
    np.testing.assert_array_equal(piece, x[region])


def test_a_piece_of_one_chunk_is_a_view():
    kept, reader = keep(np.arange(6), ((4, 2),))
    assert np.shares_memory(reader.read((slice(1, 3),)), kept[(0,)])


def test_no_two_are_the_same():
    x = np.arange(6)
    assert keep(x, ((6,),))[1].token != keep(x, ((6,),))[1].token


@pytest.mark.parametrize("shape", [(), (4,)])
def test_memory_is_filled_in_place(shape):
    writer = MemoryWriter(ArrayMeta(np.dtype("i4"), tuple((n,) for n in shape)))
    region = (slice(0, 2),) * len(shape)
    writer.target(region)[...] = 7
    assert (writer.array[region] == 7).all()
    writer.write(region, np.asarray(8))
    assert (writer.array[region] == 8).all()
