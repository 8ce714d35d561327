"""Algebra on scalar programs that keeps the results: NaN, infinities and the sign of zero too.

Each rule looks at one instruction whose arguments are simplified already, and answers another
value or None. Only powers may round differently, as NumPy's own ``x**3`` and ``x*x*x`` do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from gpuscale.codegen.program import Instr, ProgramBuilder, ScalarProgram

__all__ = ["simplify"]

Rule = Callable[[ProgramBuilder, Instr, tuple[int, ...]], "int | None"]
RULES: dict[str, list[Rule]] = {}


def _rule(*ops: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        for op in ops:
            RULES.setdefault(op, []).append(rule)
        return rule

    return register


@lru_cache(maxsize=1024)
def simplify(program: ScalarProgram) -> ScalarProgram:
    """Rewrite a program into one with fewer operations and the same results.

    Examples
    --------
    >>> b = ProgramBuilder()
    >>> square = b.apply("power", b.load(0, "f8"), b.const(2.0, "f8"))
    >>> print(simplify(b.build(square)))
    %0 = load 0 : float64
    %1 = multiply %0 %0 : float64
    return %1
    """
    b = ProgramBuilder()
    values: list[int] = []
    for instr in program.instrs:
        args = tuple(values[a] for a in instr.args)
        values.append(_simplified(b, instr, args))
    return b.build(*(values[k] for k in program.outputs))


def _simplified(b: ProgramBuilder, instr: Instr, args: tuple[int, ...]) -> int:
    for rule in RULES.get(instr.op, ()):
        found = rule(b, instr, args)
        if found is not None and b.instr(found).dtype == instr.dtype:
            return found
    if instr.is_leaf:
        return b.copy(instr)
    return b.apply(instr.op, *args, dtype=instr.dtype)


def _constant(b: ProgramBuilder, value: int) -> Any:
    """Value of a constant, or None."""
    instr = b.instr(value)
    return instr.imm[0] if instr.op == "const" and instr.dtype.kind in "biufc" else None


def _is(b: ProgramBuilder, value: int, wanted: float) -> bool:
    """Whether a value is this constant, to the sign of zero."""
    found = _constant(b, value)
    if found is None or isinstance(found, complex) or found != wanted:
        return False
    return math.copysign(1, found) == math.copysign(1, wanted)


def _is_integer(b: ProgramBuilder, value: int) -> bool:
    return b.instr(value).dtype.kind in "iu"


@_rule("multiply")
def _times_one(b: ProgramBuilder, instr: Instr, args: tuple[int, ...]) -> int | None:
    x, y = args
    if _is(b, y, 1):
        return x
    return y if _is(b, x, 1) else None


@_rule("divide", "floor_divide")
def _over_one(b: ProgramBuilder, instr: Instr, args: tuple[int, ...]) -> int | None:
    x, y = args
    if not _is(b, y, 1):
        return None
    return x if instr.op == "divide" or _is_integer(b, x) else None


@_rule("add")
def _plus_zero(b: ProgramBuilder, instr: Instr, args: tuple[int, ...]) -> int | None:
    # Of floating point zeros only -0.0 leaves every number alone: -0.0 + 0.0 is 0.0.
    x, y = args
    for value, other in ((x, y), (y, x)):
        if _is(b, other, 0 if _is_integer(b, value) else -0.0):
            return value
    return None


@_rule("subtract")
def _minus_zero(b: ProgramBuilder, instr: Instr, args: tuple[int, ...]) -> int | None:
    x, y = args
    return x if _is(b, y, 0.0) else None


@_rule("power", "float_power")
def _small_power(b: ProgramBuilder, instr: Instr, args: tuple[int, ...]) -> int | None:
    x, exponent = args
    n = _constant(b, exponent)
    if b.instr(x).dtype.kind not in "iuf" or n not in (1, 2, 3, 4):
        return None
    square = b.apply("multiply", x, x) if n > 1 else x
    if n == 3:
        return b.apply("multiply", square, x)
    return b.apply("multiply", square, square) if n == 4 else square


@_rule("square")
def _square(b: ProgramBuilder, instr: Instr, args: tuple[int, ...]) -> int | None:
    return b.apply("multiply", args[0], args[0]) if instr.dtype.kind in "iuf" else None


@_rule("positive")
def _same(b: ProgramBuilder, instr: Instr, args: tuple[int, ...]) -> int | None:
    return args[0]


@_rule("negative", "logical_not", "invert", "conjugate")
def _twice(b: ProgramBuilder, instr: Instr, args: tuple[int, ...]) -> int | None:
    inner = b.instr(args[0])
    if inner.op != instr.op or inner.dtype != b.instr(inner.args[0]).dtype:
        return None
    return inner.args[0]


@_rule("conjugate", "real")
def _of_real(b: ProgramBuilder, instr: Instr, args: tuple[int, ...]) -> int | None:
    return None if b.instr(args[0]).dtype.kind == "c" else args[0]


@_rule("maximum", "minimum", "fmax", "fmin", "bitwise_and", "bitwise_or")
def _idempotent(b: ProgramBuilder, instr: Instr, args: tuple[int, ...]) -> int | None:
    return args[0] if args[0] == args[1] else None


@_rule("where")
def _where(b: ProgramBuilder, instr: Instr, args: tuple[int, ...]) -> int | None:
    condition, x, y = args
    if x == y:
        return x
    chosen = _constant(b, condition)
    if chosen is None:
        return None
    return x if chosen else y


@_rule("cast")
def _cast(b: ProgramBuilder, instr: Instr, args: tuple[int, ...]) -> int | None:
    (x,) = args
    inner = b.instr(x)
    if inner.dtype == instr.dtype:
        return x
    if inner.op != "cast":
        return None
    source = b.instr(inner.args[0]).dtype
    # A detour through a dtype that holds every value of the source can be left out.
    if np.can_cast(source, inner.dtype, "safe") and inner.dtype.kind in "biufc":
        if inner.dtype.kind in "fc":
            if source.kind in "biu" and source.itemsize > 4:
                return None  # NumPy calls int64 -> float64 safe, yet it rounds
            if instr.dtype.kind in "iu" and not np.can_cast(source, np.int32):
                return None  # what is out of range depends on the detour
        return b.cast(inner.args[0], instr.dtype)
    return None
