"""Bins of time: which one a row is in, and what there is in one without rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.frame_libraries import array_beside
from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.backends.seams import backend_name, to_host
from gpuscale.backends.transfer import to_device
from gpuscale.dataframe.algorithms.columns import concat
from gpuscale.dataframe.algorithms.windows import in_order
from gpuscale.dataframe.undecided import varies

__all__ = ["BinsOfValues", "Bins", "Range", "empty_bin"]

_SHORT = 1 << 16  # bins whose numbers take two bytes


@dataclass(frozen=True)
class Bins:
    """The bins that pandas makes of all rows, given the first and the last label.

    Parameters
    ----------
    rule : str or offset
    options : tuple of (str, object)
        Others of ``resample``.
    first, last : Timestamp or Timedelta
    index : pandas.Index
        Without rows; of the dtype and the name that the labels of rows have.
    """

    rule: Any
    options: tuple[tuple[str, Any], ...]
    first: Any
    last: Any
    index: Any

    def resampled(self, frame: Any) -> Any:
        """Return the bins of some rows alone."""
        return frame.resample(self.rule, **dict(self.options))

    def _counts(self, index: Any) -> Any:
        """Count rows in each of all bins; the first and the last label are two more."""
        ends = pd.Index([self.first, self.last]).astype(index.dtype)
        every = ends[:1].append([index, ends[1:]])
        return self.resampled(pd.Series(0, index=every.rename(self.index.name))).size()

    def __call__(self, partition: Any) -> Any:
        """Return for each row the number of its bin among all."""
        bins, counts = self._of(in_order(to_host(partition.index)))
        dtype = np.uint16 if len(bins) <= _SHORT else np.int64  # as little as is written and read
        numbers = np.repeat(np.arange(len(bins), dtype=dtype), counts)
        library = frame_namespace(partition)
        return library.Series(array_beside(partition, numbers), index=partition.index)

    def labels(self, times: Any) -> Any:
        """Return for each of some times, in their order, the label of its bin."""
        bins, counts = self._of(times)
        return bins.repeat(counts)

    def _of(self, times: Any) -> tuple[Any, Any]:
        """Return all bins and how many of some times, which are in order, are in each."""
        bins, counts = self._bounded(times) or self._counted(times)
        if counts.min() < 0 or counts.sum() != len(times):
            raise ValueError("pandas leaves rows out of these bins: choose another origin= or rule")
        return bins, counts

    def _bounded(self, times: Any) -> tuple[Any, Any] | None:
        """Return all bins and how many of some times are in each, where labels are their bounds."""
        side = "right" if dict(self.options).get("origin") in ("end", "end_day") else "left"
        sides = {"closed": side, "label": side, **dict(self.options)}
        is_fixed = isinstance(pd.tseries.frequencies.to_offset(self.rule), pd.offsets.Tick)
        is_moved = "offset" in sides and isinstance(times, pd.TimedeltaIndex)  # labels alone are
        if not is_fixed or is_moved or sides["closed"] != sides["label"]:
            return None
        bins = self._counts(times[:0]).index
        places = times.searchsorted(bins, side=sides["closed"])
        if sides["closed"] == "left":
            return bins, np.diff(places, append=len(times))
        return bins, np.diff(places, prepend=0)

    def _counted(self, times: Any) -> tuple[Any, Any]:
        """Return all bins and how many of some times are in each."""
        counts = self._counts(times)
        numbers = counts.to_numpy().copy()
        filled = numbers.nonzero()[0]  # pandas may put an empty bin before or behind all rows
        numbers[filled[0]] -= 1
        numbers[filled[-1]] -= 1
        return counts.index, numbers

    @varies
    def filled(self, found: Any, empty: Any) -> Any:
        """Return results of all bins, given those of numbers of bins, and that of one without."""
        bins = self._counts(self.index).index
        index, there = (
            to_device(each, backend_name(found)) for each in (bins, bins.take(to_host(found.index)))
        )
        found = found.copy(deep=False)
        found.index = there
        if found.ndim == 1:
            return _with_all(found, index, empty)
        columns = [_with_all(found.iloc[:, k], index, empty[k]) for k in range(found.shape[1])]
        result = concat(columns, axis=1) if columns else pd.DataFrame(index=index)
        result.columns = found.columns
        return result


@dataclass(frozen=True)
class Range:
    """The first and the last of some times, in whatever order they come."""

    def chunk(self, column: Any) -> list[Any]:
        """Return those of a partition, none of nulls alone."""
        ends = [column.min(), column.max()]
        return [] if pd.isna(ends[0]) else ends

    def combine(self, partials: list[list[Any]]) -> list[Any]:
        """Return those of several."""
        every = [each for partial in partials for each in partial]
        return [min(every), max(every)] if every else []

    def finalize(self, partial: list[Any]) -> list[Any]:
        """Return them."""
        return partial


@dataclass(frozen=True)
class BinsOfValues:
    """The bin of each element of a column; see `Bins`."""

    rule: Any
    options: tuple[tuple[str, Any], ...]

    def __call__(self, column: Any, ends: list[Any]) -> Any:
        """Return labels of bins, and nulls for nulls."""
        if not ends:
            return column
        codes, times = pd.factorize(to_host(column), sort=True)
        index, (first, last) = pd.Index(times), ends
        labels = Bins(self.rule, self.options, first, last, index[:0]).labels(index)
        found = labels.insert(len(labels), pd.NaT).take(codes)  # -1, of nulls, is the last
        found = to_device(found, backend_name(column))
        return frame_namespace(column).Series(found, index=column.index, name=column.name)


def _with_all(column: Any, index: Any, empty: Any) -> Any:
    if not pd.isna(empty):
        return column.reindex(index, fill_value=empty)
    if column.dtype == bool and len(column) < len(index):
        column = column.astype("float64")  # as pandas has it beside an empty bin
    return column.reindex(index)


def empty_bin(example: Any, place: int) -> Any:
    """Return what is in a bin without rows: a value, or one for each column."""
    if isinstance(example, pd.Series):
        return example.iloc[place]
    return tuple(example.iloc[place, k] for k in range(example.shape[1]))
