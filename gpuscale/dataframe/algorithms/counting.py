"""How often each value is there, which ones there are, and rows that are there more than once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from gpuscale.backends.frame_libraries import array_beside
from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.backends.seams import array_namespace, on_device, to_host
from gpuscale.dataframe.algorithms.columns import columns_of, concat, is_index
from gpuscale.dataframe.algorithms.packing import duplicated
from gpuscale.dataframe.algorithms.texts import different_texts, is_text, texts_at

__all__ = [
    "Counts",
    "CountsOfBins",
    "DistinctRows",
    "FrameModes",
    "Modes",
    "RowCounts",
    "Unique",
    "tally",
]

Tally = tuple[Any, Any]
"""Different values in the order in which they come first, nulls too, and how often each is."""


def tally(values: Any, weights: Any = None) -> Tally:
    """Count the values of a series, each as often as its weight says.

    Examples
    --------
    >>> values, counts = tally(pd.Series(["b", "a", "b"]))
    >>> list(values), counts.tolist()
    (['b', 'a'], [2, 1])
    """
    if on_device(values):
        return _tally_of_device(values, weights)
    texts = different_texts(values)
    if texts is not None:
        ids, first = texts
        counts = np.bincount(ids, weights=weights, minlength=len(first)).astype(np.int64)
        return pd.Series(texts_at(values.array, first), name=values.name), counts
    if (
        weights is None
        and not hasattr(values.array, "_mask")
        and not hasattr(values.array, "codes")
    ):
        found = values.value_counts(sort=False, dropna=False)  # in this order, of these dtypes
        return pd.Series(found.index.array, dtype=values.dtype, name=values.name), found.to_numpy(
            np.int64
        )
    codes = _codes(values)
    counts = np.bincount(codes, weights=weights).astype(np.int64)
    first = np.zeros(len(counts), dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]  # of several writes the last one stays
    return values.iloc[first].reset_index(drop=True), counts


def _codes(values: Any) -> Any:
    """Number values in the order in which they come first; None and NaN are two objects."""
    codes, _ = pd.factorize(values, use_na_sentinel=False)
    is_null = values.isna().to_numpy() if values.dtype == object else np.zeros(0, dtype=bool)
    if is_null.sum() < 2:
        return codes
    kinds = np.zeros_like(codes)
    kinds[is_null], _ = pd.factorize(np.array([type(each).__name__ for each in values[is_null]]))
    return pd.factorize(codes * (kinds.max() + 1) + kinds)[0]


def _tally_of_device(values: Any, weights: Any) -> Tally:
    """Group the values by themselves: few are different, and these come to the host."""
    rows = values.to_frame("value")
    rows["count"] = 1 if weights is None else array_beside(values, weights)
    found = rows.groupby("value", dropna=False, sort=False, observed=True)["count"].sum()
    found = to_host(found.reset_index())
    return found["value"].astype(values.dtype).rename(values.name), found["count"].to_numpy()


def merged(partials: list[Tally]) -> Tally:
    """Add up what was counted apart."""
    values = pd.concat([values for values, _ in partials], ignore_index=True)
    return tally(values, np.concatenate([counts for _, counts in partials]))


@dataclass(frozen=True)
class Counts:
    """`pandas.Series.value_counts`, with the same order of what is as frequent."""

    normalize: bool
    sort: bool
    ascending: bool
    dropna: bool

    def chunk(self, partition: Any) -> Tally:
        """Count."""
        return tally(partition)

    def combine(self, partials: list[Tally]) -> Tally:
        """Add up."""
        return merged(partials)

    def finalize(self, partial: Tally) -> Any:
        """Put the numbers where pandas puts those of the distinct values, and sort."""
        result = self._in_order(*partial)
        if self.sort:
            result = result.sort_values(ascending=self.ascending, kind="stable")
        return (result / result.sum()).rename("proportion") if self.normalize else result

    def _in_order(self, values: Any, counts: Any) -> Any:
        if is_text(values):  # which come as they came first
            like = values[:0].value_counts(sort=False)
            there = values.notna().to_numpy() if self.dropna else slice(None)
            index = pd.Index(values[there], name=like.index.name)
            return pd.Series(counts[there], index=index, name=like.name).astype(like.dtype)
        each = values.value_counts(sort=False, dropna=self.dropna)
        by_value = pd.Series(counts, index=pd.Index(values))
        numbers = by_value.reindex(each.index, fill_value=0).to_numpy()
        return pd.Series(numbers, index=each.index, name=each.name).astype(each.dtype)


@dataclass(frozen=True)
class CountsOfBins:
    """What pandas says of bins, given how many values are in each of these, and in none of them."""

    normalize: bool
    sort: bool
    ascending: bool
    dropna: bool

    def __call__(self, counts: Any) -> Any:
        """Put them into the order that is asked for."""
        found = counts[counts.index.notna()]
        found.index = found.index.categories.take(found.index.codes)
        found = found.sort_index()
        if self.dropna and (found == 0).all():
            found = found.iloc[:0]
        if self.sort:
            found = found.sort_values(ascending=self.ascending, kind="stable")
        return (found / counts.sum()).rename("proportion") if self.normalize else found


@dataclass(frozen=True)
class RowCounts:
    """`pandas.DataFrame.value_counts`: of the different rows of some columns."""

    subset: tuple[Any, ...] | Any
    normalize: bool
    sort: bool
    ascending: bool
    dropna: bool

    def chunk(self, partition: Any) -> Any:
        """Count, in the order in which rows come first."""
        grouped = partition.groupby(list(self.subset), sort=False, dropna=False, observed=True)
        return grouped.size().rename("count").reset_index()

    def combine(self, partials: list[Any]) -> Any:
        """Add up; rows with nulls stay, since with categories their other values make rows."""
        return self._sums(concat(partials), dropna=False, observed=True).reset_index()

    def _sums(self, counts: Any, dropna: bool, observed: bool) -> Any:
        keys = list(self.subset)
        grouped = counts.groupby(keys, sort=False, dropna=dropna, observed=observed)
        return grouped["count"].sum()

    def finalize(self, partial: Any) -> Any:
        """Sort."""
        result = self._sums(partial, self.dropna, observed=False)
        if self.sort:
            result = result.sort_values(ascending=self.ascending, kind="stable")
        if self.normalize:
            result = (result / result.sum()).rename("proportion")
        if len(self.subset) == 1:
            names = [result.index.name]
            result.index = frame_namespace(result).MultiIndex.from_arrays(
                [result.index], names=names
            )
        return result


@dataclass(frozen=True)
class Unique:
    """The different values, in the order in which they come first."""

    def chunk(self, partition: Any) -> Any:
        """Find them."""
        return partition.drop_duplicates()

    def combine(self, partials: list[Any]) -> Any:
        """Find those of all."""
        return concat(partials).drop_duplicates()

    def finalize(self, partial: Any) -> Any:
        """Number them."""
        return partial if is_index(partial) else partial.reset_index(drop=True)


@dataclass(frozen=True)
class Modes:
    """The most frequent values of each column."""

    dropna: bool

    def chunk(self, partition: Any) -> list[Tally]:
        """Count."""
        return [tally(each) for each in columns_of(partition)]

    def combine(self, partials: list[list[Tally]]) -> list[Tally]:
        """Add up."""
        return [merged(list(each)) for each in zip(*partials, strict=True)]

    def finalize(self, partial: list[Tally]) -> Any:
        """Have pandas put those that are the most frequent in order."""
        found = [self._of(*each) for each in partial]
        return found[0] if len(found) == 1 else found

    def _of(self, values: Any, counts: Any) -> Any:
        if self.dropna:
            there = values.notna().to_numpy()
            values, counts = values[there], counts[there]
        most = counts == counts.max() if len(counts) else counts.astype(bool)
        return values[most].mode(dropna=self.dropna)


@dataclass(frozen=True)
class FrameModes(Modes):
    """Those of a table, side by side."""

    def finalize(self, partial: list[Tally]) -> Any:
        """Put the columns side by side."""
        found = [self._of(*each) for each in partial]
        return (
            pd.concat(found, axis=1) if found else pd.DataFrame(columns=pd.Index([], dtype="str"))
        )


@dataclass(frozen=True)
class DistinctRows:
    """`drop_duplicates`: one row of those that are the same, or those that are there once.

    Partials are rows and whether others are the same.

    Parameters
    ----------
    subset : tuple or None
    keep : {"first", "last", False}
    """

    subset: tuple[Any, ...] | None
    keep: Any
    keeps_labels: ClassVar[bool] = True

    def chunk(self, partition: Any) -> tuple[Any, Any]:
        """Keep one of each."""
        return self._kept(partition, array_beside(partition, np.zeros(len(partition), dtype=bool)))

    def combine(self, partials: list[tuple[Any, Any]]) -> tuple[Any, Any]:
        """Keep one of each of all."""
        rows = concat([rows for rows, _ in partials])
        flags = [repeated for _, repeated in partials]
        return self._kept(rows, array_namespace(flags[0]).concatenate(flags))

    def finalize(self, partial: tuple[Any, Any]) -> Any:
        """Drop what is there more than once, where that is asked."""
        rows, repeated = partial
        return rows[~repeated] if self.keep is False else rows

    def __call__(self, rows: Any) -> Any:
        """Keep one of each of all rows, or those that are there once."""
        return self.finalize(self.chunk(rows))

    def _kept(self, rows: Any, repeated: Any) -> tuple[Any, Any]:
        subset = None if self.subset is None else list(self.subset)
        others = duplicated(rows, subset, self.keep or "first")
        if self.keep is False:
            repeated = repeated | duplicated(rows, subset, False)
        if not on_device(others) and not others.any():
            return rows, repeated  # without a copy, as where parts of what is in order meet
        return rows[~others], repeated[~others]
