"""Rows whose keys lie in a range, where partitions are known to follow each other in their order.

Of partitions whose ranges are known, new ones are made of neighbours alone, at other bounds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["KeyRange", "Ranges", "are_in_order", "cut_at", "left_of"]

Ranges = Sequence[tuple[int, int]]
"""The least and the greatest key that each partition may have."""

Taken = tuple[int, "KeyRange | None"]
"""A partition, and the keys that are taken of it; None for all."""


@dataclass(frozen=True)
class KeyRange:
    """Rows whose whole numbers are not less than one bound, and less than the other.

    Parameters
    ----------
    key : label
    low, high : int or None
        None is no bound.
    share : float
        Of the rows, by projection.
    """

    key: Any
    low: int | None
    high: int | None
    share: float

    def __call__(self, partition: Any) -> Any:
        """Take them, in their order: a view, where the partition is sorted."""
        keys = partition[self.key].to_numpy()
        if (keys[1:] >= keys[:-1]).all():
            start = 0 if self.low is None else np.searchsorted(keys, self.low)
            stop = len(keys) if self.high is None else np.searchsorted(keys, self.high)
            return partition.iloc[int(start) : int(stop)]
        there = np.ones(len(keys), bool) if self.low is None else keys >= self.low
        return partition[there if self.high is None else there & (keys < self.high)]


def are_in_order(ranges: Ranges) -> bool:
    """Whether no partition has keys below those of the one before; they may share one.

    Examples
    --------
    >>> are_in_order([(1, 4), (4, 9)]), are_in_order([(1, 4), (3, 9)])
    (True, False)
    """
    return all(a[1] <= b[0] for a, b in zip(ranges, ranges[1:], strict=False))


def cut_at(bounds: Sequence[int], key: Any, ranges: Ranges) -> tuple[tuple[Taken, ...], ...]:
    """Return what each partition takes of those there are, where each but the first has a bound.

    Of each old partition the first piece has no lower and the last no upper bound, so that each row
    is in one piece.

    Examples
    --------
    >>> first, second = cut_at([5], "k", [(1, 5), (5, 8)])
    >>> first
    ((0, KeyRange(key='k', low=None, high=5, share=0.8)),)
    >>> second
    ((0, KeyRange(key='k', low=5, high=None, share=0.2)), (1, None))
    """
    found: list[list[Taken]] = [[] for _ in range(len(bounds) + 1)]
    for number, (low, high) in enumerate(ranges):
        first, last = bisect_right(bounds, low), bisect_right(bounds, high)
        edges = [low, *bounds[first:last], high + 1]
        for k in range(first, last + 1):
            start, stop = edges[k - first], edges[k - first + 1]
            lower, upper = None if k == first else start, None if k == last else stop
            piece = KeyRange(key, lower, upper, (stop - start) / (high + 1 - low))
            found[k].append((number, None if first == last else piece))
    return tuple(map(tuple, found))


def left_of(taken: Sequence[Taken], ranges: Ranges) -> tuple[int, int] | None:
    """Return the range of the keys of a partition that was put together; None if it has none.

    Examples
    --------
    >>> left_of([(0, KeyRange("k", 5, None, 0.2)), (1, None)], [(1, 5), (5, 8)])
    (5, 8)
    """
    found = []
    for number, piece in taken:
        low, high = ranges[number]
        if piece is not None:
            low = low if piece.low is None else piece.low
            high = high if piece.high is None else piece.high - 1
        found.append((low, high))
    return (min(low for low, _ in found), max(high for _, high in found)) if found else None
