"""`Generator`: NumPy's, with values that depend on seed, call and element alone."""

from __future__ import annotations

from typing import Any

from gpuscale.array.random.orders import Orders
from gpuscale.array.random.vectors import Vectors

__all__ = ["Generator", "default_rng"]


class Generator(Vectors, Orders):
    """Random arrays from one seed.

    Every call takes a stream of its own, numbered by the call, so equal programs give equal
    numbers; within a stream an element's value is a function of its position in the whole array.

    Parameters
    ----------
    seed : int, sequence of int, SeedSequence or None
        None takes fresh entropy.

    Examples
    --------
    >>> a = Generator(42).random(12, chunks=6).compute()
    >>> b = Generator(42).random(12, chunks=4).compute()
    >>> (a == b).all()
    np.True_
    """


def default_rng(seed: Any = None) -> Generator:
    """Return a `Generator`; the one given, where it is one.

    Examples
    --------
    >>> default_rng(1).integers(5, size=2).compute() < 5
    array([ True,  True])
    """
    return seed if isinstance(seed, Generator) else Generator(seed)
