"""Conversion of floating point numbers to integers, in the instructions of LLVM.

LLVM leaves open what comes of numbers out of range; here it is what x86-64 and its NumPy give, for
kernels of the CPU and of CUDA alike.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

__all__ = ["truncated"]


def truncated(builder: Any, kind: Any, value: Any) -> Any:
    """Write the conversion of a value to an integer type of Numba.

    Out of range it gives the smallest signed integer; unsigned ones have their upper half moved
    down to signed ones, and the result back up.
    """
    half = 2.0 ** (kind.bitwidth - 1)
    word = ir.IntType(kind.bitwidth)
    lowest = ir.Constant(word, -(2 ** (kind.bitwidth - 1)))
    limit, under = ir.Constant(value.type, half), ir.Constant(value.type, -half)
    upper = builder.fcmp_ordered(">=", value, limit)
    if not kind.signed:
        value = builder.select(upper, builder.fsub(value, limit), value)
    below = builder.fcmp_ordered("<", value, limit)
    inside = builder.and_(below, builder.fcmp_ordered(">=", value, under))
    found = builder.select(inside, builder.fptosi(value, word), lowest)
    if not kind.signed:
        found = builder.xor(found, builder.select(upper, lowest, ir.Constant(word, 0)))
    return found
