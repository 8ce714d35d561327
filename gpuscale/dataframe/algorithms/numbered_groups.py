"""Parts of groups by compiled loops: keys become numbers of groups, and columns are added by these.

Keys are integers in a small range, or texts; columns are plain numbers of 64 bits. All else, and
few rows, are left to the library of the frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.codegen.groups import aggregated, number_codes, pays
from gpuscale.dataframe.algorithms.aggregates import Part, in_one_pass, label, without_twins

__all__ = ["numbered", "parts_by_number"]

_KINDS = frozenset({"size", "count", "sum", "total", "min", "max"})
_FEW = 1 << 16  # keys that there could be: so many are no matter beside the rows

Codes = tuple[Any, int, int]
"""Whole numbers for the keys of rows, the least that there could be, and how many."""


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
    if not pays(rows, asked):
        return None
    found = numbered(list(keys.values()))
    if found is None:
        return None
    ids, first = found
    table: dict[str, Any] = {name: key.array.take(first) for name, key in keys.items()}
    arrays = {number: np.ascontiguousarray(columns[number].to_numpy()) for number in wanted}
    rest, twice = without_twins(columns, parts)
    for kind, number in in_one_pass(rest):
        table[label(str(kind), number)] = aggregated(
            str(kind), ids, arrays.get(number) if kind != "size" else None, len(first)
        )
    table.update({label("total", n): table[label("sum", n)] for n in twice})
    return pd.DataFrame(table, copy=False)


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
        if codes is None or codes[2] > most:
            return None
        if met is not None:
            ids, first = number_codes(*met)
            width = len(first) * codes[2]
            if width > most:
                return None
            codes = (ids * np.int64(codes[2]) + (codes[0] - codes[1]), 0, width)
        met = codes
    assert met is not None
    return number_codes(*met)


def _codes(key: Any) -> Codes | None:
    """Return whole numbers for the keys of rows, the same for those that are equal."""
    dtype = key.dtype
    if type(key) is not pd.Series:
        return None
    if dtype == np.int64:
        values = np.ascontiguousarray(key.to_numpy())
        low = int(values.min())
        return values, low, int(values.max()) - low + 1
    if isinstance(dtype, pd.CategoricalDtype):
        return key.array.codes.astype(np.int64), -1, len(dtype.categories) + 1
    if isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow":
        return _codes_of_texts(key)
    return None


def _codes_of_texts(key: Any) -> Codes:
    import pyarrow as pa

    texts = pa.chunked_array(pa.array(key.array)).combine_chunks()
    encoded = texts.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return codes.astype(np.int64), -1, len(encoded.dictionary) + 1
