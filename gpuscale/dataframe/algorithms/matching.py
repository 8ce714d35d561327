"""Keys that are whole numbers are looked up by compiled loops, or in a table of those close by.

Texts become numbers first, by a compiled table of hashes.

Of some merges that finds all pairs of rows; before others, rows go that can meet none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.codegen.groups import pays as pays_for_texts
from gpuscale.codegen.lookups import Rows, looked_up, pays
from gpuscale.dataframe.algorithms.exploding import check_size
from gpuscale.dataframe.algorithms.texts import is_text, numbered_texts

__all__ = ["merged_by_numbers", "without_strangers"]

_SLOTS = 4  # of the table of keys, for each row that is looked up in it
_WORTH_IT = 0.7  # a copy of more rows than these costs as much as it saves


def merged_by_numbers(
    left: Any, right: Any, mine: Any, theirs: Any, how: str, columns: Sequence[Any] | None = None
) -> Any:
    """Merge frames by a column of whole numbers or texts, as pandas does.

    None where this is another kind of merge, and of a left one where a row meets none. The result
    may have some columns alone; without the keys, these may be categories.

    Examples
    --------
    >>> left, right = pd.DataFrame({"k": [2, 1, 2]}), pd.DataFrame({"k": [1, 2], "x": ["a", "b"]})
    >>> merged_by_numbers(left, right, "k", "k", "inner").x.tolist()
    ['b', 'a', 'b']
    """
    if not type(left) is type(right) is pd.DataFrame or not len(right):
        return None
    if not all(each.columns.nlevels == 1 and each.columns.name is None for each in (left, right)):
        return None
    names = left.columns.tolist(), right.columns.tolist()
    shared = {theirs} if mine == theirs else set()
    if len({*names[0], *names[1]}) < len(names[0]) + len(names[1]) - len(shared):
        return None  # some get a suffix
    wanted = {*names[0], *names[1]} if columns is None else set(columns)
    found = _rows_of(left[mine], right[theirs], mine in wanted or theirs in wanted)
    if found is None or (how == "left" and found.missing):
        return None
    if found.following is not None:
        check_size(left, right, [mine], [theirs])
    rows, others = found.listed()
    index = pd.RangeIndex(len(others))
    sides = [_rows_at(left, rows, wanted, index), _rows_at(right, others, wanted - shared, index)]
    return pd.concat(sides, axis=1)


def _rows_at(frame: Any, rows: Any, wanted: set[Any], index: Any) -> Any:
    """Return some columns of some rows; they are looked for by place, as texts take long."""
    places = [k for k, label in enumerate(frame.columns.tolist()) if label in wanted]
    if rows is None:
        return frame.iloc[:, places].set_axis(index)
    columns = {k: frame.iloc[:, k].array.take(rows) for k in places}
    return pd.DataFrame(columns, index, copy=False).set_axis(frame.columns[places], axis=1)


def _rows_of(values: Any, keys: Any, are_read: bool) -> Rows | None:
    """Return the rows of the key that each value is; None if they are odd, or another way pays."""
    if not type(values) is type(keys) is pd.Series:
        return None
    if values.dtype != keys.dtype and are_read:
        return None  # pandas finds a dtype for both
    if all(map(_has_texts, (values, keys))):
        return _rows_of_texts(values, keys)
    if values.dtype != keys.dtype or not _is_whole(values):
        return None
    return _rows_of_numbers(values.to_numpy(), keys.to_numpy())


def _has_texts(column: Any) -> bool:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return is_text(column.dtype.categories)
    return is_text(column)


def _rows_of_texts(values: Any, keys: Any) -> Rows | None:
    """Number the texts of both, those of categories once."""
    if not pays_for_texts(len(values) + len(keys), [("texts", None)]):
        return None
    sides = [_different(each) for each in (keys, values)]
    ids, _ = numbered_texts(*(piece for texts, _ in sides for piece in texts))
    count = sum(map(len, sides[0][0]))
    numbers = [
        each if codes is None else each.take(codes, mode="wrap")  # of which -1 is the last
        for each, (_, codes) in zip((ids[:count], ids[count:]), sides, strict=True)
    ]
    return _rows_of_numbers(numbers[1], numbers[0])


def _different(texts: Any) -> tuple[list[Any], Any]:
    """Return arrays of texts, and for categories what each row has of these and of a null."""
    if not isinstance(texts.dtype, pd.CategoricalDtype):
        return [texts.array], None
    categories = texts.dtype.categories.array
    return [categories, categories[:0].take([-1], allow_fill=True)], texts.cat.codes.to_numpy()


def _rows_of_numbers(values: Any, numbers: Any) -> Rows | None:
    if pays(len(values) + len(numbers)):
        return looked_up(*(np.ascontiguousarray(each, np.int64) for each in (values, numbers)))
    return _rows_in_a_table(values, numbers)


def _rows_in_a_table(values: Any, numbers: Any) -> Rows | None:
    """Look values up in a table of all numbers between the least key and the greatest."""
    low, width = _span(numbers)
    if width > _SLOTS * (len(values) + len(numbers)):
        return None
    small: Any = np.int32 if len(numbers) < 2**31 else np.int64  # which the cache holds more of
    table = np.full(width + 1, -1, small)
    table[_places(numbers, low)] = np.arange(len(numbers), dtype=small)
    if np.count_nonzero(table >= 0) < len(numbers):
        return None  # some number is there twice
    return Rows.once(table[np.minimum(_places(values, low), np.uint64(width))])


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
