"""How dense a sample has to be."""

from __future__ import annotations

from itertools import count

__all__ = ["sample_step"]

LEAST, MOST = 1 << 14, 1 << 22  # elements of a sample
_WANTED = 4  # elements that are found by as few as are needed for one


def sample_step(size: int, wanted: int = 1) -> int:
    """Distance between the elements of a sample for a selection.

    It is a prime, so that no pattern in the data has the same period.

    Parameters
    ----------
    size : int
        Number of elements.
    wanted : int
        How many elements are looked for; the more, the narrower has to be where each is.

    Examples
    --------
    >>> sample_step(100_000_000), sample_step(100_000_000, wanted=40)
    (467, 47)
    """
    enough = int(size ** (2 / 3) * max(1, wanted / _WANTED))
    step = max(1, size // min(max(enough, LEAST), MOST))
    return next(n for n in count(step) if n < 4 or all(n % k for k in range(2, int(n**0.5) + 1)))
