"""Single elements of several axes at once, as positions on a line.

The line holds one block of the grid after the other, and within a block its elements in C order.
So a choice of points is an index into one axis whose blocks are those of the grid, and all that
`take` knows about one axis holds for points as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuscale.chunks.blocks import KnownChunks, offsets

__all__ = ["line_positions", "line_sizes"]

IntArray = NDArray[np.int64]


def line_sizes(chunks: KnownChunks) -> tuple[int, ...]:
    """Return the number of elements of each block, in C order of the grid.

    Examples
    --------
    >>> line_sizes(((3, 2), (4, 1)))
    (12, 3, 8, 2)
    """
    return chunks[0] if len(chunks) == 1 else tuple(map(prod, product(*chunks)))


def line_positions(coordinates: Sequence[IntArray], chunks: KnownChunks) -> IntArray:
    """Return where points lie on the line.

    Parameters
    ----------
    coordinates : sequence of ndarray of int64
        For each axis the positions of the points, none negative, all of one shape.
    chunks : tuple of tuple of int
        Blocks of these axes.

    Examples
    --------
    >>> line_positions([np.array([0, 4]), np.array([3, 4])], ((3, 2), (4, 1)))
    array([ 3, 24])
    """
    if len(chunks) == 1:
        return coordinates[0]
    number: Any = 0
    local: Any = 0
    for coordinate, sizes in zip(coordinates, chunks, strict=True):
        starts = np.asarray(offsets(sizes))
        block = np.searchsorted(starts, coordinate, side="right") - 1
        number = number * len(sizes) + block
        local = local * np.asarray(sizes)[block] + coordinate - starts[block]
    return np.asarray(np.asarray(offsets(line_sizes(chunks)))[number] + local)
