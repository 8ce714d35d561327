"""A dataset in memory that says what was read of it."""

from __future__ import annotations

from itertools import count
from typing import Any

import pandas as pd

from gpuscale.io.frames import Columns, FramePiece, FramePieces, Predicate, Pushdown

__all__ = ["RecordedPieces"]

_numbers = count()

_FILTERS = {
    "==": lambda x, v: x == v,
    "!=": lambda x, v: x != v,
    "<": lambda x, v: x < v,
    "<=": lambda x, v: x <= v,
    ">": lambda x, v: x > v,
    ">=": lambda x, v: x >= v,
    "in": lambda x, v: x.isin(v),
    "not in": lambda x, v: ~x.isin(v),
}


class RecordedPieces(FramePieces):
    """Slices of a frame, read by the contract of `gpuscale.io.frames`.

    Parameters
    ----------
    frame : pandas.DataFrame
    npieces : int
    takes : set of {"columns", "predicate"}
    counted : bool
        Whether pieces say how many rows they have.

    Attributes
    ----------
    reads : list of (columns, predicate)
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        npieces: int,
        takes: frozenset[Pushdown] = frozenset({"columns", "predicate"}),
        counted: bool = True,
    ) -> None:
        step = max(1, -(-len(frame) // npieces))
        self._parts = [frame.iloc[k * step : (k + 1) * step] for k in range(npieces)]
        self.pieces = tuple(
            FramePiece(k, len(part) if counted else None, 100 * len(part))
            for k, part in enumerate(self._parts)
        )
        self.schema, self.takes = frame.iloc[:0], takes
        self.reads: list[tuple[Columns, Predicate]] = []
        self.token = f"recorded-{next(_numbers)}"  # each notes its own reads

    def read(self, piece: FramePiece, columns: Columns, predicate: Predicate) -> Any:
        """Read a piece, and note what was asked for."""
        self.reads.append((columns, predicate))
        part = self._parts[piece.source]
        for column, comparison, value in predicate:
            part = part[_FILTERS[comparison](part[column], value)]
        return part if columns is None else part[list(columns)]
