"""Arrays from what has slices: pieces are read, when they are needed."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, fake_device, nothing_computes
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


def stored(kind, folder):
    """Write the array to a file of some kind; return how to read it."""
    x = ga.asarray(ARRAY, chunks=3, like="numpy")
    if kind == "npy":
        ga.to_npy(x, folder / "x.npy")
        return partial(ga.from_npy, folder / "x.npy")
    if kind == "npy_stack":
        ga.to_npy_stack(folder / "x", x)
        return partial(ga.from_npy_stack, folder / "x")
    if kind == "hdf5":
        pytest.importorskip("h5py")
        ga.to_hdf5(x, folder / "x.h5", "/x")
        return partial(ga.from_hdf5, folder / "x.h5", "/x")
    if kind == "zarr":
        pytest.importorskip("zarr")
        ga.to_zarr(x, folder / "x.zarr")
        return partial(ga.from_zarr, folder / "x.zarr")
    if kind == "map":
        return partial(ga.from_map, ARRAY.__getitem__, ARRAY.shape, ARRAY.dtype)
    return partial(ga.from_array, x if kind == "lazy" else ARRAY)


@pytest.mark.parametrize("kind", ["npy", "npy_stack", "hdf5", "zarr", "map", "array", "lazy"])
def test_what_is_read_goes_to_a_device_piece_by_piece(kind, tmp_path):
    read = stored(kind, tmp_path)
    with fake_device.active():
        fake_device.TRANSFERS.clear()
        x = read(chunks=3, like="fake")
        assert x.backend == read(chunks=3, backend="fake").backend == "fake"
        assert fake_device.TRANSFERS.calls() == 0
        total = (x + 1).sum(axis=0)
        assert_eq(total, (ARRAY + 1).sum(axis=0))
        assert fake_device.TRANSFERS.nbytes("asarray", "set") == ARRAY.nbytes
        assert read(chunks=3, like="numpy").backend == "numpy"
