"""Columns one by one, and the values of all put together again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

__all__ = ["Result", "columns_of", "selected", "together"]


def selected(frame: Any, labels: Sequence[Any]) -> Any:
    """Return some columns of a frame, each as it lies in memory; a list between brackets copies."""
    if not labels or not frame.columns.is_unique:
        return frame[list(labels)]
    result = pd.concat([frame[label] for label in labels], axis=1)
    result.columns = frame.columns[frame.columns.get_indexer(pd.Index(labels, dtype=object))]
    return result


def columns_of(partition: Any) -> list[Any]:
    """Return the columns of a frame, or a series as the only one."""
    if isinstance(partition, pd.DataFrame):
        return [partition.iloc[:, k] for k in range(partition.shape[1])]
    return [partition]


def together(partials: list[Any], combine: Callable[[list[Any]], Any]) -> list[Any]:
    """Combine what several partials have of each column."""
    return [combine(list(each)) for each in zip(*partials, strict=True)]


@dataclass(frozen=True)
class Result:
    """Put the values of columns together as pandas does for the whole.

    Parameters
    ----------
    template : pandas.Series or object
        A result of the right labels and dtype, or of the right type.
    """

    template: Any

    def series(self, values: list[Any]) -> Any:
        """Return a series of values under the labels of columns, or the one value."""
        if not isinstance(self.template, pd.Series):
            return values[0]
        try:
            return pd.Series(values, index=self.template.index, dtype=self.template.dtype)
        except (TypeError, ValueError):  # a null where none was expected
            return pd.Series(values, index=self.template.index)
