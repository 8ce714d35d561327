"""Merges of keys that repeat on both sides, of which nobody has memory for the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.frame_libraries import array_beside
from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.backends.seams import backend_name, nbytes, to_host
from gpuscale.base.errors import MemoryBudgetError
from gpuscale.base.sizes import format_bytes
from gpuscale.dataframe.algorithms.partitioning import Index, codes_of_hashes, key_of
from gpuscale.memory.limits import budget_of

__all__ = ["check_size"]

_LOOKED_AT = 1 << 12  # rows of each side that are counted first
_BINS = 1 << 40  # hashes are hardly ever equal where keys are not


def check_size(left: Any, right: Any, mine: Sequence[Any], theirs: Sequence[Any]) -> None:
    """Refuse a merge whose result has no room in memory, before it is made.

    Rows are counted where a few of both sides meet so often that this is likely.

    Parameters
    ----------
    left, right : pandas.DataFrame
    mine, theirs : sequence of key
        Without any, all rows meet.

    Raises
    ------
    MemoryBudgetError
        Says how many rows there would be, and which key repeats the most.
    """
    pairs = len(left) * len(right)
    width = nbytes(left) // max(1, len(left)) + nbytes(right) // max(1, len(right))
    limit = budget_of(backend_name(left))
    most = limit // max(1, width)
    if pairs <= most:
        return
    if mine:
        pairs = _pairs(_few(left, mine), _few(right, theirs))
        share = min(len(left), _LOOKED_AT) * min(len(right), _LOOKED_AT)
        if pairs * (len(left) * len(right) // share) <= most:
            return
        pairs = _pairs(_codes(left, mine), _codes(right, theirs))
    if pairs > most:
        raise MemoryBudgetError(
            f"a merge of {len(left):,} and {len(right):,} rows gives {pairs:,} rows, about "
            f"{format_bytes(pairs * width)}, and the memory limit is "
            f"{format_bytes(limit)}{_most_frequent(left, right, mine, theirs)}"
        )


def _few(frame: Any, keys: Sequence[Any]) -> Any:
    if len(frame) > _LOOKED_AT:  # at random, for rows may come in cycles, but the same each time
        places = np.random.default_rng(0).choice(len(frame), _LOOKED_AT, replace=False)
        frame = _keys_alone(frame, keys).take(array_beside(frame, places))
    return _codes(frame, keys)


def _keys_alone(frame: Any, keys: Sequence[Any]) -> Any:
    """Return a frame without the columns that are not compared, of which none need be copied."""
    if any(isinstance(key, Index) for key in keys):
        return frame
    return frame[list(dict.fromkeys(keys))]


def _codes(frame: Any, keys: Sequence[Any]) -> Any:
    return to_host(codes_of_hashes([key_of(frame, key) for key in keys], _BINS))


def _pairs(left: Any, right: Any) -> int:
    """Count pairs of rows with equal keys."""
    return int(_met(left, right).sum())


def _met(left: Any, right: Any) -> Any:
    """Return by key how many pairs there are."""
    mine, theirs = (pd.Series(each).value_counts(sort=False) for each in (left, right))
    return mine.reindex(theirs.index, fill_value=0) * theirs


def _most_frequent(left: Any, right: Any, mine: Sequence[Any], theirs: Sequence[Any]) -> str:
    if not mine:
        return "; all rows meet all rows in a cross join"
    codes, others = _codes(left, mine), _codes(right, theirs)
    code = _met(codes, others).idxmax()
    place = int(np.argmax(codes == code))
    values = [frame_namespace(left).Series(key_of(left, key)).iloc[place] for key in mine]
    values = [value.item() if isinstance(value, np.generic) else value for value in values]
    key = values[0] if len(values) == 1 else tuple(values)
    return (
        f"; the key {key!r} is there {int((codes == code).sum()):,} and "
        f"{int((others == code).sum()):,} times; aggregate, or drop_duplicates, before"
    )
