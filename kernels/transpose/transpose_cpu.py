"""Transposed copies by NumPy."""

from typing import Any

import numpy as np

from .checks import check_matrices

__all__ = ["transpose"]


def transpose(values: Any) -> Any:
    """Return a contiguous copy with the last two axes exchanged.

    Examples
    --------
    >>> transpose(np.array([[1, 2], [3, 4]]))
    array([[1, 3],
           [2, 4]])
    """
    check_matrices(values)
    return np.ascontiguousarray(values.swapaxes(-1, -2))
