"""Pieces of partitions, by rows, by shares and by labels, and how they are joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gpuscale.backends.frame_libraries import array_beside
from gpuscale.backends.transfer import to_device
from gpuscale.dataframe.algorithms.columns import concat, is_index, worth_joining

__all__ = ["Join", "Labels", "Rows", "Share", "index_of", "rows_of"]


def index_of(partition: Any) -> Any:
    """Return the index of a frame or a series, or an index itself."""
    return partition if is_index(partition) else partition.index


def rows_of(partition: Any, rows: Any) -> Any:
    """Return rows by their positions."""
    if isinstance(rows, np.ndarray):
        rows = array_beside(partition, rows)
    return partition[rows] if is_index(partition) else partition.iloc[rows]


@dataclass(frozen=True)
class Rows:
    """Rows from one position to another, with steps that may go back."""

    start: int
    stop: int | None
    step: int = 1

    def __call__(self, partition: Any) -> Any:
        """Take them."""
        return rows_of(partition, slice(self.start, self.stop, self.step))

    def count(self, rows: int) -> int:
        """How many there are of some rows."""
        return len(range(*slice(self.start, self.stop, self.step).indices(rows)))


@dataclass(frozen=True)
class Share:
    """One of several equal shares, of however many rows there are."""

    number: int
    shares: int

    def __call__(self, partition: Any) -> Any:
        """Take it."""
        rows = len(partition)
        ends = (rows * k // self.shares for k in (self.number, self.number + 1))
        return rows_of(partition, slice(*ends))


@dataclass(frozen=True)
class Labels:
    """Rows whose labels are not less than one bound and less than the other; None is no bound."""

    low: Any
    high: Any

    def __call__(self, partition: Any) -> Any:
        """Take them, in their order."""
        index = index_of(partition)
        if index.is_monotonic_increasing:
            start = 0 if self.low is None else index.searchsorted(self.low, side="left")
            stop = len(index) if self.high is None else index.searchsorted(self.high, side="left")
            return rows_of(partition, slice(int(start), int(stop)))
        if self.low is None:
            return partition[~(index >= self.high)]
        chosen = index >= self.low
        return partition[chosen if self.high is None else chosen & ~(index >= self.high)]


@dataclass(frozen=True)
class Join:
    """Join pieces; of none there is a partition without rows.

    Parameters
    ----------
    empty : object of pandas
        That, without rows.
    backend : str
        The library that has the pieces.
    """

    empty: Any
    backend: str = "pandas"

    def __call__(self, pieces: list[Any]) -> Any:
        """Join them in their order."""
        filled = worth_joining(pieces)
        if not filled:
            return to_device(self.empty, self.backend)
        if len(filled) == 1:
            return filled[0]
        return concat(filled)
