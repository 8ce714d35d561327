"""Groups of rows by compiled loops: numbers of their keys, and aggregations by these numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gpuscale.codegen.helpers import Helper
from gpuscale.codegen.kernel import address
from gpuscale.codegen.loops import are_worth_it, run

__all__ = ["aggregated", "number_codes", "number_texts", "pays"]

Array = Any

_MODULE = "gpuscale.codegen.groups_cpu"
_SAVED = 10
"""Additions that take as long as what one loop saves beside a library, for each row."""
_SAVED_OF_TEXTS = 60
"""The same for each loop where texts are numbered, which libraries take far longer for."""
_FIRST = 1 << 10
"""Slots that a table of hashes begins with."""
_NUMBERED = {
    "codes": Helper(_MODULE, "number_codes", ("int64", "", "", "int32", "int32", "int64", "int64")),
    "texts": Helper(
        "gpuscale.codegen.hashing_cpu",
        "number_texts",
        (
            *("int64", "int8", "", "int8", "", "", ""),
            *("int32", "int64", "int64", "int32", "int64", "int64", "int64"),
        ),
    ),
}

_paid_for: set[Helper] = set()


def pays(rows: int, asked: Iterable[tuple[str, Any]]) -> bool:
    """Whether rows are grouped by kernels, or by a library until these are worth their making.

    Parameters
    ----------
    rows : int
    asked : iterable of (str, dtype or None)
        Kinds of aggregations as for `aggregated`, and the dtypes of their values; "codes" and
        "texts" are the kinds of what is numbered.

    Examples
    --------
    >>> pays(10, [("codes", None), ("size", None)])
    False
    """
    helpers = {_NUMBERED.get(kind) or _helper(kind, dtype) for kind, dtype in asked}
    saved = _SAVED_OF_TEXTS if _NUMBERED["texts"] in helpers else _SAVED
    return are_worth_it(helpers, rows, saved)


def number_codes(codes: Array, low: int, width: int) -> tuple[Array, Array]:
    """Number whole numbers in the order in which they come.

    Parameters
    ----------
    codes : array of int64
        Contiguous.
    low, width : int
        The least that there could be, and how many.

    Returns
    -------
    array of int32
        For each its number.
    array of int64
        For each number the first row that has it.

    Examples
    --------
    >>> ids, first = number_codes(np.array([7, 5, 7]), 5, 3)
    >>> ids.tolist(), first.tolist()
    ([0, 1, 0], [0, 1])
    """
    rows, found = len(codes), np.zeros(1, np.int64)
    ids, places = np.empty(rows, np.int32), np.full(width, -1, np.int32)
    first = np.empty(min(rows, width), np.int64)
    run(_NUMBERED["codes"], codes, low, rows, places, ids, first, found)
    return ids, first[: found[0]]


def number_texts(pieces: Sequence[tuple[Array, Array, Array | None]]) -> tuple[Array, Array]:
    """Number texts in the order in which they come; nulls are one of them.

    Parameters
    ----------
    pieces : sequence of (array of int64, array of int8, array of int8 or None)
        Where each text starts, and where the last one ends; bytes of all; 1 for what is null, if
        anything is. All contiguous.

    Returns
    -------
    array of int32
        For each its number.
    array of int64
        For each number the first row that has it.

    Examples
    --------
    >>> texts = np.frombuffer(b"bab", np.int8)
    >>> ids, first = number_texts([(np.arange(4), texts, None), (np.arange(2), texts, None)])
    >>> ids.tolist(), first.tolist()
    ([0, 1, 0, 0], [0, 1])
    """
    rows = sum(len(offsets) - 1 for offsets, _, _ in pieces)
    slots = np.empty(max(_FIRST, 1 << (2 * rows + 1).bit_length()), np.int32)
    slots[:_FIRST] = 0
    entries, places = np.empty(4 * rows, np.int64), np.empty(rows, np.int64)  # pages as they fill
    ids, first, ahead = np.empty(rows, np.int32), np.empty(rows, np.int64), np.empty(128, np.int64)
    before, none, state = 0, np.zeros(1, np.int8), np.array([0, -1, _FIRST])
    for offsets, data, nulls in pieces:
        data = data if len(data) else none
        has_nulls, flags = (0, none) if nulls is None else (1, nulls)
        run(
            _NUMBERED["texts"],
            *(offsets, data, address(data), flags, has_nulls, len(offsets) - 1, before),
            *(slots, entries, places, ids[before:], first, ahead, state),
        )
        before += len(offsets) - 1
    return ids, first[: state[0]]


def aggregated(kind: str, ids: Array, values: Array | None, groups: int) -> Array:
    """Aggregate the values of each group, without what is NaN.

    Parameters
    ----------
    kind : {"size", "count", "sum", "total", "min", "max"}
        A total is a sum in floating point.
    ids : array of int32
        For each row the number of its group.
    values : array of int64 or float64
        Contiguous.
    groups : int

    Examples
    --------
    >>> aggregated("sum", np.array([0, 1, 0], np.int32), np.array([1, 2, 3]), 2)
    array([4, 2])
    """
    helper = _helper(kind, None if values is None else values.dtype)
    end = helper.words.index("")
    results = [np.zeros(groups, dtype) for dtype in helper.words[end + 1 :]]
    if kind in _EXTREMES:
        results[0].fill(_start(kind, results[0].dtype))
    run(helper, *(ids, values)[:end], len(ids), *results)
    return results[0]


_EXTREMES = {"min": "least", "max": "greatest"}


def _helper(kind: str, dtype: Any) -> Helper:
    """Return the loop of an aggregation: of numbers, perhaps values, how many rows, results."""
    name, is_whole = str(dtype), dtype is not None and dtype.kind == "i"
    if kind == "size" or (kind == "count" and is_whole):
        return Helper(_MODULE, "count_rows", ("int32", "", "int64"))
    if kind in _EXTREMES:
        return Helper(_MODULE, _EXTREMES[kind], ("int32", name, "", name))
    if kind == "count":
        return Helper(_MODULE, "count_numbers", ("int32", name, "", "int64"))
    if kind == "sum" and is_whole:
        return Helper(_MODULE, "add_whole", ("int32", name, "", "int64"))
    return Helper(_MODULE, "add_wide", ("int32", name, "", "float64", "float64"))


def _start(kind: str, dtype: Any) -> Any:
    """Return what every value is beyond."""
    if dtype.kind == "f":
        return np.nan
    limits = np.iinfo(dtype)
    return limits.max if kind == "min" else limits.min
