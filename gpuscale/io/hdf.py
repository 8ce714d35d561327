"""Frames in HDF5 files as pandas writes them: rows of tables as pieces, and a writer.

PyTables reads and writes one file at a time in a process, whatever threads there are.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

import pandas as pd

from gpuscale.base.errors import NotSupportedError
from gpuscale.base.tokens import tokenize
from gpuscale.base.types import PathLike
from gpuscale.expr.frames import row_bytes
from gpuscale.io.files import Files
from gpuscale.io.frames import Columns, FramePiece, FramePieces, FrameWriter, Predicate
from gpuscale.io.pieces import Cost
from gpuscale.io.staging import FilesStaging, SingleStaging

__all__ = ["HdfPieces", "HdfWriter"]

_SAMPLE = 1000  # rows that show which columns are texts
_one_at_a_time = threading.RLock()


@contextmanager
def _opened(path: str, mode: str = "r") -> Iterator[Any]:
    with _one_at_a_time, pd.HDFStore(path, mode) as store:
        yield store


class HdfPieces(FramePieces):
    """Reads rows of tables, and whole frames of the fixed format.

    Parameters
    ----------
    files : Files
        Of this machine.
    key : str
        Of a table, or with ``*`` and ``?`` of several, which follow each other.
    start, stop : int, optional
        Rows of each table.
    chunksize : int
        Rows of a piece.
    is_sorted : bool
        Whether the index is, so that its bounds are known.

    Raises
    ------
    KeyError
        If a file has no such key.
    ValueError
        If tables differ in their columns, or an index is not sorted.
    """

    cost: Cost = "decode"

    def __init__(
        self,
        files: Files,
        key: str,
        start: int = 0,
        stop: int | None = None,
        chunksize: int = 1_000_000,
        is_sorted: bool = False,
    ) -> None:
        if not files.on_disk:
            raise NotSupportedError("HDF5 files are read from the file system of this machine")
        self._files, pieces, ends = files, [], []
        self.schema: Any = None
        for number in range(len(files)):
            with _opened(files.paths[number]) as store:
                for name in self._keys(store, number, key):
                    self._check(store, name, number)
                    parts = _parts(store.get_storer(name), start, stop, chunksize)
                    width = row_bytes(self.schema)
                    for part in parts:
                        rows = None if part is None else part[1] - part[0]
                        nbytes = files.size(number) if rows is None else rows * width
                        pieces.append(FramePiece((number, name, part), rows, nbytes))
                        ends += _ends(store, name, part) if is_sorted else []
        self.takes = frozenset({"columns"} if isinstance(self.schema, pd.DataFrame) else ())
        self.pieces = tuple(pieces)
        self.divisions = _divisions(ends) if is_sorted else None
        self.token = tokenize("hdf", files.token, self.pieces, self.divisions)

    def _keys(self, store: Any, number: int, key: str) -> list[str]:
        asked = "/" + key.lstrip("/")
        found = [name for name in sorted(store.keys()) if fnmatchcase(name, asked)]
        if not found:
            there = ", ".join(store.keys()) or "none"
            raise KeyError(f"no key {key!r} in {self._files.name(number)}; there are {there}")
        return found

    def _check(self, store: Any, name: str, number: int) -> None:
        """Compare the columns of a table with those of the first."""
        whole = not store.get_storer(name).is_table
        schema = store.select(name, **({} if whole else {"start": 0, "stop": _SAMPLE})).iloc[:0]
        if self.schema is None:
            self.schema = schema
        elif not _labels(schema).equals(_labels(self.schema)):
            raise ValueError(
                f"{name} in {self._files.name(number)} has the columns {list(_labels(schema))}, "
                f"and the first table {list(_labels(self.schema))}"
            )

    def read(self, piece: FramePiece, columns: Columns, predicate: Predicate) -> Any:
        """Read rows of a table."""
        number, name, part = piece.source
        self._files.check(number)
        given: dict[str, Any] = {}
        if part is not None:
            given = {"start": part[0], "stop": part[1]}
            if columns is not None:
                given["columns"] = list(columns)
        with _opened(self._files.paths[number]) as store:
            frame = store.select(name, **given)
        if isinstance(frame, pd.Series):
            return frame.astype(self.schema.dtype)
        schema = self.schema if columns is None else self.schema[list(columns)]
        return frame[list(schema.columns)].astype(schema.dtypes)


def _labels(schema: Any) -> Any:
    return schema.columns if isinstance(schema, pd.DataFrame) else pd.Index([schema.name])


def _parts(storer: Any, start: int, stop: int | None, rows: int) -> list[tuple[int, int] | None]:
    """Cut a table into rows; frames of the fixed format are read as a whole."""
    if not storer.is_table:
        if start or stop is not None:
            raise NotSupportedError("start= and stop= are rows of tables: format='table'")
        return [None]
    low, high, _ = slice(start, stop).indices(storer.nrows)
    found = [(k, min(k + rows, high)) for k in range(low, high, rows)]
    return list(found) or [(low, low)]


def _ends(store: Any, name: str, part: tuple[int, int] | None) -> list[tuple[Any, Any]]:
    """Return the first and the last label of a piece, if it has any."""
    if part is None:
        index = store.select(name).index
        return [(index[0], index[-1])] if len(index) else []
    if part[0] == part[1]:
        return []
    rows = ((row, row + 1) for row in (part[0], part[1] - 1))
    first, last = (store.select(name, start=a, stop=b).index[0] for a, b in rows)
    return [(first, last)]


def _divisions(ends: list[tuple[Any, Any]]) -> tuple[Any, ...]:
    flat = [label for pair in ends for label in pair]
    if any(a > b for a, b in zip(flat, flat[1:], strict=False)):
        raise ValueError("sorted_index=True, but labels of a table are less than those before")
    return (*(first for first, _ in ends), ends[-1][1])


class HdfWriter(FrameWriter):
    """Writes tables: one file in which all rows follow each other, or one for each partition.

    Parameters
    ----------
    path : str or path
        With a ``*`` for a file of each partition.
    key : str
    overwrite : bool
        Whether files of that name may be replaced.
    name_function : callable, optional
        What takes the place of the ``*``, from the number of a partition.
    **options
        Arguments of ``pandas.DataFrame.to_hdf``.
    """

    def __init__(
        self,
        path: PathLike,
        key: str,
        overwrite: bool = False,
        name_function: Callable[[int], str] | None = None,
        **options: Any,
    ) -> None:
        self._key, self._options, name = key, options, str(path)
        self._staging: Any = _OneTable(name, overwrite, key, options)
        if "*" in name:
            names = name_function or (lambda number: f"{number:0{self._digits}d}")
            self._staging = FilesStaging(name, overwrite, None, names)
        if not self._staging.on_disk:
            raise NotSupportedError("HDF5 files are written to the file system of this machine")
        self.token = f"hdf-{uuid.uuid4().hex}"

    def open(self, schema: Any, npartitions: int) -> None:
        """Make a hidden folder, once it is sure that the name is free."""
        self._digits = max(len(str(max(npartitions - 1, 0))), 1)
        self._staging.begin()

    def write(self, place: tuple[int], frame: Any) -> None:
        """Write the table of one partition; pandas has no tables without rows."""
        path = f"{self._staging.hidden}/{place[0]:09d}"
        with _one_at_a_time:
            frame.to_hdf(
                path,
                key=self._key,
                mode="w",
                format="table" if len(frame) else "fixed",
                **(self._options if len(frame) else {}),
            )

    def commit(self) -> None:
        """Give the files their names."""
        self._staging.publish()

    def abort(self) -> None:
        """Remove what was written so far."""
        self._staging.remove()


class _OneTable(SingleStaging):
    """A file in which the tables of all partitions become one."""

    def __init__(self, path: str, overwrite: bool, key: str, options: dict[str, Any]) -> None:
        super().__init__(path, overwrite, None)
        self._key, self._options = key, options

    def publish(self) -> None:
        """Put the tables into one, and give its file its name."""
        parts = [f"{self.hidden}/{name}" for name in self.written()]
        widest = max((_widest(self._part(path)) for path in parts), default=0)
        given = {"min_itemsize": widest, **self._options} if widest else self._options
        filled = [path for path in parts if len(self._part(path))]
        with _opened(f"{self.hidden}/whole", "w") as store:
            for path in filled:
                store.append(self._key, self._part(path), **given)
            if not filled:
                store.put(self._key, self._part(parts[0]), track_times=False)
        self.move("whole", self.path)
        self.remove()

    def _part(self, path: str) -> Any:
        with _one_at_a_time:
            return pd.read_hdf(path, self._key)


def _widest(frame: Any) -> int:
    """Bytes of the longest text, for which a table makes room beforehand."""
    table = frame.to_frame("x") if isinstance(frame, pd.Series) else frame
    columns = [table.iloc[:, k] for k in range(table.shape[1])]
    columns += [table.index.get_level_values(k).to_series() for k in range(table.index.nlevels)]
    texts = [each for each in columns if pd.api.types.is_string_dtype(each.dtype)]
    lengths = [each.dropna().map(lambda text: len(text.encode())).max() for each in texts]
    return int(max((n for n in lengths if pd.notna(n)), default=0))
