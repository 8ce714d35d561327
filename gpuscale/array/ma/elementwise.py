"""Elementwise functions of `numpy.ma`: masked where an operand is, or where one is not defined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpuscale.array.ma.array import MaskedArray, apply, apply_finite

__all__ = [
    "abs",
    "absolute",
    "add",
    "angle",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "ceil",
    "conjugate",
    "cos",
    "cosh",
    "divide",
    "equal",
    "exp",
    "fabs",
    "floor",
    "floor_divide",
    "fmod",
    "greater",
    "greater_equal",
    "hypot",
    "left_shift",
    "less",
    "less_equal",
    "log",
    "log10",
    "log2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "negative",
    "not_equal",
    "power",
    "remainder",
    "right_shift",
    "sin",
    "sinh",
    "sqrt",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
]


def _elementwise(op: str) -> Callable[..., MaskedArray]:
    def function(*operands: Any) -> MaskedArray:
        return apply_finite(op, *operands)

    function.__name__ = function.__qualname__ = op
    function.__doc__ = f"See :data:`numpy.ma.{op}`; lazy."
    return function


absolute = _elementwise("absolute")
add = _elementwise("add")
arccos = _elementwise("arccos")
arccosh = _elementwise("arccosh")
arcsin = _elementwise("arcsin")
arcsinh = _elementwise("arcsinh")
arctan = _elementwise("arctan")
arctan2 = _elementwise("arctan2")
arctanh = _elementwise("arctanh")
bitwise_and = _elementwise("bitwise_and")
bitwise_or = _elementwise("bitwise_or")
bitwise_xor = _elementwise("bitwise_xor")
ceil = _elementwise("ceil")
conjugate = _elementwise("conjugate")
cos = _elementwise("cos")
cosh = _elementwise("cosh")
divide = _elementwise("divide")
equal = _elementwise("equal")
exp = _elementwise("exp")
fabs = _elementwise("fabs")
floor = _elementwise("floor")
floor_divide = _elementwise("floor_divide")
fmod = _elementwise("fmod")
greater = _elementwise("greater")
greater_equal = _elementwise("greater_equal")
hypot = _elementwise("hypot")
left_shift = _elementwise("left_shift")
less = _elementwise("less")
less_equal = _elementwise("less_equal")
log = _elementwise("log")
log10 = _elementwise("log10")
log2 = _elementwise("log2")
logical_and = _elementwise("logical_and")
logical_not = _elementwise("logical_not")
logical_or = _elementwise("logical_or")
logical_xor = _elementwise("logical_xor")
maximum = _elementwise("maximum")
minimum = _elementwise("minimum")
multiply = _elementwise("multiply")
negative = _elementwise("negative")
not_equal = _elementwise("not_equal")
power = _elementwise("power")
remainder = _elementwise("remainder")
right_shift = _elementwise("right_shift")
sin = _elementwise("sin")
sinh = _elementwise("sinh")
sqrt = _elementwise("sqrt")
subtract = _elementwise("subtract")
tan = _elementwise("tan")
tanh = _elementwise("tanh")
abs = absolute
mod = remainder
true_divide = divide


def angle(z: Any, deg: bool = False) -> MaskedArray:
    """Angles of complex numbers, in radians or degrees."""
    result = apply("angle", z)
    return apply("rad2deg", result) if deg else result
