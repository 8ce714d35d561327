"""Parts of few groups without a loop of our own: rows are put in order of them, and added in runs.

Numbers of a byte are sorted in one pass over the rows. That is sooner than a library's grouping,
and needs nothing compiled. Keys that are in order already, as bins of time are, need not even that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["FewGroups", "few_groups", "groups_in_runs"]

_LEAST = 1 << 16
"""Rows: fewer are grouped by a library just as soon."""
_MOST = 256
"""Groups that there could be: their numbers are bytes."""
_RUN = 16
"""Rows of a group, on average, of few rows: a library is as soon done with smaller ones."""
_GLANCE = 1 << 12
"""Rows that are looked at first."""
_EXTREMES: dict[str, tuple[Any, Any]] = {"min": (np.fmin, np.minimum), "max": (np.fmax, np.maximum)}
"""What to fold with: numbers without what is NaN, and integers."""


@dataclass(frozen=True)
class FewGroups:
    """Rows in order of their groups, which are numbered as their first rows come.

    Parameters
    ----------
    order : array of int or slice
        Numbers of rows, group by group; a slice of all where they stand like that.
    starts : array of int
        Where each group starts in that order, one that is not numbered first perhaps.
    ranks : array of int or slice
        Which of them has each number.
    rows : int
    """

    order: Any
    starts: Any
    ranks: Any
    rows: int

    @property
    def first(self) -> Any:
        """The first row of each group."""
        starts = self.starts[self.ranks]
        return starts if isinstance(self.order, slice) else self.order[starts]

    def aggregated(self, kind: str, values: Any) -> Any:
        """Aggregate the values of each group, as `gpuscale.codegen.groups.aggregated` does."""
        with np.errstate(all="ignore"):
            return _FOLDS[kind](self, values)[self.ranks]

    def sizes(self) -> Any:
        """Return how many rows each group has, in order."""
        return np.diff(self.starts, append=self.rows)

    def folded(self, fold: Any, values: Any) -> Any:
        """Fold the values of each group, in order."""
        ordered = values if isinstance(self.order, slice) else values.take(self.order)
        return fold.reduceat(ordered, self.starts)


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
    return FewGroups(order, starts, np.argsort(order[starts]), len(order))


def groups_in_runs(keys: Sequence[Any]) -> FewGroups | None:
    """Find where groups start of rows that are in order of one key; None where they are not.

    Parameters
    ----------
    keys : sequence of series
        One of whole numbers, or of times, nulls among which are one key.

    Examples
    --------
    >>> groups_in_runs([pd.Series([3, 5, 8]).repeat(20)]).first.tolist()
    [0, 20, 40]
    >>> groups_in_runs([pd.Series([5, 3]).repeat(20)]) is None
    True
    """
    key, *others = keys
    dtype = key.dtype
    if others or type(key) is not pd.Series or not isinstance(dtype, np.dtype | pd.DatetimeTZDtype):
        return None
    if dtype.kind not in "iumM":
        return None
    values = key.array.asi8 if dtype.kind in "mM" else key.to_numpy()
    if not all((some[1:] >= some[:-1]).all() for some in (values[:_GLANCE], values)):
        return None
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    if len(values) < min(_LEAST, _RUN * len(starts)):
        return None
    return FewGroups(slice(None), starts, slice(None), len(values))


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
