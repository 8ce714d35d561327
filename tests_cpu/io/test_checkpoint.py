"""Files of results: whole or not there, read as they were written."""

import errno
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gpuscale.base.errors import CheckpointError
from gpuscale.expr.meta import ArrayMeta
from gpuscale.io import checkpoint
from gpuscale.io.checkpoint import CheckpointReader, ChunkEntry, ValueEntry, make_folder
from gpuscale.io.npy import open_npy
from gpuscale.io.targets import hidden_sibling, make_locked, unlock


class Unpicklable:
    def __reduce__(self):
        raise TypeError("not this one")


@given(
    hnp.arrays(
        st.one_of(hnp.scalar_dtypes(), st.just(np.dtype("i4,f8"))), hnp.array_shapes(min_dims=0)
    )
)
def test_arrays_come_back(tmp_path_factory, array):
    entry = ValueEntry(str(tmp_path_factory.getbasetemp()), "x")
    for each in (array, np.asfortranarray(array)):
        Path(entry.folder, "x.npy").unlink(missing_ok=True)
        entry.keep(each)
        back = entry.read()
        assert back.dtype == each.dtype and back.shape == each.shape and back.flags.writeable
        assert back.tobytes() == each.tobytes()


def test_a_read_only_array_comes_back_as_one(tmp_path):
    entry, array = ValueEntry(str(tmp_path), "x"), np.arange(3.0)
    array.flags.writeable = False
    entry.keep(array)
    assert entry.is_kept() and not entry.read().flags.writeable
    assert entry.read().tolist() == [0, 1, 2]


CUBE = np.arange(24.0).reshape(2, 3, 4)
ORDERS = [
    CUBE,
    CUBE[:, ::2],
    np.asfortranarray(CUBE),
    np.asfortranarray(CUBE)[:, :2],
    np.asfortranarray(CUBE[:1]),
    CUBE.transpose(1, 0, 2),
    CUBE.transpose(1, 0, 2)[:, :, ::-1],
    CUBE.transpose(2, 0, 1).astype(object),
]


@pytest.mark.parametrize("array", ORDERS)
@pytest.mark.parametrize("put", [lambda x: x, lambda x: {"a": [x]}])
def test_arrays_come_back_as_memory_had_their_axes(tmp_path, array, put):
    entry = ValueEntry(str(tmp_path), "x")
    entry.keep(put(array))
    back = entry.read()
    back = back["a"][0] if isinstance(back, dict) else back
    np.testing.assert_array_equal(back, array)
    assert back.ravel(order="K").tolist() == array.ravel(order="K").tolist()
    assert back.strides == array.copy(order="K").strides


@pytest.mark.parametrize("value", [None, {"a": [1]}, np.array([1, "x"], object), np.float64(2)])
def test_other_values_come_back(tmp_path, value):
    entry = ValueEntry(str(tmp_path), "x")
    entry.keep(value)
    assert os.listdir(tmp_path) == ["x.pickle"]
    np.testing.assert_equal(entry.read(), value)


@pytest.mark.parametrize("value", [np.arange(100), {"a": 1}])
def test_torn_files_are_not_there(tmp_path, value):
    entry = ValueEntry(str(tmp_path), "x")
    entry.keep(value)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for length in (0, 5, 20, len(whole) - 1):
        file.write_bytes(whole[:length])
        assert not entry.is_kept()
    entry.keep(value)
    assert entry.is_kept() and file.read_bytes() == whole


@pytest.mark.parametrize("value", ["value" * 10, np.arange(1000.0)])
def test_damage_is_told(tmp_path, value):
    entry = ValueEntry(str(tmp_path), "x")
    entry.keep(value)
    (file,) = tmp_path.iterdir()
    entry.read()
    _flip(file, 150 if file.suffix == ".npy" else 20)
    with pytest.raises(CheckpointError, match=f"{file}.*checksum.*remove it"):
        entry.read()
    file.unlink()
    with pytest.raises(CheckpointError, match="gone"):
        entry.read()


def test_a_class_that_is_gone_is_told(tmp_path, monkeypatch):
    entry = ValueEntry(str(tmp_path), "x")
    entry.keep(Unpicklable)
    monkeypatch.delattr(sys.modules[__name__], "Unpicklable")
    (file,) = tmp_path.iterdir()
    with pytest.raises(CheckpointError, match=f"{file} cannot be read: .*Unpicklable.*remove it"):
        entry.read()


def _flip(file, place):
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("region", [..., (slice(0, 2), slice(0, 2))])
@pytest.mark.parametrize("place", [9, 70, 128, 500, 928])  # of the header and of the numbers
def test_damage_to_a_block_is_told_whatever_is_read_of_it(tmp_path, place, region):
    meta = ArrayMeta(np.dtype(float), ((10,), (10,)))
    entry = ChunkEntry(str(tmp_path), "x", meta)
    entry.kept()
    entry.keep((0, 0), np.arange(100.0).reshape(10, 10))
    _flip(tmp_path / "x" / "0.0.npy", place - 1)
    with pytest.raises(CheckpointError, match=r"0\.0\.npy.*checksum.*remove it"):
        entry.read((0, 0), region)


def test_what_is_cut_off_is_computed_again_with_a_word(tmp_path, caplog):
    entry = ValueEntry(str(tmp_path), "x")
    entry.keep(np.arange(100))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    with caplog.at_level("WARNING", "gpuscale.run"):
        assert not entry.is_kept() and not entry.is_kept()
    assert [str(file) in each.message for each in caplog.records] == [True]
    with pytest.raises(CheckpointError, match="cut off.*remove it"):
        entry.read()


def test_others_read_the_files_as_well(tmp_path):
    entry = ValueEntry(str(tmp_path), "x")
    entry.keep(np.arange(6.0).reshape(2, 3).T)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), entry.read())
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_array_equal(mapped, entry.read())
    np.testing.assert_array_equal(open_npy(tmp_path / "x.npy").read((slice(1, 3),)), mapped[1:])
    ValueEntry(str(tmp_path), "y").keep({"a": 1})
    assert pickle.loads((tmp_path / "y.pickle").read_bytes()) == {"a": 1}


def test_the_first_of_two_processes_names_the_file(tmp_path):
    entry = ValueEntry(str(tmp_path), "x")
    entry.keep(1)
    entry.keep(2)
    assert entry.read() == 1 and len(os.listdir(tmp_path)) == 1


@pytest.mark.parametrize("value", [np.arange(5), "text"])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch, value):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(checkpoint, "write_header", full)
    monkeypatch.setattr(checkpoint, "_write_pickle", full)
    with pytest.raises(CheckpointError, match=r"cannot keep .*No space left.*stay"):
        ValueEntry(str(tmp_path), "x").keep(value)
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_pickled_is_told(tmp_path):
    with pytest.raises(CheckpointError, match="Unpicklable.*not this one"):
        ValueEntry(str(tmp_path), "x").keep(Unpicklable())
    assert os.listdir(tmp_path) == []


def test_folders_lose_what_killed_processes_left(tmp_path):
    stale = hidden_sibling(tmp_path / "x.npy", "partial")
    stale.touch()
    busy = hidden_sibling(tmp_path / "x.npy", "partial")
    assert make_locked(busy, False)
    make_folder(tmp_path)
    assert not stale.exists() and busy.exists()
    unlock(busy)


def test_no_folder(tmp_path):
    (tmp_path / "x").touch()
    with pytest.raises(CheckpointError, match="no checkpoints"):
        make_folder(tmp_path / "x")


def test_regions_across_blocks(tmp_path):
    meta = ArrayMeta(np.dtype(int), ((2, 1), (3,)))
    entry, x = ChunkEntry(str(tmp_path), "x", meta), np.arange(9).reshape(3, 3)
    assert entry.kept() == set()
    entry.keep((0, 0), x[:2])
    entry.keep((1, 0), x[2:])
    (tmp_path / "x" / "notes.npy").touch()
    assert entry.kept() == {(0, 0), (1, 0)}
    reader = CheckpointReader(entry, meta)
    for region in ((slice(1, 3), slice(0, 3, 2)), (slice(0, 1), slice(1, 2))):
        np.testing.assert_array_equal(reader.read(region), x[region])
