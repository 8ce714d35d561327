"""Arrays from what has slices: pieces are read, when they are needed."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunks

ARRAY = np.arange(30.0).reshape(5, 6)


@settings(max_examples=15)
@given(st.data())
def test_from_array_reads_pieces_of_anything(data):
    asked = []

    class Thing:
        shape, dtype = ARRAY.shape, ARRAY.dtype

        def __getitem__(self, index):
            asked.append(index)
            return ARRAY[index]

    cut = data.draw(chunks(ARRAY.shape))
    with nothing_computes():
        x = ga.from_array(Thing(), chunks=cut)
    assert not asked
    assert_eq(x[1:3], ARRAY[1:3])
    assert_eq(ga.from_map(lambda s: ARRAY[s], ARRAY.shape, float, chunks=cut), ARRAY)


def test_memory_maps_are_read_through_views(tmp_path):
    np.save(tmp_path / "x.npy", ARRAY)
    x = ga.from_array(np.load(tmp_path / "x.npy", mmap_mode="r"), chunks=2)
    assert_eq(x.T[::-1, 1:] + x.T[:, 1:], ARRAY.T[::-1, 1:] + ARRAY.T[:, 1:])
