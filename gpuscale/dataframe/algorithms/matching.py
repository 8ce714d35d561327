"""Rows that can meet none of another frame go before a merge, which then has less to hash."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["without_strangers"]

_SLOTS = 4  # of the table of keys, for each row that is looked up in it
_WORTH_IT = 0.7  # a copy of more rows than these costs as much as it saves


def without_strangers(frame: Any, key: Any, other: Any, other_key: Any) -> Any:
    """Return a frame without some rows whose key another frame has not.

    Keys are looked up in a table of all numbers between the least and the greatest: whole numbers
    that lie close together, as those that number something do. Others stay as they are.

    Examples
    --------
    >>> large = pd.DataFrame({"k": [1, 2, 3, 4, 9]})
    >>> without_strangers(large, "k", pd.DataFrame({"n": [2, 9]}), "n").k.tolist()
    [2, 9]
    """
    values, wanted = frame[key], other[other_key]
    if not (_is_whole(values) and _is_whole(wanted) and 0 < len(wanted) < len(values)):
        return frame
    numbers = wanted.to_numpy()
    low, high = int(numbers.min()), int(numbers.max())
    width = high - low + 1
    if width > _SLOTS * len(values):
        return frame
    seen = np.zeros(width + 1, bool)  # the last one stands for all that lie outside
    seen[_places(numbers, low)] = True
    there = seen[np.minimum(_places(values.to_numpy(), low), np.uint64(width))]
    return frame[there] if np.count_nonzero(there) <= _WORTH_IT * len(there) else frame


def _places(numbers: Any, low: int) -> Any:
    """Differences modulo 2**64, where what lies below is far above."""
    return numbers.astype(np.int64, copy=False).view(np.uint64) - np.uint64(low % 2**64)


def _is_whole(column: Any) -> bool:
    dtype = column.dtype
    is_one = isinstance(column, pd.Series)  # and not two columns of one label
    return is_one and isinstance(dtype, np.dtype) and dtype.kind in "iu" and dtype != np.uint64
