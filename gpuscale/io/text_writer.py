"""Frames into text files: CSV, and JSON a line for each row."""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from gpuscale.base.types import PathLike
from gpuscale.io.files import compression_of
from gpuscale.io.frames import FrameWriter
from gpuscale.io.staging import FilesStaging, SingleStaging, Staging

__all__ = ["CsvWriter", "JsonWriter", "TextWriter"]


class TextWriter(FrameWriter):
    """Writes the texts of partitions one after the other into a file, or each into one of its own.

    Parameters
    ----------
    path : str or path
        With a ``*`` for a file of each partition.
    overwrite : bool
        Whether files of that name may be replaced.
    name_function : callable, optional
        What takes the place of the ``*``, from the number of a partition.
    compression : str or None
        As fsspec calls it; "infer" for what the name says.
    storage_options : mapping, optional
    **options
        Arguments of the function of pandas that makes a text of a frame.
    """

    def __init__(
        self,
        path: PathLike,
        overwrite: bool = False,
        name_function: Callable[[int], str] | None = None,
        compression: str | None = "infer",
        storage_options: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        name = os.fspath(path)
        method = compression_of(name) if compression == "infer" else compression
        self._is_one, self._compression, self._options = "*" not in name, method, options
        self._name_of = name_function
        if self._is_one:
            if name_function is not None:
                raise ValueError("name_function= gives names to files: write a * into the path")
            self._staging: Staging = SingleStaging(name, overwrite, storage_options, method)
        else:
            self._staging = FilesStaging(name, overwrite, storage_options, self._name)
        self.is_local = self._staging.in_memory
        self.token = f"text-{uuid.uuid4().hex}"

    def _name(self, number: int) -> str:
        return f"{number:0{self._digits}d}" if self._name_of is None else self._name_of(number)

    def text(self, frame: Any, is_first: bool) -> str:
        """Return the text of a frame, which may be the first one of a file."""
        raise NotImplementedError

    def open(self, schema: Any, npartitions: int) -> None:
        """Make a hidden folder, once it is sure that the name is free."""
        self._digits = max(len(str(max(npartitions - 1, 0))), 1)
        if self._name_of is not None and len(set(map(self._name_of, range(npartitions)))) < (
            npartitions
        ):
            raise ValueError("name_function= gives several partitions one name")
        self._staging.begin()

    def write(self, place: tuple[int], frame: Any) -> None:
        """Write the text of one partition."""
        (number,) = place
        data = self.text(frame, number == 0 or not self._is_one).encode(
            self._options.get("encoding") or "utf-8"
        )
        with self._staging.open(f"{number:09d}") as file:
            if self._is_one or self._compression is None:
                file.write(data)
                return
            from fsspec.compression import compr

            with compr[self._compression](file, mode="wb") as packed:
                packed.write(data)

    def commit(self) -> None:
        """Give the files their names."""
        self._staging.publish()

    def abort(self) -> None:
        """Remove what was written so far."""
        self._staging.remove()


class CsvWriter(TextWriter):
    """Writes CSV files; see `TextWriter`. Options are those of ``pandas.DataFrame.to_csv``."""

    def text(self, frame: Any, is_first: bool) -> str:
        """Return lines, with a header at the start of a file."""
        from gpuscale.io.csv_lines import csv_lines  # needs pyarrow

        header = self._options.get("header", True)
        options = self._options | {"header": header if is_first else False}
        lines = csv_lines(frame, self._options)
        if lines is None:
            return str(frame.to_csv(**options))
        return str(frame.iloc[:0].to_csv(**options)) + lines


class JsonWriter(TextWriter):
    """Writes JSON; see `TextWriter`. Options are those of ``pandas.DataFrame.to_json``."""

    def text(self, frame: Any, is_first: bool) -> str:
        """Return a line for each row, or whatever ``orient=`` says."""
        buffer = io.StringIO()
        frame.to_json(buffer, **self._options)
        return buffer.getvalue()
