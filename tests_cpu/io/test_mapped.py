import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpuscale.io import bands
from gpuscale.io.array_like import reader_of
from gpuscale.io.mapped import MappedArray, MappedReader, c_strides, leave_pages
from gpuscale.io.npy import open_npy


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "x.bin"
    np.arange(10_000, dtype="int32").tofile(path)
    return path


@given(st.lists(st.integers(1, 5), max_size=4), st.sampled_from(["u1", "i4", "c16"]))
def test_c_strides(shape, dtype):
    assert c_strides(tuple(shape), np.dtype(dtype)) == np.empty(shape, dtype).strides


def test_pieces_are_read_only_views(file):
    reader = MappedReader(str(file), np.dtype("i4"), (100, 100), (400, 4), 0)
    a, b = reader.read((slice(2, 4), slice(None))), reader.read((slice(3, 5), slice(None)))
    assert np.shares_memory(a, b)
    assert type(a) is np.ndarray
    with pytest.raises(ValueError, match="read-only"):
        a[0, 0] = 1


@settings(suppress_health_check=list(HealthCheck))
@given(st.data())
def test_memmaps_and_views_of_them_are_read_from_their_file(file, data):
    offset = data.draw(st.sampled_from((0, 4, 4096, 20_004)))
    order = data.draw(st.sampled_from("CF"))
    view = np.memmap(file, "i4", "r", offset, (20, 30), order)
    for axis in range(2):
        start, step = data.draw(st.integers(0, 5)), data.draw(st.sampled_from((1, 2, -1, -3)))
        view = np.swapaxes(np.swapaxes(view, 0, axis)[start:][::step], 0, axis)
    view = view.T if data.draw(st.booleans()) else view
    reader = reader_of(view)
    assert isinstance(reader, MappedReader)
    sent = pickle.dumps(reader)
    assert len(sent) < 1000
    for each in (reader, pickle.loads(sent)):
        np.testing.assert_array_equal(each.read((slice(1, None, 2), slice(None))), view[1::2])


def test_what_never_reaches_a_file_is_read_from_memory(file):
    private = np.memmap(file, "i4", "c", shape=(10,))
    private[0] = 77
    for array in (private, np.memmap(file, "i4", "r", shape=(10,)) + 1):
        reader = reader_of(array)
        assert not isinstance(reader, MappedReader)
        np.testing.assert_array_equal(reader.read((slice(0, 2),)), array[:2])


def test_changes_through_a_memmap_are_seen(file):
    shared = np.memmap(file, "i4", "r+", shape=(10,))
    reader = reader_of(shared)
    shared[3] = -5
    assert reader.read((slice(3, 4),)) == -5


def test_truncated_file(file):
    with pytest.raises(ValueError, match=r"ends at byte 40004, but the file has 40000 bytes"):
        MappedReader(str(file), np.dtype("i4"), (10_001,), (4,), 0)


def test_python_objects_are_refused(file):
    with pytest.raises(ValueError, match="Python objects"):
        MappedReader(str(file), np.dtype(object), (1,), (8,), 0)


def test_the_token_follows_the_contents(file):
    def token(shape):
        return MappedReader(str(file), np.dtype("i4"), shape, (4,), 0).token

    before = token((5,))
    assert before == token((5,)) != token((6,))
    file.write_bytes(b"1" * 100)
    assert token((5,)) != before


def test_an_empty_array_needs_no_bytes(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    reader = MappedReader(str(tmp_path / "empty"), np.dtype("f8"), (3, 0), (8, 8), 0)
    assert reader.read((slice(1, 3), slice(None))).shape == (2, 0)


def test_a_writable_array_changes_the_file(file):
    mapped = MappedArray(str(file), np.dtype("i4"), (5,), (4,), 8, writable=True)
    mapped.array[:] = 7
    assert np.fromfile(file, "i4", 8).tolist() == [0, 1, 7, 7, 7, 7, 7, 7]


def test_a_file_that_may_change_must_not_become_too_short(file):
    reader = MappedReader(str(file), np.dtype("i4"), (100, 100), (400, 4), 0)
    assert reader.read((slice(0, 1), slice(0, 3))).tolist() == [[0, 1, 2]]
    with open(file, "r+b") as opened:
        opened.write(b"\1")
    assert reader.read((slice(0, 1), slice(0, 3))).tolist() == [[1, 1, 2]]
    os.truncate(file, 39_996)
    with pytest.raises(ValueError, match=r"x\.bin is truncated.* has 39996 bytes"):
        reader.read((slice(0, 1), slice(0, 3)))


def test_pages_are_let_go_and_come_back(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.arange(4_000_000))
    reader = reader_of(np.load(path, mmap_mode="r"))
    block = reader.read((slice(None),))
    expected = block.sum()
    assert held(path) >= block.nbytes
    leave_pages()
    assert held(path) < block.nbytes / 10
    assert block.sum() == expected


def held(path):
    """Bytes of a file in memory of this process."""
    lines = Path("/proc/self/smaps").read_text().partition(str(path))[2]
    return 1024 * int(lines.partition("\nRss:")[2].split()[0])


COLUMNS = np.arange(2_000_000).reshape(50, 40, 1000)


@pytest.mark.parametrize(
    ("index", "is_view"),
    [
        ((slice(None), slice(None), slice(300, 350)), False),
        ((slice(1, 50, 7), slice(None, None, 3), slice(2, 900, 100)), False),
        ((slice(None), slice(7, 8), slice(None)), False),
        ((slice(20, 22), slice(None), slice(300, 350)), True),  # little of the file
        ((slice(None), slice(None), slice(900)), True),  # most of what it spans
        ((slice(5, 5), slice(None), slice(None)), True),
    ],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_pieces_that_lie_scattered_hold_few_pages(tmp_path, monkeypatch, order, index, is_view):
    monkeypatch.setattr(bands, "BAND", 1 << 20)
    path, seen = tmp_path / "x.npy", [0]
    stored, index = (COLUMNS, index) if order == "C" else (COLUMNS.T, index[::-1])
    np.save(path, stored)
    reader = open_npy(path)
    assert np.shares_memory(reader.read(index), reader.read(index)) == (stored[index].size > 0)
    leave = reader._mapped.leave_pages
    monkeypatch.setattr(reader._mapped, "leave_pages", lambda: (seen.append(held(path)), leave()))
    with bands.few_pages():
        found = reader.read(index)
        if stored[index].size:
            assert np.shares_memory(found, reader.read(index)) == is_view
    np.testing.assert_array_equal(found, stored[index])
    assert not found.flags.writeable
    # A band, and what the system maps around a page, which may be large ones.
    assert max(seen) < COLUMNS.nbytes / 2
    assert is_view == (len(seen) == 1)
