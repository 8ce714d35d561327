"""Groups of rows by compiled loops: numbers of their keys, and aggregations by these numbers."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from gpuscale.base import config
from gpuscale.codegen.cache import compile_kernel, is_stored
from gpuscale.codegen.helpers import Helper
from gpuscale.codegen.kernel import address

__all__ = ["aggregated", "number_codes", "pays"]

Array = Any

_MODULE = "gpuscale.codegen.groups_cpu"
_LEAST, _MANY = 1 << 16, 1 << 19
"""Rows that pay for a kernel on the disk, and for its compilation."""
_CODES = Helper(_MODULE, "number_codes", ("int64", "", "", "int32", "int32", "int64", "int64"))


def pays(rows: int) -> bool:
    """Whether so many rows are grouped sooner by kernels than by a library.

    Examples
    --------
    >>> pays(10)
    False
    """
    if not config.get("codegen.enabled"):
        return False
    if config.get("codegen.min-elements") == 0:
        return True
    return rows >= _MANY or (rows >= _LEAST and is_stored(_CODES.source()))


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
    _run(_CODES, codes, low, rows, places, ids, first, found)
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
    rows = len(ids)
    if values is None or (kind == "count" and values.dtype.kind == "i"):
        return _filled("count_rows", ids, None, rows, np.zeros(groups, np.int64))
    if kind == "count":
        return _filled("count_numbers", ids, values, rows, np.zeros(groups, np.int64))
    is_whole = values.dtype.kind == "i"
    if kind == "sum" and is_whole:
        return _filled("add_whole", ids, values, rows, np.zeros(groups, np.int64))
    if kind in ("sum", "total"):
        return _filled("add_wide", ids, values, rows, *np.zeros((2, groups)))
    limits = np.iinfo(np.int64)
    start = {"min": limits.max, "max": limits.min}[kind] if is_whole else np.nan
    found = np.full(groups, start, values.dtype)
    return _filled("least" if kind == "min" else "greatest", ids, values, rows, found)


def _filled(function: str, ids: Array, values: Array | None, rows: int, *results: Array) -> Array:
    arrays = (ids,) if values is None else (ids, values)
    kinds = (*(each.dtype.name for each in arrays), "", *(each.dtype.name for each in results))
    _run(Helper(_MODULE, function, kinds), *arrays, rows, *results)
    return results[0]
