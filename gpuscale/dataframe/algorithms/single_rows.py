"""Parts of groups where keys hardly repeat: each row is as good as a group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.algorithms.aggregates import Part, label, widened

__all__ = ["are_single", "parts_of_rows"]

_LOOKED_AT = 1 << 13  # rows
_GLANCE = 1 << 10  # rows that are looked at first
_MANY_PAIRS = 8  # among these, of one group: there would hardly be one where keys hardly repeat
_LEAST = 1 << 16  # rows: fewer are grouped before anybody has looked
_REPEATED = 0.25  # rows of a group beside the first, on average


def _nulls_as(value: Any) -> Callable[[Any], Any]:
    return lambda values: values.fillna(value)


def _itself(values: Any) -> Any:
    return values


_OF_ROWS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("min", "max", "first", "last"), _itself),
    "sum": _nulls_as(0),
    "prod": _nulls_as(1),
    "any": _nulls_as(0),
    "all": _nulls_as(1),
    "count": lambda values: values.notna(),
    "total": lambda values: widened(values).fillna(0),
    "mean": lambda values: widened(values),
    "var": lambda values: widened(values) - widened(values),  # of nulls and infinity none
}
"""What is kept of a group of one row; a size is 1."""


def are_single(keys: Sequence[Any], columns: Mapping[int, Any]) -> bool:
    """Whether hardly any two rows are of one group, by a sample; and parts of rows can be told.

    Of a sample, m**2 / 2n pairs are of one group where there are n groups of about one size.
    """
    rows = len(keys[0])
    is_on_host = type(keys[0]) is pd.Series  # a device groups faster than anybody looks
    if rows < _LEAST or not is_on_host or not all(map(_is_number, columns.values())):
        return False
    if _pairs(keys, _GLANCE)[0] > _MANY_PAIRS:
        return False
    pairs, looked_at = _pairs(keys, _LOOKED_AT)
    return 2 * pairs * rows <= _REPEATED * looked_at**2


def _pairs(keys: Sequence[Any], most: int) -> tuple[int, int]:
    """Return how many of some rows are of the group of another, and how many are looked at."""
    places = np.sort(np.random.default_rng(0).integers(0, len(keys[0]), most))
    places = places[np.diff(places, prepend=-1) > 0]
    sample = pd.DataFrame({k: key.array.take(places) for k, key in enumerate(keys)})
    return int(sample.duplicated().sum()), len(places)


def _is_number(column: Any) -> bool:
    return isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufb"


def parts_of_rows(
    columns: Mapping[int, Any], keys: Mapping[str, Any], parts: Sequence[Part], like: Any
) -> Any:
    """Make parts of each row.

    Parameters
    ----------
    columns : mapping of int to series
    keys : mapping of str to series
    parts : sequence of (str, int)
    like : pandas.DataFrame
        Parts of some groups, with the dtypes that they have.
    """
    found: dict[str, Any] = {name: key.array for name, key in keys.items()}
    for kind, number in parts:
        name = label(str(kind), number)
        if kind == "size":
            found[name] = np.ones(len(next(iter(keys.values()))), np.int64)
        else:
            made = _OF_ROWS[str(kind)](columns[number])
            dtype = like.dtypes[name]
            found[name] = pd.Series(made.astype(dtype).array, dtype=dtype, copy=False)
    return pd.DataFrame(found, copy=False)[list(like.columns)]
