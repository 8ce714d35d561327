"""The block shape for a byte budget: near-square, or whole multiples of blocks that exist."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, prod

__all__ = ["fit_block"]

# Roots of exact powers come out a hair too small: 64 ** (1 / 3) is 3.9999999999999996.
_ROUNDING = 1 + 1e-12


def fit_block(
    lengths: Sequence[int], budget: float, units: Sequence[int], hard: bool = False
) -> tuple[int, ...]:
    """Return the shape of a block of at most `budget` elements.

    A block keeps the aspect of the units and is a whole number of them along every axis. Units
    larger than the budget are cut near-square into equal parts, unless they are `hard`.

    Parameters
    ----------
    lengths : sequence of int
        Lengths of the axes, all positive.
    budget : float
        Number of elements that a block may have.
    units : sequence of int
        Per axis, the number of elements that should stay together: the size of a stored chunk,
        or 1.
    hard : bool
        Whether a unit may never be cut, even where it exceeds the budget.

    Examples
    --------
    >>> fit_block((100, 100), 400, (1, 1))
    (20, 20)
    >>> fit_block((1000, 4), 400, (1, 1))
    (100, 4)
    >>> fit_block((1000, 1000), 40_000, (10, 100))
    (60, 500)
    >>> fit_block((1000, 1000), 100, (30, 30)), fit_block((1000, 1000), 100, (30, 30), hard=True)
    ((10, 10), (30, 30))
    """
    units = [min(unit, length) for unit, length in zip(units, lengths, strict=True)]
    if hard or prod(units) <= budget:
        ideal = _fill(lengths, units, budget)
        return tuple(map(_multiple, lengths, units, ideal))
    ideal = _fill(units, [1] * len(units), budget)
    return tuple(map(_part, units, ideal))


def _fill(lengths: Sequence[int], aspect: Sequence[int], budget: float) -> list[float]:
    """Scale `aspect` until its volume is the budget; an axis stops growing at its length."""
    sizes = [float(length) for length in lengths]
    growing = list(range(len(lengths)))
    while growing:
        volume = prod(aspect[axis] for axis in growing)
        scale = (max(budget, 1.0) / volume) ** (1 / len(growing)) * _ROUNDING
        whole = [axis for axis in growing if aspect[axis] * scale >= lengths[axis]]
        if not whole:
            for axis in growing:
                sizes[axis] = aspect[axis] * scale
            break
        budget /= prod(lengths[axis] for axis in whole)
        growing = [axis for axis in growing if axis not in whole]
    return sizes


def _multiple(length: int, unit: int, ideal: float) -> int:
    """Return a multiple of `unit` of at most `ideal` that cuts the axis into equal blocks."""
    if ideal >= length:
        return length
    n_units = -(-length // unit)
    n_parts = -(-n_units // max(1, floor(ideal / unit * _ROUNDING)))
    return min(length, -(-n_units // n_parts) * unit)


def _part(unit: int, ideal: float) -> int:
    """Return an equal part of `unit` of at most `ideal`, exact where that costs little."""
    if ideal >= unit:
        return unit
    n_parts = -(-unit // floor(ideal * _ROUNDING))
    exact = (n for n in range(n_parts, min(2 * n_parts, unit + 1)) if unit % n == 0)
    return -(-unit // next(exact, n_parts))
