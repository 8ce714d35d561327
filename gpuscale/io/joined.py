"""Many small pieces of a dataset, read several at a time, so that there are fewer tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpuscale.base.tokens import tokenize
from gpuscale.io.frames import Columns, FramePiece, FramePieces, Predicate

__all__ = ["JoinedPieces", "joined", "neighbours"]

_FEW = 16  # pieces that are left as they are
_SMALL = 8 << 20  # bytes up to which neighbours are joined: reading them takes a moment


def neighbours(sizes: Sequence[int], most: int) -> list[range]:
    """Group neighbours, so that each group has at most so many bytes, or one member.

    Examples
    --------
    >>> neighbours([1, 2, 3, 9, 1, 1], 5)
    [range(0, 2), range(2, 3), range(3, 4), range(4, 6)]
    """
    groups, start, total = [], 0, 0
    for number, size in enumerate(sizes):
        if number > start and total + size > most:
            groups.append(range(start, number))
            start, total = number, 0
        total += size
    return [*groups, range(start, len(sizes))]


def joined(pieces: FramePieces, parts: int) -> FramePieces:
    """Return the same rows in fewer pieces, where there are many and neighbours are small.

    Parameters
    ----------
    pieces : FramePieces
        Left as they are if rows have other labels than numbers.
    parts : int
        How many there should still be.
    """
    sizes = [each.nbytes for each in pieces.pieces]
    if len(sizes) <= _FEW or not hasattr(pieces.schema.index, "step"):
        return pieces
    groups = neighbours(sizes, min(_SMALL, sum(sizes) // max(1, parts)))
    return JoinedPieces(pieces, groups) if len(groups) < len(sizes) else pieces


class JoinedPieces(FramePieces):
    """Pieces of another reader, several of which make one.

    Parameters
    ----------
    own : FramePieces
    groups : list of range
        Numbers of the pieces that are joined.
    """

    def __init__(self, own: FramePieces, groups: list[range]) -> None:
        self._own = own
        self.pieces = tuple(_together([own.pieces[k] for k in group]) for group in groups)
        self.schema, self.files = own.schema, own.files
        self.cost, self.is_columnar = own.cost, own.is_columnar
        self.takes = own.takes - {"encoding", "device"}  # which is for each piece by itself
        self.token = tokenize("joined", own.token, groups)

    def read(self, piece: FramePiece, columns: Columns, predicate: Predicate) -> Any:
        """Return the rows of some pieces, numbered from 0."""
        import pandas as pd

        frames = [self._own.read(each, columns, predicate) for each in piece.source]
        return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]

    def row_bytes(self, columns: Columns) -> int | None:
        """Projected bytes of a row of some columns."""
        return self._own.row_bytes(columns)

    def compares(self, column: Any, value: Any) -> bool:
        """Whether a predicate may compare a column of objects with a value."""
        return self._own.compares(column, value)


def _together(pieces: list[FramePiece]) -> FramePiece:
    rows = [each.rows for each in pieces]
    known = sum(n for n in rows if n is not None) if None not in rows else None
    return FramePiece(tuple(pieces), known, sum(each.nbytes for each in pieces))
