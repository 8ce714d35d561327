"""Files of fields of fixed width as pieces: blocks of lines whose columns are the same in all."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from gpuscale.base.tokens import tokenize
from gpuscale.io.files import Files
from gpuscale.io.frames import Columns, FramePiece, FramePieces, Predicate, Pushdown
from gpuscale.io.pieces import Cost
from gpuscale.io.promised_dtypes import keep_promises
from gpuscale.io.text_blocks import NEWLINE, blocks_of, line_number, lines_of

__all__ = ["FixedWidthPieces", "column_spans"]


def column_spans(lines: list[str], delimiter: str = " \t") -> list[tuple[int, int]]:
    """Find the columns of some lines: what lies between positions that are blank in all.

    Examples
    --------
    >>> column_spans(["ab  12", "c    3"])
    [(0, 2), (4, 6)]
    """
    width = max(map(len, lines), default=0)
    filled = np.zeros(width + 2, dtype=bool)
    for line in lines:
        filled[1 : len(line) + 1] |= [each not in delimiter for each in line]
    edges = np.flatnonzero(filled[1:] != filled[:-1])
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


class FixedWidthPieces(FramePieces):
    """Reads files of fixed-width fields.

    Parameters
    ----------
    files : Files
        Each with a header, if the first one has one.
    options : mapping
        Arguments of ``pandas.read_fwf``.
    blocksize : int or None
        Bytes of text of a piece at most; None for whole files.
    sample : int
        Bytes from the start of the first file that decide about columns and dtypes.
    parts : int
        How many pieces there should be at least, if the files are large enough.
    """

    files: Files
    takes: frozenset[Pushdown] = frozenset()
    cost: Cost = "decode"

    def __init__(
        self,
        files: Files,
        options: Mapping[str, Any],
        blocksize: int | None = 64 << 20,
        sample: int = 256_000,
        parts: int = 1,
    ) -> None:
        import pandas as pd

        self.files = files
        with files.open(0) as file:
            head = file.read(sample) + file.readline()
        chosen = dict(options)
        if chosen.get("widths") is None and chosen.get("colspecs", "infer") == "infer":
            rows = int(chosen.pop("infer_nrows", 100))
            lines = head.decode(chosen.get("encoding") or "utf-8").splitlines()
            skipped = chosen.get("skiprows") or 0
            chosen["colspecs"] = column_spans(lines[skipped : skipped + rows])
        first = pd.read_fwf(io.BytesIO(head), **chosen)
        self.schema = first.iloc[:0]
        has_header = chosen.pop("header", "infer") is not None and chosen.get("names") is None
        self._lines_above = int(chosen.pop("skiprows", None) or 0) + has_header
        texts = {label: "str" for label, dtype in first.dtypes.items() if dtype == "str"}
        said = chosen.get("dtype")
        if said is None or isinstance(said, Mapping):
            chosen["dtype"] = texts | dict(said or {})
        self._options = chosen | {"names": list(first.columns), "header": None}
        ratio = int(first.memory_usage(deep=True).sum()) / max(len(head), 1)
        blocks = blocks_of(files, blocksize, parts)
        ends = [files.size(n) if stop is None else stop for n, _, stop in blocks]
        self.pieces = tuple(
            FramePiece(block, None, int((end - block[1]) * ratio) + 1)
            for block, end in zip(blocks, ends, strict=True)
        )
        self.token = tokenize("fixed width", files.token, dict(options), blocks, sample)

    def read(self, piece: FramePiece, columns: Columns, predicate: Predicate) -> Any:
        """Return the rows of a block, numbered from 0.

        Raises
        ------
        ValueError
            If values are not of the dtypes that the first lines have.
        """
        import pandas as pd

        number, start, _ = piece.source
        self.files.check(number)
        start, lines = lines_of(self.files, piece.source)
        data = bytes(lines[max(self._header_length(number) - start, 0) :])
        if not data.strip():
            return self.schema if columns is None else self.schema[list(columns)]
        try:
            frame = pd.read_fwf(io.BytesIO(data), **self._options)
            keep_promises(frame, self.schema)
        except ValueError as error:
            first = line_number(self.files, number, start)
            where = f"{self.files.name(number)}, lines {first} to {first + data.count(NEWLINE)}"
            raise ValueError(f"{where}: {error}") from None
        return frame if columns is None else frame[list(columns)]

    def _header_length(self, number: int) -> int:
        with self.files.open(number) as file:
            return sum(len(file.readline()) for _ in range(self._lines_above))
