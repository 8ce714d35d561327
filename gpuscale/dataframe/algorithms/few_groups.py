"""Parts of few groups without a loop of our own: rows are put in order of them, and added in runs.

Numbers of a byte are sorted in one pass over the rows. That is sooner than a library's grouping,
and needs nothing compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["FewGroups", "few_groups"]

_LEAST = 1 << 16
"""Rows: fewer are grouped by a library just as soon."""
_MOST = 256
"""Groups that there could be: their numbers are bytes."""
_EXTREMES: dict[str, tuple[Any, Any]] = {"min": (np.fmin, np.minimum), "max": (np.fmax, np.maximum)}
"""What to fold with: numbers without what is NaN, and integers."""


@dataclass(frozen=True)
class FewGroups:
    """Rows in order of their groups, which are numbered as their first rows come.

    Parameters
    ----------
    order : array of int
        Numbers of rows, group by group.
    starts : array of int
        Where each group starts in that order, one that is not numbered first perhaps.
    ranks : array of int
        Which of them has each number.
    """

    order: Any
    starts: Any
    ranks: Any

    @property
    def first(self) -> Any:
        """The first row of each group."""
        return self.order[self.starts[self.ranks]]

    def aggregated(self, kind: str, values: Any) -> Any:
        """Aggregate the values of each group, as `gpuscale.codegen.groups.aggregated` does."""
        with np.errstate(all="ignore"):
            return _FOLDS[kind](self, values)[self.ranks]

    def sizes(self) -> Any:
        """Return how many rows each group has, in order."""
        return np.diff(self.starts, append=len(self.order))

    def folded(self, fold: Any, values: Any) -> Any:
        """Fold the values of each group, in order."""
        return fold.reduceat(values.take(self.order), self.starts)


def _size(groups: FewGroups, values: Any) -> Any:
    return groups.sizes()


def _count(groups: FewGroups, values: Any) -> Any:
    undefined = np.isnan(values) if values.dtype.kind == "f" else np.zeros(0, bool)
    if not undefined.any():
        return groups.sizes()
    return groups.sizes() - groups.folded(np.add, undefined.astype(np.int64))


def _sum(groups: FewGroups, values: Any) -> Any:
    sums = groups.folded(np.add, values)
    if values.dtype.kind == "f":
        if np.isnan(sums).any():
            sums = groups.folded(np.add, np.where(np.isnan(values), 0.0, values))
        sums += 0.0  # as that is where sums start, which makes 0.0 of -0.0
    return sums


def _total(groups: FewGroups, values: Any) -> Any:
    return _sum(groups, values.astype(np.float64))


def _extreme(kind: str) -> Callable[[FewGroups, Any], Any]:
    of_numbers, of_integers = _EXTREMES[kind]
    return lambda groups, values: groups.folded(
        of_numbers if values.dtype.kind == "f" else of_integers, values
    )


_FOLDS: dict[str, Callable[[FewGroups, Any], Any]] = {
    **{"size": _size, "count": _count, "sum": _sum, "total": _total},
    **{kind: _extreme(kind) for kind in _EXTREMES},
}


def few_groups(keys: Sequence[Any]) -> FewGroups | None:
    """Put many rows in order of their groups; None where there are few, or may be many groups.

    Parameters
    ----------
    keys : sequence of series
        Integers, and categories, nulls among which are one key.

    Examples
    --------
    >>> groups = few_groups([pd.Series([7, 5] * 50_000)])
    >>> groups.first.tolist(), groups.aggregated("sum", np.ones(100_000)).tolist()
    ([0, 1], [50000.0, 50000.0])
    """
    if len(keys[0]) < _LEAST:
        return None
    numbers, width = np.zeros((), np.uint8), 1
    for key in keys:
        found = _bytes(key)
        if found is None or width * found[1] > _MOST:
            return None
        own, among = found
        numbers = own if width == 1 else numbers * np.uint8(among) + own
        width *= among
    order = np.argsort(numbers, kind="stable")
    sizes = np.bincount(numbers, minlength=width)
    starts = (np.cumsum(sizes) - sizes)[sizes > 0]
    return FewGroups(order, starts, np.argsort(order[starts]))


def _bytes(key: Any) -> tuple[Any, int] | None:
    """Return a number for each key, and how many keys there could be; None where too many."""
    if type(key) is not pd.Series:
        return None
    if isinstance(key.dtype, pd.CategoricalDtype):
        width = len(key.dtype.categories) + 1
        return None if width > _MOST else (key.array.codes.astype(np.uint8) + np.uint8(1), width)
    if key.dtype != np.int64:
        return None
    values = key.to_numpy()
    low, high = int(values.min()), int(values.max())
    return None if high - low >= _MOST else ((values - low).astype(np.uint8), high - low + 1)
