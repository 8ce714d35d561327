"""Choices among weighted items."""

from typing import Any

import numpy as np

from ..uniform import uniform
from .rejection import Array, Stream


def cumulative(p: Any, size: int) -> Array:
    """Return the cumulative probabilities of `size` items, if `p` is legal.

    Raises
    ------
    ValueError
        As `numpy.random.Generator.choice` for weights that are no probabilities of these items.

    Examples
    --------
    >>> cumulative([0.25, 0.75], 2)
    array([0.25, 1.  ])
    """
    p = np.asarray(p, np.float64)
    if p.ndim != 1:
        raise ValueError("p must be 1-dimensional")
    if p.size != size:
        raise ValueError("a and p must have same size")
    if np.isnan(p).any():
        raise ValueError("Probabilities contain NaN")
    if (p < 0.0).any():
        raise ValueError("Probabilities are not non-negative")
    if abs(p.sum() - 1.0) > np.sqrt(np.finfo(np.float64).eps):
        raise ValueError("Probabilities do not sum to 1")
    sums = np.cumsum(p)
    return sums / sums[-1]


def choice(stream: Stream, sums: Array) -> Array:
    """Return positions of items drawn with replacement, as int64.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> choice(stream, np.array([0.25, 1.0])).mean().round(2)
    np.float64(0.75)
    """
    return np.searchsorted(sums, stream.draws(uniform), side="right").astype(np.int64)
