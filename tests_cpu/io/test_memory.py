import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.chunks.blocks import Grid
from gpuscale.expr.meta import ArrayMeta
from gpuscale.io import memory
from gpuscale.io.memory import KeptChunks, MemoryWriter
from gpuscale.memory.spill import spill
from gpuscale.memory.spill_folder import SpillFolder

sizes = st.lists(st.integers(0, 4), min_size=1, max_size=4).map(tuple)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return SpillFolder(tmp_path_factory.mktemp("spilled"))


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


@given(st.data(), st.lists(sizes, min_size=1, max_size=3).map(tuple), st.sampled_from("CF"))
def test_chunks_on_disk_are_read_in_any_piece(folder, data, chunks, order):
    shape = tuple(map(sum, chunks))
    x = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    kept, in_memory = keep(x, chunks)
    assert in_memory.cost == "view"
    some = data.draw(st.sets(st.sampled_from([*kept]), min_size=1))
    away = {k: spill(np.asarray(kept[k], order=order), folder) for k in some}
    reader = KeptChunks({**kept, **away}, ArrayMeta(x.dtype, chunks))
    assert reader.cost == "copy"
    region = tuple(
        slice(data.draw(st.integers(0, n)), data.draw(st.integers(0, n + 1)), step)
        for n, step in zip(shape, itertools.cycle((1, 2)), strict=False)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "BUFFER", 24)
        np.testing.assert_array_equal(reader.read(region), x[region])
    assert not any(reader.shows(each) for each in (x, *(kept[k] for k in some)))
    copy = pickle.loads(pickle.dumps(reader))
    assert copy.cost == "view" and copy.token == reader.token
    np.testing.assert_array_equal(copy.read(region), x[region])


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
