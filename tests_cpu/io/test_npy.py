import numpy as np
import pytest
from numpy.lib import format as npy_format

from gpuscale.io.npy import NpyWriter, open_npy

ALL = (slice(None),)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_header_versions(tmp_path, version):
    x = np.arange(7.0)
    with open(tmp_path / "x.npy", "wb") as file:
        npy_format.write_array(file, x, version)
    np.testing.assert_array_equal(open_npy(tmp_path / "x.npy").read(ALL), x)


def test_fields_whose_names_need_the_newest_version(tmp_path):
    x = np.array([(1, 2.0)], dtype=[("größe", "i4"), ("長", "f8")])
    with pytest.warns(UserWarning, match="Stored array in format 3.0"):
        np.save(tmp_path / "x.npy", x)
    read = open_npy(tmp_path / "x.npy").read(ALL)
    assert read.dtype == x.dtype and read.tolist() == x.tolist()


def test_structured_arrays_are_written(tmp_path):
    x = np.array([(1, 2.0), (3, 4.0)], dtype=[(f"field{k}", "f8") for k in range(2)])
    writer = NpyWriter(tmp_path / "x.npy")
    writer.open(x.shape, x.dtype, ((2,),))
    writer.write((slice(0, 2),), x)
    writer.commit()
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), x)


def test_a_header_too_long_for_the_first_version(tmp_path):
    dtype = np.dtype([(f"{'long' * 20}{k}", "f8") for k in range(800)])
    writer = NpyWriter(tmp_path / "x.npy")
    writer.open((2,), dtype, ((2,),))
    writer.write((slice(0, 2),), np.ones(2, dtype))
    writer.commit()
    with open(tmp_path / "x.npy", "rb") as file:
        assert npy_format.read_magic(file) == (2, 0)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.npy"):
        open_npy(tmp_path / "missing.npy")


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"\x93NUMPY\x09\x00", b"\x93NUMPY\x03\x00"]
)
def test_no_npy_file(tmp_path, content):
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.npy is not a \.npy file"):
        open_npy(tmp_path / "x.npy")


def test_truncated_data(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(100.0))
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:500])
    with pytest.raises(ValueError, match="ends at byte 928, but the file has 500 bytes"):
        open_npy(tmp_path / "x.npy")


def test_truncated_header(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(100.0))
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:40])
    with pytest.raises(ValueError, match="not a .npy file"):
        open_npy(tmp_path / "x.npy")


def test_pickled_objects_are_not_loaded(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{}, None], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects"):
        open_npy(tmp_path / "x.npy")


def test_the_target_is_memory_to_fill(tmp_path):
    writer = NpyWriter(tmp_path / "x.npy")
    writer.open((2, 3), np.dtype("f4"), ((1, 1), (3,)))
    writer.target((slice(1, 2), slice(0, 3)))[...] = 5
    writer.commit()
    assert np.load(tmp_path / "x.npy").tolist() == [[0, 0, 0], [5, 5, 5]]
