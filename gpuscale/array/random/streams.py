"""Streams of random numbers: one seed, and a key of its own for every call."""

from __future__ import annotations

import threading
from typing import Any, Self

import numpy as np

from gpuscale.array.random.draw import Key
from gpuscale.kernels.philox.keys import key_from_seed

__all__ = ["Streams"]


def _seed_sequence(seed: Any) -> np.random.SeedSequence:
    return seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)


class Streams:
    """What every generator has: a seed and the number of calls that took a stream of it.

    Parameters
    ----------
    seed : int, sequence of int, SeedSequence or None
        None takes fresh entropy.
    """

    def __init__(self, seed: Any = None) -> None:
        self._lock = threading.Lock()
        self._start(seed)

    def _start(self, seed: Any) -> None:
        if isinstance(seed, Streams):
            seed = seed._seed
        # Fresh entropy waits for the first draw: the shared generator is made on import, and
        # numpy.random takes long to load.
        self._parent = None if seed is None else _seed_sequence(seed)
        self._calls = 0

    @property
    def _seed(self) -> np.random.SeedSequence:
        with self._lock:
            if self._parent is None:
                self._parent = np.random.SeedSequence()
            return self._parent

    def __getstate__(self) -> dict[str, Any]:
        return {"_parent": self._seed, "_calls": self._calls}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Generator(Philox4x32-10, seed={self._seed.entropy}, calls={self._calls})"

    def spawn(self, n_children: int) -> list[Self]:
        """Return generators whose numbers are independent of this one's and of each other's."""
        return [type(self)(child) for child in self._seed.spawn(n_children)]

    def _key(self) -> Key:
        with self._lock:
            call = self._calls
            self._calls += 1
        return key_from_seed(self._seed, call)
