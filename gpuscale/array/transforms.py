"""A Fourier transform of the lines of one block, a few at a time, and the memory that it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from gpuscale.backends.seams import array_namespace

__all__ = ["LineTransform"]

# Bytes of lines in double precision that are transformed together. NumPy converts all that it is
# given to that precision, however single it came; so little stays in the cache.
_TOGETHER = 1 << 20
# What one line takes inside, measured in NumPy 2, in units of itself in double precision: tables
# and a copy; lengths with a large prime factor are filled up to more than twice theirs.
_INSIDE, _INSIDE_PRIME = 1.0, 8.0
_CONVERTED = 2.5  # input and result of what is transformed together, and half of it conjugated


@dataclass(frozen=True)
class LineTransform:
    """A transform of one axis by the library of the chunk.

    Parameters
    ----------
    name : str
        Of a function of `numpy.fft`.
    n : int
        Length of the signal.
    axis : int
    norm : str or None
    length : int
        Of the axis in the result.
    dtype : numpy.dtype
        Of the result.

    Examples
    --------
    >>> LineTransform("fft", 4, 1, None, 4, np.dtype("c16"))(np.ones((2, 4))).real
    array([[4., 0., 0., 0.],
           [4., 0., 0., 0.]])
    """

    name: str
    n: int
    axis: int
    norm: str | None
    length: int
    dtype: np.dtype[Any]

    def __call__(self, chunk: Any) -> Any:
        """Transform all lines of a chunk."""
        xp = array_namespace(chunk)
        function, options = getattr(xp.fft, self.name), {"axis": self.axis, "norm": self.norm}
        across, step = self._slabs(chunk.shape)
        if xp is not np or across is None:
            return function(chunk, self.n, **options)
        shape = (*chunk.shape[: self.axis], self.length, *chunk.shape[self.axis + 1 :])
        result = np.empty(shape, self.dtype)
        for first in range(0, shape[across], step):
            slab = (slice(None),) * across + (slice(first, first + step),)
            place = result[slab]
            found = function(chunk[slab], self.n, **options, out=place)
            if found is not place:  # as that of hfft, which forgets out=
                place[...] = found
        return result

    def room(self, shape: Sequence[int]) -> int:
        """Bytes that transforming a chunk takes beside the chunk and the result.

        Examples
        --------
        >>> LineTransform("fft", 1 << 20, 0, None, 1 << 20, np.dtype("c16")).room((1 << 20, 50))
        58720256
        """
        across, step = self._slabs(shape)
        lines = prod(shape) // max(shape[self.axis], 1)
        together = lines if across is None else min(step, shape[across]) * lines // shape[across]
        inside = _INSIDE if _largest_factor(self.n) < 50 else _INSIDE_PRIME
        return int(self._line(shape) * (_CONVERTED * max(together, 1) + inside))

    def _line(self, shape: Sequence[int]) -> int:
        return 16 * max(self.n, shape[self.axis], 1)

    def _slabs(self, shape: Sequence[int]) -> tuple[int | None, int]:
        """The longest other axis, and how much of it is taken at once; None where all is."""
        others = [k for k in range(len(shape)) if k != self.axis and shape[k] > 1]
        if not others or 0 in shape:
            return None, 1
        across = max(others, key=lambda k: shape[k])
        beside = prod(shape[k] for k in others if k != across)
        return across, max(1, _TOGETHER // (self._line(shape) * beside))


def _largest_factor(n: int) -> int:
    """Largest prime factor.

    Examples
    --------
    >>> _largest_factor(2**5 * 7), _largest_factor(1), _largest_factor(4_000_037)
    (7, 1, 4000037)
    """
    largest, factor = 1, 2
    while factor * factor <= n:
        if n % factor:
            factor += 1
        else:
            n, largest = n // factor, factor
    return max(largest, n)
