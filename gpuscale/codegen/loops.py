"""Loops over rows that are written by hand: whether they are worth their making, and their call."""

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

__all__ = ["are_worth_it", "run"]

_LEAST = 1 << 16
"""Rows: with fewer a library is done sooner, even where kernels are at hand."""

_paid_for: set[Helper] = set()


def are_worth_it(helpers: Iterable[Helper], rows: int, saved: int) -> bool:
    """Whether loops run over rows, or a library does the work until these are worth their making.

    Parameters
    ----------
    helpers : iterable of Helper
    rows : int
    saved : int
        Additions that take as long as what one loop saves beside a library, for each row.
    """
    if not config.get("codegen.enabled"):
        return False
    if rows < _LEAST and config.get("codegen.min-elements") != 0:
        return False
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


def run(helper: Helper, *words: Any) -> None:
    """Run a kernel with numbers, and addresses of arrays; Python's lock is free meanwhile."""
    g = np.array([w if isinstance(w, int) else address(w) for w in words], np.int64)
    unused = np.zeros(2, np.int64)
    _loaded(helper)(address(unused), address(unused), address(g))
