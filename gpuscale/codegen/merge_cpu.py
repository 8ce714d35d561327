"""Join what a tile gives with what earlier tiles gave, for each reduction.

A tile leaves its partial results in lanes, short vectors in the cache. In the form "columns" lane
l belongs to column l of the tile and goes to one position of the accumulators; in the form "fold"
lane l holds the columns l, l + lanes, l + 2 * lanes, ..., and all lanes go to one position; they
are folded into one first, always in the same order.

All functions take (at, step, width, lanes, rows) after the lanes and the accumulators: position
and step in the accumulators, columns of the tile, number of lanes, rows of the tile.

Imports numba: only generated kernels import this module.
"""

# Signatures below are flat lists of pointers: what Numba passes without a detour.
# fmt: off
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpuscale.codegen.intrinsics import fmax, fmin, in_kernel, maximum, minimum, select

INFINITE = float("inf")


def _merge(operation: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    """Make (columns, fold) for an operation whose partial result is one number."""

    @in_kernel
    def columns(values: Any, result: Any,
                at: int, step: int, width: int, lanes: int, rows: int) -> None:
        for lane in range(width):
            k = at + lane * step
            result[k] = operation(result[k], values[lane])

    @in_kernel
    def fold(values: Any, result: Any,
             at: int, step: int, width: int, lanes: int, rows: int) -> None:
        used = min(width, lanes)
        while used > 1:
            half = (used + 1) >> 1
            for lane in range(used - half):
                values[lane] = operation(values[lane], values[half + lane])
            used = half
        result[at] = operation(result[at], values[0])

    return columns, fold


@in_kernel
def _add(x: Any, y: Any) -> Any:
    return x + y


@in_kernel
def _multiply(x: Any, y: Any) -> Any:
    return x * y


@in_kernel
def _lower(x: Any, y: Any) -> Any:
    return minimum(x, y)


@in_kernel
def _higher(x: Any, y: Any) -> Any:
    return maximum(x, y)


@in_kernel
def _lower_number(x: Any, y: Any) -> Any:
    return fmin(x, y)


@in_kernel
def _higher_number(x: Any, y: Any) -> Any:
    return fmax(x, y)


@in_kernel
def _either(x: Any, y: Any) -> Any:
    return x | y


@in_kernel
def _both(x: Any, y: Any) -> Any:
    return x & y


columns_add, fold_add = _merge(_add)
columns_prod, fold_prod = _merge(_multiply)
columns_min, fold_min = _merge(_lower)
columns_max, fold_max = _merge(_higher)
columns_fmin, fold_fmin = _merge(_lower_number)
columns_fmax, fold_fmax = _merge(_higher_number)
columns_any, fold_any = _merge(_either)
columns_all, fold_all = _merge(_both)


@in_kernel
def _tree_sum(values: Any, used: int) -> Any:
    while used > 1:
        half = (used + 1) >> 1
        for lane in range(used - half):
            values[lane] += values[half + lane]
        used = half
    return values[0]


@in_kernel
def columns_sum(values: Any, total: Any, lost: Any,
                at: int, step: int, width: int, lanes: int, rows: int) -> None:
    """Add with the rounding error kept apart (Knuth's two-sum): tiles may be many."""
    for lane in range(width):
        k = at + lane * step
        old, new = total[k], values[lane]
        both = old + new
        taken = both - old
        lost[k] += (old - (both - taken)) + (new - taken)
        total[k] = both


@in_kernel
def fold_sum(values: Any, total: Any, lost: Any,
             at: int, step: int, width: int, lanes: int, rows: int) -> None:
    """Fold pairwise, then add as `columns_sum`."""
    _tree_sum(values, min(width, lanes))
    columns_sum(values, total, lost, at, 0, 1, lanes, rows)


@in_kernel
def _join(n: Any, total: Any, lost: Any, m2: Any, k: int,
          count: float, mean: float, spread: float) -> None:
    """Join the moments of a tile with the running ones (Chan, Golub and LeVeque, 1983)."""
    before = n[k]
    after = before + count
    delta = mean - (total[k] + lost[k]) / max(before, 1.0)
    between = delta * delta * (before * count / after)
    m2[k] += spread + select(before > 0.0, between, 0.0)
    n[k] = after
    # The mean of very many tiles comes from a compensated sum: running means would drift.
    old, new = total[k], mean * count
    both = old + new
    taken = both - old
    error = (old - (both - taken)) + (new - taken)
    lost[k] += select(abs(both) < INFINITE, error, 0.0)
    total[k] = both


@in_kernel
def _around_mean(s1: Any, s2: Any, off: Any) -> Any:
    """Sum of squares around the mean from that around the shift; squares may have overflowed."""
    excess = s1 * off
    overflown = (excess == INFINITE) & (abs(s1) < INFINITE)
    squares = s2 * 1.0  # in double precision: Numba's float() leaves single as it is
    return select(overflown, squares, squares - excess)


@in_kernel
def columns_moments(shift: Any, s1: Any, s2: Any, n: Any, total: Any, lost: Any, m2: Any,
                    at: int, step: int, width: int, lanes: int, rows: int) -> None:
    """Moments of each column of a tile, from sums of deviations from its first row."""
    count = float(rows)
    for lane in range(width):
        off = float(s1[lane]) / count
        spread = _around_mean(s1[lane], s2[lane], off)
        _join(n, total, lost, m2, at + lane * step, count, float(shift[lane]) + off, spread)


@in_kernel
def fold_moments(shift: Any, s1: Any, s2: Any, n: Any, total: Any, lost: Any, m2: Any,
                 at: int, step: int, width: int, lanes: int, rows: int) -> None:
    """Moments of a whole tile, each lane having its own shift: first means, then deviations."""
    used, more = min(width, lanes), width % lanes
    few, many = float(rows * (width // lanes)), float(rows * (width // lanes + 1))
    for lane in range(used):
        count = select(lane < more, many, few)
        off = s1[lane] / count
        s2[lane] = _around_mean(s1[lane], s2[lane], off)
        shift[lane] += off
        s1[lane] = shift[lane] * count
    everything = float(rows * width)
    mean = float(_tree_sum(s1, used)) / everything
    for lane in range(used):
        off = shift[lane] - mean
        s2[lane] += off * off * select(lane < more, many, few)
    _join(n, total, lost, m2, at, everything, mean, float(_tree_sum(s2, used)))


def _arg_merge(beats: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    """Make (columns, fold) for the position of an extreme value; the first of equals wins.

    Lanes hold places in the tile, row * width + column. The last three arguments say how the
    position in the reduced extent follows from them: at the tile's origin, along rows, columns.
    """

    @in_kernel
    def offer(value: Any, place: int, best: Any, where: Any, k: int,
              width: int, flat: int, flat_i: int, flat_j: int) -> None:
        now = best[k]
        equal = (value == now) | ((value != value) & (now != now))
        better = beats(value, now) | ((value != value) & (now == now))
        if better | equal:
            position = flat + place // width * flat_i + place % width * flat_j
            if better | (position < where[k]):
                best[k], where[k] = value, position

    @in_kernel
    def columns(values: Any, places: Any, best: Any, where: Any, at: int, step: int,
                width: int, lanes: int, rows: int, flat: int, flat_i: int, flat_j: int) -> None:
        for lane in range(width):
            offer(values[lane], places[lane], best, where, at + lane * step,
                  width, flat, flat_i, flat_j)

    @in_kernel
    def fold(values: Any, places: Any, best: Any, where: Any, at: int, step: int,
             width: int, lanes: int, rows: int, flat: int, flat_i: int, flat_j: int) -> None:
        for lane in range(min(width, lanes)):
            offer(values[lane], places[lane], best, where, at, width, flat, flat_i, flat_j)

    return columns, fold


@in_kernel
def _less(x: Any, y: Any) -> Any:
    return x < y


@in_kernel
def _greater(x: Any, y: Any) -> Any:
    return x > y


columns_argmin, fold_argmin = _arg_merge(_less)
columns_argmax, fold_argmax = _arg_merge(_greater)
