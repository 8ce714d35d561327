"""Parts of groups by one sort of words: the keys of a row packed into one whole number.

Where groups are about as many as rows, tables of hashes are larger than the caches, and groups have
to be put into their order in any case. Keys are integers or texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.codegen.groups import aggregated, pays
from gpuscale.dataframe.algorithms.aggregates import FOLDED, Part, combined, label
from gpuscale.dataframe.algorithms.ordering import stable_order
from gpuscale.dataframe.algorithms.reductions import is_undefined
from gpuscale.dataframe.algorithms.texts import in_one_piece, is_text, numbered_texts

__all__ = ["combined_in_order", "numbered_in_order"]

_KINDS = frozenset({"size", "count", "sum", "total", "min", "max"})
_LEAST = 1 << 16  # rows: fewer are left to the library
_WORD = 1 << 62  # different words that there may be
_DENSE = 4  # times as many as there are groups may be the numbers that there could be, for a table
_FEW = 1 << 16  # or so many


@dataclass(frozen=True)
class _Codes:
    """Whole numbers from 0 on in the order of the keys that they stand for, -1 for nulls."""

    values: Any
    width: int
    distinct: Any = None  # keys by their codes; None where the code is the distance from the least
    low: int = 0

    def level(self, codes: Any) -> tuple[Any, Any]:
        """Return keys in their order, and where each of some codes stands among these."""
        if self.distinct is not None:
            return pd.Index(self.distinct), codes
        if self.width > _DENSE * len(codes) + _FEW:
            places, found = pd.factorize(codes, sort=True)
            return pd.Index(found + self.low), places
        there = np.zeros(self.width, bool)
        there[codes] = True
        places = np.cumsum(there) - 1
        return pd.Index(np.flatnonzero(there) + self.low), places[codes]


def combined_in_order(
    table: Any, keys: Sequence[str], parts: Sequence[Part], dropna: bool = True
) -> Any | None:
    """Make one part of several of each group, in the order of the keys; None if words cannot.

    Parameters
    ----------
    table : pandas.DataFrame
        A row for each part of a group, its keys among the columns.
    keys : sequence of str
    parts : sequence of (str, int)
    dropna : bool
        Whether groups that have a null among their keys are left out.

    Examples
    --------
    >>> numbers = np.arange(100_000)
    >>> table = pd.DataFrame({"key0": numbers // 2 % 3, "sum 0": numbers % 2})
    >>> combined_in_order(table, ["key0"], [("sum", 0)])["sum 0"].tolist()
    [16667, 16667, 16666]
    """
    if type(table) is not pd.DataFrame or len(table) < _LEAST:
        return None
    codes = _packable([table[name] for name in keys])
    if codes is None:
        return None
    words, rows = _packed(codes), _there(codes)
    if rows is not None and not (dropna and len(rows)):
        return None
    order = _order(words if rows is None else words[rows])
    order = order if rows is None else rows[order]
    words = words[order]
    starts = np.flatnonzero(np.concatenate([[True], words[1:] != words[:-1]]))
    found = _combined(table, keys, parts, order, starts)
    found.index = _index(codes, words[starts], keys)
    return found


def numbered_in_order(keys: Sequence[Any], names: Sequence[Any]) -> tuple[Any, Any] | None:
    """Number groups in the order of their keys; None where rows are few, or groups may be many.

    Parameters
    ----------
    keys : sequence of series
    names : sequence of label
        Of the levels of the index.

    Returns
    -------
    (array, pandas.Index) or None
        For each row the number of its group, and the groups.

    Examples
    --------
    >>> ids, groups = numbered_in_order([pd.Series([7, 5] * 50_000)], ["k"])
    >>> ids[:3].tolist(), groups.tolist()
    ([1, 0, 1], [5, 7])
    """
    rows = len(keys[0])
    codes = None if rows < _LEAST else _packable(keys)
    if codes is None or _there(codes) is not None:
        return None
    width = prod(each.width for each in codes)
    if width > _DENSE * rows + _FEW:
        return None
    words, there = _packed(codes), np.zeros(width, bool)
    there[words] = True
    places = np.cumsum(there, dtype=np.int32) - np.int32(1)
    return places[words], _index(codes, np.flatnonzero(there), names)


def _folds(table: Any, parts: Sequence[Part]) -> dict[str, str] | None:
    """Return how compiled loops make columns of parts one, None if they cannot."""
    if not all(kind in _KINDS for kind, _ in parts):
        return None
    folds = {label(str(kind), n): FOLDED[str(kind)] for kind, n in parts}
    if any(table[name].dtype not in (np.int64, np.float64) for name in folds):
        return None
    if any(is_undefined(table[name], fold) for name, fold in folds.items()):
        return None
    asked = [(fold, table.dtypes[name]) for name, fold in folds.items()]
    return folds if pays(len(table), asked) else None


def _packable(keys: Sequence[Any]) -> list[_Codes] | None:
    """Number keys in their order; None if they are of other kinds, or do not fit one word."""
    if not all(is_text(key) or key.dtype == np.int64 for key in keys):
        return None
    found, words = [], 1
    for key in keys:
        found.append(_of_texts(key) if is_text(key) else _of_numbers(key.to_numpy()))
        words *= found[-1].width
        if words > _WORD:
            return None
    return found


def _of_numbers(values: Any) -> _Codes:
    low, high = int(values.min()), int(values.max())
    if high - low >= _WORD:
        return _Codes(None, high - low + 1)
    return _Codes(values - np.int64(low), high - low + 1, None, low)


def _of_texts(key: Any) -> _Codes:
    key = in_one_piece(key)
    if pays(len(key), [("texts", None)]):
        ids, first = numbered_texts(key.array)
        distinct = key.array.take(first)
    else:
        ids, distinct = pd.factorize(key.array, use_na_sentinel=False)
    order = distinct.argsort()  # nulls last
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    nulls = distinct.isna()
    ranks[nulls] = -1
    distinct = distinct.take(order[: len(order) - int(nulls.sum())])
    return _Codes(ranks[ids], max(1, len(distinct)), distinct)


def _packed(codes: Sequence[_Codes]) -> Any:
    words = codes[0].values.copy()
    for each in codes[1:]:
        words *= each.width
        words += each.values
    return words


def _there(codes: Sequence[_Codes]) -> Any:
    """Rows whose keys are all there; None for all."""
    of_texts = [each.values >= 0 for each in codes if each.distinct is not None]
    there = np.logical_and.reduce(of_texts) if of_texts else np.True_
    return None if there.all() else np.flatnonzero(there)


def _order(words: Any) -> Any:
    order = stable_order(pd.Series(words, copy=False))
    return np.argsort(words, kind="stable") if order is None else order


def _combined(
    table: Any, keys: Sequence[str], parts: Sequence[Part], order: Any, starts: Any
) -> Any:
    """Combine parts, whose rows have an order in which groups start at some places."""
    if len(starts) == len(order) and all(kind in FOLDED for kind, _ in parts):
        return table.drop(columns=list(keys)).take(order)  # each is what comes of itself
    ids = np.zeros(len(order), np.int32)
    ids[starts[1:]] = 1
    np.cumsum(ids, out=ids)
    folds = _folds(table, parts)
    if folds is None:
        return combined(table.take(order), parts, lambda t: t.groupby(ids, sort=False))
    made = {
        name: aggregated(fold, ids, table[name].to_numpy()[order], len(starts))
        for name, fold in folds.items()
    }
    return pd.DataFrame(made, copy=False)


def _index(codes: Sequence[_Codes], words: Any, names: Sequence[Any]) -> Any:
    """Return the index of groups, of which the packed keys are known."""
    found = []
    for each in reversed(codes):
        rest = words // each.width
        found.append(each.level(words - rest * each.width))
        words = rest
    levels, places = zip(*reversed(found), strict=True)
    if len(codes) == 1:
        return levels[0].take(places[0]).rename(names[0])
    return pd.MultiIndex(levels, places, names=names, verify_integrity=False)
