"""Groups of rows by compiled loops: numbers of their keys, and aggregations by these numbers."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np

from gpuscale.base import config
from gpuscale.codegen.cache import compile_kernel, is_stored
from gpuscale.codegen.helpers import Helper
from gpuscale.codegen.kernel import address
from gpuscale.codegen.worth import is_worth_by_now

__all__ = ["aggregated", "number_codes", "number_texts", "pays"]

Array = Any

_MODULE = "gpuscale.codegen.groups_cpu"
_LEAST = 1 << 16
"""Rows: fewer are grouped sooner by a library, even where kernels are at hand."""
_SAVED = 10
"""Additions that take as long as what one loop saves beside a library, for each row."""
_SAVED_OF_TEXTS = 60
"""The same for each loop where texts are numbered, which libraries take far longer for."""
_NUMBERED = {
    "codes": Helper(_MODULE, "number_codes", ("int64", "", "", "int32", "int32", "int64", "int64")),
    "texts": Helper(
        "gpuscale.codegen.hashing_cpu",
        "number_texts",
        ("int64", "int8", "int8", "", "", "int32", "int64", "int32", "int64", "int64", "int64"),
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
    if not config.get("codegen.enabled"):
        return False
    if rows < _LEAST and config.get("codegen.min-elements") != 0:
        return False
    helpers = {_NUMBERED.get(kind) or _helper(kind, dtype) for kind, dtype in asked}
    saved = _SAVED_OF_TEXTS if _NUMBERED["texts"] in helpers else _SAVED
    paid = [_is_paid_for(helper, rows, saved) for helper in helpers]  # asks them all
    return all(paid)


def _is_paid_for(helper: Helper, rows: int, saved: int) -> bool:
    if helper not in _paid_for and is_worth_by_now(
        helper, rows, saved, lambda: is_stored(helper.source())
    ):
        _paid_for.add(helper)
    return helper in _paid_for


@cache
def _loaded(helper: Helper) -> Callable[[int, int, int], int]:
    return ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 3)(compile_kernel(helper.source()))


def _run(helper: Helper, *words: Any) -> None:
    """Run a kernel with numbers, and addresses of arrays; Python's lock is free meanwhile."""
    g = np.array([w if isinstance(w, int) else address(w) for w in words], np.int64)
    unused = np.zeros(2, np.int64)
    _loaded(helper)(address(unused), address(unused), address(g))


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
    _run(_NUMBERED["codes"], codes, low, rows, places, ids, first, found)
    return ids, first[: found[0]]


def number_texts(offsets: Array, data: Array, nulls: Array | None = None) -> tuple[Array, Array]:
    """Number texts in the order in which they come; nulls are one of them.

    Parameters
    ----------
    offsets : array of int64
        Where each starts, and where the last one ends; contiguous.
    data : array of int8
        Bytes of all; contiguous.
    nulls : array of int8, optional
        1 for what is null.

    Returns
    -------
    array of int32
        For each its number.
    array of int64
        For each number the first row that has it.

    Examples
    --------
    >>> texts = np.frombuffer(b"bab", np.int8)
    >>> ids, first = number_texts(np.arange(4), texts)
    >>> ids.tolist(), first.tolist()
    ([0, 1, 0], [0, 1])
    """
    rows, found = len(offsets) - 1, np.zeros(1, np.int64)
    slots = np.empty(1 << max(10, (2 * rows + 1).bit_length()), np.int32)
    entries, first = np.empty(4 * rows, np.int64), np.empty(rows, np.int64)  # pages as they fill
    ids, none, ahead = np.empty(rows, np.int32), np.zeros(1, np.int8), np.empty(128, np.int64)
    has_nulls, flags = (0, none) if nulls is None else (1, nulls)
    _run(
        _NUMBERED["texts"],
        *(offsets, data if len(data) else none, flags, has_nulls, rows),
        *(slots, entries, ids, first, ahead, found),
    )
    return ids, first[: found[0]]


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
    _run(helper, *(ids, values)[:end], len(ids), *results)
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
