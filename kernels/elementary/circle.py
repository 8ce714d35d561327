"""Cosine and sine of a whole turn's fraction, within 2 ulp of 1.

The angle is an integer number of 2**-53 turns, so its reduction to the nearest quarter is exact.
"""

from typing import Any

import numpy as np

from ..portable import as_float64, as_int32, select
from .fractions import unit53

EIGHTH = np.uint64(1 << 50)
QUARTER_BITS = np.uint64(51)
ZERO, ONE, TWO = np.uint64(0), np.uint64(1), np.uint64(2)


def cosine_sine(turns53: Any) -> tuple[Any, Any]:
    """Return (cos, sin) of the angle 2 pi turns53 / 2**53, for uint64 turns53 < 2**53.

    Examples
    --------
    >>> cosine_sine(np.array([2**50], np.uint64))
    (array([0.70710678]), array([0.70710678]))
    """
    quarter = (turns53 + EIGHTH) >> QUARTER_BITS
    r = unit53(turns53) - as_float64(as_int32(quarter)) * 0.25
    y = r * r
    sine = r * (
        6.283185307179586
        + y
        * (
            -41.34170224039859
            + y
            * (
                81.60524927516164
                + y
                * (
                    -76.70585948847287
                    + y * (42.05865827841962 + y * (-15.09227796448143 + y * 3.7482210461730605))
                )
            )
        )
    )
    cosine = 1.0 + y * (
        -19.739208802178716
        + y
        * (
            64.93939402266663
            + y
            * (
                -85.45681720595773
                + y
                * (
                    60.244641219098746
                    + y * (-26.426240178982752 + y * (7.90257735248765 + y * -1.6872298164703547))
                )
            )
        )
    )
    swapped = quarter & ONE != ZERO
    along, across = select(swapped, sine, cosine), select(swapped, cosine, sine)
    cosine_sign = select((quarter + ONE) & TWO != ZERO, -1.0, 1.0)
    sine_sign = select(quarter & TWO != ZERO, -1.0, 1.0)
    return cosine_sign * along, sine_sign * across
