"""Spell the operations of a program as Python expressions that Numba compiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpuscale.codegen import random_ops
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import Instr, ScalarProgram

__all__ = ["cast", "constant", "expression", "filled", "memory_type", "type_name"]

DType = np.dtype[Any]


def type_name(dtype: DType) -> str:
    """Name of a Numba type.

    Examples
    --------
    >>> type_name(np.dtype("f4")), type_name(np.dtype("?"))
    ('float32', 'boolean')
    """
    return "boolean" if dtype.kind == "b" else dtype.name


def memory_type(dtype: DType) -> str:
    """Name of the Numba type that a value has in memory: truth values are bytes."""
    return "uint8" if dtype.kind == "b" else dtype.name


def constant(instr: Instr) -> str:
    """Spell a constant; all its bits survive.

    Examples
    --------
    >>> constant(Instr("const", (), np.dtype("f8"), (float("-inf"),)))
    'float64(-inf)'
    """
    value, dtype = instr.imm[0], instr.dtype
    if dtype.kind == "b":
        return repr(bool(value))
    if dtype.kind == "c":
        return f"{dtype.name}(complex({value.real!r}, {value.imag!r}))"
    return f"{dtype.name}({value!r})"


def expression(program: ScalarProgram, value: int, names: Sequence[str]) -> str:
    """Spell one operation over the names of its arguments.

    Examples
    --------
    >>> from gpuscale.codegen.program import ProgramBuilder
    >>> b = ProgramBuilder()
    >>> total = b.apply("add", b.load(0, "i2"), b.load(1, "i2"))
    >>> expression(b.build(total), 2, ["x", "y"])
    'int16(x + y)'
    """
    instr = program.instrs[value]
    given = [program.instrs[a].dtype for a in instr.args]
    if instr.op == "cast":
        return cast(names[0], given[0], instr.dtype)
    if instr.op in random_ops.BY_NAME:
        return f"{instr.op}({', '.join(names)})"
    text = filled(OPS[instr.op].spelling(given), names, given)
    # Numba computes small integers in 64 bits and mixes literals in: bring the dtype back.
    return f"{type_name(instr.dtype)}({text})" if instr.dtype.kind in "iu" else text


def filled(text: str | None, names: Sequence[str], given: Sequence[DType]) -> str:
    """Put names, and the types of operands, into the spelling of an operation.

    Examples
    --------
    >>> filled("type({0} << {1}) * {bits}", ["x", "y"], [np.dtype("i2")] * 2)
    'int16(x << y) * 16'
    """
    assert text is not None
    text = text.format(*names, bits=given[0].itemsize * 8)
    return text.replace("type(", f"{type_name(given[-1])}(")


def _integer_for(source: DType, target: DType) -> str:
    """Integer that NumPy converts floating point numbers to first: it decides what overflows."""
    if target.itemsize < 4:
        return "int32"
    # The real part of complex numbers is strided, and those NumPy converts one by one.
    return "int64" if target == np.uint32 and source.kind == "c" else target.name


def cast(name: str, source: DType, target: DType) -> str:
    """Spell a conversion as NumPy does it.

    Examples
    --------
    >>> cast("x", np.dtype("f8"), np.dtype("?")), cast("x", np.dtype("f8"), np.dtype("u1"))
    ('x != 0', 'uint8(truncate_int32(x))')
    """
    if source == target:
        return name
    if target.kind == "b":
        return f"{name} != 0"
    if source.kind == "c" and target.kind != "c":
        name = f"{name}.real"
    if source.kind in "fc" and target.kind in "iu":
        name = f"truncate_{_integer_for(source, target)}({name})"
    return f"{type_name(target)}({name})"
