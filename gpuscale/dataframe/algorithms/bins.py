"""Bins of time: which one a row is in, and what there is in one without rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.backends.seams import backend_name, to_host
from gpuscale.backends.transfer import to_device
from gpuscale.dataframe.algorithms.columns import concat

__all__ = ["Bins", "empty_bin"]


@dataclass(frozen=True)
class Bins:
    """The bins that pandas makes of all rows, given the first and the last label.

    Parameters
    ----------
    rule : str or offset
    options : tuple of (str, object)
        Others of ``resample``.
    first, last : Timestamp or Timedelta
    """

    rule: Any
    options: tuple[tuple[str, Any], ...]
    first: Any
    last: Any

    def resampled(self, frame: Any) -> Any:
        """Return the bins of some rows alone."""
        return frame.resample(self.rule, **dict(self.options))

    def _counts(self, index: Any) -> Any:
        """Count rows in each of all bins; the first and the last label are two more."""
        ends = pd.Index([self.first, self.last]).astype(index.dtype)
        every = ends[:1].append([index, ends[1:]])
        return self.resampled(pd.Series(0, index=every.rename(index.name))).size()

    def __call__(self, partition: Any) -> Any:
        """Return for each row the label of its bin."""
        counts = self._counts(to_host(partition.index))
        numbers = counts.to_numpy().copy()
        filled = numbers.nonzero()[0]  # pandas may put an empty bin before or behind all rows
        numbers[filled[0]] -= 1
        numbers[filled[-1]] -= 1
        if numbers.min() < 0 or numbers.sum() != len(partition):
            raise ValueError("pandas leaves rows out of these bins: choose another origin= or rule")
        labels = counts.index.repeat(numbers)
        labels = to_device(labels, backend_name(partition))
        library = frame_namespace(partition)
        return library.Series(labels, index=partition.index, name=partition.index.name)

    def filled(self, found: Any, empty: Any) -> Any:
        """Return results of all bins, given those of bins with rows and that of one without."""
        index = self._counts(to_host(found.index[:0])).index
        index = to_device(index, backend_name(found))
        if found.ndim == 1:
            return _with_all(found, index, empty)
        columns = [_with_all(found.iloc[:, k], index, empty[k]) for k in range(found.shape[1])]
        result = concat(columns, axis=1) if columns else pd.DataFrame(index=index)
        result.columns = found.columns
        return result


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
