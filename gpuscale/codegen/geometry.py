"""The vector of integers that tells a kernel everything about one launch, and its fields."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["HEADER", "OPERAND", "dense_strides"]

#: First words: the domain, the tile, memory; then the state of the walk over tiles.
HEADER = (
    "n_operands",
    "n_outer",
    "count",  # of positions along the outer axes
    "rows",
    "columns",
    "tile_rows",
    "tile_columns",
    "lanes",
    "area",  # bytes of one tile buffer
    "scratch",
    "scalars",
    "self",  # address of the vector
    "outer_at",  # place of the outer axes in the vector: lengths, then steps of each operand
    "outer",
    "i0",
    "j0",
    "h",  # rows of this tile
    "w",
    "done",
    "sides",  # of a mirrored pair: 2, or 1 on the diagonal of a block that is its own mirror
    "triangular",  # whether both sides are one block
)

#: Words of each operand. Steps are in elements; ``unit`` is the size of an element in bytes, or
#: 1 for an index function; ``plane`` and ``here`` are where the (i, j) plane and the tile begin.
OPERAND = ("base", "step_i", "step_j", "unit", "plane", "here")


def dense_strides(shape: Sequence[int], order: Sequence[int]) -> tuple[int, ...]:
    """Strides in elements of a dense array with its axes in the given order in memory.

    Examples
    --------
    >>> dense_strides((2, 3, 4), (0, 1, 2)), dense_strides((2, 3, 4), (2, 1, 0))
    ((12, 4, 1), (1, 2, 6))
    """
    strides, step = [0] * len(shape), 1
    for axis in reversed(order):
        strides[axis] = step
        step *= shape[axis]
    return tuple(strides)
