"""All that the text of a kernel depends on, and where things are in its vector of integers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from gpuscale.codegen.accumulate import Accumulator, accumulator_of
from gpuscale.codegen.geometry import HEADER, OPERAND
from gpuscale.codegen.helpers import (
    NEXT_PAIR,
    NEXT_TILE,
    Helper,
    columns_helper,
    copy_helper,
    merge_helper,
    rows_helper,
)
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import ScalarProgram
from gpuscale.codegen.schedule import Stages, schedule

__all__ = ["KernelSpec"]


@dataclass(frozen=True)
class KernelSpec:
    """All that the text of a kernel depends on.

    Attributes
    ----------
    program : ScalarProgram
    form : str
        "map", "columns" or "fold".
    loads : tuple of str
        How each array moves: "row", "scalar" or "tile".
    fills : tuple of (int, str)
        Random values drawn a row at a time, along "row" or "column".
    outs : tuple of str
        How each result of a map moves: "row" or "tile".
    reductions : tuple of str
        One for each output of a reduction.
    mirror : tuple of int, optional
        Two draws, the second of which is the first of the transposed tile: the kernel takes
        tile (i, j) and tile (j, i) together and draws every number once.
    """

    program: ScalarProgram
    form: str
    loads: tuple[str, ...]
    fills: tuple[tuple[int, str], ...]
    outs: tuple[str, ...] = ()
    reductions: tuple[str, ...] = ()
    mirror: tuple[int, int] | None = None

    @cached_property
    def accumulators(self) -> tuple[Accumulator, ...]:
        """How each reduction is compiled."""
        pairs = zip(self.reductions, self.program.dtypes, strict=False)
        found = tuple(accumulator_of(name, dtype) for name, dtype in pairs)
        return tuple(a for a in found if a is not None)

    @cached_property
    def wants_position(self) -> bool:
        """Whether the position in the reduced extent is one more index function."""
        return any(a.wants_position for a in self.accumulators)

    @cached_property
    def operands(self) -> tuple[str, ...]:
        """Names of what moves over the domain, in the order of their slots."""
        p = self.program
        return (
            *(f"l{k}" for k in range(p.n_loads)),
            *(f"x{k}" for k in range(p.n_indices)),
            *(("flat",) if self.wants_position else ()),
            *(f"o{k}" for k in range(len(self.outs))),
            *(("kept",) if self.reductions else ()),
        )

    @cached_property
    def stages(self) -> Stages:
        """The program, cut into stages."""
        direct = {k for k, moves in enumerate(self.outs) if moves == "row"}
        return schedule(self.program, self.loads, dict(self.fills), direct)

    @cached_property
    def calls(self) -> tuple[int, ...]:
        """Values that NumPy's loops compute."""
        return tuple(s.values[0] for s in self.stages.stages if s.kind == "call")

    @cached_property
    def n_totals(self) -> int:
        """Number of accumulator arrays."""
        return sum(len(a.totals) for a in self.accumulators)

    @cached_property
    def n_lanes(self) -> int:
        """Number of lane vectors."""
        return sum(len(a.lanes) for a in self.accumulators)

    @cached_property
    def slot(self) -> int:
        """Bytes of one buffered element."""
        return 16 if any(i.dtype.itemsize == 16 for i in self.program.instrs) else 8

    @cached_property
    def needs_spare(self) -> bool:
        """Whether one more buffer is needed: to transpose, or for results nobody wants."""
        mirrored = self.mirror or ()
        return any(moves == "column" and v not in mirrored for v, moves in self.fills) or any(
            getattr(OPS[self.program.instrs[v].op].ufunc, "nout", 1) > 1 for v in self.calls
        )

    @cached_property
    def n_buffers(self) -> int:
        """Number of tile buffers; the last two of a mirrored pair are its draws."""
        return self.stages.n_buffers + self.needs_spare + (2 if self.mirror else 0)

    @cached_property
    def n_sides(self) -> int:
        """Blocks that the kernel takes together."""
        return 2 if self.mirror else 1

    @cached_property
    def words_per_side(self) -> int:
        """Words of g for the operands of one block."""
        return len(OPERAND) * len(self.operands)

    def slot_of(self, name: str) -> int:
        """Place of an operand in g."""
        return len(HEADER) + len(OPERAND) * self.operands.index(name)

    @cached_property
    def totals_at(self) -> int:
        """Place of the first accumulator's address in g."""
        return len(HEADER) + self.words_per_side * self.n_sides

    @cached_property
    def loops_at(self) -> int:
        """Place of the first NumPy loop's address and data in g."""
        return self.totals_at + self.n_totals * self.n_sides

    @cached_property
    def helpers(self) -> tuple[Helper, ...]:
        """Parts that this kernel calls by address."""
        instrs = self.program.instrs
        found = [NEXT_PAIR if self.mirror else NEXT_TILE]
        for stage in self.stages.stages:
            if not stage.values:
                continue
            value = stage.values[0]
            instr = instrs[value]
            if stage.kind == "copy" or (self.mirror and value == self.mirror[1]):
                found.append(copy_helper(instr.dtype))
            elif stage.kind == "fill":
                found.append(rows_helper(instr.op, instr.dtype))
                if dict(self.fills)[value] == "column":
                    found.append(columns_helper(instr.dtype))
        found += [merge_helper(self.form, a) for a in self.accumulators]
        return tuple(dict.fromkeys(found))

    @cached_property
    def helpers_at(self) -> int:
        """Place of the first helper's address in g."""
        return self.loops_at + 2 * len(self.calls)

    @cached_property
    def outer_at(self) -> int:
        """Place of the outer axes in g."""
        return self.helpers_at + len(self.helpers)
