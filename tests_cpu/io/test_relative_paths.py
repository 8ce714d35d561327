"""A relative path is one of the folder where the user wrote it, whoever reads or writes later."""

import os
import pickle

import numpy as np
import pytest

from gpuscale.expr.detached import dumps
from gpuscale.io.array_like import ItemWriter, reader_of
from gpuscale.io.hdf5 import open_hdf5
from gpuscale.io.npy import NpyWriter, open_npy
from gpuscale.io.npy_stack import NpyStackReader, NpyStackWriter
from gpuscale.io.zarr import ZarrWriter, open_zarr

A = np.arange(12.0)
PARTS = [(slice(0, 6),), (slice(6, 12),)]


@pytest.fixture
def move(tmp_path, monkeypatch):
    """Go elsewhere, as a worker that was started there has always been."""
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return lambda: monkeypatch.chdir(tmp_path / "there")


def zarr_array(name, value, path=None, **options):
    zarr = pytest.importorskip("zarr", reason="zarr is an extra")
    made = zarr.create_array(name, name=path, shape=A.shape, dtype=A.dtype, chunks=(6,), **options)
    made[:] = value
    return made


def open_in_h5(name):
    h5py = pytest.importorskip("h5py", reason="h5py is an extra")
    with h5py.File(name, "w") as file:
        file.create_dataset("x", data=A, chunks=(6,))
    return open_hdf5(name, "x")


def saved(name):
    np.save(name, A)
    return name


def stacked(name):
    writer = NpyStackWriter(name)
    written(writer)
    return NpyStackReader(name)


def written(writer):
    writer.open(A.shape, A.dtype, ((6, 6),))
    for part in PARTS:
        pickle.loads(dumps(writer.write))(part, A[part])
    writer.commit()


READERS = {
    "npy": lambda: open_npy(saved("x.npy")),
    "memmap": lambda: reader_of(np.load(saved("x.npy"), mmap_mode="r")),
    "npy_stack": lambda: stacked("x"),
    "hdf5": lambda: open_in_h5("x.h5"),
    "zarr": lambda: (zarr_array("x", A), open_zarr("x"))[1],
    "file URL": lambda: (zarr_array("x", A), open_zarr("file://x"))[1],
    "zarr.Array": lambda: reader_of(zarr_array("x", A)),
    "format 2": lambda: reader_of(zarr_array("x", A, zarr_format=2)),
    "within a group": lambda: reader_of(zarr_array("x", A, path="group/y")),
}


@pytest.mark.parametrize("kind", READERS)
def test_what_is_read(move, kind):
    reader = READERS[kind]()
    move()
    copied = pickle.loads(dumps(reader.read))
    for part in PARTS:
        np.testing.assert_array_equal(copied(part), A[part])
        np.testing.assert_array_equal(reader.read(part), A[part])


def test_arrays_of_one_name_in_two_folders_are_two(move):
    first = reader_of(zarr_array("x", A))
    move()
    second = reader_of(zarr_array("x", -A))
    assert first.token != second.token
    np.testing.assert_array_equal(first.read(PARTS[1]), A[6:])
    np.testing.assert_array_equal(second.read(PARTS[1]), -A[6:])


WRITERS = {
    "npy": lambda: NpyWriter("y.npy"),
    "npy_stack": lambda: NpyStackWriter("y"),
    "zarr": lambda: ZarrWriter("y"),
    "within a group": lambda: ZarrWriter("y", "group/z"),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_what_is_written(move, tmp_path, kind):
    writer = WRITERS[kind]()
    writer.open(A.shape, A.dtype, ((6, 6),))
    move()
    for part in PARTS:
        pickle.loads(dumps(writer.write))(part, A[part])
    writer.commit()
    assert os.listdir(tmp_path / "there") == []
    assert os.listdir(tmp_path / "here") == [str(getattr(writer, "path", "y"))]


def test_what_is_stored_into_an_array(move, tmp_path):
    target = zarr_array("z", 0)
    writer = ItemWriter(target)
    move()
    written(writer)
    assert os.listdir(tmp_path / "there") == []
    os.chdir(tmp_path / "here")
    np.testing.assert_array_equal(target[:], A)
