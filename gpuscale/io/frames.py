"""The two contracts of frames: read one piece of a dataset as a frame, write a partition of one.

They are to frames what `gpuscale.io.pieces` is to arrays. A piece becomes a partition; pieces, and
not rows, are what a place is made of, since nobody may know how many rows there are before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from gpuscale.io.files import Files
from gpuscale.io.pieces import Cost

__all__ = [
    "Columns",
    "Comparison",
    "Condition",
    "FramePiece",
    "FramePieces",
    "FrameWriter",
    "Predicate",
    "Pushdown",
]

Columns: TypeAlias = tuple[Any, ...] | None
"""Labels of the columns to read, in this order; None for all, as the schema has them."""

Comparison: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
"""What a condition asks of a value, as pandas answers it: nulls are unequal to everything."""

Condition: TypeAlias = tuple[Any, Comparison, Any]
"""A column, a comparison, and a value; a tuple of values for "in" and "not in"."""

Predicate: TypeAlias = tuple[Condition, ...]
"""Conditions that rows have to meet, all of them; none keeps every row."""

Pushdown: TypeAlias = Literal["columns", "predicate", "encoding", "device"]


@dataclass(frozen=True)
class FramePiece:
    """What is known of one piece before it is read.

    Parameters
    ----------
    source : object
        Where it is, in the words of its reader: a path and a row group, a range of bytes. It is
        plain data: it is pickled, and part of the identity of what is read.
    rows : int or None
        How many rows it has, None where only reading tells.
    nbytes : int
        Projected bytes of all its columns in memory.
    statistics : mapping of column to (least, greatest, nulls)
        As far as the dataset has them; each of the three may be None. No part of the identity.
    """

    source: Any
    rows: int | None
    nbytes: int
    statistics: Mapping[Any, tuple[Any, Any, int | None]] = field(
        default_factory=dict, compare=False, repr=False
    )


@runtime_checkable
class FramePieces(Protocol):
    """A dataset that can be read as frames, a piece at a time, by many threads at once.

    Pickled, it is read in other processes.

    Attributes
    ----------
    pieces : tuple of FramePiece
        One for each partition, in the order of the rows.
    schema : pandas.DataFrame
        Without rows; with the columns, dtypes and index of each piece, exactly.
    divisions : tuple or None
        Bounds of the index of all pieces, one more than pieces, where the index is sorted.
    ends : tuple of (label, label), or None
        The least and the greatest label of each piece, where the dataset says them and pieces
        follow each other. Within pieces rows may be in any order.
    token : str
        Deterministic identity of the data: of files their paths, sizes, and times of change; and of
        the options that decide how they are read.
    takes : frozenset of {"columns", "predicate", "encoding", "device"}
        What `read` does itself; without "columns" whole pieces are decoded at least. "encoding" is
        what `encoded` is for, and "device" `read_by`.
    files : Files or None
        What the pieces are parts of, where these are files.
    cost : {"view", "copy", "decode"}
        What reading a piece twice costs.
    is_columnar : bool
        Whether some columns are read without looking at the others.
    """

    pieces: tuple[FramePiece, ...]
    schema: Any
    divisions: tuple[Any, ...] | None = None
    ends: tuple[tuple[Any, Any], ...] | None = None
    token: str
    files: Files | None = None
    takes: frozenset[Pushdown] = frozenset({"columns"})
    cost: Cost = "decode"
    is_columnar: bool = False

    def read(self, piece: FramePiece, columns: Columns, predicate: Predicate) -> Any:
        """Return one piece as a frame with its index.

        Columns are in the order in which they are asked for; those of a predicate need not be
        among them. The rows are exactly those that meet the predicate, in their order, with the
        index that they have without one. Where statistics say that there is none, nothing is read
        and the frame is empty. Without "predicate" in ``takes`` the predicate is always empty.
        """
        ...

    def read_by(
        self, library: Any, piece: FramePiece, columns: Columns, predicate: Predicate
    ) -> Any:
        """Return what `read` does, read by a library of frames itself, such as cuDF.

        None where that would be something else, or only `read` knows what to do or to say.
        """
        return None

    def row_bytes(self, columns: Columns) -> int | None:
        """Projected bytes of a row of some columns; None leaves it to the dtypes."""
        return None

    def smallest(self, piece: FramePiece) -> str:
        """Say what a piece is, of which no part can be read, and how to have smaller ones.

        Empty where there are options of the reader that cut it.
        """
        return ""

    def compares(self, column: Any, value: Any) -> bool:
        """Whether a predicate may compare a column of objects with a value, as pandas does."""
        return False

    def encoded(self, columns: tuple[Any, ...]) -> FramePieces:
        """Return the same, with categories of its own in each piece for the texts of some columns.

        No predicate compares these.
        """
        return self

    def __gpuscale_tokenize__(self) -> str:
        return self.token


@runtime_checkable
class FrameWriter(Protocol):
    """A place where a frame can be written, a partition at a time, by many threads at once.

    A dataset comes to be in `commit` only: until then, and after `abort`, nothing is there that
    looks complete.

    Attributes
    ----------
    token : str
        Identity of this one act of writing: no two writers share it.
    is_local : bool
        Whether only this process can write there.
    """

    token: str
    is_local: bool = False

    def open(self, schema: Any, npartitions: int) -> None:
        """Check the target and make room; ``schema`` is a frame without rows.

        Where this raises, nothing is left behind.
        """
        ...

    def write(self, place: tuple[int], frame: Any) -> None:
        """Store the partition of which ``place`` is the number, ``(0,)`` being the first."""
        ...

    def commit(self) -> None:
        """Make the finished dataset appear."""
        ...

    def abort(self) -> None:
        """Remove what was written since `open`; after `commit`, do nothing."""
        ...

    def __gpuscale_tokenize__(self) -> str:
        return self.token
