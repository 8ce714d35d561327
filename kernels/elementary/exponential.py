"""Exponentials of float64 numbers, within 2 ulp.

x = n log 2 + r with |r| <= log(2) / 2; exp(r) - 1 by a minimax polynomial, then scaled by 2**n.
Adding 1.5 * 2**52 rounds to the nearest whole number, which then stands in the lowest bits: CPUs
have no vector instruction that turns float64 into int64 before AVX-512.
"""

from typing import Any

import numpy as np

from ..portable import as_uint64, bits_of, float64_of, select
from .logarithm import LN2_HIGH, LN2_LOW, MANTISSA_BITS

LOG2_E = 1.4426950408889634
ROUNDER = 1.5 * 2.0**52
# n is lifted by an even number above all -n, so that it can be halved as an unsigned number.
LIFT = np.uint64(2048)
BITS_OF_ROUNDER_LESS_LIFT = np.uint64(0x4338000000000000 - 2048)
HALF_LIFT_LESS_BIAS, ONE_BIT = np.uint64(1024 - 1023), np.uint64(1)
# Beyond these, results are 0 and infinity anyway.
LOWEST, HIGHEST = -800.0, 800.0


def _reduced(x: Any) -> tuple[Any, Any]:
    """Return (exp(r) - 1, n + LIFT) with exp(x) = 2**n * exp(r)."""
    x = select(x < LOWEST, LOWEST, select(x > HIGHEST, HIGHEST, x))
    rounded = x * LOG2_E + ROUNDER
    n = rounded - ROUNDER
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    y = r * r
    even = 0.5000000000000001 + y * (
        0.04166666666662412
        + y * (0.0013888888917217457 + y * (2.480152129097361e-05 + y * 2.762009051837443e-07))
    )
    odd = 0.16666666666666674 + y * (
        0.008333333333322207
        + y * (0.00019841269886591013 + y * (2.7557242336663027e-06 + y * 2.51100499030714e-08))
    )
    lifted = as_uint64(bits_of(rounded)) - BITS_OF_ROUNDER_LESS_LIFT
    return r + y * (even + r * odd), lifted


def _scaled(x: Any, lifted: Any) -> Any:
    """Return x * 2**n in two factors, so that results near the ends of the range are reached."""
    half = lifted >> ONE_BIT
    rest = lifted - half
    return (
        x
        * float64_of((half - HALF_LIFT_LESS_BIAS) << MANTISSA_BITS)
        * float64_of((rest - HALF_LIFT_LESS_BIAS) << MANTISSA_BITS)
    )


def exp(x: Any) -> Any:
    """Return e**x, for NaN and the infinities too.

    Examples
    --------
    >>> exp(np.array([0.0, 1.0, -1000.0]))
    array([1.        , 2.71828183, 0.        ])
    """
    fraction, n = _reduced(x)
    return _scaled(1.0 + fraction, n)


def expm1(x: Any) -> Any:
    """Return e**x - 1 for x <= 700, accurate where x is small.

    Examples
    --------
    >>> expm1(np.array([1e-20, 1.0]))
    array([1.00000000e-20, 1.71828183e+00])
    """
    fraction, n = _reduced(x)
    power = _scaled(1.0, n)
    return power * fraction + (power - 1.0)
