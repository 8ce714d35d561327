"""Zarr arrays, formats 2 and 3: local folders, other stores, groups, shards."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from copy import copy
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from gpuscale.backends.seams import to_host
from gpuscale.base.errors import CheckpointError
from gpuscale.base.tokens import tokenize
from gpuscale.chunks.autosize import fit_block
from gpuscale.chunks.blocks import max_block
from gpuscale.io.array_like import Lock, reader_of
from gpuscale.io.grid import positions, split, stored_grid
from gpuscale.io.mapped import Stamp, stamp_of
from gpuscale.io.pieces import Cells, Cost, PieceReader, PieceWriter, Region
from gpuscale.io.places import anchored, share_storage
from gpuscale.io.zarr_changes import LayoutWatch
from gpuscale.io.zarr_layout import chunk_files
from gpuscale.io.zarr_places import LocalPlace, OtherPlace

__all__ = ["ZarrReader", "ZarrWriter", "open_zarr"]

# Codecs take at most 2 GiB at once, and a reader has to decode a chunk whole.
_LARGEST_CHUNK = 2**29


def open_zarr(
    store: Any,
    path: str = "",
    *,
    storage_options: Mapping[str, Any] | None = None,
    zarr_format: int | None = None,
) -> ZarrReader:
    """Return a reader of a Zarr array.

    Parameters
    ----------
    store : str, path, zarr store or zarr.Array
        A folder, a URL that fsspec understands, or what the user has opened.
    path : str
        Where the array lies below the root of the store.
    storage_options : mapping, optional
        For the file system behind a URL.
    zarr_format : {2, 3}, optional
        By default the one that is found.

    Raises
    ------
    FileNotFoundError
        If there is no array.
    ValueError
        If a group is there, or the metadata are damaged.
    """
    zarr = _import_zarr()
    if isinstance(store, zarr.Array):
        return ZarrReader(store)
    store = _local_folder(store) or store
    options: dict[str, Any] = {"path": path, "zarr_format": zarr_format, "mode": "r"}
    if storage_options is not None:
        options["storage_options"] = dict(storage_options)
    where = f"{store}/{path}" if path else f"{store}"
    try:
        return ZarrReader(zarr.open_array(store, **options))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no Zarr array at {where}: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{where} cannot be opened as a Zarr array ({error}); "
            "name an array within a group by component="
        ) from error


class ZarrReader(PieceReader):
    """Reads pieces of a `zarr.Array`; in local folders without zarr's event loop.

    Parameters
    ----------
    array : zarr.Array
    """

    def __init__(self, array: Any) -> None:
        self._array = array = anchored(array)
        self.shape = tuple(array.shape)
        dtype = array.dtype
        self.dtype = dtype if dtype.isnative else dtype.newbyteorder("=")
        # With all metadata: equal tokens are one reader, and that decodes as it was told once.
        self.token = tokenize("zarr", str(array.store), array.path, repr(array.metadata))
        self._fill = 0 if array.fill_value is None else array.fill_value
        # Within shards these are the small ones, which decode each by itself.
        self.chunks = stored_grid(self.shape, array.chunks)
        self._files = chunk_files(array)
        folder = _local_folder(array.store)
        self._watch = None if folder is None else LayoutWatch(array, folder / array.path)
        is_plain = self._files is not None and self._files.is_plain
        self.cost: Cost = "copy" if is_plain else "decode"

    def __gpuscale_steady__(self, known: Mapping[Any, str]) -> tuple[Any, ...]:
        folder = _local_folder(self._array.store)
        if folder is None:
            raise CheckpointError(
                f"nobody knows when {self._array.store}/{self._array.path} was written to, so a "
                "checkpoint cannot be found by its content; give it a name=, and another one when "
                "what is computed changes"
            )
        place = folder / self._array.path
        return "zarr", str(place), repr(self._array.metadata), _stamps_within(place)

    def __reduce__(self) -> tuple[Any, ...]:
        return ZarrReader, (self._array,)

    def read(self, region: Region) -> np.ndarray[Any, Any]:
        """Return one piece.

        Raises
        ------
        ValueError, FileNotFoundError
            If a local array has been overwritten by another one since it was opened, or is gone.
        """
        try:
            return self._read(region)
        finally:  # after it, since what is damaged may only be another array
            if self._watch is not None:
                self._watch.check()

    def _read(self, region: Region) -> np.ndarray[Any, Any]:
        if self._files is None:
            return np.asarray(self._array[region], self.dtype)
        selected = positions(region, self.shape)
        parts = [list(split(s, n)) for s, n in zip(selected, self._array.chunks, strict=True)]
        shape = tuple(map(len, selected))
        if all(len(part) == 1 for part in parts):
            return self._read_one([part[0] for part in parts], shape)
        out = np.empty(shape, self.dtype)
        scratch = None if self._files.is_plain else self._files.new_buffer()
        for touched in product(*parts):
            number, inside, outside = zip(*touched, strict=True)
            place = out[outside]
            buffer = place if self._files.fits(place) else scratch
            chunk = self._files.read(number, buffer)
            if chunk is None:
                place[...] = self._fill
            elif chunk is not place:
                place[...] = chunk[inside]
        return out

    def shows(self, target: Any) -> bool:
        """Whether an array is a handle of the same stored one."""
        return share_storage(self._array, target)

    def _read_one(self, touched: list[Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        """Return a part of one chunk without copying it, unless most of it would be kept idle."""
        assert self._files is not None
        chunk = self._files.read(tuple(number for number, _, _ in touched))
        if chunk is None:
            return np.full(shape, self._fill, self.dtype)
        part = chunk[(*(inside for _, inside, _ in touched), ...)]  # never a scalar
        if self._files.is_plain or 2 * part.size >= chunk.size:
            return part.astype(self.dtype, copy=False)
        return part.astype(self.dtype)


class ZarrWriter(PieceWriter):
    """Writes a new Zarr array.

    In a local folder the array is made under a hidden name and renamed when it is finished, so
    that an old one can be read, even by this computation, until then. In other stores the
    metadata come last, and an old array is deleted first.

    Parameters
    ----------
    store : str, path or zarr store
    path : str
        Where the array shall lie below the root of the store; groups above it are made.
    chunks : tuple of int, optional
        Shape of the stored chunks; by default that of the blocks, or equal parts of large ones.
    shards : tuple of int, optional
        Shape of the files that hold many chunks each.
    overwrite : bool
        Whether an array of that name may be replaced; a group that holds something, and what is
        not Zarr's, never is.
    zarr_format : {2, 3}
    storage_options : mapping, optional
        For the file system behind a URL.
    options : mapping, optional
        What else `zarr.create_array` takes: compressors, filters, fill_value, attributes, ...
    """

    def __init__(
        self,
        store: Any,
        path: str = "",
        *,
        chunks: tuple[int, ...] | None = None,
        shards: tuple[int, ...] | None = None,
        overwrite: bool = False,
        zarr_format: int = 3,
        storage_options: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        _import_zarr()
        self._store, self._path, self.overwrite = store, path.strip("/"), overwrite
        self._chunks = chunks
        self._access = {} if storage_options is None else {"storage_options": storage_options}
        self._options = dict(options or {}, shards=shards, zarr_format=zarr_format)
        self.token = f"zarr-{uuid.uuid4().hex}"

    def open(self, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: Cells) -> None:
        """Check the target and make an array that nobody finds yet.

        Raises
        ------
        FileExistsError
            If something is there and may not be replaced.
        """
        if dtype.hasobject:
            raise ValueError(f"cannot write dtype {dtype} to {self._name}: it holds Python objects")
        stored = self._chunks or _chunk_shape(chunks, dtype)
        self._options |= {"shape": shape, "dtype": dtype, "chunks": stored}
        folder = _local_folder(self._store)
        if folder is None:
            self._place: LocalPlace | OtherPlace = OtherPlace(
                _open_store(self._store, self._access), self._path, self.overwrite
            )
        else:
            self._place = LocalPlace(folder, self._path, self.overwrite)
        self._array = self._place.create(self._options)

    def safe_grid(self) -> Cells:
        """Return the stored chunks, or the shards."""
        return stored_grid(self._array.shape, self._array.shards or self._array.chunks)

    def write(self, region: Region, chunk: Any) -> None:
        """Store one piece."""
        self._array[region] = to_host(chunk)

    def commit(self) -> None:
        """Let the array be found."""
        self._place.publish(self._options)

    def abort(self) -> None:
        """Remove what was written so far."""
        self._place.remove()

    @property
    def _name(self) -> str:
        return f"{self._store}/{self._path}" if self._path else f"{self._store}"


def _stamps_within(folder: Path) -> list[tuple[str, Stamp]]:
    """Return what changes with the contents of any file of a folder."""
    files = (os.path.join(place, name) for place, _, names in os.walk(folder) for name in names)
    return sorted((file, stamp_of(os.stat(file))) for file in files)


def _import_zarr() -> Any:
    try:
        import zarr
    except ImportError as error:
        raise ImportError("Zarr arrays need zarr: pip install 'gpuscale[zarr]'") from error
    return zarr


def _local_folder(store: Any) -> Path | None:
    """Return the folder that a store stands for, None where it is something else."""
    from zarr.storage import LocalStore

    if isinstance(store, LocalStore):
        return Path(store.root)
    if not isinstance(store, str | os.PathLike):
        return None
    name = os.fspath(store).removeprefix("file://")
    return None if "://" in name or "::" in name else Path(name)


def _open_store(store: Any, access: Mapping[str, Any]) -> Any:
    from zarr.storage import FsspecStore, MemoryStore

    if isinstance(store, str):
        return FsspecStore.from_url(store, **access)
    return MemoryStore(store) if isinstance(store, dict) else store


def _chunk_shape(chunks: Cells, dtype: np.dtype[Any]) -> tuple[int, ...]:
    """Return the shape of stored chunks for blocks: theirs, or equal parts of large ones."""
    block = [max(1, size) for size in max_block(chunks)]
    return fit_block(block, _LARGEST_CHUNK // max(1, dtype.itemsize), block)


@reader_of.register_lazy("zarr")
def _register_zarr() -> None:
    import zarr

    def reader_of_zarr(array: Any, lock: Lock = None) -> PieceReader:
        return ZarrReader(array)

    reader_of.register(zarr.Array)(reader_of_zarr)


@anchored.register_lazy("zarr")
def _register_anchored_zarr() -> None:
    import zarr

    anchored.register(zarr.Array)(_anchored_zarr)


def _anchored_zarr(array: Any) -> Any:
    from zarr.storage import LocalStore, StorePath

    store = array.store
    if not isinstance(store, LocalStore) or store.root.is_absolute():
        return array
    store = copy(store)  # the user's own goes on to follow the current folder
    store.root = store.root.absolute()
    inner = copy(array._async_array)  # with what was said of how to read and write
    object.__setattr__(inner, "store_path", StorePath(store, array.path))
    return type(array)(inner)
