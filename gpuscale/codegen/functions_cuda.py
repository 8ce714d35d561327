"""Operations that kernels for CUDA put together from others, as functions of arrays.

They mean what NumPy's loops do (``loops_utils.h`` and ``npy_math`` of NumPy), special values
included. `EXPANSIONS` says which rows of `ops` they are; `trace_cuda` writes them into programs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpuscale.kernels.elementary.exponential import exp
from gpuscale.kernels.elementary.logarithm import log_anywhere

__all__ = ["EXPANSIONS"]

LOG_2, LOG2_E = 0.693147180559945309417232121458176568, 1.442695040888963407359924681001892137
PI = 3.141592653589793238462643383279502884


def floor_divide(x: Any, y: Any) -> Any:
    """Quotient rounded down, of floating point numbers."""
    rest = np.fmod(x, y)
    quotient = (x - rest) / y
    quotient = np.where((rest != 0) & ((y < 0) != (rest < 0)), quotient - 1.0, quotient)
    whole = np.floor(quotient)
    whole = np.where(quotient - whole > 0.5, whole + 1.0, whole)
    whole = np.where(quotient != 0, whole, np.copysign(0.0, x / y))
    return np.where(y == 0, x / y, whole)


def remainder(x: Any, y: Any) -> Any:
    """Rest with the sign of the divisor, of floating point numbers."""
    rest = np.fmod(x, y)
    moved = np.where((y < 0) != (rest < 0), rest + y, rest)
    return np.where(y == 0, rest, np.where(rest != 0, moved, np.copysign(0.0, y)))


def heaviside(x: Any, y: Any) -> Any:
    """Step function, y at the step."""
    return np.where(x == 0, y, np.where(x < 0, 0.0, np.where(x > 0, 1.0, x)))


def spacing(x: Any) -> Any:
    """Distance to the next number away from zero."""
    away = np.where(x < 0, -np.inf, np.where(x == x, np.inf, x))
    return np.where(np.isfinite(x), np.nextafter(x, away) - x, x - x)


def modf_integer(x: Any) -> Any:
    """Whole part."""
    return np.trunc(x)


def modf_fraction(x: Any) -> Any:
    """What is left without the whole part, with the sign of the number."""
    return np.copysign(np.where(np.isinf(x), 0.0, x - np.trunc(x)), x)


def logaddexp(x: Any, y: Any) -> Any:
    """``log(exp(x) + exp(y))``."""
    off = x - y
    high = np.where(off > 0, x, y)
    other = high + np.log1p(np.exp(-np.abs(off)))
    return np.where(x == y, x + LOG_2, np.where(off == off, other, off))


def logaddexp2(x: Any, y: Any) -> Any:
    """``log2(2**x + 2**y)``."""
    off = x - y
    high = np.where(off > 0, x, y)
    other = high + np.log1p(np.exp2(-np.abs(off))) * LOG2_E
    return np.where(x == y, x + 1.0, np.where(off == off, other, off))


def radians(x: Any) -> Any:
    """Degrees to radians."""
    return x * (PI / 180.0)


def degrees(x: Any) -> Any:
    """Radians to degrees."""
    return x * (180.0 / PI)


def sinc(x: Any) -> Any:
    """``sin(pi x) / (pi x)``."""
    y = np.where(x == 0, 1.0e-20, x) * PI
    return np.sin(y) / y


def frexp_mantissa(x: Any) -> Any:
    """Mantissa in [1/2, 1)."""
    plain = np.isfinite(x) & (x != 0)
    return np.where(plain, np.ldexp(x, -frexp_exponent(x)), x)


def frexp_exponent(x: Any) -> Any:
    """Power of two that belongs to the mantissa."""
    plain = np.isfinite(x) & (x != 0)
    number: Any = np.where(plain, x, 1.0)
    exponent = number.primitive("ilogb", dtype=np.int32) + 1
    return np.where(plain, exponent, 0)


def signed_gcd(x: Any, y: Any) -> Any:
    """Greatest common divisor; the smallest number has no opposite but as an unsigned one."""
    unsigned = np.dtype(f"u{x.dtype.itemsize}")
    return np.gcd(np.abs(x).astype(unsigned), np.abs(y).astype(unsigned)).astype(x.dtype)


def unsigned_lcm(x: Any, y: Any) -> Any:
    """Least common multiple, zero beside zero."""
    return x // np.gcd(x, y) * y


def signed_lcm(x: Any, y: Any) -> Any:
    """Least common multiple, which may overflow to a negative one as in NumPy's loop."""
    unsigned = np.dtype(f"u{x.dtype.itemsize}")
    return np.lcm(np.abs(x).astype(unsigned), np.abs(y).astype(unsigned)).astype(x.dtype)


def complex_multiply(x: Any, y: Any) -> Any:
    """Product of complex numbers."""
    real = x.real * y.real - x.imag * y.imag
    return real.with_imag(x.real * y.imag + x.imag * y.real)


def complex_square(x: Any) -> Any:
    """Square of a complex number."""
    real, both = x.real * x.real - x.imag * x.imag, x.real * x.imag
    return real.with_imag(both + both)


def complex_divide(x: Any, y: Any) -> Any:
    """Quotient of complex numbers (R. L. Smith, "Algorithm 116", 1962)."""
    wide = np.abs(y.real) >= np.abs(y.imag)
    large, small = np.where(wide, y.real, y.imag), np.where(wide, y.imag, y.real)
    ratio = small / large
    scale = 1.0 / (large + small * ratio)
    real = np.where(wide, x.real + x.imag * ratio, x.real * ratio + x.imag) * scale
    imag = np.where(wide, x.imag - x.real * ratio, x.imag * ratio - x.real) * scale
    zero = (y.real == 0) & (y.imag == 0)
    real = np.where(zero, x.real / np.abs(y.real), real)
    imag = np.where(zero, x.imag / np.abs(y.real), imag)
    return real.with_imag(imag)


def complex_absolute(x: Any) -> Any:
    """Modulus of a complex number."""
    return np.hypot(x.real, x.imag)


def complex_conjugate(x: Any) -> Any:
    """Conjugate of a complex number."""
    return x.real.with_imag(-x.imag)


def complex_negative(x: Any) -> Any:
    """Complex number with both signs changed."""
    return (-x.real).with_imag(-x.imag)


def complex_equal(x: Any, y: Any) -> Any:
    """Whether both parts are equal."""
    return (x.real == y.real) & (x.imag == y.imag)


def complex_not_equal(x: Any, y: Any) -> Any:
    """Whether a part differs."""
    return (x.real != y.real) | (x.imag != y.imag)


def complex_isnan(x: Any) -> Any:
    """Whether a part is NaN."""
    return np.isnan(x.real) | np.isnan(x.imag)


def complex_isinf(x: Any) -> Any:
    """Whether a part is infinite."""
    return np.isinf(x.real) | np.isinf(x.imag)


def complex_isfinite(x: Any) -> Any:
    """Whether both parts are finite."""
    return np.isfinite(x.real) & np.isfinite(x.imag)


def complex_angle(x: Any) -> Any:
    """Angle of a complex number."""
    return np.arctan2(x.imag, x.real)


def power_of_whole(exponent: int) -> Callable[[Any, Any], Any]:
    """Make the power of whole numbers, by repeated squaring as in NumPy's loop."""

    def power(x: Any, given: Any) -> Any:
        result, square, rest = None, x, exponent
        while rest:
            if rest & 1:
                result = square if result is None else result * square
            rest >>= 1
            square = square * square if rest else square
        return x ^ x | x.dtype.type(1) if result is None else result

    return power


def real_angle(x: Any) -> Any:
    """Angle of a real number: 0 or pi, NaN for NaN."""
    return np.where(x == x, np.where(np.signbit(x), PI, 0.0), x)


def whole_angle(x: Any) -> Any:
    """Angle of a whole number: 0 or pi."""
    return np.where(x < 0, PI, 0.0)


#: (row of `ops`, kinds of the first operand; "d" is float64 alone) -> function.
EXPANSIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("floor_divide", "f"): floor_divide,
    ("divmod_quotient", "f"): floor_divide,
    ("remainder", "f"): remainder,
    ("divmod_remainder", "f"): remainder,
    ("heaviside", "f"): heaviside,
    ("spacing", "f"): spacing,
    ("modf_fraction", "f"): modf_fraction,
    ("modf_integer", "f"): modf_integer,
    ("frexp_mantissa", "f"): frexp_mantissa,
    ("frexp_exponent", "f"): frexp_exponent,
    ("logaddexp", "f"): logaddexp,
    ("logaddexp2", "f"): logaddexp2,
    ("deg2rad", "f"): radians,
    ("radians", "f"): radians,
    ("rad2deg", "f"): degrees,
    ("degrees", "f"): degrees,
    ("sinc", "f"): sinc,
    # As on the CPU, so that both targets give the same bits.
    ("exp", "d"): exp,
    ("log", "d"): log_anywhere,
    ("gcd", "i"): signed_gcd,
    ("lcm", "i"): signed_lcm,
    ("lcm", "u"): unsigned_lcm,
    ("angle", "f"): real_angle,
    ("angle", "b"): whole_angle,
    ("angle", "i"): whole_angle,
    ("angle", "u"): whole_angle,
    ("multiply", "c"): complex_multiply,
    ("square", "c"): complex_square,
    ("divide", "c"): complex_divide,
    ("absolute", "c"): complex_absolute,
    ("conjugate", "c"): complex_conjugate,
    ("negative", "c"): complex_negative,
    ("equal", "c"): complex_equal,
    ("not_equal", "c"): complex_not_equal,
    ("isnan", "c"): complex_isnan,
    ("isinf", "c"): complex_isinf,
    ("isfinite", "c"): complex_isfinite,
    ("angle", "c"): complex_angle,
}
