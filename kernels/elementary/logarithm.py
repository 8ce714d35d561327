"""Natural logarithms of float64 numbers, within 1.5 ulp.

x = 2**k * (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2); log(1 + f) = 2 atanh(s) for s = f / (2 + f),
whose series in s**2 is cut to a minimax polynomial and arranged so that f, which is exact, is
added last (W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980).
"""

from typing import Any

import numpy as np

from ..portable import as_uint64, bits_of, float64_of, select

MANTISSA_BITS = np.uint64(52)
BITS_OF_SQRT_HALF = np.uint64(0x3FE6A09E667F3BCD)
# Exponents are lifted above zero. A small whole number becomes the lowest bits of a float64 above
# 2**52: CPUs have no vector instruction that turns int64 into float64 before AVX-512.
LIFT, BITS_OF_LIFT = 1024.0, np.uint64(1024 << 52)
UNIT, BITS_OF_UNIT = 2.0**52, np.uint64(0x4330000000000000)
# The upper part has 21 trailing zero bits: its product with an exponent is exact.
LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
SMALLEST, TWO_54 = 2.0**-1022, 2.0**54  # smallest normal number, and what makes others normal
INFINITY, NOT_A_NUMBER = float("inf"), float("nan")


def log(x: Any) -> Any:
    """Return the natural logarithm of a positive, finite, normal x.

    Examples
    --------
    >>> log(np.array([1.0, 2.0]))
    array([0.        , 0.69314718])
    """
    return _scaled_log(x, UNIT + LIFT)


def log_anywhere(x: Any) -> Any:
    """Return what `numpy.log` does, for any x.

    Examples
    --------
    >>> log_anywhere(np.array([1.0, 0.0, -1.0, np.inf, 5e-324]))
    array([   0.        ,          -inf,           nan,           inf,
           -744.44007192])
    """
    small = x < SMALLEST
    scaled = x * select(small, TWO_54, 1.0)
    found = _scaled_log(scaled, select(small, UNIT + LIFT + 54.0, UNIT + LIFT))
    return select(
        x > 0.0, select(x < INFINITY, found, x), select(x == 0.0, -INFINITY, NOT_A_NUMBER)
    )


def _scaled_log(x: Any, zero: Any) -> Any:
    """Return log(x) less log(2) for each by which `zero` is above UNIT + LIFT."""
    lifted = as_uint64(bits_of(x)) + BITS_OF_LIFT
    exponent = (lifted - BITS_OF_SQRT_HALF) >> MANTISSA_BITS
    f = float64_of(lifted - (exponent << MANTISSA_BITS)) - 1.0
    k = float64_of(exponent | BITS_OF_UNIT) - zero
    s = f / (2.0 + f)
    z = s * s
    y = z * z
    even = 0.39999999999416647 + y * (0.22222198605336935 + y * 0.15314085358080487)
    odd = 0.6666666666666734 + y * (
        0.285714287420261 + y * (0.18183562833636582 + y * 0.14795627611605622)
    )
    rest = z * odd + y * even
    half = 0.5 * f * f
    return k * LN2_HIGH - ((half - (s * (half + rest) + k * LN2_LOW)) - f)


def log1p(x: Any) -> Any:
    """Return log(1 + x) for x > -1, accurate where x is small.

    The rounding error of 1 + x is known exactly (two-sum) and enters to first order.

    Examples
    --------
    >>> log1p(np.array([1e-20, 1.0]))
    array([1.00000000e-20, 6.93147181e-01])
    """
    total = 1.0 + x
    kept = total - 1.0
    lost = (1.0 - (total - kept)) + (x - kept)
    return log(total) + lost / total


def stirling_tail(h: Any) -> Any:
    """Return log(k!) - (h log h - h + log(2 pi) / 2) at h = k + 1/2 for whole numbers k >= 0.

    Examples
    --------
    >>> stirling_tail(np.array([0.5])).round(6)
    array([-0.072365])
    """
    # in powers of 1 / h**2, so that nothing overflows however large h is
    t = 1.0 / h
    y = t * t
    above = -1.0 / 24.0 + y * (
        -0.11830420372803525 + y * (-0.05784870145307643 + y * -0.00270814887338233)
    )
    below = 1.0 + y * (2.897634216198202 + y * (1.538946095658941 + y * 0.1154312045406676))
    return t * above / below
