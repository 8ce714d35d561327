"""Parts of few groups without a loop of our own: rows are put in order of them, and added in runs.

Numbers of a byte are sorted in one pass, as many rows at a time as caches hold. That is sooner than
a library's grouping, and needs nothing compiled. Keys that are in order already, as bins of time
are, need not even that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
_BLOCK = 1 << 15
"""Rows that are put in order together: their places have two bytes."""
_EXTREMES: dict[str, tuple[Any, Any]] = {"min": (np.fmin, np.minimum), "max": (np.fmax, np.maximum)}
"""What to fold with: numbers without what is NaN, and integers."""


@dataclass(frozen=True)
class Run:
    """Rows side by side, in order of their groups.

    Parameters
    ----------
    rows : slice
    order : array of int or slice
        Places among these rows, group by group; a slice of all where they stand like that.
    starts : array of int
        Where each group that is among them starts in that order.
    """

    rows: slice
    order: Any
    starts: Any

    def folded(self, fold: Any, values: Any, dtype: Any) -> Any:
        """Fold the values of each group that is among them."""
        own = values[self.rows]
        ordered = own if isinstance(self.order, slice) else own.take(self.order)
        return fold.reduceat(ordered, self.starts, dtype=dtype)

    def sizes(self) -> Any:
        """Return how many rows of each group are among them."""
        return np.diff(self.starts, append=self.rows.stop - self.rows.start)

    def firsts(self) -> Any:
        """Return the first row of each group that is among them."""
        places = self.starts if isinstance(self.order, slice) else self.order[self.starts]
        return self.rows.start + places.astype(np.int64)


@dataclass(frozen=True)
class FewGroups:
    """Runs of rows in order of their groups, which are numbered as their first rows come.

    Parameters
    ----------
    runs : tuple of Run
    order : array of int or slice
        Parts that groups have in runs, group by group.
    starts : array of int
        Where each group starts in that order, one that is not numbered first perhaps.
    ranks : array of int or slice
        Which of them has each number.
    """

    runs: tuple[Run, ...]
    order: Any
    starts: Any
    ranks: Any

    @property
    def first(self) -> Any:
        """The first row of each group."""
        firsts = np.concatenate([run.firsts() for run in self.runs])
        return firsts[self.order][self.starts][self.ranks]

    def aggregated(self, kind: str, values: Any) -> Any:
        """Aggregate the values of each group, as `gpuscale.codegen.groups.aggregated` does."""
        with np.errstate(all="ignore"):
            return _FOLDS[kind](self, values)[self.ranks]

    def sizes(self) -> Any:
        """Return how many rows each group has, in order."""
        return self._together(np.add, [run.sizes() for run in self.runs])

    def folded(self, fold: Any, values: Any, dtype: Any = None) -> Any:
        """Fold the values of each group, in order, as numbers of a dtype."""
        dtype = dtype or values.dtype
        return self._together(fold, [run.folded(fold, values, dtype) for run in self.runs])

    def _together(self, fold: Any, parts: Sequence[Any]) -> Any:
        if len(parts) == 1:
            return parts[0]
        return fold.reduceat(np.concatenate(parts)[self.order], self.starts)


def _size(groups: FewGroups, values: Any) -> Any:
    return groups.sizes()


def _count(groups: FewGroups, values: Any) -> Any:
    undefined = np.isnan(values) if values.dtype.kind == "f" else np.zeros(0, bool)
    if not undefined.any():
        return groups.sizes()
    return groups.sizes() - groups.folded(np.add, undefined.astype(np.int64))


def _sum(groups: FewGroups, values: Any) -> Any:
    return _added(groups, values, values.dtype)


def _total(groups: FewGroups, values: Any) -> Any:
    return _added(groups, values, np.dtype(np.float64))


def _added(groups: FewGroups, values: Any, dtype: Any) -> Any:
    sums = groups.folded(np.add, values, dtype)
    if dtype.kind == "f":
        if values.dtype.kind == "f" and np.isnan(sums).any():
            sums = groups.folded(np.add, np.where(np.isnan(values), 0.0, values))
        sums += 0.0  # as that is where sums start, which makes 0.0 of -0.0
    return sums


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
    runs, present = zip(
        *(_run(numbers, start) for start in range(0, len(numbers), _BLOCK)), strict=True
    )
    of_parts = np.concatenate(present)
    order = np.argsort(of_parts, kind="stable")
    groups = FewGroups(runs, order, _changes(of_parts[order]), slice(None))
    return replace(groups, ranks=np.argsort(groups.first))


def _run(numbers: Any, start: int) -> tuple[Run, Any]:
    """Put some rows in order; return with them which groups are among them."""
    own = numbers[start : start + _BLOCK]
    order = np.argsort(own, kind="stable").astype(np.uint16)
    sizes = np.bincount(own)
    present = np.flatnonzero(sizes)
    starts = (np.cumsum(sizes) - sizes)[present]
    return Run(slice(start, start + len(own)), order, starts), present.astype(np.uint8)


def _changes(ordered: Any) -> Any:
    """Return where other values begin."""
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


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
    starts = _changes(values)
    if len(values) < min(_LEAST, _RUN * len(starts)):
        return None
    whole = Run(slice(0, len(values)), slice(None), starts)
    return FewGroups((whole,), slice(None), slice(None), slice(None))


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
