"""Elements of some ranks of columns that lie in parts: exact, in two passes, by what is near them.

Sorted, each part gives a sample at even steps; where an element of a sample stands among all is
known but for a step for each part (Munro and Paterson, 1980). So two such elements that a wanted
one surely lies between are near each other, and a second pass keeps what lies between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gpuscale.dataframe.algorithms.columns import columns_of, together

__all__ = ["Bracket", "Brackets", "Near", "Shares"]

Sample = tuple[Any, int, int, int]
"""Elements at even steps, of how many elements, of how many parts, of how many rows."""


@dataclass(frozen=True)
class Shares:
    """Which elements quantiles are made of, and how, as pandas does it.

    Parameters
    ----------
    q : tuple of float
    method : {"linear", "lower", "higher", "midpoint", "nearest", "median"}
    """

    q: tuple[float, ...]
    method: str

    def ranks(self, count: int) -> list[tuple[int, int]]:
        """Return the ranks of the two elements that each quantile is made of.

        Examples
        --------
        >>> Shares((0.5, 1.0), "linear").ranks(4), Shares((0.5,), "median").ranks(3)
        ([(1, 2), (3, 3)], [(1, 1)])
        """
        if self.method == "median":
            return [((count - 1) // 2, count // 2) for _ in self.q]
        found = []
        for place in self._places(count):
            low, high = floor(place), min(floor(place) + 1, count - 1)
            if self.method in _ONE:
                low = high = int(_ONE[self.method](place))
            found.append((low, high))
        return found

    def _places(self, count: int) -> list[float]:
        return [(count - 1) * q for q in self.q]

    def values(self, pairs: list[Any], count: int) -> Any:
        """Make the quantiles, a series, of pairs of elements."""
        if self.method == "median":
            return pd.Series([pair.median() for pair in pairs])
        places = self._places(count) if count else [0.0] * len(pairs)
        shares = [0.0 if self.method in _ONE else place - floor(place) for place in places]
        each = [
            pair.quantile([share], interpolation=self.method)
            for pair, share in zip(pairs, shares, strict=True)
        ]
        return pd.concat(each)


_ONE: dict[str, Any] = {"lower": np.floor, "higher": np.ceil, "nearest": np.around}


class Bracket(NamedTuple):
    """Between which elements some ranks lie, both included; None where all may be."""

    low: Any
    high: Any


@dataclass(frozen=True)
class Brackets:
    """A blueprint of the first pass: for each column how many elements and rows, and brackets.

    Parameters
    ----------
    shares : Shares
    step : int
    dtype : dtype, optional
        To which columns are converted.
    """

    shares: Shares
    step: int
    dtype: Any = None

    def chunk(self, frame: Any) -> list[Sample]:
        """Sort each column, and take a sample."""
        return [self._sample(column) for column in columns_of(frame)]

    def _sample(self, column: Any) -> Sample:
        values = np.sort(values_of(column, self.dtype))
        return values[self.step - 1 :: self.step].copy(), len(values), 1, len(column)

    def combine(self, partials: list[list[Sample]]) -> list[Sample]:
        """Put samples of each column together."""
        return together(partials, self._both)

    def _both(self, parts: list[Sample]) -> Sample:
        values, counts, runs, rows = zip(*parts, strict=True)
        return np.concatenate(values), sum(counts), sum(runs), sum(rows)

    def finalize(self, partial: list[Sample]) -> list[tuple[int, int, list[Bracket]]]:
        """Find the brackets, beside how many elements and how many rows there are."""
        return [
            (count, rows, list(self._brackets(sample, count, runs)))
            for sample, count, runs, rows in partial
        ]

    def _brackets(self, sample: Any, count: int, runs: int) -> Iterator[Bracket]:
        ordered, step = np.sort(sample), self.step
        for low, high in self.shares.ranks(count) if count else ():
            # Below the k-th of the sample (from 0) are at most k * step + runs * (step - 1)
            # elements, and it is not less than (k + 1) * step of them.
            first = (low - runs * (step - 1)) // step
            last = -(-(high + 1) // step) - 1
            yield Bracket(
                ordered[first] if first >= 0 else None,
                ordered[last] if last < len(ordered) else None,
            )


@dataclass(frozen=True)
class Near:
    """A blueprint of the second pass: what lies in brackets, and the quantiles.

    Partials are, for each column and bracket, how many elements lie below, and the different ones
    that lie in it, with how often they are there.

    Parameters
    ----------
    shares : Shares
    dtypes : tuple of dtype
        Of the columns.
    template : object of pandas
        A result with the labels that it has.
    dtype : dtype, optional
        To which columns are converted.
    """

    shares: Shares
    dtypes: tuple[Any, ...]
    template: Any
    dtype: Any = None

    def chunk(self, frame: Any, brackets: list[Any]) -> Any:
        """Look at one partition."""
        columns = [
            _in_brackets(values_of(column, self.dtype), each)
            for column, (_, _, each) in zip(columns_of(frame), brackets, strict=True)
        ]
        return [numbers for *numbers, _ in brackets], columns

    def combine(self, partials: list[Any]) -> Any:
        """Add up."""
        columns = [
            together(list(each), _added) for each in zip(*(p[1] for p in partials), strict=True)
        ]
        return partials[0][0], columns

    def finalize(self, partial: Any) -> Any:
        """Find the elements, and make the quantiles of them."""
        results = [
            self._quantiles(count, rows, found, dtype)
            for (count, rows), found, dtype in zip(*partial, self.dtypes, strict=True)
        ]
        return self._dressed(results)

    def _quantiles(self, count: int, rows: int, found: list[Any], dtype: Any) -> Any:
        dtype = self.dtype or dtype
        nulls = pd.Series([None] * min(rows - count, 1), dtype=dtype)  # of which dtypes depend
        if not count:
            return self.shares.values([nulls] * len(self.shares.q), 0)
        pairs = [
            pd.concat([pd.Series(_of_ranks(each, ranks), dtype=dtype), nulls])
            for each, ranks in zip(found, self.shares.ranks(count), strict=True)
        ]
        return self.shares.values(pairs, count)

    def _dressed(self, results: list[Any]) -> Any:
        template = self.template
        if isinstance(template, pd.DataFrame):
            result = pd.concat([each.reset_index(drop=True) for each in results], axis=1)
            result.columns, result.index = template.columns, template.index
            return result
        if not isinstance(template, pd.Series):
            return results[0].iloc[0]
        result = pd.concat(results)
        result.index = template.index
        return result.rename(template.name)


def values_of(column: Any, dtype: Any = None) -> Any:
    """Return the elements that are no nulls, as an array of NumPy."""
    values = column.dropna()
    found = values.to_numpy(dtype=getattr(values.dtype, "numpy_dtype", values.dtype))
    return found if dtype is None else found.astype(dtype, copy=False)


def _in_brackets(values: Any, brackets: list[Bracket]) -> list[Any]:
    return [_in_bracket(values, *each) for each in brackets]


def _in_bracket(values: Any, low: Any, high: Any) -> tuple[int, Any, Any]:
    below = 0 if low is None else int(np.count_nonzero(values < low))
    inside = values if low is None else values[values >= low]
    inside = inside if high is None else inside[inside <= high]
    return below, *np.unique(inside, return_counts=True)


def _added(parts: list[Any]) -> tuple[int, Any, Any]:
    below, values, counts = zip(*parts, strict=True)
    distinct, where = np.unique(np.concatenate(values), return_inverse=True)
    total = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(total, where, np.concatenate(counts))
    return sum(below), distinct, total


def _of_ranks(found: tuple[int, Any, Any], ranks: tuple[int, int]) -> Any:
    below, values, counts = found
    ends = np.cumsum(counts)
    assert not len(ends) or ranks[0] >= below and ranks[1] < below + ends[-1], "a bracket misled"
    return values[np.searchsorted(ends, np.array(ranks) - below, side="right")]
