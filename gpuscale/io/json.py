"""JSON files as pieces: blocks of lines, or whole files where rows are not lines."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from gpuscale.base.tokens import tokenize
from gpuscale.io.device_frames import agrees
from gpuscale.io.files import Files
from gpuscale.io.frames import Columns, FramePiece, FramePieces, Predicate, Pushdown
from gpuscale.io.pieces import Cost
from gpuscale.io.promised_dtypes import keep_promises
from gpuscale.io.text_blocks import (
    NEWLINE,
    blocks_of,
    line_number,
    lines_of,
    open_plain,
    read_plain,
)

__all__ = ["JsonPieces", "has_lines"]


def has_lines(files: Files, compression: str | None) -> bool:
    """Whether a file has an object in each line.

    An object in the only line is a row, too, unless it is of columns, which are objects themselves.
    """
    import json

    with open_plain(files, 0, compression) as file:
        line = file.readline()
        while line.isspace():
            line = file.readline()
        is_only = not file.read(2).strip()
    try:
        found = json.loads(line)
    except ValueError:
        return False
    if not isinstance(found, dict):
        return False
    return not is_only or not all(isinstance(value, dict) for value in found.values())


class JsonPieces(FramePieces):
    """Reads JSON files.

    Parameters
    ----------
    files : Files
    options : mapping
        Arguments of ``pandas.read_json``.
    lines : bool
        Whether each line is a row.
    blocksize : int or None
        Bytes of text of a piece at most; None for whole files.
    sample : int
        Bytes from the start of the first file that decide about columns and dtypes.
    parts : int
        How many pieces there should be at least, if the files are large enough.
    compression : str or None
        As fsspec calls it; such files are read as a whole.
    """

    files: Files
    takes: frozenset[Pushdown] = frozenset()
    cost: Cost = "decode"

    def __init__(
        self,
        files: Files,
        options: Mapping[str, Any],
        lines: bool,
        blocksize: int | None = 64 << 20,
        sample: int = 1 << 20,
        parts: int = 1,
        compression: str | None = None,
    ) -> None:
        self.files, self._compression = files, compression
        self._options = dict(options) | {"lines": lines}
        head = self._head(sample) if lines else read_plain(files, 0, compression)
        try:
            first = self._parsed(head)
        except ValueError as error:
            error.add_note(f"in the first lines of {files.name(0)}")
            raise
        self.schema = first.iloc[:0]
        self._row_bytes = max(1, int(first.memory_usage(deep=True).sum()) // max(len(first), 1))
        ratio = self._row_bytes * max(len(first), 1) / max(len(head), 1)
        blocks = blocks_of(files, blocksize if lines and not compression else None, parts)
        lengths = [(files.size(n) if stop is None else stop) - start for n, start, stop in blocks]
        self.pieces = tuple(
            FramePiece(block, None, int(length * ratio) + 1)
            for block, length in zip(blocks, lengths, strict=True)
        )
        if lines and not compression and set(options) <= {"orient"}:
            self.takes |= {"device"}
        self.token = tokenize("json", files.token, self._options, blocks, sample, compression)

    def _head(self, size: int) -> bytes:
        with open_plain(self.files, 0, self._compression) as file:
            return bytes(file.read(size) + file.readline())

    def _parsed(self, data: bytes) -> Any:
        import pandas as pd

        return pd.read_json(io.BytesIO(data), **self._options)

    def row_bytes(self, columns: Columns) -> int | None:
        """Projected bytes of a row, with all columns: they are read in any case."""
        return self._row_bytes

    def read_by(
        self, library: Any, piece: FramePiece, columns: Columns, predicate: Predicate
    ) -> Any:
        """Return a block of lines read by the library of a device, or None."""
        number, _, stop = piece.source
        self.files.check(number)
        whole = stop is None
        data = self.files.read(number) if whole else bytes(lines_of(self.files, piece.source)[1])
        if not data.strip():
            return None
        frame = library.read_json(io.BytesIO(data), lines=True)
        if not agrees(frame, self.schema):
            return None
        return frame if columns is None else frame[list(columns)]

    def read(self, piece: FramePiece, columns: Columns, predicate: Predicate) -> Any:
        """Return the rows of a block, numbered from 0.

        Raises
        ------
        ValueError
            If they have other columns or dtypes than the first ones; it names file and lines.
        """
        number, start, stop = piece.source
        self.files.check(number)
        if stop is None:
            data = read_plain(self.files, number, self._compression)
        else:
            start, found = lines_of(self.files, piece.source)
            data = bytes(found)
        if not data.strip():
            return self.schema if columns is None else self.schema[list(columns)]
        try:
            frame = self._conformed(self._parsed(data))
        except ValueError as error:
            where = self.files.name(number)
            if self._options["lines"] and not self._compression:
                first = line_number(self.files, number, start)
                where += f", lines {first} to {first + data.rstrip().count(NEWLINE)}"
            raise ValueError(f"{where}: {error}") from None
        return frame if columns is None else frame[list(columns)]

    def _conformed(self, frame: Any) -> Any:
        more = [label for label in frame.columns if label not in self.schema.columns]
        if more:
            raise ValueError(
                f"there is a column {more[0]!r}, which the first rows have not; pass a larger "
                "sample=, in bytes"
            )
        return keep_promises(frame.reindex(columns=self.schema.columns), self.schema)
