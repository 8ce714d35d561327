import json
import os
import pickle

import numpy as np
import pytest

from gpuscale.io.npy_stack import NpyStackReader, NpyStackWriter

X = np.arange(30.0).reshape(5, 6)


def write_as_dask(folder, chunks, axis):
    """Lay a folder out as dask.array.to_npy_stack does."""
    folder.mkdir()
    ends = np.cumsum(chunks[axis])[:-1]
    for number, piece in enumerate(np.split(X, ends, axis)):
        np.save(folder / f"{number}.npy", piece)
    with open(folder / "info", "wb") as file:
        pickle.dump({"chunks": chunks, "dtype": X.dtype, "axis": axis}, file)
    return folder


@pytest.mark.parametrize(("chunks", "axis"), [(((2, 3), (6,)), 0), (((5,), (1, 3, 2)), 1)])
def test_reads_what_dask_writes(tmp_path, chunks, axis):
    reader = NpyStackReader(write_as_dask(tmp_path / "x", chunks, axis))
    assert (reader.shape, reader.dtype, reader.chunks) == (X.shape, X.dtype, chunks)
    np.testing.assert_array_equal(reader.read((slice(1, 4), slice(0, 6, 2))), X[1:4, ::2])


def test_sizes_may_be_scalars_of_numpy(tmp_path):
    chunks = ((np.int64(2), np.int64(3)), (np.int64(6),))
    assert NpyStackReader(write_as_dask(tmp_path / "x", chunks, 0)).chunks == ((2, 3), (6,))


def test_writes_what_dask_reads(tmp_path):
    writer = NpyStackWriter(tmp_path / "x", axis=1)
    writer.open(X.shape, X.dtype, ((3, 2), (4, 2)))
    writer.write((slice(0, 5), slice(0, 4)), X[:, :4])
    writer.write((slice(0, 5), slice(4, 6)), X[:, 4:])
    writer.commit()
    with open(tmp_path / "x" / "info", "rb") as file:
        info = pickle.load(file)
    assert info == {"chunks": ((5,), (4, 2)), "dtype": X.dtype, "axis": 1}
    os.remove(tmp_path / "x" / "info")  # nobody needs the pickle to read it here
    np.testing.assert_array_equal(NpyStackReader(tmp_path / "x").read((slice(None),) * 2), X)


def test_structured_dtypes_survive_the_description(tmp_path):
    dtype = np.dtype([("a", "<f8"), ("b", [("c", "<i4", (2, 3))]), ("d", "S5")])
    writer = NpyStackWriter(tmp_path / "x")
    writer.open((2,), dtype, ((1, 1),))
    for k in range(2):
        writer.write((slice(k, k + 1),), np.ones(1, dtype))
    writer.commit()
    assert NpyStackReader(tmp_path / "x").dtype == dtype


def test_a_piece_of_one_file_is_a_view(tmp_path):
    reader = NpyStackReader(write_as_dask(tmp_path / "x", ((2, 3), (6,)), 0))
    pieces = [reader.read((slice(2, 5), slice(None))) for _ in range(2)]
    assert np.shares_memory(*pieces)


def test_a_piece_must_be_one_file(tmp_path):
    writer = NpyStackWriter(tmp_path / "x")
    writer.open(X.shape, X.dtype, ((2, 3), (6,)))
    with pytest.raises(ValueError, match="not one file"):
        writer.write((slice(0, 3), slice(0, 6)), X[:3])
    with pytest.raises(ValueError, match="not one file"):
        writer.write((slice(1, 2), slice(0, 6)), X[1:2])


class Evil:
    def __reduce__(self):
        return os.system, ("echo evil",)


def test_a_pickle_cannot_run_code(tmp_path):
    folder = write_as_dask(tmp_path / "x", ((2, 3), (6,)), 0)
    (folder / "info").write_bytes(pickle.dumps({"chunks": Evil()}))
    with pytest.raises(ValueError, match=r"posix\.system, which is refused"):
        NpyStackReader(folder)


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing is not a folder of stacked"):
        NpyStackReader(tmp_path / "missing")


def test_missing_file(tmp_path):
    folder = write_as_dask(tmp_path / "x", ((2, 3), (6,)), 0)
    (folder / "1.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"there is no 1\.npy"):
        NpyStackReader(folder)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"chunks": [[1]], "dtype": "f8", "axis": 3}']
)
def test_bad_description(tmp_path, text):
    (tmp_path / "info.json").write_text(text)
    with pytest.raises(ValueError, match=r"info\.json does not describe"):
        NpyStackReader(tmp_path)


def test_a_file_that_differs_from_the_description(tmp_path):
    folder = write_as_dask(tmp_path / "x", ((2, 3), (6,)), 0)
    np.save(folder / "1.npy", X)
    reader = NpyStackReader(folder)
    with pytest.raises(ValueError, match=r"1\.npy holds shape \(5, 6\)"):
        reader.read((slice(2, 5), slice(None)))


def test_the_axis_must_exist(tmp_path):
    with pytest.raises(np.exceptions.AxisError):
        NpyStackWriter(tmp_path / "x", axis=2).open(X.shape, X.dtype, ((5,), (6,)))


def test_the_description_is_plain_json(tmp_path):
    writer = NpyStackWriter(tmp_path / "x")
    writer.open((3,), np.dtype("i2"), ((2, 1),))
    writer.write((slice(0, 2),), np.zeros(2))
    writer.write((slice(2, 3),), np.zeros(1))
    writer.commit()
    described = json.loads((tmp_path / "x" / "info.json").read_text())
    assert described == {"chunks": [[2, 1]], "dtype": "<i2", "axis": 0}


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_also_holds_other_files_is_kept(tmp_path, overwrite):
    folder = write_as_dask(tmp_path / "x", ((2, 3), (6,)), 0)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"also holds 'notes\.txt'"):
        NpyStackWriter(folder, overwrite=overwrite).open(X.shape, X.dtype, ((5,), (6,)))
    assert sorted(os.listdir(folder)) == ["0.npy", "1.npy", "info", "notes.txt"]


def test_a_description_that_is_no_pickle(tmp_path):
    for text in ("", "a letter", "hello", "(", "\x80\x05", "K\n.", "0", "\x8c\xff"):
        (tmp_path / "info").write_text(text, "latin1")
        with pytest.raises(ValueError, match="info does not describe"):
            NpyStackReader(tmp_path)
