"""CSV files that cannot be cut: each is one piece, which pandas reads with any option."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from gpuscale.base.tokens import tokenize
from gpuscale.io.csv_encoding import undecodable
from gpuscale.io.csv_format import has_long_separator
from gpuscale.io.files import Files
from gpuscale.io.frames import Columns, FramePiece, FramePieces, Predicate, Pushdown
from gpuscale.io.pieces import Cost
from gpuscale.io.promised_dtypes import keep_promises
from gpuscale.io.text_blocks import open_plain, read_plain

__all__ = ["WholeCsvPieces"]

_SAMPLE = 10_000  # rows


class WholeCsvPieces(FramePieces):
    """Reads CSV files, each as one piece.

    Parameters
    ----------
    files : Files
    options : mapping
        Arguments of ``pandas.read_csv``.
    compression : str or None
        As fsspec calls it.
    """

    files: Files
    takes: frozenset[Pushdown] = frozenset()
    cost: Cost = "decode"

    def __init__(
        self, files: Files, options: Mapping[str, Any], compression: str | None = None
    ) -> None:
        self.files, self._compression = files, compression
        self._options = {name: value for name, value in options.items() if name != "compression"}
        if has_long_separator(options):
            self._options.setdefault("engine", "python")  # which pandas would warn of
        found = (self._sample(number) for number in range(len(files)))
        sample = next((each for each in found if len(each)), None)
        sample = self._sample(0) if sample is None else sample  # of the first file that has rows
        self.schema = sample.iloc[:0]
        self._row_bytes = int(sample.memory_usage(deep=True).sum()) // max(len(sample), 1)
        self.pieces = tuple(
            FramePiece((number,), None, 4 * files.size(number)) for number in range(len(files))
        )
        self.token = tokenize("whole csv", files.token, self._options, compression)

    def _sample(self, number: int) -> Any:
        import pandas as pd

        options = {name: value for name, value in self._options.items() if name != "skipfooter"}
        try:
            with open_plain(self.files, number, self._compression) as file:
                return pd.read_csv(file, **options, nrows=_SAMPLE)
        except UnicodeDecodeError as error:
            raise self._explained(number, error) from None

    def _explained(self, number: int, error: ValueError) -> ValueError:
        """Say in which file, and in which line if it is sure, something cannot be read."""
        name, wrong = self.files.name(number), None
        if isinstance(error, UnicodeDecodeError):
            wrong = undecodable(read_plain(self.files, number, self._compression), self._options)
        if wrong is None:
            return ValueError(f"{name}: {error}")
        return ValueError(f"{name}, line {wrong[0] + 1}: {wrong[1]}")

    def read(self, piece: FramePiece, columns: Columns, predicate: Predicate) -> Any:
        """Return one file.

        Raises
        ------
        ValueError
            If pandas cannot read it, or reads other columns or dtypes than in the first one.
        """
        import pandas as pd

        (number,) = piece.source
        self.files.check(number)
        name = self.files.name(number)
        try:
            with open_plain(self.files, number, self._compression) as file:
                frame = pd.read_csv(io.BytesIO(file.read()), **self._options)
        except ValueError as error:
            raise self._explained(number, error) from error
        if list(frame.columns) != list(self.schema.columns):
            raise ValueError(
                f"the columns of {name} are {list(frame.columns)}, and those of "
                f"{self.files.name(0)} {list(self.schema.columns)}"
            )
        try:
            keep_promises(frame, self.schema)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        return frame if columns is None else frame[list(columns)]

    def row_bytes(self, columns: Columns) -> int | None:
        """Projected bytes of a row, with all columns: they are read in any case."""
        return self._row_bytes
