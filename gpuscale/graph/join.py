"""Put blocks together again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpuscale.backends.seams import array_namespace

__all__ = ["join_blocks"]


def join_blocks(blocks: Sequence[Any], grid: tuple[int, ...]) -> Any:
    """Concatenate blocks, given in C order of their grid, along every axis.

    Examples
    --------
    >>> import numpy as np
    >>> join_blocks([np.ones((1, 2)), np.zeros((1, 1))], (1, 2))
    array([[1., 1., 0.]])
    """
    if len(blocks) == 1:
        return blocks[0]
    blocks = list(blocks)
    for axis in reversed(range(len(grid))):
        count = grid[axis]
        if count == 1:
            continue
        blocks = [
            array_namespace(blocks[k]).concatenate(blocks[k : k + count], axis=axis)
            for k in range(0, len(blocks), count)
        ]
    return blocks[0]
