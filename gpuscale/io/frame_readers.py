"""Readers of partitions, by their number: slices of a frame in memory, and pieces of a dataset."""

from __future__ import annotations

from typing import Any

from gpuscale.backends.creation import parcel
from gpuscale.base.tokens import tokenize
from gpuscale.io.frames import Columns, FramePieces, Predicate
from gpuscale.io.pieces import Cost

__all__ = ["FrameInMemory", "PiecesReader", "Values"]


class _PartitionReader:
    """What a `Source` asks of the reader of a frame, see `gpuscale.io.pieces.PieceReader`."""

    cost: Cost
    token: str
    may_change = False
    is_memory = False

    def read(self, place: tuple[int]) -> Any:
        """Return the partition of which ``place`` is the number."""
        raise NotImplementedError

    def shows(self, target: Any) -> bool:
        """Say no: frames are copied before they are changed."""
        return False

    def __gpuscale_tokenize__(self) -> str:
        return self.token


class FrameInMemory(_PartitionReader):
    """Slices of a frame, a series or an index, which are views of it.

    Parameters
    ----------
    data : object of pandas
    starts : tuple of int
        First row of each partition.
    """

    cost: Cost = "view"
    is_memory = True

    def __init__(self, data: Any, starts: tuple[int, ...]) -> None:
        self._data, self._ends = data, (*starts, len(data))
        self.token = tokenize("frame in memory", data, starts)

    def read(self, place: tuple[int]) -> Any:
        """Return some rows."""
        (number,) = place
        rows = slice(self._ends[number], self._ends[number + 1])
        return self._data.iloc[rows] if hasattr(self._data, "iloc") else self._data[rows]


class PiecesReader(_PartitionReader):
    """Some columns and rows of the pieces of a dataset."""

    def __init__(self, pieces: FramePieces, columns: Columns, predicate: Predicate) -> None:
        self._pieces, self._columns, self._predicate = pieces, columns, predicate
        self.room = 1.0  # what is decoded is first a table of Arrow
        self.cost = pieces.cost
        self.token = tokenize("pieces", pieces.token, columns, predicate)

    def read(self, place: tuple[int]) -> Any:
        """Return what is wanted of one piece."""
        (number,) = place
        return self._pieces.read(self._pieces.pieces[number], self._columns, self._predicate)


class Values(_PartitionReader):
    """One value for each partition, such as the number of its first row."""

    cost: Cost = "view"
    dtype = parcel(64)

    def __init__(self, values: tuple[Any, ...]) -> None:
        self._values = values
        self.token = tokenize("values", values)

    def read(self, place: Any) -> Any:
        """Return the value of one partition."""
        (number,) = place
        return self._values[number.start if isinstance(number, slice) else number]
