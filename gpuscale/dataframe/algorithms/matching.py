"""Keys that are whole numbers close together are looked up in a table, which takes no hashing.

Texts become numbers first, by a compiled table of hashes.

Of some merges that finds all pairs of rows; before others, rows go that can meet none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.algorithms.texts import different_texts, is_text, numbered_texts

__all__ = ["merged_by_numbers", "without_strangers"]

_SLOTS = 4  # of the table of keys, for each row that is looked up in it
_WORTH_IT = 0.7  # a copy of more rows than these costs as much as it saves


def merged_by_numbers(left: Any, right: Any, mine: Any, theirs: Any, how: str) -> Any:
    """Merge frames of which the right one has each number or text once, as pandas does.

    None where this is another kind of merge, and of a left one where a row meets none.

    Examples
    --------
    >>> left, right = pd.DataFrame({"k": [2, 1, 2]}), pd.DataFrame({"k": [1, 2], "x": ["a", "b"]})
    >>> merged_by_numbers(left, right, "k", "k", "inner").x.tolist()
    ['b', 'a', 'b']
    """
    if not type(left) is type(right) is pd.DataFrame:
        return None
    rest = right.drop(columns=theirs) if mine == theirs else right
    names = [left.columns, rest.columns]
    plain = all(each.nlevels == 1 and each.name is None and each.is_unique for each in names)
    if not plain or not len(right) or names[0].isin(names[1]).any():
        return None
    found = _rows_of(left[mine], right[theirs])
    if found is None:
        return None
    there = found >= 0
    if not there.all():
        if how == "left":
            return None
        left, found = left[there], found[there]
    index = pd.RangeIndex(len(found))
    return pd.concat([left.set_axis(index), rest.take(found).set_axis(index)], axis=1)


def _rows_of(values: Any, keys: Any) -> Any | None:
    """Return the row of the key that each value is, or -1; None if keys are there twice, or odd."""
    if not type(values) is type(keys) is pd.Series or values.dtype != keys.dtype:
        return None
    return _rows_of_texts(values, keys) if is_text(keys) else _rows_of_numbers(values, keys)


def _rows_of_texts(values: Any, keys: Any) -> Any | None:
    """Number keys, and values after them: what has a number beyond those of keys is none."""
    own = different_texts(keys, len(keys) + len(values))
    if own is None or len(own[1]) < len(keys):
        return None
    ids, _ = numbered_texts(pd.concat([keys, values]).array)
    found = ids[len(keys) :]
    found[found >= len(keys)] = -1
    return found


def _rows_of_numbers(values: Any, keys: Any) -> Any | None:
    """Look values up in a table of all numbers between the least key and the greatest."""
    if not _is_whole(values) or not _is_whole(keys):
        return None
    numbers = keys.to_numpy()
    low, width = _span(numbers)
    if width > _SLOTS * (len(values) + len(keys)):
        return None
    small: Any = np.int32 if len(keys) < 2**31 else np.int64  # which the cache holds more of
    table = np.full(width + 1, -1, small)
    table[_places(numbers, low)] = np.arange(len(keys), dtype=small)
    if np.count_nonzero(table >= 0) < len(keys):
        return None  # some number is there twice
    return table[np.minimum(_places(values.to_numpy(), low), np.uint64(width))]


def without_strangers(frame: Any, key: Any, other_key: Any, other: Any) -> Any:
    """Return a frame without some rows whose key another frame has not.

    Keys are looked up in a table of all numbers between the least and the greatest: whole numbers
    that lie close together, as those that number something do. Others stay as they are.

    Examples
    --------
    >>> large = pd.DataFrame({"k": [1, 2, 3, 4, 9]})
    >>> without_strangers(large, "k", "n", pd.DataFrame({"n": [2, 9]})).k.tolist()
    [2, 9]
    """
    values, wanted = frame[key], other[other_key]
    if not (_is_whole(values) and _is_whole(wanted) and 0 < len(wanted) < len(values)):
        return frame
    numbers = wanted.to_numpy()
    low, width = _span(numbers)
    if width > _SLOTS * len(values):
        return frame
    seen = np.zeros(width + 1, bool)  # the last one stands for all that lie outside
    seen[_places(numbers, low)] = True
    there = seen[np.minimum(_places(values.to_numpy(), low), np.uint64(width))]
    return frame[there] if np.count_nonzero(there) <= _WORTH_IT * len(there) else frame


def _span(numbers: Any) -> tuple[int, int]:
    """Return the least number, and how many there are up to the greatest."""
    low = int(numbers.min())
    return low, int(numbers.max()) - low + 1


def _places(numbers: Any, low: int) -> Any:
    """Differences modulo 2**64, where what lies below is far above."""
    return numbers.astype(np.int64, copy=False).view(np.uint64) - np.uint64(low % 2**64)


def _is_whole(column: Any) -> bool:
    dtype = column.dtype
    is_one = isinstance(column, pd.Series)  # and not two columns of one label
    return is_one and isinstance(dtype, np.dtype) and dtype.kind in "iu" and dtype != np.uint64
