"""How an array lies in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["axes_in_memory"]


def axes_in_memory(array: np.ndarray[Any, Any]) -> tuple[int, ...]:
    """Axes of an array in the order in which memory has them: the largest steps first.

    Transposed to it, an array without gaps is contiguous.

    Examples
    --------
    >>> axes_in_memory(np.zeros((2, 3, 4))), axes_in_memory(np.zeros((2, 3, 4), order="F"))
    ((0, 1, 2), (2, 1, 0))
    """
    steps = array.strides
    return tuple(sorted(range(array.ndim), key=lambda axis: -abs(steps[axis])))
