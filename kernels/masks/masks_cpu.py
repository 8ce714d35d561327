"""Masks by NumPy."""

from typing import Any

import numpy as np

from .checks import check_mask

__all__ = ["compress", "positions"]


def positions(mask: Any) -> Any:
    """Return the positions at which a mask is true, ascending.

    Examples
    --------
    >>> positions(np.array([True, False, True]))
    array([0, 2])
    """
    check_mask(mask)
    return np.flatnonzero(mask)


def compress(values: Any, mask: Any) -> Any:
    """Return the elements at which a mask is true, in their order.

    Examples
    --------
    >>> compress(np.array([4, 5, 6]), np.array([True, False, True]))
    array([4, 6])
    """
    check_mask(mask, values)
    return values[mask]
