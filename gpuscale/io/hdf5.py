"""HDF5 files: contiguous datasets are mapped, others read through h5py under one lock."""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gpuscale.backends.seams import to_host
from gpuscale.base.tokens import tokenize
from gpuscale.base.types import PathLike
from gpuscale.chunks.blocks import max_block
from gpuscale.io.array_like import ArrayLikeReader, Lock, one_thread_lock, reader_of
from gpuscale.io.grid import stored_grid
from gpuscale.io.hdf5_files import begin_writing, end_writing, import_h5py, shared_file
from gpuscale.io.mapped import MappedReader, c_strides, file_stamp
from gpuscale.io.pieces import Cells, Cost, PieceReader, PieceWriter, Region
from gpuscale.io.places import place_of
from gpuscale.io.targets import Kind, Target, describe

__all__ = ["Hdf5Reader", "Hdf5Writer", "open_hdf5"]


def open_hdf5(path: PathLike, dataset: str) -> PieceReader:
    """Return a reader of one dataset of an HDF5 file.

    Parameters
    ----------
    path : str or path
    dataset : str
        Name of the dataset, as ``"/group/x"``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no HDF5 file, or is truncated.
    KeyError
        If it holds no such dataset.
    """
    with one_thread_lock:
        file = shared_file(os.path.realpath(path))
        return _reader(file.dataset(dataset)[0])


def _reader(dataset: Any) -> PieceReader:
    """Return a reader of a dataset in a file that is open for reading only."""
    path, dtype, shape = dataset.file.filename, dataset.dtype, dataset.shape
    layout = dataset.id.get_create_plist().get_layout()
    is_contiguous = layout == import_h5py().h5d.CONTIGUOUS and not dataset.external
    # Without storage nothing was written yet; booleans and strings are not NumPy's in the file.
    is_plain = dataset.id.get_storage_size() > 0 and dtype.kind in "iufc"
    if is_contiguous and is_plain and dataset.file.driver == "sec2":
        return MappedReader(path, dtype, shape, c_strides(shape, dtype), dataset.id.get_offset())
    return Hdf5Reader(path, dataset.name)


class Hdf5Reader(PieceReader):
    """Reads pieces of a dataset through h5py.

    Parameters
    ----------
    path : str
    dataset : str
    """

    cost: Cost = "decode"

    def __init__(self, path: str, dataset: str) -> None:
        self._path, self._name = os.path.realpath(path), dataset
        with one_thread_lock:
            self._file = shared_file(self._path)  # held, so that it stays open
            found, self._address = self._file.dataset(dataset)
            self.shape, self.dtype, stored = found.shape, found.dtype, found.chunks
        self.chunks = None if stored is None else stored_grid(self.shape, stored)
        self.token = tokenize("hdf5", *file_stamp(self._path), dataset)

    def __reduce__(self) -> tuple[Any, ...]:
        return Hdf5Reader, (self._path, self._name)

    def read(self, region: Region) -> np.ndarray[Any, Any]:
        """Return one piece.

        Raises
        ------
        ValueError
            If another dataset has the name now.
        """
        with one_thread_lock:
            found, address = shared_file(self._path).dataset(self._name)
            if (address, found.shape, found.dtype) != (self._address, self.shape, self.dtype):
                raise ValueError(
                    f"{self._name} in {self._path} was replaced since it was opened; open it again"
                )
            return np.asarray(found[region])

    def shows(self, target: Any) -> bool:
        """Whether an array is a handle of the same dataset."""
        return place_of(target) == (self._path, self._name)


class _File(io.FileIO):
    """A file that h5py writes through; once dropped, it takes everything and keeps nothing.

    HDF5 cannot close a file that it failed to write: the handle stays, and the process crashes
    when it ends.
    """

    dropped = False

    def write(self, data: Any) -> int:
        left = memoryview(data).cast("B")
        nbytes = len(left)
        while left and not self.dropped:
            left = left[super().write(left) :]  # h5py does not look how much was taken
        return nbytes

    def truncate(self, size: int | None = None) -> int:
        return (size or 0) if self.dropped else super().truncate(size)


_REMEDIES = {
    "M": 'store the ticks, x.view("i8")',
    "m": 'store the ticks, x.view("i8")',
    "U": 'store bytes, x.astype("S")',
}


def _foreign(path: Path) -> str | None:
    return None if path.is_file() else describe(path)


_KIND = Kind("an HDF5 file", is_folder=False, foreign=_foreign)


class Hdf5Writer(PieceWriter):
    """Writes one dataset of an HDF5 file, from one process.

    A new file gets its name when it is finished. In a file that exists the dataset has a hidden
    name until then; a disk that is full may damage such a file.

    Parameters
    ----------
    path : str or path
    dataset : str
        Name of the dataset; groups above it are made.
    overwrite : bool
        Whether a dataset of that name may be replaced; others in the file always stay.
    options : mapping, optional
        What else ``create_dataset`` of h5py takes: chunks, compression, ...
        ``chunks=True`` means those of the blocks.
    """

    is_local = True

    def __init__(
        self,
        path: PathLike,
        dataset: str,
        *,
        overwrite: bool = False,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        import_h5py()
        self.path, self.overwrite = Path(path), overwrite
        self._target = Target(self.path, False, _KIND)  # of a file that is new
        self._name = "/" + dataset.strip("/")
        self._options = dict(options or {})
        self.token = f"hdf5-{uuid.uuid4().hex}"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("an HDF5 file can be written by one process only, the one that opened it")

    def open(self, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: Cells) -> None:
        """Check the target and make a dataset that nobody finds yet.

        Raises
        ------
        FileExistsError
            If the dataset is there and may not be replaced.
        TypeError
            If HDF5 has no such elements.
        OSError
            If someone else in this process has opened the file, or writes it.
        """
        if dtype.kind in _REMEDIES:
            raise TypeError(
                f"HDF5 has no elements of {dtype}, so {self._name} cannot be written; "
                f"{_REMEDIES[dtype.kind]}, or write Zarr or .npy"
            )
        self._is_new = not self.path.exists()
        if not self._is_new and not self.path.is_file():
            self._target.check_free()  # says what is there
        if self._options.get("chunks") is True:
            self._options["chunks"] = tuple(max(1, size) for size in max_block(chunks))
        self._place = self._target.begin() if self._is_new else self._target.path
        try:
            with one_thread_lock:
                if not self._is_new:
                    begin_writing(str(self._place))
                try:
                    self._open_target(shape, dtype)
                except BaseException:
                    end_writing(str(self._place))
                    raise
        except BaseException:
            self._target.abandon()
            raise

    def _open_target(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        group, _, name = self._name.rpartition("/")
        self._hidden = f"{group}/.{name}.partial-{uuid.uuid4().hex[:12]}"
        self._raw = _File(self._place, "r+b")
        try:
            self._file = import_h5py().File(self._raw, "w" if self._is_new else "r+")
        except OSError as error:
            self._raw.close()
            raise ValueError(f"{self.path} cannot be opened as an HDF5 file: {error}") from error
        try:
            self._check_name()
            self._dataset = self._file.create_dataset(
                self._hidden, shape=shape, dtype=dtype, **self._options
            )
        except BaseException:
            self.abort()
            raise

    def _check_name(self) -> None:
        """Refuse a name that is taken, unless by a dataset that may be replaced."""
        if self._name not in self._file:
            return
        found, h5py = self._file.get(self._name), import_h5py()
        if isinstance(found, h5py.Group) and len(found):
            raise FileExistsError(
                f"{self._name} in {self.path} is a group that holds {min(found)!r}, and only a "
                "dataset can be replaced; name one within it, or remove the group first"
            )
        if not self.overwrite:
            raise FileExistsError(
                f"{self.path} holds {self._name}; pass overwrite=True to replace it"
            )

    def safe_grid(self) -> Cells | None:
        """Return the stored chunks, None for a contiguous dataset."""
        stored = self._dataset.chunks
        return None if stored is None else stored_grid(self._dataset.shape, stored)

    def write(self, region: Region, chunk: Any) -> None:
        """Store one piece."""
        host = to_host(chunk)
        with one_thread_lock:
            self._dataset[region] = host

    def commit(self) -> None:
        """Let the dataset be found."""
        with one_thread_lock:
            self._file.flush()  # a full disk shows here; in closing it could not be recovered
            if self._name in self._file:
                del self._file[self._name]
            self._file.move(self._hidden, self._name)
            self._file.close()
            self._close_raw()
        if self._is_new:
            try:
                self._target.finish()
            except BaseException:
                self._target.abandon()
                raise

    def abort(self) -> None:
        """Remove what was written so far."""
        if self._raw.closed:
            return
        with one_thread_lock:
            self._raw.dropped = self._is_new
            try:
                if not self._is_new and self._hidden in self._file:
                    del self._file[self._hidden]
                self._file.close()
            except (OSError, RuntimeError):
                self._raw.dropped = True
                self._file.close()  # what failed before does not fail twice
            self._close_raw()
        self._target.abandon()

    def _close_raw(self) -> None:
        self._raw.close()
        end_writing(str(self._place))


@reader_of.register_lazy("h5py")
def _register_h5py() -> None:
    import h5py

    def reader_of_dataset(array: Any, lock: Lock = None) -> PieceReader:
        # A file that someone may still write is read through the handle that writes it.
        is_still = array.file.mode == "r" and array.file.driver == "sec2"
        return _reader(array) if is_still and lock is None else ArrayLikeReader(array, lock)

    reader_of.register(h5py.Dataset)(reader_of_dataset)
