"""Find the rows that have a whole number, by a table of all numbers in a range or of hashes.

A table has the first row of each number, or -1; `following` has for each row the next one of the
same number. A pass over the values that are looked up needs no more in the cache than the table.

Imports numba: only generated kernels import this module.
"""

# Signatures below are flat lists of pointers: what Numba passes without a detour.
# fmt: off
from __future__ import annotations

from typing import Any

from gpuscale.codegen.intrinsics import in_kernel

_ODD = -7046029254386353131  # 64 bits without a pattern


@in_kernel
def look_up(values: Any, asked: int, keys: Any, rows: int, low: int, high: int, table: Any,
            size: int, following: Any, first: Any, found: Any) -> None:
    """Find the first row of the key that each value is, or -1.

    Counts keys that come again, values that are no key, and pairs of a value and a row. The table
    has a slot for all numbers from `low` to `high`, or is a power of two, and larger than rows.
    """
    if size == high - low + 1:
        found[0] = enter_near(keys, rows, low, table, following)
        found[1] = find_near(values, asked, low, high, table, first)
    else:
        found[0] = enter_hashed(keys, rows, table, size, following)
        found[1] = find_hashed(values, asked, keys, table, size, first)
    found[2] = asked - found[1]
    if found[0]:
        found[2] = count_pairs(first, asked, following)


@in_kernel
def enter_near(keys: Any, rows: int, low: int, table: Any, following: Any) -> int:
    """Enter all rows, the last one first; return how many have a number that comes again."""
    repeated = 0
    for back in range(rows):
        row = rows - 1 - back
        place = keys[row] - low
        first = table[place]
        table[place], following[row] = row, first
        repeated += first >= 0
    return repeated


@in_kernel
def find_near(values: Any, asked: int, low: int, high: int, table: Any, first: Any) -> int:
    """Find the first row of each value; return how many values have none."""
    missing = 0
    for i in range(asked):
        value, row = values[i], -1
        if low <= value <= high:
            row = table[value - low]
        first[i] = row
        missing += row < 0
    return missing


@in_kernel
def hashed_place(number: int, size: int) -> int:
    """Return where to look for a number first in a table of a power of two."""
    mixed = number * _ODD
    return (mixed ^ mixed >> 32) & (size - 1)


@in_kernel
def enter_hashed(keys: Any, rows: int, table: Any, size: int, following: Any) -> int:
    """Do what `enter_near` does."""
    repeated = 0
    for back in range(rows):
        row = rows - 1 - back
        key = keys[row]
        place = hashed_place(key, size)
        first = table[place]
        while first >= 0 and keys[first] != key:
            place = (place + 1) & (size - 1)
            first = table[place]
        table[place], following[row] = row, first
        repeated += first >= 0
    return repeated


@in_kernel
def find_hashed(values: Any, asked: int, keys: Any, table: Any, size: int, first: Any) -> int:
    """Do what `find_near` does."""
    missing = 0
    for i in range(asked):
        value = values[i]
        place = hashed_place(value, size)
        row = table[place]
        while row >= 0 and keys[row] != value:
            place = (place + 1) & (size - 1)
            row = table[place]
        first[i] = row
        missing += row < 0
    return missing


@in_kernel
def count_pairs(first: Any, asked: int, following: Any) -> int:
    """Count pairs of a value and a row that has it."""
    pairs = 0
    for i in range(asked):
        row = first[i]
        while row >= 0:
            pairs += 1
            row = following[row]
    return pairs


@in_kernel
def list_pairs(first: Any, asked: int, following: Any, left: Any, right: Any) -> None:
    """Write all pairs in the order of values, those of one value in the order of rows."""
    pairs = 0
    for i in range(asked):
        row = first[i]
        while row >= 0:
            left[pairs], right[pairs] = i, row
            pairs += 1
            row = following[row]
