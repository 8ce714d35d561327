"""Group rows: number their keys in the order in which they come, and aggregate by these numbers.

Keys are whole numbers in a small range: a table has the group of each that there could be. A pass
over the rows needs no more in the cache than that table, or the results of groups.

Imports numba: only generated kernels import this module.
"""

# Signatures below are flat lists of pointers: what Numba passes without a detour.
# fmt: off
from __future__ import annotations

from typing import Any

from gpuscale.codegen.intrinsics import in_kernel


@in_kernel
def number_codes(codes: Any, low: int, rows: int, places: Any, ids: Any, first: Any,
                 found: Any) -> None:
    """Number whole numbers from `low` on; `places` has -1 for each that there could be."""
    groups = 0
    for i in range(rows):
        at = codes[i] - low
        group = places[at]
        if group < 0:
            group = groups
            places[at] = group
            first[group] = i
            groups += 1
        ids[i] = group
    found[0] = groups


@in_kernel
def count_rows(ids: Any, rows: int, counts: Any) -> None:
    """Count the rows of each group."""
    for i in range(rows):
        counts[ids[i]] += 1


@in_kernel
def add_whole(ids: Any, values: Any, rows: int, sums: Any) -> None:
    """Add integers, which wrap around."""
    for i in range(rows):
        sums[ids[i]] += values[i]


@in_kernel
def add_wide(ids: Any, values: Any, rows: int, sums: Any, lost: Any) -> None:
    """Add in floating point, what rounding loses kept apart as Kahan does; no NaN."""
    for i in range(rows):
        value = values[i] * 1.0
        if value == value:
            group = ids[i]
            before = sums[group]
            added = value - lost[group]
            after = before + added
            rest = after - before - added
            lost[group] = rest if rest == rest else 0.0  # of infinity
            sums[group] = after


@in_kernel
def count_numbers(ids: Any, values: Any, rows: int, counts: Any) -> None:
    """Count what is not NaN."""
    for i in range(rows):
        counts[ids[i]] += values[i] == values[i]


@in_kernel
def least(ids: Any, values: Any, rows: int, found: Any) -> None:
    """Find the least values, which start as NaN or as the greatest that there are."""
    for i in range(rows):
        value, group = values[i], ids[i]
        if value == value and not found[group] <= value:
            found[group] = value


@in_kernel
def greatest(ids: Any, values: Any, rows: int, found: Any) -> None:
    """Find the greatest values, which start as NaN or as the least that there are."""
    for i in range(rows):
        value, group = values[i], ids[i]
        if value == value and not found[group] >= value:
            found[group] = value
