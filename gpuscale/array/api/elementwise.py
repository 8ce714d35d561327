"""Elementwise functions: every ufunc of NumPy 2 and their names in the Array API standard."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array
from gpuscale.array.ufunc import Ufunc, call, into

__all__ = [
    "abs",
    "absolute",
    "acos",
    "acosh",
    "add",
    "angle",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "around",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_count",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "cbrt",
    "ceil",
    "clip",
    "conj",
    "conjugate",
    "copysign",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "divide",
    "divmod",
    "equal",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "fix",
    "float_power",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "frexp",
    "gcd",
    "greater",
    "greater_equal",
    "heaviside",
    "hypot",
    "i0",
    "imag",
    "invert",
    "isclose",
    "iscomplex",
    "isfinite",
    "isinf",
    "isnan",
    "isnat",
    "isneginf",
    "isposinf",
    "isreal",
    "lcm",
    "ldexp",
    "left_shift",
    "less",
    "less_equal",
    "log",
    "log10",
    "log1p",
    "log2",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "modf",
    "multiply",
    "nan_to_num",
    "negative",
    "nextafter",
    "not_equal",
    "positive",
    "pow",
    "power",
    "rad2deg",
    "radians",
    "real",
    "reciprocal",
    "remainder",
    "right_shift",
    "rint",
    "round",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "spacing",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
    "trunc",
    "where",
]

add = Ufunc("add", np.add)
subtract = Ufunc("subtract", np.subtract)
multiply = Ufunc("multiply", np.multiply)
divide = Ufunc("divide", np.divide)
floor_divide = Ufunc("floor_divide", np.floor_divide)
remainder = Ufunc("remainder", np.remainder)
fmod = Ufunc("fmod", np.fmod)
power = Ufunc("power", np.power)
float_power = Ufunc("float_power", np.float_power)
negative = Ufunc("negative", np.negative)
positive = Ufunc("positive", np.positive)
absolute = Ufunc("absolute", np.absolute)
fabs = Ufunc("fabs", np.fabs)
sign = Ufunc("sign", np.sign)
square = Ufunc("square", np.square)
reciprocal = Ufunc("reciprocal", np.reciprocal)
gcd = Ufunc("gcd", np.gcd)
lcm = Ufunc("lcm", np.lcm)
heaviside = Ufunc("heaviside", np.heaviside)
equal = Ufunc("equal", np.equal)
not_equal = Ufunc("not_equal", np.not_equal)
less = Ufunc("less", np.less)
less_equal = Ufunc("less_equal", np.less_equal)
greater = Ufunc("greater", np.greater)
greater_equal = Ufunc("greater_equal", np.greater_equal)
logical_and = Ufunc("logical_and", np.logical_and)
logical_or = Ufunc("logical_or", np.logical_or)
logical_xor = Ufunc("logical_xor", np.logical_xor)
logical_not = Ufunc("logical_not", np.logical_not)
maximum = Ufunc("maximum", np.maximum)
minimum = Ufunc("minimum", np.minimum)
fmax = Ufunc("fmax", np.fmax)
fmin = Ufunc("fmin", np.fmin)
isnan = Ufunc("isnan", np.isnan)
isinf = Ufunc("isinf", np.isinf)
isfinite = Ufunc("isfinite", np.isfinite)
isnat = Ufunc("isnat", np.isnat)
signbit = Ufunc("signbit", np.signbit)
bitwise_and = Ufunc("bitwise_and", np.bitwise_and)
bitwise_or = Ufunc("bitwise_or", np.bitwise_or)
bitwise_xor = Ufunc("bitwise_xor", np.bitwise_xor)
invert = Ufunc("invert", np.invert)
left_shift = Ufunc("left_shift", np.left_shift)
right_shift = Ufunc("right_shift", np.right_shift)
bitwise_count = Ufunc("bitwise_count", np.bitwise_count)
rint = Ufunc("rint", np.rint)
copysign = Ufunc("copysign", np.copysign)
nextafter = Ufunc("nextafter", np.nextafter)
spacing = Ufunc("spacing", np.spacing)
ldexp = Ufunc("ldexp", np.ldexp)
sqrt = Ufunc("sqrt", np.sqrt)
cbrt = Ufunc("cbrt", np.cbrt)
exp = Ufunc("exp", np.exp)
exp2 = Ufunc("exp2", np.exp2)
expm1 = Ufunc("expm1", np.expm1)
log = Ufunc("log", np.log)
log2 = Ufunc("log2", np.log2)
log10 = Ufunc("log10", np.log10)
log1p = Ufunc("log1p", np.log1p)
logaddexp = Ufunc("logaddexp", np.logaddexp)
logaddexp2 = Ufunc("logaddexp2", np.logaddexp2)
hypot = Ufunc("hypot", np.hypot)
sin = Ufunc("sin", np.sin)
cos = Ufunc("cos", np.cos)
tan = Ufunc("tan", np.tan)
arcsin = Ufunc("arcsin", np.arcsin)
arccos = Ufunc("arccos", np.arccos)
arctan = Ufunc("arctan", np.arctan)
arctan2 = Ufunc("arctan2", np.arctan2)
sinh = Ufunc("sinh", np.sinh)
cosh = Ufunc("cosh", np.cosh)
tanh = Ufunc("tanh", np.tanh)
arcsinh = Ufunc("arcsinh", np.arcsinh)
arccosh = Ufunc("arccosh", np.arccosh)
arctanh = Ufunc("arctanh", np.arctanh)
deg2rad = Ufunc("deg2rad", np.deg2rad)
rad2deg = Ufunc("rad2deg", np.rad2deg)
degrees = Ufunc("degrees", np.degrees)
radians = Ufunc("radians", np.radians)
conjugate = Ufunc("conjugate", np.conjugate)
floor = Ufunc("floor", np.floor)
ceil = Ufunc("ceil", np.ceil)
trunc = Ufunc("trunc", np.trunc)
abs = absolute
acos = arccos
acosh = arccosh
asin = arcsin
asinh = arcsinh
atan = arctan
atan2 = arctan2
atanh = arctanh
bitwise_invert = invert
bitwise_left_shift = left_shift
bitwise_not = invert
bitwise_right_shift = right_shift
conj = conjugate
mod = remainder
pow = power
true_divide = divide


def real(x: Any) -> Array:
    """Real parts.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.real(ga.asarray([1 + 2j])).compute()
    array([1.])
    """
    return call("real", x)


def imag(x: Any) -> Array:
    """Imaginary parts; zeros for real numbers."""
    return call("imag", x)


def angle(z: Any, deg: bool = False) -> Array:
    """Angles of complex numbers, in radians or degrees."""
    result = call("angle", z)
    return call("rad2deg", result) if deg else result


def isreal(x: Any) -> Array:
    """Say which elements have no imaginary part."""
    return call("isreal", x)


def iscomplex(x: Any) -> Array:
    """Say which elements have an imaginary part."""
    return call("iscomplex", x)


def isposinf(x: Any, out: Any = None) -> Array:
    """Say which elements are positive infinity."""
    return into(out, call("isposinf", x))


def isneginf(x: Any, out: Any = None) -> Array:
    """Say which elements are negative infinity."""
    return into(out, call("isneginf", x))


def i0(x: Any) -> Array:
    """Modified Bessel function of the first kind, order 0."""
    return call("i0", x)


def sinc(x: Any) -> Array:
    """Normalized sinc function, ``sin(pi x) / (pi x)``."""
    return call("sinc", x)


def divmod(x1: Any, x2: Any) -> tuple[Array, Array]:
    """Quotients and remainders.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> [r.compute().tolist() for r in ga.divmod(ga.asarray([7, -7]), 3)]
    [[2, -3], [1, 2]]
    """
    return call("divmod_quotient", x1, x2), call("divmod_remainder", x1, x2)


def frexp(x: Any) -> tuple[Array, Array]:
    """Mantissas and exponents of two: ``x == mantissa * 2**exponent``."""
    return call("frexp_mantissa", x), call("frexp_exponent", x)


def modf(x: Any) -> tuple[Array, Array]:
    """Fractional and integral parts."""
    return call("modf_fraction", x), call("modf_integer", x)


def fix(x: Any, out: Any = None) -> Array:
    """Round to the nearest integer towards zero."""
    return into(out, call("trunc", x))


def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """Choose from ``x`` where the condition holds, from ``y`` elsewhere.

    With the condition alone, return the positions where it holds, as `nonzero` does.

    Raises
    ------
    ValueError
        If one of ``x`` and ``y`` is missing, or the shapes do not broadcast.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.arange(4)
    >>> ga.where(x > 1, x, -1).compute()
    array([-1, -1,  2,  3])
    """
    if x is None and y is None:
        from gpuscale.array.api.searching import nonzero

        return nonzero(condition)
    if x is None or y is None:
        raise ValueError("either both or neither of x and y should be given")
    if type(condition) is bool:
        condition = np.bool_(condition)
    return call("where", condition, x, y)


def clip(
    x: Any,
    /,
    min: Any = None,
    max: Any = None,
    *,
    out: Any = None,
    a_min: Any = None,
    a_max: Any = None,
) -> Array:
    """Limit elements to an interval; None is no limit.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.clip(ga.arange(5), 1, 3).compute()
    array([1, 1, 2, 3, 3])
    """
    low = a_min if min is None else min
    high = a_max if max is None else max
    if (kind := as_array(x).dtype).kind in "iu":  # bounds that no element can pass
        low = None if type(low) is int and low <= np.iinfo(kind).min else low
        high = None if type(high) is int and high >= np.iinfo(kind).max else high
    if low is not None and high is not None:
        return into(out, call("clip", x, low, high))
    if low is not None:
        return into(out, call("maximum", x, low))
    if high is not None:
        return into(out, call("minimum", x, high))
    return into(out, as_array(x).copy())


def round(x: Any, /, decimals: int = 0, out: Any = None) -> Array:
    """Round to a number of decimals, halves to the even neighbour.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.round(ga.asarray([0.5, 1.25]), 1).compute()
    array([0.5, 1.2])
    """
    x, decimals = as_array(x), index(decimals)
    if x.dtype.kind in "iu" and decimals >= 0:
        return into(out, call("positive", x))
    if decimals == 0:
        return into(out, call("rint", x))
    np.round(np.zeros(1, x.dtype), decimals)  # TypeError now rather than later
    from gpuscale.array.api.functional import map_blocks  # NumPy's own rounding, chunk by chunk

    return into(out, map_blocks(np.round, x, decimals=decimals, dtype=x.dtype))


around = round


def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Array:
    """Replace NaN by a number, infinities by the largest finite numbers or by those given."""
    x = as_array(x)
    if x.dtype.kind not in "fc":
        return x.copy()
    if x.dtype.kind == "c":
        from gpuscale.array.api.functional import map_blocks

        return map_blocks(np.nan_to_num, x, nan=nan, posinf=posinf, neginf=neginf, dtype=x.dtype)
    info = np.finfo(x.dtype)
    high = info.max if posinf is None else posinf
    low = info.min if neginf is None else neginf
    found = call("nan_to_num", x, *(x.dtype.type(v) for v in (nan, high, low)))
    return found.astype(x.dtype, copy=False)


def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Array:
    """Say which elements are equal within a tolerance, ``|a - b| <= atol + rtol * |b|``."""
    op = "isclose_equal_nan" if equal_nan else "isclose"
    return call(op, a, b, rtol, atol)
