"""Where rows go, by compiled loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.codegen.helpers import Helper
from gpuscale.codegen.loops import are_worth_it, run

__all__ = ["hashed", "ordered", "pays"]

Array = Any

_MODULE = "gpuscale.codegen.scatter_cpu"
_SAVED = 10
"""Additions that take as long as what one loop saves beside NumPy, for each row."""
_LOOPS = {
    "hashed": Helper(_MODULE, "hash_codes", ("uint64", "", "", "int64")),
    "ordered": Helper(_MODULE, "order_codes", ("int64", "", "", "int64", "int64")),
}


def pays(rows: int, loop: str) -> bool:
    """Whether a loop runs over rows, or NumPy does the work until it is worth its making.

    Parameters
    ----------
    rows : int
    loop : {"hashed", "ordered"}

    Examples
    --------
    >>> pays(10, "hashed")
    False
    """
    return are_worth_it([_LOOPS[loop]], rows, _SAVED)


def hashed(numbers: Array, count: int) -> Array:
    """Return a code below a count for each number, by the hash that pandas has of it.

    Parameters
    ----------
    numbers : array of float64
        Contiguous.
    count : int

    Examples
    --------
    >>> codes = hashed(np.array([1.0, 2.0, 1.0]), 100)
    >>> bool(codes[0] == codes[2])
    True
    """
    codes = np.empty(len(numbers), np.int64)
    run(_LOOPS["hashed"], numbers, len(numbers), count, codes)
    return codes


def ordered(codes: Array, count: int) -> tuple[Array, Array]:
    """Return rows in the order of their codes, and where the rows of each code end.

    Parameters
    ----------
    codes : array of int64
        Contiguous; from 0 up to `count`.
    count : int

    Examples
    --------
    >>> order, ends = ordered(np.array([2, 0, 2]), 3)
    >>> order.tolist(), ends.tolist()
    ([1, 0, 2], [1, 1, 3])
    """
    order, ends = np.empty(len(codes), np.int64), np.zeros(count, np.int64)
    run(_LOOPS["ordered"], codes, len(codes), count, ends, order)
    return order, ends
