"""One ``.npy`` file: read and written through a memory map."""

from __future__ import annotations

import ast
import math
import os
import struct
import uuid
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy_format

from gpuscale.backends.seams import to_host
from gpuscale.base.types import PathLike
from gpuscale.io.mapped import MappedArray, MappedReader, c_strides, stamp_of
from gpuscale.io.pieces import Cells, PieceWriter, Region
from gpuscale.io.targets import Kind, Target, describe

__all__ = ["NpyWriter", "open_npy", "write_header"]


def open_npy(path: PathLike) -> MappedReader:
    """Return a reader of a ``.npy`` file of any header version and memory order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no ``.npy`` file, is truncated, or holds Python objects; in reading a piece, if it
        has changed since it was opened.

    Examples
    --------
    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/x.npy"
    >>> np.save(path, np.arange(6).reshape(2, 3))
    >>> open_npy(path).read((slice(1, 2), slice(None)))
    array([[3, 4, 5]])
    """
    name = os.fspath(path)
    with open(name, "rb") as file:
        try:
            shape, fortran_order, dtype = _read_header(file)
        except (ValueError, SyntaxError, struct.error) as error:
            raise ValueError(f"{name} is not a .npy file: {error}") from error
        offset, stamp = file.tell(), stamp_of(os.fstat(file.fileno()))
    strides = c_strides(shape[::-1], dtype)[::-1] if fortran_order else c_strides(shape, dtype)
    return MappedReader(name, dtype, shape, strides, offset, stamp)


def _read_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy_format.read_magic(file)
    if version == (1, 0):
        return npy_format.read_array_header_1_0(file)
    if version == (2, 0):
        return npy_format.read_array_header_2_0(file)
    if version != (3, 0):
        raise ValueError(f"format version {version} is unknown")
    # NumPy has no public function for this one; it differs from 2.0 in being UTF-8.
    (length,) = struct.unpack("<I", file.read(4))
    header = ast.literal_eval(file.read(length).decode("utf-8"))
    return header["shape"], header["fortran_order"], npy_format.descr_to_dtype(header["descr"])


def write_header(
    file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[Any], fortran_order: bool = False
) -> None:
    """Write what stands before the bytes of an array."""
    descr = npy_format.dtype_to_descr(dtype)
    header = {"descr": descr, "fortran_order": fortran_order, "shape": shape}
    try:
        npy_format.write_array_header_1_0(file, header)
    except ValueError:  # a structured dtype with too many fields for the short header
        npy_format.write_array_header_2_0(file, header)


def _foreign(path: Path) -> str | None:
    """Say what a path holds, None for a ``.npy`` file and for an empty one."""
    if path.is_file():
        with open(path, "rb") as file:
            if file.read(len(npy_format.MAGIC_PREFIX)) in (b"", npy_format.MAGIC_PREFIX):
                return None
    return describe(path)


_KIND = Kind("a .npy file", is_folder=False, foreign=_foreign)


class NpyWriter(PieceWriter):
    """Writes one ``.npy`` file from pieces in any order, by many threads or processes.

    Parameters
    ----------
    path : str or path
    overwrite : bool
        Whether a ``.npy`` file of that name may be replaced; anything else never is.

    Examples
    --------
    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/x.npy"
    >>> writer = NpyWriter(path)
    >>> writer.open((2, 3), np.dtype("int64"), ((1, 1), (3,)))
    >>> writer.write((slice(0, 1), slice(0, 3)), np.array([[0, 1, 2]]))
    >>> writer.write((slice(1, 2), slice(0, 3)), np.array([[3, 4, 5]]))
    >>> writer.commit()
    >>> np.load(path)
    array([[0, 1, 2],
           [3, 4, 5]])
    """

    def __init__(self, path: PathLike, overwrite: bool = False) -> None:
        self.path = Path(path)
        self._target = Target(self.path, overwrite, _KIND)
        self.token = f"npy-{uuid.uuid4().hex}"

    def open(self, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: Cells) -> None:
        """Write the header and reserve the whole file, so that a full disk shows now."""
        if dtype.hasobject:
            raise ValueError(f"cannot write dtype {dtype} to {self.path}: it holds Python objects")
        hidden = self._target.begin()
        try:
            offset = _reserve(hidden, shape, dtype)
        except BaseException:
            self._target.abandon()
            raise
        strides = c_strides(shape, dtype)
        self._mapped = MappedArray(str(hidden), dtype, shape, strides, offset, True)

    def safe_grid(self) -> Cells | None:
        """Return None: pieces of a plain file never share anything."""
        return None

    def target(self, region: Region) -> np.ndarray[Any, Any]:
        """Return the part of the file that a task may fill in place."""
        return self._mapped.piece(region)

    def write(self, region: Region, chunk: Any) -> None:
        """Store one piece."""
        self._mapped.array[region] = to_host(chunk)

    def commit(self) -> None:
        """Give the file its name."""
        self._target.finish()

    def abort(self) -> None:
        """Remove what was written so far."""
        self._target.abandon()


def _reserve(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """Write the header of a file and make room for its data; return where the data begin."""
    with open(path, "r+b") as file:
        write_header(file, shape, dtype)
        file.flush()
        offset = file.tell()
        nbytes = math.prod(shape) * dtype.itemsize
        if nbytes:
            # Without this the file has holes, and a full disk kills the process (SIGBUS).
            os.posix_fallocate(file.fileno(), offset, nbytes)
    return offset
