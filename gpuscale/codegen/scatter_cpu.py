"""Where rows go: codes by the hash of a number, and the order of rows by their codes.

Hashes are those of pandas, so that rows of one key meet wherever it is done without a kernel.

Imports numba: only generated kernels import this module.
"""

# Signatures below are flat lists of pointers: what Numba passes without a detour.
# fmt: off
from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.codegen.intrinsics import in_kernel

_FIRST, _SECOND, _THIRD, _HALF = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_ODD, _OTHER = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@in_kernel
def hash_codes(bits: Any, rows: int, count: int, codes: Any) -> None:
    """Hash numbers as `pandas.util.hash_array` does; codes are below `count`."""
    below = np.uint64(count)
    for i in range(rows):
        value = bits[i]
        value = (value ^ value >> _FIRST) * _ODD
        value = (value ^ value >> _SECOND) * _OTHER
        value = value ^ value >> _THIRD
        codes[i] = (value ^ value >> _HALF) % below


@in_kernel
def order_codes(codes: Any, rows: int, count: int, ends: Any, order: Any) -> None:
    """Write rows in the order of their codes, and where those of each end; `ends` are zeros."""
    for i in range(rows):
        ends[codes[i]] += 1
    start = 0
    for code in range(count):
        start, ends[code] = start + ends[code], start
    for i in range(rows):
        code = codes[i]
        order[ends[code]] = i
        ends[code] += 1
