"""What the texts of all CUDA kernels share: arguments, positions, the operations on one element.

A domain has outer axes and inner ones, each group walked by one number that is taken apart into
positions along its axes. Every operand has a step for every axis: "0", "1", or "s" for one that
is given at launch. So one text serves all shapes, and unit steps cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gpuscale.codegen.emit import constant, memory_type, type_name
from gpuscale.codegen.emit_cuda import expression_cuda
from gpuscale.codegen.expand_cuda import expand
from gpuscale.codegen.launch_cuda import pointer_to, scalar_types
from gpuscale.codegen.program import Instr, ScalarProgram
from gpuscale.codegen.text import Text

__all__ = ["BodySpec", "BodyText", "steps_of"]

DType = np.dtype[Any]
Steps = tuple[str, ...]


def steps_of(strides: Sequence[int]) -> Steps:
    """Which steps a text knows.

    Examples
    --------
    >>> steps_of((12, 0, 1))
    ('s', '0', '1')
    """
    return tuple(str(s) if s in (0, 1) else "s" for s in strides)


@dataclass(frozen=True)
class BodySpec:
    """All that the text of a kernel depends on.

    Attributes
    ----------
    program : ScalarProgram
    outer, inner : int
        Number of axes in each group.
    loads, indices, outs : tuple of Steps
        Of each operand, along the outer axes and then the inner ones. A reduction writes one
        position after the other, and has no steps for that.
    turned : tuple of int
        Arrays that are read through shared memory, see `turned_cuda`.
    """

    program: ScalarProgram
    outer: int
    inner: int
    loads: tuple[Steps, ...]
    indices: tuple[Steps, ...]
    outs: tuple[Steps, ...]
    turned: tuple[int, ...] = field(default=(), kw_only=True)

    @cached_property
    def expanded(self) -> ScalarProgram:
        """The program in primitive operations."""
        return expand(self.program)

    @cached_property
    def load_dtypes(self) -> dict[int, DType]:
        """Dtypes of the arrays that are read."""
        return {i.imm[0]: i.dtype for i in self.expanded.instrs if i.op == "load"}

    @cached_property
    def param_dtypes(self) -> dict[int, DType]:
        """Dtypes of the parameters that are read."""
        return {i.imm[0]: i.dtype for i in self.expanded.instrs if i.op == "param"}

    @cached_property
    def index_numbers(self) -> tuple[int, ...]:
        """Index functions that are read."""
        return tuple(sorted({i.imm[0] for i in self.expanded.instrs if i.op == "index"}))

    @cached_property
    def moving(self) -> dict[str, Steps]:
        """Steps of every operand that the text walks with, by name."""
        found = {f"l{k}": self.loads[k] for k in sorted(self.load_dtypes)}
        found |= {f"x{k}": self.indices[k] for k in self.index_numbers}
        return found | self.beside

    @property
    def beside(self) -> dict[str, Steps]:
        """Steps of what is no operand of the program, by name."""
        return {f"o{k}": steps for k, steps in enumerate(self.outs)}


class BodyText(Text):
    """Writes the parts; a kernel of one kind derives from it and puts them in order.

    Parameters
    ----------
    spec : BodySpec
    """

    def __init__(self, spec: BodySpec) -> None:
        super().__init__()
        self.spec = spec
        self.program = spec.expanded
        self.instrs: tuple[Instr, ...] = self.program.instrs
        self.leaves = [v for v, i in enumerate(self.instrs) if i.op in ("load", "index")]

    def arguments(self, out_dtypes: Sequence[DType]) -> list[tuple[str, str]]:
        """(name, type) of the arguments of a kernel, in their order."""
        spec = self.spec
        found = [(f"l{k}", pointer_to(d)) for k, d in sorted(spec.load_dtypes.items())]
        found += [(f"o{k}", pointer_to(d)) for k, d in enumerate(out_dtypes)]
        found += [("outer", "int64"), ("inner", "int64")]
        found += [(f"n{a}", "int64") for a in range(spec.outer + spec.inner)]
        found += [(f"x{k}", "int64") for k in spec.index_numbers]
        for name, steps in spec.moving.items():
            found += [(f"{name}_{a}", "int64") for a, step in enumerate(steps) if step == "s"]
        for k, dtype in sorted(spec.param_dtypes.items()):
            parts = scalar_types(dtype)
            names = [f"p{k}"] if len(parts) == 1 else [f"p{k}_re", f"p{k}_im"]
            found += zip(names, parts, strict=True)
        return found

    def open_scalars(self) -> None:
        """Constants and parameters, before all loops."""
        for value, instr in enumerate(self.instrs):
            if instr.op == "const":
                self.put(f"v{value} = {constant(instr)}")
            elif instr.op == "param":
                name = f"p{instr.imm[0]}"
                if instr.dtype.kind == "c":
                    name = f"{type_name(instr.dtype)}(complex({name}_re, {name}_im))"
                self.put(f"v{value} = {name}" + " != 0" * (instr.dtype.kind == "b"))

    def open_group(self, group: str, number: str) -> None:
        """Offsets of all operands from the number of a position in a group of axes."""
        spec = self.spec
        axes = range(spec.outer) if group == "outer" else range(spec.outer, spec.outer + spec.inner)
        rest = number
        for a in reversed(axes):
            if a == axes[0]:
                self.put(f"c{a} = {rest}")
            else:
                self.put(f"c{a} = {rest} % n{a}")
                self.put(f"rest = {rest} // n{a}")
                rest = "rest"
        for name, steps in spec.moving.items():
            terms = [
                f"c{a}" if steps[a] == "1" else f"c{a} * {name}_{a}"
                for a in axes
                if a < len(steps) and steps[a] != "0"
            ]
            self.put(f"{name}_{group} = {' + '.join(terms) or 'wide(0)'}")

    def at(self, name: str) -> str:
        """Place of the current element of an operand."""
        return f"{name}_outer + {name}_inner"

    def read(self, value: int, suffix: str = "", place: str = "") -> None:
        """Read an element of an array, or of an index function."""
        instr = self.instrs[value]
        if instr.op == "index":
            name = f"x{instr.imm[0]}"
            self.put(f"v{value}{suffix} = int64({name} + {place or self.at(name)})")
            return
        name = f"l{instr.imm[0]}"
        self.put_read(value, f"{name}[{place or self.at(name)}]", suffix)

    def put_read(self, value: int, element: str, suffix: str = "") -> None:
        """Make a value of what is in memory, where truth values are bytes."""
        test = " != 0" if self.instrs[value].dtype.kind == "b" else ""
        self.put(f"v{value}{suffix} = {element}{test}")

    def compute(self, suffix: str = "") -> None:
        """Put down all operations on one element, its operands having been read."""
        for value, instr in enumerate(self.instrs):
            if not instr.is_leaf:
                names = [self.name(a, suffix) for a in instr.args]
                self.put(f"v{value}{suffix} = {expression_cuda(self.program, value, names)}")

    def write_all(self) -> None:
        """Write the current element of every result of a map."""
        for k, value in enumerate(self.program.outputs):
            self.put(f"o{k}[{self.at(f'o{k}')}] = {self.stored(value)}")

    def name(self, value: int, suffix: str = "") -> str:
        """Name of a value; constants and parameters are the same for all elements."""
        scalar = self.instrs[value].op in ("const", "param")
        return f"v{value}" + suffix * (not scalar)

    def stored(self, value: int, suffix: str = "") -> str:
        """Spell a value as it is in memory."""
        dtype = self.instrs[value].dtype
        name = self.name(value, suffix)
        return f"{memory_type(dtype)}({name})" if dtype.kind == "b" else name
