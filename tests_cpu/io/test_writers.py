"""What every writer promises: all or nothing, whatever goes wrong."""

import os
import resource
import signal
from pathlib import Path

import numpy as np
import pytest

from gpuscale.chunks.blocks import Grid
from gpuscale.io.array_like import ItemWriter
from gpuscale.io.grid import align
from gpuscale.io.hdf5 import Hdf5Writer, open_hdf5
from gpuscale.io.npy import NpyWriter, open_npy
from gpuscale.io.npy_stack import NpyStackReader, NpyStackWriter
from gpuscale.io.pieces import PieceReader, PieceWriter
from gpuscale.io.zarr import ZarrWriter, open_zarr

X = np.arange(24.0).reshape(4, 6)
Y = X + 100
BLOCKS = ((2, 2), (6,))

FORMATS = ("npy", "npy_stack", "zarr", "zarr_2", "zarr_group", "zarr_memory", "hdf5")


class Place:
    """One format in one folder: how to write there, and how to read."""

    def __init__(self, kind: str, folder: Path) -> None:
        if kind.startswith("zarr"):
            zarr = pytest.importorskip("zarr", reason="zarr is an extra")
            self.store = zarr.storage.MemoryStore() if kind == "zarr_memory" else folder / "x"
        if kind == "hdf5":
            pytest.importorskip("h5py", reason="h5py is an extra")
        self.kind, self.folder, self.path = kind, folder, folder / "x"

    def writer(self, overwrite: bool = False) -> PieceWriter:
        match self.kind:
            case "npy":
                return NpyWriter(self.path, overwrite)
            case "npy_stack":
                return NpyStackWriter(self.path, overwrite=overwrite)
            case "hdf5":
                return Hdf5Writer(self.path, "group/x", overwrite=overwrite)
            case "zarr_group":
                return ZarrWriter(self.store, "group/x", overwrite=overwrite)
            case "zarr_2":
                return ZarrWriter(self.store, overwrite=overwrite, zarr_format=2)
            case _:
                return ZarrWriter(self.store, overwrite=overwrite)

    def reader(self) -> PieceReader:
        match self.kind:
            case "npy":
                return open_npy(self.path)
            case "npy_stack":
                return NpyStackReader(self.path)
            case "hdf5":
                return open_hdf5(self.path, "group/x")
            case "zarr_group":
                return open_zarr(self.store, "group/x")
            case _:
                return open_zarr(self.store)

    def files(self) -> list[str]:
        """Return all there is, but for what groups need."""
        found = [str(path.relative_to(self.folder)) for path in self.folder.rglob("*")]
        return sorted(set(found) - {"x", "x/zarr.json", "x/group", "x/group/zarr.json"})

    def holds(self, x: np.ndarray) -> bool:
        return np.array_equal(self.reader().read((slice(None),) * 2), x)


@pytest.fixture(params=FORMATS)
def place(request, tmp_path) -> Place:
    return Place(request.param, tmp_path)


def put(writer: PieceWriter, x: np.ndarray, n_blocks: int | None = None) -> None:
    """Write the first blocks of an array."""
    grid = Grid(align(BLOCKS, writer.safe_grid()))
    for number in list(grid)[:n_blocks]:
        writer.write(grid.slices(number), x[grid.slices(number)])


def test_nothing_is_found_before_commit(place):
    writer = place.writer()
    writer.open(X.shape, X.dtype, BLOCKS)
    put(writer, X)
    with pytest.raises((FileNotFoundError, KeyError)):
        place.reader()
    writer.commit()
    assert place.holds(X)
    assert not [name for name in place.files() if "partial" in name]


def test_abort_leaves_nothing(place):
    writer = place.writer()
    writer.open(X.shape, X.dtype, BLOCKS)
    put(writer, X, n_blocks=1)
    writer.abort()
    assert place.files() == []
    with pytest.raises((FileNotFoundError, KeyError)):
        place.reader()


def test_abort_after_commit_does_nothing(place):
    writer = place.writer()
    writer.open(X.shape, X.dtype, BLOCKS)
    put(writer, X)
    writer.commit()
    writer.abort()
    assert place.holds(X)


def test_an_existing_target_is_refused_and_kept(place):
    for x in (X, Y):
        writer = place.writer()
        if x is Y:
            before = place.files()
            with pytest.raises(FileExistsError, match="overwrite=True"):
                writer.open(x.shape, x.dtype, BLOCKS)
            assert place.files() == before
            break
        writer.open(x.shape, x.dtype, BLOCKS)
        put(writer, x)
        writer.commit()
    assert place.holds(X)


@pytest.mark.parametrize("finish", ["commit", "abort"])
def test_an_old_target_stays_until_the_new_one_is_there(place, finish):
    first = place.writer()
    first.open(X.shape, X.dtype, BLOCKS)
    put(first, X)
    first.commit()
    old = place.reader()
    second = place.writer(overwrite=True)
    second.open(Y.shape, Y.dtype, BLOCKS)
    put(second, Y, n_blocks=1)
    if place.kind == "zarr_memory":  # a store that cannot rename
        put(second, Y)
        second.commit()
        assert place.holds(Y)
        return
    np.testing.assert_array_equal(old.read((slice(None),) * 2), X)
    assert place.holds(X)
    if finish == "commit":
        put_rest = Grid(align(BLOCKS, second.safe_grid()))
        for number in list(put_rest)[1:]:
            second.write(put_rest.slices(number), Y[put_rest.slices(number)])
    getattr(second, finish)()
    assert place.holds(Y if finish == "commit" else X)
    assert not [name for name in place.files() if "partial" in name]


def tree(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder, and what they hold."""
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("thing", ["text", "info", "zarr.json", "folder", *FORMATS[:4], "hdf5"])
@pytest.mark.parametrize("kind", FORMATS[:4])
def test_what_is_of_another_format_is_never_replaced(kind, thing, overwrite, tmp_path):
    """Only what the same format wrote, which another test replaces."""
    if thing.replace("zarr_2", "zarr") == kind.replace("zarr_2", "zarr"):
        return
    path = tmp_path / "x"
    if thing == "text":
        path.write_text("a letter")
    elif thing in FORMATS:
        writer = Place(thing, tmp_path).writer()
        writer.open(X.shape, X.dtype, BLOCKS)
        put(writer, X)
        writer.commit()
    else:
        path.mkdir()
        (path / "letter" if thing == "folder" else path / thing).write_text("a letter")
    before = tree(tmp_path)
    wrong_folder = kind == "npy" and path.is_dir()
    with pytest.raises(
        IsADirectoryError if wrong_folder else FileExistsError, match=r"x is a f.* remove it first"
    ):
        Place(kind, tmp_path).writer(overwrite).open(X.shape, X.dtype, BLOCKS)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("kind", FORMATS[:4])
def test_what_is_empty_may_be_replaced(kind, tmp_path):
    place = Place(kind, tmp_path)
    place.path.touch() if kind == "npy" else place.path.mkdir()
    writer = place.writer(overwrite=True)
    writer.open(X.shape, X.dtype, BLOCKS)
    put(writer, X)
    writer.commit()
    assert place.holds(X)


@pytest.fixture
def small_disk():
    """Let no file grow beyond 64 KiB, as a full disk would."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, old[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, old)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "zarr_memory"])
def test_a_full_disk_is_said_and_leaves_nothing(kind, tmp_path, small_disk):
    place = Place(kind, tmp_path)
    x = np.random.default_rng(0).random((4, 2**14))
    writer = place.writer()
    is_open = False
    with pytest.raises(OSError, match="large|space"):
        writer.open(x.shape, x.dtype, ((2, 2), (2**14,)))
        is_open = True
        grid = Grid(align(((2, 2), (2**14,)), writer.safe_grid()))
        for number in grid:
            writer.write(grid.slices(number), x[grid.slices(number)])
        writer.commit()
    if is_open:
        writer.abort()
    assert place.files() == []


@pytest.mark.parametrize("kind", ["npy", "npy_stack", "hdf5"])
def test_a_missing_folder_is_named(kind, tmp_path):
    place = Place(kind, tmp_path / "missing")
    with pytest.raises(FileNotFoundError, match="missing"):
        place.writer().open(X.shape, X.dtype, BLOCKS)


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "zarr_memory"])
def test_a_folder_that_is_a_file_is_refused(kind, tmp_path):
    (tmp_path / "file").write_text("")
    place = Place(kind, tmp_path / "file")
    with pytest.raises(OSError, match="file"):
        place.writer().open(X.shape, X.dtype, BLOCKS)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(place, tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(PermissionError):
        place.writer().open(X.shape, X.dtype, BLOCKS)


@pytest.mark.parametrize("kind", ["npy", "npy_stack", "zarr"])
def test_python_objects_are_refused(kind, tmp_path):
    with pytest.raises(ValueError, match="Python objects"):
        Place(kind, tmp_path).writer().open((2,), np.dtype(object), ((2,),))
    assert os.listdir(tmp_path) == []


def test_two_writers_never_share_a_token(place):
    assert place.writer().token != place.writer().token


def test_contracts(place):
    writer = place.writer()
    assert isinstance(writer, PieceWriter)
    assert writer.__gpuscale_tokenize__() == writer.token
    writer.open(X.shape, X.dtype, BLOCKS)
    put(writer, X)
    writer.commit()
    reader = place.reader()
    assert isinstance(reader, PieceReader)
    assert reader.__gpuscale_tokenize__() == reader.token == place.reader().token


def test_item_writer_refuses_another_shape():
    with pytest.raises(ValueError, match=r"\(3,\) into a region of shape \(2,\)"):
        ItemWriter(np.zeros(5), (slice(0, 2),)).open((3,), np.dtype(float), ((3,),))
