"""Whole numbers below 2**53 as fractions of 2**53: what random bits become first."""

from typing import Any

import numpy as np

from ..portable import as_int64, float64_of

# The float64 numbers 2**25 and 1/2: their last places weigh 2**-27 and 2**-53.
BITS_OF_UPPER, BITS_OF_LOWER = np.uint64(0x4180 << 48), np.uint64(0x3FE0 << 48)
UPPER_AND_LOWER = 2.0**25 + 0.5
SHIFT26, LOW26 = np.uint64(26), np.uint64(2**26 - 1)


def unit53(bits: Any) -> Any:
    """Return bits / 2**53 as float64, exactly, for uint64 bits below 2**53.

    CPUs have no vector instruction that turns uint64 into float64 before AVX-512. The upper 27 and
    the lower 26 bits are laid into the last places of two float64 instead; no step rounds.

    Examples
    --------
    >>> unit53(np.array([2**52, 1], np.uint64)) == np.array([0.5, 2.0**-53])
    array([ True,  True])
    """
    upper = float64_of(as_int64((bits >> SHIFT26) | BITS_OF_UPPER))
    lower = float64_of(as_int64((bits & LOW26) | BITS_OF_LOWER))
    return (upper - UPPER_AND_LOWER) + lower
