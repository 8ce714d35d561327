"""Anything with shape, dtype and indexing: as a reader, and as a target."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from gpuscale.backends.seams import backend_name, to_host
from gpuscale.backends.transfer import to_device
from gpuscale.base.dispatch import Dispatch
from gpuscale.base.errors import NotSupportedError
from gpuscale.base.tokens import ARRAY_CONTENT_LIMIT, tokenize
from gpuscale.io.chunk_locks import hold_chunks, storage_name
from gpuscale.io.grid import compose, positions, stored_grid, window_grid
from gpuscale.io.mapped import MappedReader
from gpuscale.io.pieces import Cells, Cost, PieceReader, PieceWriter, Region
from gpuscale.io.places import anchored, is_open_to_all, share_storage
from gpuscale.io.travel import can_travel

__all__ = ["ArrayLikeReader", "ItemWriter", "Lock", "one_thread_lock", "reader_of"]

Lock: TypeAlias = "bool | AbstractContextManager[Any] | None"
"""True for a lock of its own, False for none, None for what the library of the array needs."""

# Libraries that read their files with code for one thread; one lock for all of their files.
_ONE_THREAD = frozenset({"h5py", "netCDF4", "tables"})
one_thread_lock = threading.RLock()
"""Held around every call of such a library."""


def _lock_for(array: Any, lock: Lock) -> AbstractContextManager[Any]:
    """Return the lock to hold while an array is read or written."""
    if lock is None:
        owner = type(array).__module__.partition(".")[0]
        return one_thread_lock if owner in _ONE_THREAD else nullcontext()
    if isinstance(lock, bool):
        return threading.RLock() if lock else nullcontext()
    return lock


class ArrayLikeReader(PieceReader):
    """Reads pieces of any object with ``shape``, ``dtype`` and ``__getitem__``.

    Parameters
    ----------
    array : object
        A NumPy array up to 1 MiB is copied now; of a larger one the pieces are views, which show
        later changes.
    lock : bool or lock, optional
        Held while reading; by default only for libraries known to need it.

    Raises
    ------
    TypeError
        If the object lacks one of the three.

    Examples
    --------
    >>> reader = ArrayLikeReader(np.arange(6).reshape(2, 3))
    >>> reader.read((slice(0, 2), slice(1, 2)))
    array([[1],
           [4]])
    """

    def __init__(self, array: Any, lock: Lock = None) -> None:
        missing = [name for name in ("shape", "dtype", "__getitem__") if not hasattr(array, name)]
        if missing:
            raise TypeError(
                f"{type(array).__name__} cannot be read in pieces: it has no {missing[0]}; "
                "gpuscale.array.asarray takes lists, numbers and whatever NumPy converts"
            )
        self.token = tokenize("array", array)
        self.shape = tuple(map(int, array.shape))
        self.dtype = np.dtype(array.dtype)
        self.backend = _backend_or_host(array)
        stored = _chunk_shape(array, "chunks")
        self.chunks = None if stored is None else stored_grid(self.shape, stored)
        self._is_ndarray = isinstance(array, np.ndarray)
        in_memory = self._is_ndarray or self.backend != "numpy"
        array = np.asarray(array) if self._is_ndarray else array  # without the ways of a subclass
        if self._is_ndarray and array.nbytes <= ARRAY_CONTENT_LIMIT:
            # Equal contents are one token and so one reader: it must not see anyone's changes.
            array = array.copy()
        else:
            self.may_change = in_memory
        self.cost: Cost = "view" if in_memory else "decode"
        self._array, self._lock = array, lock
        self._guard = _lock_for(array, lock)

    @cached_property
    def is_memory(self) -> bool:  # type: ignore[override]
        """Whether other processes cannot read it: memory, or what holds a lock or an open file."""
        return self.cost == "view" or not can_travel((self._array, self._lock))

    def __gpuscale_steady__(self, known: Mapping[Any, str]) -> tuple[str, Any]:
        return "array", self._array

    def __reduce__(self) -> tuple[Any, ...]:
        lock = self._lock if isinstance(self._lock, bool) else None
        return _restore, (self._array, lock, self.token)

    def read(self, region: Region) -> Any:
        """Return one piece; of a NumPy array, a read-only view."""
        if self._is_ndarray:
            view = self._array[(*region, ...)]  # never a scalar
            view.flags.writeable = False
            return view
        with self._guard:
            piece = self._array[region]
        return piece if self.backend != "numpy" else np.asarray(piece)

    def shows(self, target: Any) -> bool:
        """Whether the array is another's memory, file or store."""
        return share_storage(self._array, target)


def _restore(array: Any, lock: bool | None, token: str) -> ArrayLikeReader:
    reader = ArrayLikeReader(array, lock)
    reader.token = token  # an identity that only the first process could name
    return reader


def _backend_or_host(array: Any) -> str:
    try:
        return backend_name(array)
    except NotSupportedError:
        return "numpy"


def _chunk_shape(array: Any, name: str) -> tuple[int, ...] | None:
    """Return an attribute that tells the shape of stored chunks, None where it tells none."""
    stored = getattr(array, name, None)
    is_shape = (
        isinstance(stored, tuple)
        and len(stored) == len(array.shape)
        and all(isinstance(size, int) and size > 0 for size in stored)
    )
    return stored if is_shape else None


def _stored_shape(array: Any) -> tuple[int, ...] | None:
    """Return the shape of what is stored as one; a shard is one file with many chunks."""
    return _chunk_shape(array, "shards") or _chunk_shape(array, "chunks")


class ItemWriter(PieceWriter):
    """Writes into an existing object by ``target[region] = piece``.

    Parameters
    ----------
    target : object
        With ``shape`` and ``__setitem__``.
    region : tuple of slice, optional
        The part of the target to fill; by default all of it.
    lock : bool or lock, optional
        Held while writing; by default only for libraries known to need it.

    Notes
    -----
    The target exists before, so an aborted write leaves the pieces written so far. Threads may
    write regions that share a stored chunk; several processes must not.

    Examples
    --------
    >>> target = np.zeros(4, int)
    >>> writer = ItemWriter(target, (slice(1, 3),))
    >>> writer.open((2,), np.dtype(int), ((2,),))
    >>> writer.write((slice(0, 2),), np.array([7, 8]))
    >>> target
    array([0, 7, 8, 0])
    """

    def __init__(self, target: Any, region: Region | None = None, lock: Lock = None) -> None:
        for name in ("shape", "__setitem__"):
            if not hasattr(target, name):
                raise TypeError(f"cannot store into {type(target).__name__}: it has no {name}")
        target = anchored(target)
        self.array, self._lock = target, lock
        self._guard, self._backend = _lock_for(target, lock), _backend_or_host(target)
        shape = tuple(target.shape)
        self._name, self._stored = storage_name(target), _stored_shape(target)
        self._window = positions(region or (slice(None),) * len(shape), shape)
        self.is_local = bool(lock) or not is_open_to_all(target)
        self.token = f"store-{uuid.uuid4().hex}"

    def __getstate__(self) -> dict[str, Any]:
        lock = self._lock if isinstance(self._lock, bool) else None
        return self.__dict__ | {"_guard": None, "_lock": lock}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._guard = _lock_for(self.array, self._lock)

    def open(self, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: Cells) -> None:
        """Check that the array fits the region.

        Raises
        ------
        ValueError
            If the shapes differ.
        """
        expected = tuple(map(len, self._window))
        if shape != expected:
            raise ValueError(
                f"cannot store an array of shape {shape} into a region of shape {expected}"
            )

    @property
    def region(self) -> Region:
        """The part of the target that is written."""
        return tuple(slice(w.start, w.stop if w.stop >= 0 else None, w.step) for w in self._window)

    def is_all_of(self, reader: PieceReader) -> bool:
        """Whether the region is, element by element, what a reader reads and lets change."""
        if getattr(reader, "must_stay", False):
            return False
        shape = tuple(self.array.shape)
        is_whole = self._window == tuple(map(range, shape))
        return is_whole and reader.token == reader_of(self.array).token

    def safe_grid(self) -> Cells | None:
        """Return the target's stored chunks, as far as they lie in the region."""
        return None if self._stored is None else window_grid(self._window, self._stored)

    def write(self, region: Region, chunk: Any) -> None:
        """Store one piece."""
        place = compose(self._window, region)
        piece = to_host(chunk) if self._backend == "numpy" else to_device(chunk, self._backend)
        with self._guard, self._chunks_of(place):
            self.array[place] = piece

    def _chunks_of(self, place: Region) -> AbstractContextManager[None]:
        """Return what keeps other writers of this process away from the chunks of a piece."""
        if self._stored is None:
            return nullcontext()
        shape = tuple(self.array.shape)
        return hold_chunks(self._name, positions(place, shape), shape, self._stored)

    def commit(self) -> None:
        """Flush the target, where it can be."""
        flush = getattr(self.array, "flush", None)
        if callable(flush):
            with self._guard:
                flush()

    def abort(self) -> None:
        """Leave the target with what was written: it was there before."""


reader_of: Dispatch[PieceReader] = Dispatch(
    "reader_of",
    doc="""Return the reader of an array that a user holds.

    ``reader_of(array, lock=None)``; libraries with a reader of their own register a row.
    """,
)


@reader_of.register(object)
def _reader_of_object(array: Any, lock: Lock = None) -> PieceReader:
    return ArrayLikeReader(array, lock)


@reader_of.register(np.memmap)
def _reader_of_memmap(array: np.memmap[Any, Any], lock: Lock = None) -> PieceReader:
    # What is written to a private map never reaches the file, and results of arithmetic on a
    # memmap are memmaps without a file.
    if getattr(array, "_mmap", None) is None or array.filename is None or array.mode == "c":
        return ArrayLikeReader(array.view(np.ndarray), lock)
    return MappedReader.of_memmap(array)
