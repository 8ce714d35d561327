"""A folder of ``0.npy, 1.npy, ...`` that follow each other along one axis."""

from __future__ import annotations

import json
import os
import pickle
import re
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format

from gpuscale.backends.seams import to_host
from gpuscale.base.tokens import tokenize
from gpuscale.base.types import PathLike
from gpuscale.chunks.blocks import offsets
from gpuscale.io.grid import positions, split
from gpuscale.io.mapped import MappedReader, Stamp, check_unchanged, file_stamp, stamp_of
from gpuscale.io.npy import open_npy, write_header
from gpuscale.io.pieces import Cells, Cost, PieceReader, PieceWriter, Region
from gpuscale.io.places import place_of
from gpuscale.io.targets import Kind, Target, describe

__all__ = ["NpyStackReader", "NpyStackWriter"]

_JSON, _PICKLE = "info.json", "info"
_OURS = re.compile(r"info|info\.json|\d+\.npy")  # the names of all files in such a folder


class NpyStackReader(PieceReader):
    """Reads pieces of a folder of ``.npy`` files; a piece within one file is a view.

    Parameters
    ----------
    path : str or path
        Folder written by `NpyStackWriter`, or by ``dask.array.to_npy_stack``.

    Raises
    ------
    FileNotFoundError
        If the folder, its description or one of its files is missing.
    ValueError
        If the description cannot be understood; in reading a piece, if a file has changed since.
    """

    chunks: Cells  # of which those along the other axes are whole
    cost: Cost = "view"

    def __init__(self, path: PathLike) -> None:
        self._path = Path(path).absolute()
        info, self.chunks, self.dtype, self._axis = _read_info(self._path)
        self.shape = tuple(map(sum, self.chunks))
        self._stamps = _file_stamps(self._path, len(self.chunks[self._axis]))
        self.token = tokenize("npy_stack", *file_stamp(str(info)), self._stamps)
        self._files: dict[int, MappedReader] = {}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_files": {}}

    def read(self, region: Region) -> np.ndarray[Any, Any]:
        """Return one piece: a read-only view within one file, else a copy from several."""
        selected = positions(region, self.shape)
        touched = list(split(selected[self._axis], self.chunks[self._axis]))
        index = list(region)
        if len(touched) == 1:
            number, index[self._axis], _ = touched[0]
            return self._file(number).read(tuple(index))
        out = np.empty(tuple(map(len, selected)), self.dtype)
        into = [slice(None)] * out.ndim
        for number, index[self._axis], into[self._axis] in touched:
            out[tuple(into)] = self._file(number).read(tuple(index))
        return out

    def shows(self, target: Any) -> bool:
        """Whether an array lies in one of the files."""
        return os.path.dirname(place_of(target)[0]) == os.path.realpath(self._path)

    def _file(self, number: int) -> MappedReader:
        file = self._files.get(number)
        if file is None:
            path = self._path / f"{number}.npy"
            check_unchanged(path, self._stamps[number], stamp_of(path.stat()))
            file = open_npy(path)
            sizes = [
                sizes[number if axis == self._axis else 0] for axis, sizes in enumerate(self.chunks)
            ]
            if file.shape != tuple(sizes) or file.dtype != self.dtype:
                raise ValueError(
                    f"{path} holds shape {file.shape} and dtype {file.dtype}, but its folder "
                    f"describes {tuple(sizes)} and {self.dtype}"
                )
            self._files[number] = file
        return file


def _file_stamps(path: Path, count: int) -> tuple[Stamp, ...]:
    """Return what each file of a folder must still have where it is read."""
    with os.scandir(path) as entries:
        found = {each.name: stamp_of(each.stat()) for each in entries}
    try:
        return tuple(found[f"{number}.npy"] for number in range(count))
    except KeyError as error:
        raise FileNotFoundError(f"{path} is incomplete: there is no {error.args[0]}") from None


def _read_info(path: Path) -> tuple[Path, Cells, np.dtype[Any], int]:
    """Return the description of a folder: its file, then chunks, dtype and axis."""
    try:
        file = path / _JSON
        if file.exists():
            info = json.loads(file.read_text())
            dtype = npy_format.descr_to_dtype(_tuples(info["dtype"]))
        else:
            file = path / _PICKLE
            with file.open("rb") as opened:
                info = _PlainUnpickler(opened).load()
            dtype = np.dtype(info["dtype"])
        chunks = tuple(tuple(map(int, sizes)) for sizes in info["chunks"])
        axis = int(info["axis"])
        if not 0 <= axis < len(chunks):
            raise ValueError(f"there is no axis {axis}")
        # Files are cut along one axis; of the others only the whole lengths matter.
        whole = tuple(sizes if k == axis else (sum(sizes),) for k, sizes in enumerate(chunks))
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path} is not a folder of stacked .npy files: it has neither {_JSON} nor {_PICKLE}"
        ) from None
    except OSError:
        raise
    except Exception as error:  # damaged pickles raise what they like
        raise ValueError(f"{file} does not describe stacked .npy files: {error}") from error
    return file, whole, dtype, axis


def _tuples(descr: Any) -> Any:
    """Turn the lists of JSON into the tuples that NumPy wants in the fields of a dtype."""
    if isinstance(descr, str):
        return descr
    fields = [[_tuples(part) if k == 1 else part for k, part in enumerate(f)] for f in descr]
    return [(f[0], f[1], *map(tuple, f[2:])) for f in fields]


class _PlainUnpickler(pickle.Unpickler):
    """Reads pickles of plain values and NumPy dtypes; runs nothing else."""

    _ALLOWED = frozenset(
        {
            ("numpy", "dtype"),
            ("numpy._core.multiarray", "scalar"),
            ("numpy.core.multiarray", "scalar"),
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"it refers to {module}.{name}, which is refused")
        return super().find_class(module, name)


def _foreign(path: Path) -> str | None:
    """Say what a path holds, None for a folder of stacked files and for an empty folder."""
    if not path.is_dir():
        return describe(path)
    names = os.listdir(path)
    if names:
        try:
            _read_info(path)
        except (OSError, ValueError):
            return describe(path)
    others = sorted(name for name in names if not _OURS.fullmatch(name))
    return f"a folder of stacked .npy files that also holds {others[0]!r}" if others else None


_KIND = Kind("a folder of stacked .npy files", is_folder=True, foreign=_foreign)


class NpyStackWriter(PieceWriter):
    """Writes a folder of ``.npy`` files, one for each block along one axis.

    Parameters
    ----------
    path : str or path
    axis : int
        Axis along which the files follow each other.
    overwrite : bool
        Whether a folder of stacked files of that name may be replaced; anything else never is.
    """

    def __init__(self, path: PathLike, axis: int = 0, overwrite: bool = False) -> None:
        self.path, self.axis = Path(path), axis
        self._target = Target(self.path, overwrite, _KIND)
        self.token = f"npy_stack-{uuid.uuid4().hex}"

    def open(self, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: Cells) -> None:
        """Make the folder and its description."""
        if dtype.hasobject:
            raise ValueError(f"cannot write dtype {dtype} to {self.path}: it holds Python objects")
        if not -len(shape) <= self.axis < len(shape):
            raise np.exceptions.AxisError(self.axis, len(shape))
        self.axis %= len(shape)
        files = tuple(size for size in chunks[self.axis] if size) or (0,)
        self._grid = tuple(
            files if axis == self.axis else (size,) for axis, size in enumerate(shape)
        )
        starts = offsets(files)
        self._numbers = {span: k for k, span in enumerate(zip(starts, starts[1:], strict=False))}
        self._dtype = dtype
        self._hidden = self._target.begin()

    def safe_grid(self) -> Cells | None:
        """Return the parts of the array that are one file each."""
        return self._grid

    def write(self, region: Region, chunk: Any) -> None:
        """Write one file."""
        part = region[self.axis]
        if part.start == part.stop and self._grid[self.axis] != (0,):
            return  # an empty block gets no file
        number = self._numbers.get((part.start, part.stop))
        if number is None:
            raise ValueError(f"{region} is not one file of {self.path}; files are {self._grid}")
        data = np.ascontiguousarray(to_host(chunk), self._dtype)
        with open(self._hidden / f"{number}.npy", "xb") as file:
            write_header(file, data.shape, self._dtype)
            # Not by NumPy, whose error does not say that the disk is full.
            file.write(data.reshape(-1).view(np.uint8))  # type: ignore[arg-type]

    def commit(self) -> None:
        """Write the description and give the folder its name."""
        info = {"chunks": self._grid, "dtype": self._dtype, "axis": self.axis}
        with open(self._hidden / _PICKLE, "wb") as file:  # what dask.array reads
            pickle.dump(info, file, protocol=4)
        described = info | {"dtype": npy_format.dtype_to_descr(self._dtype)}
        (self._hidden / _JSON).write_text(json.dumps(described))
        self._target.finish()

    def abort(self) -> None:
        """Remove what was written so far."""
        self._target.abandon()
