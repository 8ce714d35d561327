"""What may go along with each task of another process."""

import threading

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.io.array_like import ItemWriter, reader_of
from gpuscale.io.memory import KeptChunks
from gpuscale.io.places import is_open_to_all


class Like:
    shape, dtype = (4,), np.dtype(float)

    def __init__(self, inside):
        self.inside = inside

    def __getitem__(self, key):
        return np.zeros(4)[key]


@pytest.mark.parametrize(
    ("array", "stays"),
    [
        (np.zeros(4), True),
        (Like("a path"), False),
        (Like(threading.Lock()), True),
        (Like(np.zeros(1 << 20)), True),
    ],
)
def test_what_is_read_in_this_process(array, stays):
    assert reader_of(array).is_memory is stays


def test_what_is_written_in_this_process(tmp_path):
    zarr = pytest.importorskip("zarr")
    on_disk = zarr.create_array(tmp_path / "x", shape=(4,), dtype="f8")
    in_memory = zarr.create_array(zarr.storage.MemoryStore(), shape=(4,), dtype="f8")
    assert is_open_to_all(on_disk)
    assert not ItemWriter(on_disk).is_local
    assert ItemWriter(on_disk, lock=True).is_local
    assert ItemWriter(in_memory).is_local
    assert ItemWriter(np.memmap(tmp_path / "y", "f8", "w+", shape=(4,))).is_local


def test_kept_chunks_do_not_change():
    (kept,) = (ga.ones(4, chunks=2).persist(),)
    assert isinstance(kept.expr.reader, KeptChunks)
    assert kept.expr.reader.may_change is False
