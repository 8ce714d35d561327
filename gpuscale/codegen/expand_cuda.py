"""Rewrite a program in the operations that a CUDA kernel spells directly.

Random draws, exponentials and what NumPy's loops compose become their parts, in line.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from gpuscale.codegen import random_ops
from gpuscale.codegen.functions_cuda import EXPANSIONS, power_of_whole
from gpuscale.codegen.program import LEAVES, Instr, ProgramBuilder, ScalarProgram
from gpuscale.codegen.trace_cuda import trace

__all__ = ["expand"]


@lru_cache(maxsize=256)
def expand(program: ScalarProgram) -> ScalarProgram:
    """Write a program in primitive operations; outputs stay in their order.

    Examples
    --------
    >>> b = ProgramBuilder()
    >>> x = b.load(0, np.dtype("f8"))
    >>> {i.op for i in expand(b.build(b.apply("radians", x))).instrs}  == {
    ...     "load", "const", "multiply"}
    True
    """
    builder = _ExpandingBuilder()
    numbers: list[int] = []
    for instr in program.instrs:
        args = tuple(numbers[a] for a in instr.args)
        numbers.append(builder.copy(Instr(instr.op, args, instr.dtype, instr.imm)))
    return builder.build(*(numbers[k] for k in program.outputs))


class _ExpandingBuilder(ProgramBuilder):
    """A builder that writes parts instead of what is composed, wherever it comes from."""

    def _add(self, instr: Instr) -> int:
        function = self._expansion(instr)
        if function is None:
            return super()._add(instr)
        return self.cast(trace(function, self, instr.args), instr.dtype)

    def _expansion(self, instr: Instr) -> Callable[..., Any] | None:
        if instr.op in LEAVES or not instr.args:
            return None
        if instr.op in random_ops.BY_NAME:
            return random_ops.BY_NAME[instr.op].array_function
        first = self.instr(instr.args[0]).dtype
        if instr.op == "power" and first.kind in "iu":
            exponent = self.instr(instr.args[1])
            if exponent.op == "const" and exponent.imm[0] >= 0:
                return power_of_whole(exponent.imm[0])
            return None
        kinds = ["d", first.kind] if first == np.float64 else [first.kind]
        found = (EXPANSIONS.get((instr.op, kind)) for kind in kinds)
        return next((each for each in found if each is not None), None)
