"""Columns one by one, and the values of all put together again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.backends.seams import on_device

__all__ = [
    "Result",
    "columns_of",
    "concat",
    "is_frame",
    "is_index",
    "numbers",
    "selected",
    "together",
    "worth_joining",
]


def is_frame(partition: Any) -> bool:
    """Say whether it has columns, whatever library it is of."""
    return hasattr(partition, "columns")


def is_index(partition: Any) -> bool:
    """Say whether it is an index, whatever library it is of."""
    return not hasattr(partition, "iloc")


def selected(frame: Any, labels: Sequence[Any]) -> Any:
    """Return some columns of a frame, each as it lies in memory; a list between brackets copies.

    What `concat` does for all kinds of columns takes longer.

    Examples
    --------
    >>> list(selected(pd.DataFrame({"x": [1], "y": [2], "z": [3]}), ["z", "x"]))
    ['z', 'x']
    """
    columns = frame.columns
    if not labels or not columns.is_unique:
        return frame[list(labels)]
    if type(frame) is pd.DataFrame and type(columns) is pd.Index:
        places = [columns.get_loc(label) for label in labels]
        series = dict(enumerate(frame[label] for label in labels))
        result = pd.DataFrame(series, frame.index, copy=False).__finalize__(frame)
        result.columns = columns.take(places)
        return result
    result = frame_namespace(frame).concat([frame[label] for label in labels], axis=1)
    result.columns = columns[columns.get_indexer(pd.Index(labels, dtype=object))]
    return result


def concat(partitions: Sequence[Any], **options: Any) -> Any:
    """Put frames, series or indexes together, as the function of their library does."""
    first, *others = partitions
    if is_index(first):
        return first.append(others)
    return frame_namespace(first).concat([first, *others], **options)


def columns_of(partition: Any) -> list[Any]:
    """Return the columns of a frame, or a series as the only one."""
    if is_frame(partition):
        return [partition.iloc[:, k] for k in range(partition.shape[1])]
    return [partition]


def worth_joining(pieces: Sequence[Any]) -> list[Any]:
    """Return pieces with rows, and those without whose dtypes are of rows that were taken away.

    Examples
    --------
    >>> whole, half, none = pd.Series([1]), pd.Series([0.5])[:0], pd.Series([2])[:0]
    >>> len(worth_joining([whole, half])), len(worth_joining([whole, none]))
    (2, 1)
    >>> worth_joining([none, half])[0].dtype
    dtype('float64')
    """
    filled = [each for each in pieces if len(each)]
    if len(filled) == len(pieces):
        return filled
    if not filled:
        return [next((each for each in pieces if _is_looser(each, pieces[0])), pieces[0])]
    return [each for each in pieces if len(each) or _is_looser(each, filled[0])]


def _is_looser(piece: Any, other: Any) -> bool:
    """Whether a piece has numbers or objects where another has integers or truths."""
    if is_index(piece) or on_device(piece):
        return False
    pairs = zip(_kinds(piece), _kinds(other), strict=False)
    return any(own in ("f", "O") and its in ("i", "u", "b") for own, its in pairs)


def _kinds(piece: Any) -> list[str]:
    dtypes = piece.dtypes if is_frame(piece) else [piece.dtype]
    return [each.kind if isinstance(each, np.dtype) else "" for each in dtypes]


def numbers(partition: Any) -> Any:
    """Return an array of floating-point numbers, with NaN where nulls are."""
    if on_device(partition):
        return partition.astype("float64").fillna(np.nan).values
    return partition.to_numpy(dtype=np.float64, na_value=np.nan)


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
