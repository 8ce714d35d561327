"""Results kept on disk under names that every process finds again, one file each.

Arrays in C or Fortran order are ``.npy`` files, everything else is pickled; both are read back with
the layout that they had, and results of calls that are read-only arrays as such. Behind either
stands a seal, its length and checksum, which readers of such files do not look at. A file gets its
name when it is whole, and one of the wrong size is no result: what a machine that lost its power
leaves is computed again. Of several processes that write one result, the first gives it its name.
"""

from __future__ import annotations

import logging
import os
import pickle
import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gpuscale.backends.transfer import to_device, to_host
from gpuscale.base.errors import CheckpointError
from gpuscale.base.strides import axes_in_memory
from gpuscale.base.types import BlockIndex
from gpuscale.expr.meta import ArrayMeta
from gpuscale.io.mapped import stamp_of
from gpuscale.io.memory import ChunkReader
from gpuscale.io.npy import open_npy, write_header
from gpuscale.io.pieces import Cost
from gpuscale.io.targets import hidden_sibling, make_locked, remove_unlocked, unlock
from gpuscale.memory.pickler import LayoutPickler

__all__ = ["CheckpointReader", "ChunkEntry", "ValueEntry", "make_folder"]


_logger = logging.getLogger("gpuscale.run")

_MAGIC = b"\ngpuscale result"
_SEAL = struct.Struct(f"<{len(_MAGIC)}sQI")  # behind what has this length and CRC-32
_PIECE = 2**20  # bytes that are read at a time to check them
_STALE = re.compile(r"\..*\.partial-[0-9a-f]{12}")
_SUFFIXES = (".npy", ".pickle")


def make_folder(path: str | os.PathLike[str]) -> str:
    """Make a folder, if there is none, and remove what killed processes left unfinished there.

    Raises
    ------
    TypeError
        It is no path.
    CheckpointError
        The folder cannot be made, or has no name.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path is a folder to keep results in, as a string or path, not {path!r}")
    if not os.fspath(path):
        raise CheckpointError("path is a folder to keep results in; '' names none")
    folder = os.path.abspath(os.fspath(path))
    try:
        os.makedirs(folder, exist_ok=True)
        with os.scandir(folder) as entries:
            stale = [each.path for each in entries if _STALE.fullmatch(each.name)]
    except OSError as error:
        raise CheckpointError(f"no checkpoints can be kept in {folder}: {error}") from error
    for each in stale:
        remove_unlocked(Path(each))
    return folder


class ValueEntry:
    """The result of one call.

    Parameters
    ----------
    folder : str
        As from `make_folder`.
    name : str
        Name of the file, without what says its format.

    Examples
    --------
    >>> import tempfile
    >>> entry = ValueEntry(tempfile.mkdtemp(), "answer")
    >>> entry.is_kept()
    False
    >>> entry.keep({"x": 42})
    >>> entry.is_kept(), entry.read()
    (True, {'x': 42})
    """

    __slots__ = ("folder", "name")

    def __init__(self, folder: str, name: str) -> None:
        self.folder, self.name = folder, name

    def __gpuscale_steady__(self, known: Mapping[Any, str]) -> str:
        return self.name

    def is_kept(self) -> bool:
        """Whether the result is there."""
        return any(map(_is_kept, self._files()))

    def keep(self, value: Any) -> None:
        """Write the result."""
        is_read_only = type(value) is np.ndarray and not value.flags.writeable
        order = "" if is_read_only else _order_of(value)  # a .npy file would not tell
        _write(os.path.join(self.folder, self.name), value, order)

    def read(self) -> Any:
        """Read the result."""
        for file in self._files():
            if os.path.exists(file):
                return _read(file, ...)
        raise CheckpointError(f"{self.name} is gone from {self.folder}: compute it again")

    def _files(self) -> list[str]:
        return [os.path.join(self.folder, self.name + suffix) for suffix in _SUFFIXES]


class ChunkEntry:
    """The blocks of one array, in a folder of their own.

    Parameters
    ----------
    folder : str
        As from `make_folder`.
    name : str
        Name of the array's folder in there.
    meta : ArrayMeta
    """

    def __init__(self, folder: str, name: str, meta: ArrayMeta) -> None:
        self.folder, self.name, self.meta = os.path.join(folder, name), name, meta

    def __gpuscale_tokenize__(self) -> str:
        return self.folder

    def __gpuscale_steady__(self, known: Mapping[Any, str]) -> str:
        return self.name

    def kept(self) -> set[BlockIndex]:
        """Blocks that are there."""
        make_folder(self.folder)
        found = (os.path.join(self.folder, name) for name in os.listdir(self.folder))
        return {_index_of(file) for file in found if file.endswith(_SUFFIXES) and _is_kept(file)}

    def keep(self, index: BlockIndex, chunk: Any) -> None:
        """Write one block."""
        chunk = to_host(chunk)
        _write(self._stem(index), chunk, _order_of(chunk))

    def read(self, index: BlockIndex, region: Any = ...) -> Any:
        """Read one block, or a region of it.

        Raises
        ------
        CheckpointError
            It is gone, or damaged.
        """
        for suffix in _SUFFIXES:
            file = self._stem(index) + suffix
            if os.path.exists(file):
                return to_device(_read(file, region), self.meta.backend)
        raise CheckpointError(f"block {index} is gone from {self.folder}: compute it again")

    def shape(self, index: BlockIndex) -> tuple[int, ...]:
        """Shape of a block that is there."""
        file = self._stem(index) + ".npy"
        return open_npy(file).shape if os.path.exists(file) else self.read(index).shape

    def _stem(self, index: BlockIndex) -> str:
        return os.path.join(self.folder, ".".join(map(str, index)) or "value")


def _index_of(file: str) -> BlockIndex:
    stem = os.path.basename(file).rpartition(".")[0]
    return tuple(int(part) if part.isdigit() else -1 for part in stem.split(".") if part != "value")


class CheckpointReader(ChunkReader):
    """Reads blocks that are kept on disk, each piece when it is needed.

    Parameters
    ----------
    entry : ChunkEntry
    meta : ArrayMeta
        All of its sizes are known.
    """

    cost: Cost = "copy"

    def __init__(self, entry: ChunkEntry, meta: ArrayMeta) -> None:
        super().__init__(meta)
        self._entry, self.token = entry, f"checkpoint-{entry.folder}"

    def __gpuscale_steady__(self, known: Mapping[Any, str]) -> str:
        return self._entry.name

    def part(self, index: BlockIndex, region: tuple[slice, ...]) -> Any:
        """Return a piece of one block."""
        return self._entry.read(index, (*region, ...))


# ------------------------------------------------------------------ one file


def _is_kept(file: str) -> bool:
    """Say whether a result is there; warn of what has its name, and is less than that."""
    is_whole = _is_whole(file)
    if not is_whole and os.path.exists(file) and file not in _told:
        _told.add(file)
        _logger.warning("%s is cut off, or no result of this version: it is computed again", file)
    return is_whole


_told: set[str] = set()


def _is_whole(file: str) -> bool:
    try:
        with open(file, "rb") as opened:
            _read_seal(opened)
            return True
    except (OSError, ValueError):
        return False


def _read_seal(file: BinaryIO) -> tuple[int, int]:
    """Return length and checksum of what a file holds."""
    start = os.fstat(file.fileno()).st_size - _SEAL.size
    file.seek(max(0, start))
    seal = file.read(_SEAL.size)
    if start >= 0 and len(seal) == _SEAL.size:
        magic, length, checksum = _SEAL.unpack(seal)
        if magic == _MAGIC and length == start:
            return length, checksum
    raise ValueError("it is cut off, or no result of this version")


_checked: dict[str, Any] = {}  # files that have been read once, and what they were then
_MOST_CHECKED = 100_000


def _check(file: str) -> None:
    """Compare the checksum of a file: once for all regions that this process reads of it."""
    with open(file, "rb") as opened:
        stamp = stamp_of(os.fstat(opened.fileno()))
        if _checked.get(file) == stamp:
            return
        left, expected = _read_seal(opened)
        opened.seek(0)
        checksum = 0
        while piece := opened.read(min(_PIECE, left)):
            checksum = zlib.crc32(piece, checksum)
            left -= len(piece)
    if left or checksum != expected:
        raise ValueError("its checksum is wrong, so it is damaged")
    if len(_checked) >= _MOST_CHECKED:
        _checked.clear()
    _checked[file] = stamp


def _read(file: str, region: Any) -> Any:
    try:
        _check(file)
        if file.endswith(".npy"):
            reader = open_npy(file)
            # A copy, so that no file stays open: there may be ten thousand of them.
            whole = reader.read((slice(None),) * len(reader.shape))
            return whole[region].copy(order="K")
        with open(file, "rb") as opened:
            value = pickle.load(opened)
    except MemoryError:
        raise
    except Exception as error:  # pickles raise what they like, as where a class has another name
        raise CheckpointError(
            f"{file} cannot be read: {error}; remove it, and it is computed again"
        ) from error
    return value if region is ... else value[region]


def _write(stem: str, value: Any, order: str) -> None:
    """Write an array as a ``.npy`` file of that order, anything else pickled."""
    file = Path(stem + _SUFFIXES[0 if order else 1])
    try:
        hidden = hidden_sibling(file, "partial")
        while not make_locked(hidden, False):
            hidden = hidden_sibling(file, "partial")
        try:
            with open(hidden, "r+b") as opened:
                sealed: Any = _Sealed(opened)
                if order:
                    write_header(sealed, value.shape, value.dtype, order == "F")
                    sealed.write(_bytes_of(value if order == "C" else value.T))
                else:
                    _write_pickle(sealed, value)
                sealed.close()
            _give_name(hidden, file)
        finally:
            hidden.unlink(missing_ok=True)
            unlock(hidden)
    except OSError as error:
        raise CheckpointError(
            f"cannot keep {file}: {error.strerror or error}; the results that are there stay, "
            "and are read when this is computed again"
        ) from error


def _order_of(value: Any) -> str:
    """Say in which order a ``.npy`` file has a value: "C" or "F", or "" if none does."""
    if type(value) is not np.ndarray or value.dtype.hasobject:
        return ""
    axes = [axis for axis in axes_in_memory(value) if value.shape[axis] != 1]
    if axes == sorted(axes) or not value.size:
        return "C"
    return "F" if axes == sorted(axes, reverse=True) else ""


def _bytes_of(array: np.ndarray[Any, Any]) -> Any:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8) if array.nbytes else b""


class _Sealed:
    """What is written to a file, with its length and checksum behind it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._length, self._checksum = file, 0, 0

    def write(self, data: Any) -> int:
        """Write some bytes."""
        self._checksum = zlib.crc32(data, self._checksum)
        self._length += (nbytes := memoryview(data).nbytes)
        self._file.write(data)
        return nbytes

    def close(self) -> None:
        """Write the seal."""
        self._file.write(_SEAL.pack(_MAGIC, self._length, self._checksum))


def _write_pickle(file: Any, value: Any) -> None:
    try:
        LayoutPickler(file, protocol=5).dump(value)
    except OSError:
        raise
    except Exception as error:  # objects may raise anything when asked to pickle themselves
        raise CheckpointError(
            f"a result of type {type(value).__name__} cannot be kept, as it cannot be pickled: "
            f"{error}"
        ) from error


def _give_name(hidden: Path, file: Path) -> None:
    """Name a whole file; one that another process has finished meanwhile stays."""
    try:
        os.link(hidden, file)
    except FileExistsError:
        if not _is_whole(str(file)):
            os.replace(hidden, file)
    except OSError:  # a file system without links
        os.replace(hidden, file)
