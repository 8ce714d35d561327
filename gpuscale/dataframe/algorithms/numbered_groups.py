"""Parts of groups by compiled loops: keys become numbers of groups, and columns are added by these.

Keys are integers in a small range, or texts; columns are plain numbers of 64 bits. All else, and
few rows, are left to the library of the frame. Few groups need no loops (`few_groups`), but take
ten times as long without.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.codegen.groups import aggregated, number_codes, pays
from gpuscale.dataframe.algorithms.aggregates import FOLDED, Part, in_one_pass, label, without_twins
from gpuscale.dataframe.algorithms.few_groups import few_groups, groups_in_runs
from gpuscale.dataframe.algorithms.reductions import is_undefined
from gpuscale.dataframe.algorithms.texts import is_text, numbered_texts

__all__ = ["combined_by_number", "numbered", "parts_by_number", "parts_in_order"]

_KINDS = frozenset({"size", "count", "sum", "total", "min", "max"})
_FEW = 1 << 16  # keys that there could be: so many are no matter beside the rows


@dataclass(frozen=True)
class Codes:
    """Whole numbers for the keys of rows, the least that there could be, and how many.

    Where they are numbers in the order in which keys come, `first` has the first row of each.
    """

    values: Any
    low: int
    width: int
    first: Any = None

    def groups(self) -> tuple[Any, Any]:
        """Return for each row the number of its group, and for each group its first row."""
        if self.first is not None:
            return self.values, self.first
        return number_codes(self.values, self.low, self.width)


def parts_by_number(
    columns: Mapping[int, Any], keys: Mapping[str, Any], parts: Sequence[Part]
) -> Any | None:
    """Make parts of the values of each group, as `partials_of` does; None if loops cannot.

    Parameters
    ----------
    columns : mapping of int to series
    keys : mapping of str to series
        Categories among them stand for texts.
    parts : sequence of (str, int)
    """
    rows = len(next(iter(keys.values())))
    if not all(kind in _KINDS for kind, _ in parts) or not rows:
        return None
    wanted = {number for kind, number in parts if kind != "size"}
    if not all(_is_plain(columns[number]) for number in wanted):
        return None
    asked = [(str(kind), columns[n].dtype if n in wanted else None) for kind, n in parts]
    by = list(keys.values())
    groups = groups_in_runs(by) or _compiled(by, asked) or few_groups(by)
    if groups is None:
        return None
    first = groups.first
    table: dict[str, Any] = {name: key.array.take(first) for name, key in keys.items()}
    arrays = {number: np.ascontiguousarray(columns[number].to_numpy()) for number in wanted}
    rest, twice = without_twins(columns, parts)
    for kind, number in in_one_pass(rest):
        values = arrays.get(number) if kind != "size" else None
        table[label(str(kind), number)] = groups.aggregated(str(kind), values)
    table.update({label("total", n): table[label("sum", n)] for n in twice})
    return pd.DataFrame(table, copy=False)


@dataclass(frozen=True)
class NumberedGroups:
    """For each row the number of its group, and for each group its first row."""

    ids: Any
    first: Any

    def aggregated(self, kind: str, values: Any) -> Any:
        """Aggregate the values of each group."""
        return aggregated(kind, self.ids, values, len(self.first))


def _compiled(keys: Sequence[Any], asked: Sequence[tuple[str, Any]]) -> NumberedGroups | None:
    """Return groups for the compiled loops, None where these do not pay, or cannot."""
    if not pays(len(keys[0]), [*_numberings(keys), *asked]):
        return None
    found = numbered(keys)
    return None if found is None else NumberedGroups(*found)


def combined_by_number(table: Any, keys: Sequence[str], parts: Sequence[Part]) -> Any | None:
    """Make one part of several of each group, as `combined` does; None if loops cannot.

    Parameters
    ----------
    table : pandas.DataFrame
        A row for each part of a group, its keys among the columns.
    keys : sequence of str
    parts : sequence of (str, int)
    """
    if type(table) is not pd.DataFrame or not all(kind in _KINDS for kind, _ in parts):
        return None
    if any(isinstance(table.dtypes[name], pd.CategoricalDtype) for name in keys):
        return None  # of which pandas keeps those that there are
    named = [label(str(kind), number) for kind, number in in_one_pass(parts)]
    columns = {k: table[name] for k, name in enumerate(named)}
    folds = [FOLDED[str(kind)] for kind, _ in in_one_pass(parts)]
    if any(is_undefined(columns[k], fold) for k, fold in enumerate(folds)):
        return None
    folded = [(fold, k) for k, fold in enumerate(folds)]
    made = parts_by_number(columns, {name: table[name] for name in keys}, folded)
    if made is None:
        return None
    made = made[[*keys, *(label(fold, k) for fold, k in folded)]]
    return made.set_axis([*keys, *named], axis=1)


def parts_in_order(table: Any, keys: Sequence[str], parts: Sequence[Part]) -> Any | None:
    """Return one part of several of each group, which lie in order; None if these do not.

    The keys are the index, as in what `combined` makes. Mostly there is one part of each already.

    Examples
    --------
    >>> table = pd.DataFrame({"key0": [3, 5], "sum 0": [0.5, 1.5]})
    >>> parts_in_order(table, ["key0"], [("sum", 0)])["sum 0"].to_dict()
    {3: 0.5, 5: 1.5}
    """
    named = [label(str(kind), number) for kind, number in in_one_pass(parts)]
    if type(table) is not pd.DataFrame or not all(kind in _KINDS for kind, _ in parts):
        return None
    if len(keys) > 1 or not all(_is_plain(table[name]) for name in (*keys, *named)):
        return None
    values = table[keys[0]].to_numpy()
    if values.dtype != np.int64 or not (values[1:] >= values[:-1]).all():
        return None
    is_one_each = (values[1:] > values[:-1]).all()
    made = table if is_one_each else combined_by_number(table, keys, parts)
    return None if made is None else made.set_index(list(keys))[named]


def _is_plain(column: Any) -> bool:
    return type(column) is pd.Series and column.dtype in (np.int64, np.float64)


def numbered(keys: Sequence[Any]) -> tuple[Any, Any] | None:
    """Number the groups of rows in the order in which they come; nulls of a key are one key.

    Returns
    -------
    (array, array) or None
        For each row the number of its group, and for each group its first row.

    Examples
    --------
    >>> keys = [pd.Series([7, 5, 7, 7]), pd.Series(["a", "a", "a", "b"])]
    >>> [each.tolist() for each in numbered(keys)]
    [[0, 1, 0, 2], [0, 1, 3]]
    """
    most = 2 * len(keys[0]) + _FEW
    met: Codes | None = None
    for key in keys:
        codes = _codes(key)
        if codes is None or codes.width > most:
            return None
        if met is not None:
            ids, first = met.groups()
            width = len(first) * codes.width
            if width > most:
                return None
            values = ids * np.int64(codes.width) + (codes.values - codes.low)
            codes = Codes(values, 0, width)
        met = codes
    assert met is not None
    return met.groups()


def _numberings(keys: Collection[Any]) -> list[tuple[str, None]]:
    """Kinds of loops that number keys."""
    kinds = ["texts" if is_text(key) else "codes" for key in keys]
    return [(kind, None) for kind in (kinds if len(kinds) == 1 else [*kinds, "codes"])]


def _codes(key: Any) -> Codes | None:
    """Return whole numbers for the keys of rows, the same for those that are equal."""
    dtype = key.dtype
    if type(key) is not pd.Series:
        return None
    if dtype == np.int64:
        values = np.ascontiguousarray(key.to_numpy())
        low = int(values.min())
        return Codes(values, low, int(values.max()) - low + 1)
    if isinstance(dtype, pd.CategoricalDtype):
        return Codes(key.array.codes.astype(np.int64), -1, len(dtype.categories) + 1)
    if is_text(key):
        ids, first = numbered_texts(key.array)
        return Codes(ids, 0, len(first), first)
    return None
