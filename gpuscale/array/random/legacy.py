"""`RandomState`: the names of NumPy's older interface, on the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.collection import Array
from gpuscale.array.random.generator import Generator

__all__ = ["RandomState"]


class RandomState(Generator):
    """Random arrays with the names of `numpy.random.RandomState`.

    Parameters
    ----------
    seed : int, sequence of int or None

    Examples
    --------
    >>> RandomState(3).rand(2, 2).shape
    (2, 2)
    """

    def seed(self, seed: Any = None) -> None:
        """Start again from a seed."""
        self._start(seed)

    def rand(self, *shape: int, **kwargs: Any) -> Array:
        """Draw uniform numbers in [0, 1); lengths of the axes are arguments."""
        return self.random(shape, **kwargs)

    def randn(self, *shape: int, **kwargs: Any) -> Array:
        """Draw normal numbers; lengths of the axes are arguments."""
        return self.standard_normal(shape, **kwargs)

    def random_sample(self, size: Any = None, **kwargs: Any) -> Array:
        """Draw uniform numbers in [0, 1)."""
        return self.random(size, **kwargs)

    def randint(
        self, low: Any, high: Any = None, size: Any = None, dtype: Any = np.int64, **kwargs: Any
    ) -> Array:
        """Draw integers from ``low`` up to, not including, ``high``."""
        return self.integers(low, high, size, dtype, **kwargs)

    def random_integers(self, low: Any, high: Any = None, size: Any = None, **kwargs: Any) -> Array:
        """Draw integers from ``low`` up to and with ``high``."""
        low, high = (1, low) if high is None else (low, high)
        return self.integers(low, high, size, endpoint=True, **kwargs)

    def tomaxint(self, size: Any = None, **kwargs: Any) -> Array:
        """Draw integers from 0 up to the largest of int64."""
        return self.integers(0, np.iinfo(np.int64).max, size, endpoint=True, **kwargs)
