"""Counting by NumPy: `bincount` is one loop in C, and `histogram` bisects or goes by arithmetic."""

from typing import Any

import numpy as np

from .checks import check_counted

__all__ = ["bincount", "histogram"]


def bincount(values: Any, length: int, weights: Any = None) -> Any:
    """Count integers; parameters are those of `histogram_cuda.bincount`.

    Examples
    --------
    >>> bincount(np.array([0, 2, 2]), 4)
    array([1, 0, 2, 0])
    """
    check_counted(values, weights)
    counts = np.bincount(values, weights, minlength=length)[:length]
    return counts if weights is None else counts.astype(float, copy=False)  # int64 of no values


def histogram(values: Any, edges: Any, equal: bool, weights: Any = None) -> Any:
    """Count values between edges; parameters are those of `histogram_cuda.histogram`.

    Examples
    --------
    >>> histogram(np.array([0.5, 2.0, 3.0]), np.array([0.0, 1.0, 2.0]), False)
    array([1, 1])
    """
    check_counted(values, weights)
    bins = len(edges) - 1 if equal else edges
    limits = (edges[0], edges[-1]) if equal else None
    if weights is not None and weights.dtype.kind in "iu":
        weights = weights.astype(np.int64)
    return np.histogram(values, bins, limits, weights=weights)[0]
