"""Put blocks together again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpuscale.backends.seams import join_grid

__all__ = ["hand_on", "join_blocks", "scalar"]


def join_blocks(blocks: Sequence[Any], grid: tuple[int, ...]) -> Any:
    """Concatenate blocks, given in C order of their grid, along every axis.

    Examples
    --------
    >>> import numpy as np
    >>> join_blocks([np.ones((1, 2)), np.zeros((1, 1))], (1, 2))
    array([[1., 1., 0.]])
    """
    if len(blocks) == 1:  # which may be more than an array: the partials of a tree are tuples
        return blocks[0]
    return join_grid(blocks[0], blocks, grid)


def hand_on(chunk: Any) -> Any:
    """Return a block as it is: it is another node's, too."""
    return chunk


hand_on.hands_on = True  # type: ignore[attr-defined]


def scalar(array: Any) -> Any:
    """Give results without axes the type NumPy gives them."""
    of_numpy = type(array).__module__ == "numpy"
    return array[()] if of_numpy and array.ndim == 0 else array
