"""Several columns of whole numbers as one: equal where rows are, and found by one hash or sort."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.backends.seams import on_device
from gpuscale.dataframe.algorithms.columns import columns_of

__all__ = ["duplicated", "packed"]

_WIDTH = 2**63
"""So many different rows have numbers of their own in 64 bits."""
_BLOCK = 1 << 15  # rows
_RUN = 12  # rows that are alike in a column, up to which looking at each is faster than a sort


def duplicated(rows: Any, subset: Any, keep: Any) -> Any:
    """Return an array: which rows of a frame, a series or an index are there before, or again.

    Parameters
    ----------
    rows : pandas.DataFrame, pandas.Series or pandas.Index
    subset : list of labels or None
    keep : {"first", "last", False}
    """
    if on_device(rows):
        options = {"keep": keep} if subset is None else {"subset": subset, "keep": keep}
        return frame_namespace(rows).Series(rows.duplicated(**options)).values
    if isinstance(rows, pd.DataFrame):
        columns = columns_of(rows if subset is None else rows[subset])
        run = _longest_run(columns)
        if run is not None and run <= _RUN:
            return _again_nearby([_numbers(each) for each in columns], keep, run)
        keys = packed(columns)
        if keys is None:
            return rows.duplicated(subset, keep=keep).to_numpy()
        if run is not None:
            return _again_in_order(keys, keep)
        rows = pd.Series(keys, copy=False)
    return np.asarray(rows.duplicated(keep=keep))


def _longest_run(columns: list[Any]) -> int | None:
    """Count the rows that are alike in a leading column of whole numbers, None if out of order."""
    if not columns or not len(columns[0]) or not all(map(_is_whole, columns)):
        return None
    leading = _numbers(columns[0])
    if not (leading[1:] >= leading[:-1]).all():
        return None
    ends = np.flatnonzero(leading[1:] != leading[:-1])
    return int(np.diff(ends, prepend=-1, append=len(leading) - 1).max())


def _again_nearby(columns: list[Any], keep: Any, run: int) -> np.ndarray[Any, Any]:
    """Find equal rows where those that may be equal are neighbours, in runs of a few rows.

    Each row is compared with the next ones, in blocks that the cache holds; nothing is sorted.
    """
    again = np.zeros(len(columns[0]), bool)
    for start in range(0, len(again), _BLOCK):
        rows = slice(start, start + _BLOCK + run - 1)  # with the first ones of the next block
        found, (*rest, last) = again[rows], [each[rows] for each in columns]
        for away in range(1, min(run, len(found))):
            same = last[away:] == last[:-away]
            for each in rest:
                same &= each[away:] == each[:-away]
            if keep != "last":
                found[away:] |= same
            if keep != "first":
                found[:-away] |= same
    return again


def _again_in_order(keys: Any, keep: Any) -> np.ndarray[Any, Any]:
    """Find equal numbers where the leading column is in order, as files often are.

    Then a stable sort has little to do, and takes a third of the time of a hash table.
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    differs = ordered[1:] != ordered[:-1]
    firsts, lasts = np.append(True, differs), np.append(differs, True)
    kept = {"first": firsts, "last": lasts}.get(keep)
    again = np.empty(len(keys), bool)
    again[order] = ~(firsts & lasts if kept is None else kept)
    return again


def packed(columns: list[Any]) -> np.ndarray[Any, Any] | None:
    """Return a number for each row, equal for equal rows; None if 64 bits cannot tell all apart.

    Columns of whole numbers, truth values, and times without zone have them.

    Examples
    --------
    >>> packed([pd.Series([7, 7, 8]), pd.Series([1, 3, 1])]).tolist()
    [0, 2, 3]
    >>> packed([pd.Series([0.5, 1.5])]) is None
    True
    """
    if not columns or not len(columns[0]) or not all(map(_is_whole, columns)):
        return None
    keys, count = None, 1
    for column in columns:
        values = _numbers(column)
        low, high = int(values.min()), int(values.max())
        width = high - low + 1
        count *= width
        if count > _WIDTH:
            return None
        # Differences of small integers may not fit their dtype; those of uint64 fit no other.
        wide = values if values.dtype == np.uint64 else values.astype(np.int64, copy=False)
        places = (wide - wide.dtype.type(low)).astype(np.int64, copy=False)
        if keys is None:
            keys = places
        else:
            keys *= width
            keys += places
    return keys


def _numbers(column: Any) -> np.ndarray[Any, Any]:
    """Return the values of a column, and times as the numbers that they are."""
    values: np.ndarray[Any, Any] = column.to_numpy()
    return values.view(np.int64) if values.dtype.kind in "mM" else values


def _is_whole(column: Any) -> bool:
    return isinstance(column.dtype, np.dtype) and column.dtype.kind in "biumM"
