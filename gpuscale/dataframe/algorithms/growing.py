"""Windows of all rows up to each: results of a partition go on from what is before it.

Of every column a few numbers are kept: how many elements there are, their weights, mean and
variance. They merge with those of the rows behind as Chan, Golub and LeVeque do; what was before
fades by the same factor that its weights do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from gpuscale.dataframe.algorithms.columns import columns_of

__all__ = ["GrowingBefore", "Moments", "Replacing", "grown_on"]

State = tuple[Any, ...]
"""Numbers of one column, or arrays of them with an element for each row."""


class Growing(Protocol):
    """What is kept of a column, and how that goes on."""

    nothing: State

    def local(self, column: Any) -> State:
        """Numbers at each row of a partition as if nothing were before it."""
        ...

    def joined(self, before: State, local: State) -> State:
        """Numbers at each row, or at the last one, with what is before the partition."""
        ...


@dataclass(frozen=True)
class Moments:
    """Count, weight, mean, variance, and the sum of squared weights.

    Parameters
    ----------
    alpha : float
        By which part of itself each element weighs less than the next one; 0 for equal weights.
    ignore_na : bool
        Whether nulls make nothing fade.
    """

    alpha: float = 0.0
    ignore_na: bool = True
    nothing = (0, 0.0, 0.0, 0.0, 0.0)

    def local(self, column: Any) -> State:
        """Ask pandas for mean and variance."""
        there = column.notna()
        counts = there.cumsum().to_numpy()
        fading = counts if self.ignore_na else np.arange(1, len(column) + 1)
        if not self.alpha:
            windows, weight, squares = column.expanding(1), counts.astype(np.float64), counts
            mean, var = windows.mean(), windows.var(ddof=0)
        else:
            windows = column.ewm(alpha=self.alpha, ignore_na=self.ignore_na)
            mean, var = windows.mean(), windows.var(bias=True)
            weight, squares = (self._weights(there, power) for power in (1, 2))
        found = (mean.fillna(0.0).to_numpy(), var.fillna(0.0).to_numpy())
        return counts, weight, *found, squares, (1.0 - self.alpha) ** fading

    def _weights(self, there: Any, power: int) -> Any:
        """Sum of the weights up to each row, which do not fade where nulls are ignored."""
        chosen = there[there] if self.ignore_na else there
        decay = (1.0 - self.alpha) ** power
        found = chosen.astype("float64").ewm(alpha=1.0 - decay).sum().to_numpy()
        if not self.ignore_na:
            return found
        return np.concatenate([[0.0], found])[there.cumsum().to_numpy()]

    def joined(self, before: State, local: State) -> State:
        """Merge both."""
        (n0, w0, mean0, var0, v0), (n1, w1, mean1, var1, v1, fade) = before, local
        faded = w0 * fade
        weight = faded + w1
        with np.errstate(all="ignore"):
            share = np.where(weight > 0, faded / weight, np.where(n1 > 0, 0.0, 1.0))
        mean = np.where(share == 1.0, mean0, mean1 + share * (mean0 - mean1))
        apart = np.where((n0 > 0) & (n1 > 0), mean0 - mean1, 0.0)
        var = share * var0 + (1.0 - share) * var1 + share * (1.0 - share) * apart**2
        return n0 + n1, weight, mean, var, v0 * fade**2 + v1


@dataclass(frozen=True)
class Replacing:
    """Count, mean, and how many rows ago the last element was: ``adjust=False`` of pandas.

    Each element takes its part of the mean, whatever was before.
    """

    alpha: float
    ignore_na: bool = True
    nothing = (0, 0.0, 0)

    def local(self, column: Any) -> State:
        """Ask pandas for the mean, and say what is left of a mean before the first element."""
        rows = np.arange(len(column))
        places = np.flatnonzero(column.notna().to_numpy())
        counts = column.notna().cumsum().to_numpy()
        mean = column.ewm(alpha=self.alpha, adjust=False, ignore_na=self.ignore_na).mean()
        kept = np.cumprod(np.concatenate([[1.0, 1.0], self._kept(np.diff(places))]))
        last = np.concatenate([[-1], places])[counts]
        lead = places[0] if len(places) else len(column)
        first = column.iloc[lead] if len(places) else 0.0
        return counts, mean.fillna(0.0).to_numpy(), rows - last, kept[counts], lead, first

    def _kept(self, gaps: Any) -> Any:
        """Part of the mean that an element leaves which comes some rows after the last one."""
        old = (1.0 - self.alpha) ** (np.ones_like(gaps) if self.ignore_na else gaps)
        if self.alpha == 0.5:  # where pandas gives the new element all that the old mean has lost
            return old
        return old / (old + self.alpha)

    def joined(self, before: State, local: State) -> State:
        """Put what is left of the mean before to that of each row."""
        (n0, mean0, ago0), (n1, mean1, ago1, kept, lead, first) = before, local
        gap = np.asarray(ago0 + lead + 1)
        left = self._kept(gap) * (mean0 - first) * kept
        mean = np.where(n1 > 0, mean1 + np.where(n0 > 0, left, 0.0), mean0)
        return n0 + n1, mean, np.where(n1 > 0, ago1, ago0 + ago1)


@dataclass(frozen=True)
class GrowingBefore:
    """For each partition, the numbers of all rows before it, for each column."""

    growing: Any

    def chunk(self, partition: Any) -> list[list[State]]:
        """Return the numbers at the last row."""
        if not len(partition):
            return [[]]
        return [[_last(self.growing.local(_numbers(each))) for each in columns_of(partition)]]

    def combine(self, partials: list[list[list[State]]]) -> list[list[State]]:
        """Put them in a row."""
        return [each for partial in partials for each in partial]

    def finalize(self, partial: list[list[State]]) -> list[list[State]]:
        """Merge those before each."""
        width = max(map(len, partial), default=0)
        found = [[self.growing.nothing] * width]
        for own in partial[:-1]:
            before = found[-1]
            pairs = zip(before, own or before, strict=True)
            found.append([self.growing.joined(*pair) for pair in pairs] if own else before)
        return found


def _last(local: State) -> State:
    return tuple(each[-1] if np.ndim(each) else each for each in local)


def _numbers(column: Any) -> Any:
    """Return a column as pandas' windows take it: infinities are nulls."""
    numbers = column.astype("float64")
    return numbers.where(~np.isinf(numbers))


def grown_on(
    partition: Any, before: list[list[State]], number: int, growing: Any, name: str, options: Any
) -> Any:
    """Return the results of a partition, going on from what is before it."""
    given, columns = dict(options), columns_of(partition)
    state = before[number] or [growing.nothing] * len(columns)
    made = []
    for column, own in zip(columns, state, strict=True):
        local = growing.local(_numbers(column))
        values = _result(name, growing, growing.joined(own, local), given)
        made.append(pd.Series(values, partition.index, name=column.name, dtype="float64"))
    if partition.ndim == 1:
        return made[0]
    result = pd.concat(made, axis=1)
    result.columns = partition.columns
    return result


def _result(name: str, growing: Any, state: State, options: dict[str, Any]) -> Any:
    """Make the result of what is kept."""
    n, weight, mean, *rest = state
    least = max(1, options["min_periods"] or 0)
    if isinstance(growing, Replacing):
        return np.where(n >= least, weight, np.nan)  # of these it is the mean
    if name in ("mean", "sum"):
        return np.where(n >= least, mean if name == "mean" else weight * mean, np.nan)
    var, squares = rest
    with np.errstate(all="ignore"):
        if growing.alpha:
            spare = weight**2 - squares
            factor = 1.0 if options.get("bias") else np.where(spare > 0, weight**2 / spare, np.nan)
            factor = np.where(n > 1, factor, 1.0 if options.get("bias") else np.nan)
        else:
            ddof = options.get("ddof", 1)
            factor = np.where(n > ddof, n / np.maximum(n - ddof, 1), np.nan)
        found = np.where(n >= least, var * factor, np.nan)
        found = found if name == "var" else np.sqrt(found)
        return found / np.sqrt(n) if name == "sem" else found
