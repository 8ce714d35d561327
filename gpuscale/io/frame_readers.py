"""Readers of partitions, by their number: slices of a frame in memory, and pieces of a dataset."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from gpuscale.backends.creation import parcel
from gpuscale.backends.frame_libraries import frame_library
from gpuscale.backends.transfer import to_device
from gpuscale.base.sizes import format_bytes
from gpuscale.base.tokens import tokenize
from gpuscale.expr.frames import row_bytes
from gpuscale.io.frames import Columns, FramePieces, Predicate
from gpuscale.io.pieces import Cost
from gpuscale.io.predicates import may_match

__all__ = ["FrameInMemory", "PiecesReader", "Values", "part_of"]

_SAID = 100  # letters of a predicate
_NOT_READ = (NotImplementedError, OSError, RuntimeError, TypeError, ValueError)


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
    """Some columns and rows of the pieces of a dataset.

    Parameters
    ----------
    pieces : FramePieces
    columns : Columns
    predicate : Predicate
    backend : str
        The library that reads; what it has no way to read, pandas does for it.
    """

    def __init__(
        self,
        pieces: FramePieces,
        columns: Columns,
        predicate: Predicate,
        backend: str = "pandas",
    ) -> None:
        self._pieces, self._columns, self._predicate = pieces, columns, predicate
        self._backend = backend
        self.room = 1.5  # what is decoded is first a table of Arrow, and pages of it
        self.cost = pieces.cost
        self.is_memory = pieces.files is not None and pieces.files.in_memory
        self.token = tokenize("pieces", pieces.token, columns, predicate, backend)

    def on(self, backend: str) -> PiecesReader | None:
        """Return the reader of the same by another library; None where pandas has to read it."""
        if "device" not in self._pieces.takes:
            return None
        return PiecesReader(self._pieces, self._columns, self._predicate, backend)

    @property
    def note(self) -> str:
        """What is read, of how much."""
        return part_of(self._pieces, self._columns, self._predicate)

    @property
    def advice(self) -> str:
        """What to do where the largest piece is too large, if the dataset has no smaller ones."""
        piece = max(self._pieces.pieces, key=attrgetter("nbytes"), default=None)
        said = "" if piece is None else self._pieces.smallest(piece)
        if piece is None or not said:
            return ""
        _, labels = _asked_of(self._pieces, self._columns, self._predicate)
        size = format_bytes((piece.rows or 0) * _width(self._pieces, labels))
        return f"{said}, or read fewer columns, which take {size} of it"

    def read(self, place: tuple[int]) -> Any:
        """Return what is wanted of one piece."""
        (number,) = place
        asked = self._pieces.pieces[number], self._columns, self._predicate
        if self._backend == "pandas":
            return self._pieces.read(*asked)
        library = frame_library(self._backend)
        try:
            found = self._pieces.read_by(library, *asked)
        except _NOT_READ:  # pandas can, or says which file and why not
            found = None
        return to_device(self._pieces.read(*asked), self._backend) if found is None else found


def part_of(pieces: FramePieces, columns: Columns, predicate: Predicate) -> str:
    """Say what is read of a dataset, and how much less that is than all of it.

    Bytes are those that it is projected to take in memory. Pieces are left out in which statistics
    say that no row meets the predicate.
    """
    every, labels = _asked_of(pieces, columns, predicate)
    chosen = [each for each in pieces.pieces if may_match(predicate, each.statistics, each.rows)]
    whole = _width(pieces, tuple(every))
    share = min(1.0, _width(pieces, labels) / whole) if labels else 0.0
    total, rest = (sum(each.nbytes for each in some) for some in (pieces.pieces, chosen))
    return (
        f"{len(labels)} of {len(every)} columns, {len(chosen)} of {len(pieces.pieces)} pieces, "
        f"{format_bytes(int(rest * share))} of {format_bytes(total)}{_where(predicate)}"
    )


def _asked_of(
    pieces: FramePieces, columns: Columns, predicate: Predicate
) -> tuple[list[Any], tuple[Any, ...]]:
    """Return the labels of all columns, and those that are read."""
    every = list(pieces.schema.columns)
    asked = every if columns is None else [*columns, *(label for label, _, _ in predicate)]
    return every, tuple(label for label in every if label in asked)


def _width(pieces: FramePieces, labels: tuple[Any, ...]) -> int:
    return max(1, pieces.row_bytes(labels) or row_bytes(pieces.schema[list(labels)]))


def _where(predicate: Predicate) -> str:
    said = " and ".join(f"{label} {comparison} {value}" for label, comparison, value in predicate)
    return f", where {said if len(said) <= _SAID else said[:_SAID] + '...'}" if said else ""


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
