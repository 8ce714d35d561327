import os
import pickle
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gpuscale.io.array_like import ArrayLikeReader, reader_of
from gpuscale.io.hdf5 import Hdf5Reader, Hdf5Writer, open_hdf5
from gpuscale.io.mapped import MappedReader

h5py = pytest.importorskip("h5py", reason="h5py is an extra")

X = np.arange(48.0).reshape(6, 8)
ALL = (slice(None), slice(None))


@pytest.fixture
def path(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["plain"] = X
        file.create_dataset("chunked", data=X, chunks=(2, 4))
        file.create_dataset("packed", data=X, compression="gzip", shuffle=True)
        file.create_dataset("empty", shape=X.shape, dtype="f8", fillvalue=3.0)
        file["flags"] = X > 20
        file["group/inside"] = X
    return tmp_path / "x.h5"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("plain", MappedReader),
        ("group/inside", MappedReader),
        ("chunked", Hdf5Reader),
        ("packed", Hdf5Reader),
        ("empty", Hdf5Reader),
        ("flags", Hdf5Reader),
    ],
)
def test_contiguous_datasets_are_mapped(path, name, kind):
    with h5py.File(path) as file:
        expected = file[name][:]
    reader = open_hdf5(path, name)
    assert type(reader) is kind
    for each in (reader, pickle.loads(pickle.dumps(reader))):
        np.testing.assert_array_equal(
            each.read((slice(1, 5, 2), slice(3, 9))), expected[1:5:2, 3:9]
        )


def test_stored_chunks_are_told(path):
    assert open_hdf5(path, "chunked").chunks == ((2, 2, 2), (4, 4))


def test_datasets_of_the_user(path):
    with h5py.File(path, "r") as file:
        assert isinstance(reader_of(file["plain"]), MappedReader)
        assert isinstance(reader_of(file["chunked"]), Hdf5Reader)
        assert isinstance(reader_of(file["plain"], lock=True), ArrayLikeReader)


def test_a_file_that_may_change_is_read_through_its_handle(path):
    with h5py.File(path, "r+") as file:
        reader = reader_of(file["plain"])
        assert isinstance(reader, ArrayLikeReader)
        file["plain"][0, 0] = -1
        assert reader.read((slice(0, 1), slice(0, 1))) == -1


def test_files_in_memory_are_read_through_their_handle():
    with h5py.File("nowhere.h5", "w", driver="core", backing_store=False) as file:
        file["x"] = X
        np.testing.assert_array_equal(reader_of(file["x"]).read(ALL), X)


def test_many_threads(path):
    reader = open_hdf5(path, "packed")
    rows = [(slice(k % 6, k % 6 + 1), slice(None)) for k in range(60)]
    with ThreadPoolExecutor(8) as pool:
        for row, piece in zip(rows, pool.map(reader.read, rows), strict=True):
            np.testing.assert_array_equal(piece, X[row])


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*missing\.h5"):
        open_hdf5(tmp_path / "missing.h5", "x")


def test_missing_dataset(path):
    with pytest.raises(KeyError, match="no dataset 'absent'; its root holds .*plain"):
        open_hdf5(path, "absent")


@pytest.mark.parametrize("size", [0, 100, 3000])
def test_no_hdf5_file(path, size):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"x\.h5 cannot be opened as an HDF5 file"):
        open_hdf5(path, "plain")


def test_writing_into_what_is_no_hdf5_file(tmp_path):
    (tmp_path / "x.h5").write_text("something else")
    with pytest.raises(ValueError, match="cannot be opened as an HDF5 file"):
        Hdf5Writer(tmp_path / "x.h5", "x").open(X.shape, X.dtype, ((6,), (8,)))
    assert (tmp_path / "x.h5").read_text() == "something else"


def test_options_and_chunks_of_the_blocks(tmp_path):
    options = {"chunks": True, "compression": "gzip"}
    writer = Hdf5Writer(tmp_path / "x.h5", "a/x", options=options)
    writer.open(X.shape, X.dtype, ((3, 3), (8,)))
    assert writer.safe_grid() == ((3, 3), (8,))
    writer.write(ALL, X)
    writer.commit()
    with h5py.File(tmp_path / "x.h5") as file:
        assert (file["a/x"].chunks, file["a/x"].compression) == ((3, 8), "gzip")


def test_bad_options_leave_nothing(tmp_path):
    with pytest.raises(ValueError):
        Hdf5Writer(tmp_path / "x.h5", "x", options={"compression": "none such"}).open(
            X.shape, X.dtype, ((6,), (8,))
        )
    assert list(tmp_path.iterdir()) == []


def test_writers_stay_in_their_process(tmp_path):
    with pytest.raises(TypeError, match="one process only"):
        pickle.dumps(Hdf5Writer(tmp_path / "x.h5", "x"))


@pytest.mark.parametrize("dtype, remedy", [("M8[s]", "view"), ("m8[s]", "view"), ("U3", "astype")])
def test_elements_that_hdf5_lacks_are_refused_by_name(tmp_path, dtype, remedy):
    writer = Hdf5Writer(tmp_path / "f.h5", "data")
    with pytest.raises(TypeError, match=f"/data cannot be written.*{remedy}"):
        writer.open((2,), np.dtype(dtype), ((2,),))
    assert not list(tmp_path.iterdir())


def test_a_group_that_holds_something_is_kept(path):
    for overwrite in (False, True):
        with pytest.raises(FileExistsError, match="/group in .* is a group that holds 'inside'"):
            Hdf5Writer(path, "group", overwrite=overwrite).open(X.shape, X.dtype, ((6,), (8,)))
    np.testing.assert_array_equal(open_hdf5(path, "group/inside").read(ALL), X)


@pytest.mark.parametrize("thing", ["folder", "pipe", "text", "link"])
def test_what_is_no_hdf5_file_is_kept(tmp_path, thing):
    path = tmp_path / "x"
    if thing == "text":
        path.write_text("a letter")
    elif thing == "link":
        path.symlink_to("nowhere")
    else:
        os.mkfifo(path) if thing == "pipe" else path.mkdir()
    with pytest.raises((OSError, ValueError), match=r"x (is a|cannot be opened as an HDF5)"):
        Hdf5Writer(path, "x", overwrite=True).open(X.shape, X.dtype, ((6,), (8,)))
    assert os.listdir(tmp_path) == ["x"]
    assert thing != "text" or path.read_text() == "a letter"


def write(path, name, values, **options):
    writer = Hdf5Writer(path, name, options={"chunks": (2, 4)}, **options)
    writer.open(values.shape, values.dtype, ((6,), (8,)))
    writer.write(ALL, values)
    writer.commit()


@pytest.mark.parametrize("link", [False, True])
def test_readers_see_what_was_written_since(path, tmp_path, link):
    reader = open_hdf5(path, "chunked")
    if link:
        (tmp_path / "link.h5").symlink_to(path)
        path = tmp_path / "link.h5"
    np.testing.assert_array_equal(reader.read(ALL), X)
    write(path, "newer", X)
    write(path, "new", X + 1)
    np.testing.assert_array_equal(open_hdf5(path, "new").read(ALL), X + 1)
    np.testing.assert_array_equal(reader.read(ALL), X)
    write(path, "chunked", X + 2, overwrite=True)
    after = open_hdf5(path, "chunked")
    assert after.token != reader.token
    np.testing.assert_array_equal(after.read(ALL), X + 2)
    with pytest.raises(ValueError, match="was replaced since it was opened"):
        reader.read(ALL)


def test_reading_goes_on_while_others_write(path):
    reader, names = open_hdf5(path, "chunked"), [f"new{k}" for k in range(10)]

    def read(_):
        return (reader.read(ALL) == X).all() and (open_hdf5(path, "packed").read(ALL) == X).all()

    with ThreadPoolExecutor(3) as pool:
        results = pool.map(read, range(100))
        for name in names:
            write(path, name, X)
        assert all(results)
    for name in names:
        np.testing.assert_array_equal(open_hdf5(path, name).read(ALL), X)


def test_a_file_that_lost_its_name_is_read_to_the_end(path):
    reader = open_hdf5(path, "chunked")
    path.unlink()
    np.testing.assert_array_equal(reader.read(ALL), X)


@pytest.mark.parametrize("mode", ["r", "r+"])
@pytest.mark.parametrize("also_ours", [False, True])
def test_a_file_that_the_program_has_opened_is_not_written(path, mode, also_ours):
    with h5py.File(path, mode):
        reader = open_hdf5(path, "chunked") if also_ours else None
        with pytest.raises(OSError, match="is open in this program"):
            write(path, "new", X)
    write(path, "new", X)
    assert reader is None or (reader.read(ALL) == X).all()


def test_a_file_has_one_writer_at_a_time(path):
    writer = Hdf5Writer(path, "first")
    writer.open(X.shape, X.dtype, ((6,), (8,)))
    with pytest.raises(OSError, match="is open in this program"):
        write(path, "second", X)
    writer.abort()
    with pytest.raises(FileExistsError):
        write(path, "chunked", X)
    write(path, "second", X)


def test_the_datasets_of_a_group_are_named(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for name in ("a/b", "a/c/d", *(f"many/{k}" for k in range(9))):
            file[name] = [1]
        file.create_group("nothing")
    for group, holds in (("/a", "/a/b, /a/c/d$"), ("many", "/many/5, ...$"), ("nothing", "none$")):
        with pytest.raises(KeyError) as caught:
            open_hdf5(tmp_path / "x.h5", group)
        message = f"{group}' in .*x.h5 is a group, no dataset; it holds .*{holds}"
        assert re.search(message, caught.value.args[0])
