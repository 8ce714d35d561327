"""Keys: what a seed and the number of a call become."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    Seed = int | Sequence[int] | np.random.SeedSequence | None


def key_from_seed(seed: "Seed" = None, stream: int = 0) -> tuple[int, int]:
    """Return the key of one stream of random numbers: two 32-bit integers.

    Every call that draws an array takes a stream of its own, so that no two arrays of a generator
    share values. NumPy's SeedSequence mixes seed and stream number: related seeds give unrelated
    keys.

    Parameters
    ----------
    seed : non-negative int of any size, sequence of such, SeedSequence, or None for fresh entropy.
    stream : int, which stream of that seed, not negative.

    Raises
    ------
    TypeError, ValueError
        As `numpy.random.SeedSequence` for what is no seed.

    Examples
    --------
    >>> key_from_seed(42) == key_from_seed(42)
    True
    >>> key_from_seed(42) == key_from_seed(42, stream=1)
    False
    """
    from numpy.random import SeedSequence  # not loaded by NumPy before its first use

    parent = seed if isinstance(seed, SeedSequence) else SeedSequence(seed)
    child = SeedSequence(parent.entropy, spawn_key=(*parent.spawn_key, stream))
    key0, key1 = child.generate_state(2, np.uint32)
    return int(key0), int(key1)
