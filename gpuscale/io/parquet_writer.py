"""Frames into folders of Parquet files, which appear whole or not at all."""

from __future__ import annotations

import io
import os
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gpuscale.base.types import PathLike
from gpuscale.io.files import Files, find_files
from gpuscale.io.frames import FrameWriter
from gpuscale.io.hive import NULL, hive_values
from gpuscale.io.labels import check_labels
from gpuscale.io.parquet_footers import check_alike, is_like, read_footers
from gpuscale.io.staging import FolderStaging
from gpuscale.io.targets import Kind, describe

__all__ = ["ParquetWriter", "part_name"]


def _foreign(path: Path) -> str | None:
    """Say what a path holds, None for a folder of Parquet files and for an empty folder."""
    if not path.is_dir():
        return describe(path)
    for _, folders, names in os.walk(path):
        for name in names:
            if not name.endswith((".parquet", ".parq")) and name[:1] not in "._":
                return f"a folder that also holds {name!r}"
        folders[:] = [name for name in folders if name[:1] not in "._"]
    return None


_WRITING = (
    "give all partitions the same columns before to_parquet",
    "a column of Parquet has one type: give all its rows values of one kind before to_parquet",
)
KIND = Kind("a folder of Parquet files", is_folder=True, foreign=_foreign)


def part_name(number: int) -> str:
    """Return what a part is called: names sort as their parts follow each other.

    Examples
    --------
    >>> part_name(7)
    'part-00007'
    """
    return f"part-{number:05d}"


class ParquetWriter(FrameWriter):
    """Writes a folder of Parquet files, at least one for each partition.

    Parameters
    ----------
    path : str or path
    overwrite : bool
        Whether a folder of Parquet files may be replaced; anything else never is.
    append : bool
        Whether files come beside those that are there, if they have the same columns.
    partition_on : sequence of labels
        Columns that become folders, ``name=value``.
    index : bool
        Whether the index is written.
    name_function : callable
        Name of the file of a partition from its number.
    storage_options : mapping, optional
    **options
        Arguments of ``pyarrow.parquet.write_table``.
    """

    def __init__(
        self,
        path: PathLike,
        overwrite: bool = False,
        append: bool = False,
        partition_on: Sequence[Any] = (),
        index: bool = False,
        name_function: Callable[[int], str] = part_name,
        storage_options: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        if overwrite and append:
            raise ValueError("say overwrite=True or append=True, not both")
        self._staging = FolderStaging(path, overwrite, storage_options, KIND, append)
        self.is_local = self._staging.in_memory
        self._keys, self._index, self._options = list(partition_on), index, options
        self._name_of, self._storage = name_function, dict(storage_options or {})
        self._first = 0
        self._there: str | None = None
        self.token = f"parquet-{uuid.uuid4().hex}"

    def open(self, schema: Any, npartitions: int) -> None:
        """Make a hidden folder, once it is sure that its name is free.

        Raises
        ------
        FileExistsError
            If something is there that may not be replaced.
        ValueError
            If what is there has other columns, and files shall be appended to it.
        """
        check_labels(self._keys, schema.columns, "the frame")
        names = list(map(str, schema.columns))
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"Parquet files have no two columns called {twice!r}; rename one")
        if len(self._keys) == len(names):
            raise ValueError("partition_on leaves no column to be written")
        written = self._try(schema)
        self._staging.begin()
        try:
            if self._staging.append and self._staging.fs.exists(self._staging.path):
                self._first = self._check_appended(written)
        except BaseException:
            self.abort()
            raise

    def _try(self, schema: Any) -> Any:
        """Have wrong options raise now, and return what files say of their columns."""
        import pyarrow.parquet as pq

        file = io.BytesIO()
        try:
            pq.write_table(self._table(schema.drop(columns=self._keys)), file, **self._options)
        except TypeError as error:
            name = re.search(r"argument '(\w+)'", str(error))  # the rest names what is inside
            said = f"to_parquet takes no {name[1]}=" if name else str(error)
            raise TypeError(
                f"{said}; beside its own it has those of pyarrow.parquet.write_table"
            ) from None
        return pq.read_schema(file)

    def _check_appended(self, new: Any) -> int:
        """Compare columns with those that are there, and return the number of the next file."""
        try:
            old = find_files(self._staging.given, self._storage, folders=True)
        except FileNotFoundError:
            return 0
        folders = list(hive_values(old.paths[0][len(old.root) :]))
        if folders != self._keys:
            raise ValueError(
                f"the folders of {old.name(0)} name the columns {folders}: say "
                f"partition_on={folders}, and not {self._keys}"
            )
        _check_types(old.name(0), read_footers(old)[0][1], new)
        self._there = old.name(0)
        return len(old)

    def write(self, place: tuple[int], frame: Any) -> None:
        """Write the file of one partition, or its files where columns become folders."""
        name = self._name_of(self._first + place[0]).removesuffix(".parquet") + ".parquet"
        for folder, part in self._parts(frame):
            self._write(folder + name, part)

    def _parts(self, frame: Any) -> Iterator[tuple[str, Any]]:
        if not self._keys:
            yield "", frame
            return
        grouped = frame.groupby(self._keys, observed=True, dropna=False, sort=False)
        for values, part in grouped:
            pairs = zip(self._keys, values, strict=True)
            folders = (f"{quote(str(key))}={_folder_name(value)}/" for key, value in pairs)
            yield "".join(folders), part.drop(columns=self._keys)

    def _write(self, name: str, frame: Any) -> None:
        import pyarrow.parquet as pq

        with self._staging.open(name) as file:
            pq.write_table(self._table(frame), file, **self._options)

    def _table(self, frame: Any) -> Any:
        import pyarrow as pa

        return pa.Table.from_pandas(frame, preserve_index=self._index, nthreads=1)

    def commit(self) -> None:
        """Give the folder its name, if all files in it are of one kind.

        Raises
        ------
        ValueError
            If partitions differ in what the objects of a column are, or from what is there.
        """
        names = self._staging.written()
        if names:
            paths = [f"{self._staging.hidden}/{name}" for name in names]
            paths = [self._staging.fs.unstrip_protocol(path) for path in paths]
            there = [] if self._there is None else [self._there]
            files = find_files([*there, *paths], self._storage)
            schemas = [schema for _, schema in read_footers(files)]
            named = [*there, *(f"{self._staging.given}/{name}" for name in names)]
            shared = check_alike(named.__getitem__, schemas, None, _WRITING)
            for number, name in enumerate(names, len(there)):
                fields = [shared.field(column) for column in schemas[number].names]
                if schemas[number].types != [field.type for field in fields]:
                    self._retype(files, number, name, fields)
        self._staging.publish()

    def _retype(self, files: Files, number: int, name: str, fields: list[Any]) -> None:
        """Write a file again, whose columns have the types that hold for all files."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        with files.open(number) as file, pq.ParquetFile(file) as opened:
            table = opened.read()
        schema = pa.schema(fields, table.schema.metadata)
        with self._staging.open(name) as file:
            pq.write_table(table.cast(schema), file, **self._options)

    def abort(self) -> None:
        """Remove what was written so far."""
        self._staging.remove()


def _check_types(file: str, there: Any, new: Any) -> None:
    """Refuse a frame whose columns are not those of a file."""
    for name in [*there.names, *new.names]:
        if (name in there.names) != (name in new.names):
            which, other = (file, "the frame") if name in there.names else ("the frame", file)
            raise ValueError(f"{which} has a column {name!r}, and {other} has none")
        mine, its = new.field(name).type, there.field(name).type
        if not is_like(mine, its):
            raise ValueError(
                f"column {name!r} is {its} in {file}, and {mine} in the frame: astype it before, "
                "or write a folder of its own"
            )


def _folder_name(value: Any) -> str:
    import pandas as pd

    return NULL if pd.isna(value) else quote(str(value), safe="")
