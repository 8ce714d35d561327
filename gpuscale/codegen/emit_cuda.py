"""Spell the operations of an expanded program for CUDA.

The names in the expressions are given to a kernel by `intrinsics_cuda`, or by `simulator_cuda`
where its text runs as plain Python. Products have a name of their own: the compiler would fuse
them with sums, which rounds once where NumPy and the CPU round twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gpuscale.codegen.emit import cast, filled, type_name
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import LEAVES, Instr, ScalarProgram

__all__ = [
    "CUDA_DTYPES",
    "OTHER_NAMES",
    "SAME_BINARY",
    "SAME_UNARY",
    "TYPE_NAMES",
    "expression_cuda",
    "is_spelled",
]

DType = np.dtype[Any]
CUDA_DTYPES = frozenset(np.dtype(c) for c in "?bBhHiIlLqQfdFD")
#: Types that are called by these names in the text of a kernel.
TYPE_NAMES = tuple(sorted(d.name for d in CUDA_DTYPES if d.kind != "b"))

#: Of the mathematical functions of CUDA, those that mean the same by the same name in NumPy.
SAME_UNARY = (
    *("cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p"),
    *("sin", "cos", "tan", "sinh", "cosh", "tanh"),
)
SAME_BINARY = ("fmod", "hypot", "nextafter")
#: Of the others, NumPy's name and CUDA's.
OTHER_NAMES = {
    "power": "pow",
    "float_power": "pow",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "i0": "cyl_bessel_i0",
}
_NEAR = "((fabs({0} - {1}) <= {3} + product({2}, fabs({1}))) & (fabs({1}) < inf)) | ({0} == {1})"
_NO_SHIFT = "({1} < 0) | ({1} >= {bits})"
_FLOOR = {
    "u": "(type({0} // {1}) if {1} != 0 else type(0))",
    "i": "(type(0) if {1} == 0 else (type(-{0}) if {1} == -1 else type({0} // {1})))",
}
_REST = {
    "u": "(type({0} % {1}) if {1} != 0 else type(0))",
    "i": "(type(0) if ({1} == 0) | ({1} == -1) else type({0} % {1}))",
}

#: Operation -> kinds of its first operand -> expression; what is not here is spelled as on the CPU.
SPELLINGS: dict[str, Mapping[str, str]] = {
    **{name: {"f": f"{name}({{0}}, {{1}})"} for name in SAME_BINARY},
    **{name: {"f": f"{name}({{0}})"} for name in SAME_UNARY},
    **{
        name: {"f": f"{other}({{0}}, {{1}})" if OPS[name].arity == 2 else f"{other}({{0}})"}
        for name, other in OTHER_NAMES.items()
    },
    "multiply": {"b": "{0} & {1}", "iu": "{0} * {1}", "f": "product({0}, {1})"},
    "square": {"iu": "{0} * {0}", "f": "product({0}, {0})"},
    "isclose": {"f": _NEAR},
    "isclose_equal_nan": {"f": _NEAR + " | (({0} != {0}) & ({1} != {1}))"},
    "floor_divide": _FLOOR,
    "divmod_quotient": _FLOOR,
    "remainder": _REST,
    "divmod_remainder": _REST,
    "fmod": {
        "f": "fmod({0}, {1})",
        "u": _REST["u"],
        "i": "(type(0) if ({1} == 0) | ({1} == -1) else type({0} - quotient({0}, {1}) * {1}))",
    },
    "gcd": {"u": "gcd({0}, {1})"},
    "left_shift": {
        "u": "(type(0) if {1} >= {bits} else type({0} << {1}))",
        "i": f"(type(0) if {_NO_SHIFT} else type({{0}} << {{1}}))",
    },
    "right_shift": {
        "u": "(type(0) if {1} >= {bits} else type({0} >> {1}))",
        "i": f"((type(-1) if {{0}} < 0 else type(0)) if {_NO_SHIFT} else type({{0}} >> {{1}}))",
    },
    "bitwise_count": {"u": "bit_count({0})", "i": "bit_count(type(-{0}) if {0} < 0 else {0})"},
    "ldexp": {"f": "ldexp({0}, int32(min(max({1}, -65536), 65536)))"},
    "logical_not": {"b": "not {0}", "iuf": "{0} == 0", "c": "({0}.real == 0) & ({0}.imag == 0)"},
    "sign": {**OPS["sign"].cpu, "i": "type({0} > 0) - type({0} < 0)"},
    "imag": {"c": "{0}.imag", "biuf": "type(0)"},
    # Of expanded programs only.
    "ilogb": {"f": "ilogb({0})"},
    "complex": {"f": "complex({0}, {1})"},
    "bits": {"f": "integer_of({0})", "iu": "floating_of({0})"},
}


def _text(program: ScalarProgram, instr: Instr) -> str | None:
    given = [program.instrs[a].dtype for a in instr.args]
    own = SPELLINGS.get(instr.op)
    if own is not None:
        return next((text for kinds, text in own.items() if given[0].kind in kinds), None)
    row = OPS.get(instr.op)
    return None if row is None else row.spelling(given)


def is_spelled(program: ScalarProgram) -> bool:
    """Whether every operation of an expanded program has a spelling for its dtypes."""
    return all(
        instr.dtype in CUDA_DTYPES
        and (instr.op in LEAVES or instr.op == "cast" or _text(program, instr) is not None)
        for instr in program.instrs
    )


def expression_cuda(program: ScalarProgram, value: int, names: Sequence[str]) -> str:
    """Spell one operation over the names of its arguments.

    Examples
    --------
    >>> from gpuscale.codegen.program import ProgramBuilder
    >>> b = ProgramBuilder()
    >>> total = b.apply("multiply", b.load(0, "f4"), b.load(1, "f4"))
    >>> expression_cuda(b.build(total), 2, ["x", "y"])
    'product(x, y)'
    """
    instr = program.instrs[value]
    given = [program.instrs[a].dtype for a in instr.args]
    if instr.op == "cast":
        return cast(names[0], given[0], instr.dtype)
    text = filled(_text(program, instr), names, given)
    # Small integers are computed in more bits, complex numbers made in double precision.
    return f"{type_name(instr.dtype)}({text})" if instr.dtype.kind in "iuc" else text
