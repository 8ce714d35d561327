"""CSV files as pieces: blocks of whole lines, read with dtypes that are checked in every block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpuscale.base.tokens import tokenize
from gpuscale.io.csv_arrow import ArrowReader
from gpuscale.io.csv_dates import plain_options
from gpuscale.io.csv_format import CsvFormat, header_of, quote_of, read_format, spans_lines
from gpuscale.io.csv_pandas import Surprise, read_block
from gpuscale.io.files import Files
from gpuscale.io.frames import Columns, FramePiece, FramePieces, Predicate, Pushdown
from gpuscale.io.pieces import Cost
from gpuscale.io.quotes import ends_open
from gpuscale.io.text_blocks import (
    NEWLINE,
    Block,
    blocks_of,
    cut_outside_quotes,
    line_number,
    lines_of,
    open_plain,
    read_plain,
)

__all__ = ["CsvPieces"]


class CsvPieces(FramePieces):
    """Reads CSV files, a block of lines at a time.

    Parameters
    ----------
    files : Files
        Each with a header, if the first one has one; the first one that has rows decides about
        dtypes.
    options : mapping
        Arguments of ``pandas.read_csv``.
    blocksize : int or None
        Bytes of text of a piece at most; None for whole files.
    sample : int
        Bytes from the start of that file that decide about dtypes.
    parts : int
        How many pieces there should be at least, if the files are large enough.
    compression : str or None
        As fsspec calls it; such files are read as a whole.

    Raises
    ------
    ValueError
        If the first lines cannot be read.
    """

    files: Files
    takes: frozenset[Pushdown] = frozenset({"columns"})
    cost: Cost = "decode"

    def __init__(
        self,
        files: Files,
        options: Mapping[str, Any],
        blocksize: int | None = 64 << 20,
        sample: int = 256_000,
        parts: int = 1,
        compression: str | None = None,
    ) -> None:
        self.files, self._compression = files, compression
        self._options = plain_options(options)
        self._quote = quote_of(options)
        self._first, head, form = self._like(options, sample)
        self._form, self._arrow = form, ArrowReader(form)
        self._headers: dict[int, int] = {self._first: len(form.header)}
        self.schema = form.schema
        blocks = blocks_of(files, None if compression else blocksize, parts)
        self._is_cut = len(blocks) > len(files)
        if self._is_cut and self._quote and spans_lines(head, form, self._options):
            blocks = cut_outside_quotes(files, blocks, self._quote)
        self.pieces = tuple(FramePiece(each, None, self._projected(each)) for each in blocks)
        self.token = tokenize("csv", files.token, dict(options), blocks, sample)

    def _like(self, options: Mapping[str, Any], sample: int) -> tuple[int, bytes, CsvFormat]:
        """Return the number, the head and the format of the first file that has rows."""
        found = None
        for number in range(len(self.files)):
            head = self._head(number, sample)
            form = read_format(head, options, self.files.name(number))
            if form.first_row:
                return number, head, form
            found = found or (number, head, form)
        assert found is not None
        return found

    def _head(self, number: int, size: int) -> bytes:
        """Return whole lines from the start of a file, about as many bytes as asked for."""
        if self._compression:
            with open_plain(self.files, number, self._compression) as file:
                data = bytes(file.read(size))
        else:
            data = self.files.read(number, 0, size)
        if len(data) < size or not self._compression and size >= self.files.size(number):
            return data
        end = data.rfind(b"\n") + 1
        while end and self._quote and data.count(self._quote, 0, end) % 2:
            end = data.rfind(b"\n", 0, end - 1) + 1
        return data[:end] if end > len(data) // 2 else self._head(number, 2 * size)

    def _projected(self, block: Block) -> int:
        number, start, stop = block
        length = (self.files.size(number) if stop is None else stop) - start
        rows = length // self._form.text_bytes + 1
        packed = 4 if self._compression else 1  # what texts become when they are compressed
        return packed * rows * sum(self._form.row_bytes.values())

    def row_bytes(self, columns: Columns) -> int | None:
        """Projected bytes of a row of some columns, as the first lines have it."""
        labels = self.schema.columns if columns is None else columns
        return sum(self._form.row_bytes[label] for label in labels)

    def read(self, piece: FramePiece, columns: Columns, predicate: Predicate) -> Any:
        """Return the rows of a block, numbered from 0.

        Raises
        ------
        ValueError
            If lines cannot be read as the schema has them; it names the file and the lines.
        """
        labels = list(self.schema.columns if columns is None else columns)
        number = piece.source[0]
        self.files.check(number)
        header = self._header_length(number)
        if self._compression:
            start, data = 0, memoryview(read_plain(self.files, number, self._compression))
        else:
            start, data = lines_of(self.files, piece.source)
        first, data = max(start, header), data[max(header - start, 0) :]
        open_quote = self._quote is not None and ends_open(data, self._options)
        try:
            if open_quote and self._is_cut:
                raise Surprise(
                    f"a text within {self._quote!r} spans lines, or its end is missing; pass "
                    "blocksize=None, or quoting=csv.QUOTE_NONE if quotes mean nothing"
                )
            frame = None if open_quote else self._arrow.read(data, labels)
            return read_block(self._form, bytes(data), labels) if frame is None else frame
        except Surprise as error:
            where = self._place(number, first, bytes(data), error.line)
            raise ValueError(f"{self.files.name(number)}, {where}: {error}") from None

    def _place(self, number: int, start: int, data: bytes, line: int | None) -> str:
        """Say which lines of a file a block is, or one of them."""
        if self._compression:
            first = 1 + read_plain(self.files, number, self._compression)[:start].count(b"\n")
        else:
            first = line_number(self.files, number, start)
        if line is not None:
            return f"line {first + line}"
        return f"lines {first} to {first + data.count(NEWLINE) - data.endswith(NEWLINE)}"

    def _header_length(self, number: int) -> int:
        """Return how many bytes stand before the first row of a file, once its names are checked.

        Raises
        ------
        ValueError
            If the columns of the file are others than those of the first one.
        """
        length = self._headers.get(number)
        if length is None:
            expected = self._form.header
            head = self._head(number, max(len(expected), 1 << 12))
            if expected and head.startswith(expected):
                length = len(expected)
            else:
                names, length = header_of(head, self._options, self.files.name(number))
                self._check_names(number, names)
            self._headers[number] = length
        return length

    def _check_names(self, number: int, names: list[Any]) -> None:
        if names == self._form.names:
            return
        one, two = self.files.name(self._first), self.files.name(number)
        for name in [*names, *self._form.names]:
            if (name in names) != (name in self._form.names):
                having, lacking = (two, one) if name in names else (one, two)
                raise ValueError(
                    f"{having} has a column {name!r}, and {lacking} has none; read them apart and "
                    "concat, or pass header=0 and names= for all"
                )
        raise ValueError(
            f"the columns of {two} are {names}, and those of {one} {self._form.names}; read them "
            "apart and concat"
        )
