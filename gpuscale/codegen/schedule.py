"""Cut a program into the stages that a kernel runs on each tile.

Most operations are spelled out inside one vectorized loop. What is not runs between such loops, on
whole tiles in small buffers: rows of random numbers, copies of operands that do not move along
the rows, and NumPy's own inner loops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gpuscale.codegen import random_ops
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import LEAVES, Instr, ScalarProgram
from gpuscale.codegen.ufunc_loops import find_loop

__all__ = ["Stage", "Stages", "is_compilable", "loop_of", "schedule"]

DType = np.dtype[Any]
KERNEL_DTYPES = frozenset(np.dtype(c) for c in "?bBhHiIlLqQfdFD")


@dataclass
class Stage:
    """One step on a tile.

    Attributes
    ----------
    kind : str
        "copy" and "fill" bring an operand or random numbers to a buffer, "call" runs a NumPy
        loop, "loop" computes values element by element.
    values : list of int
        Values computed, in order.
    stores : list of int
        Of a loop: values that go to a buffer for later stages.
    outputs : list of int
        Numbers of the program's outputs that leave here; of a call, straight to the result.
    """

    kind: str
    values: list[int]
    stores: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)


@dataclass
class Stages:
    """The stages of a kernel and the buffer that holds each value between them."""

    stages: list[Stage]
    buffers: dict[int, int]
    n_buffers: int


def loop_of(program: ScalarProgram, instr: Instr) -> tuple[int, int] | None:
    """Find the NumPy loop that computes an instruction."""
    row = OPS[instr.op]
    if row.ufunc is None or _may_raise(program, instr):
        return None
    given = [program.instrs[a].dtype for a in instr.args]
    try:
        full = row.ufunc.resolve_dtypes((*given, *[None] * row.ufunc.nout))
    except TypeError:
        return None
    fits = full[: row.arity] == tuple(given) and full[row.arity + row.output] == instr.dtype
    return find_loop(row.ufunc, full) if fits else None


def _may_raise(program: ScalarProgram, instr: Instr) -> bool:
    """Whether NumPy's loop refuses some values: integers to negative powers."""
    if instr.op != "power" or instr.dtype.kind not in "iu":
        return False
    exponent = program.instrs[instr.args[1]]
    return exponent.op != "const" or exponent.imm[0] < 0


def spelling_of(program: ScalarProgram, instr: Instr) -> str | None:
    """Find the expression for an instruction, if it can be spelled out inside a loop."""
    row = OPS[instr.op]
    if row.name == "cast" or row.name in random_ops.BY_NAME:
        return row.name
    return row.spelling([program.instrs[a].dtype for a in instr.args])


def is_compilable(program: ScalarProgram) -> bool:
    """Whether a kernel can be made of a program; otherwise the interpreter runs it."""
    return all(
        instr.dtype in KERNEL_DTYPES
        and (
            instr.op in LEAVES
            or spelling_of(program, instr) is not None
            or loop_of(program, instr) is not None
        )
        for instr in program.instrs
    )


def schedule(
    program: ScalarProgram, loads: Sequence[str], fills: dict[int, str], direct: set[int]
) -> Stages:
    """Cut a program into stages.

    Parameters
    ----------
    program : ScalarProgram
        Compilable.
    loads : sequence of str
        How each array moves: "row", "scalar" or "tile".
    fills : dict
        Values that are drawn a row at a time, and along which axis: "row" or "column".
    direct : set of int
        Outputs that a NumPy loop may write a row at a time.
    """
    return _Scheduler(program, loads, fills, direct).run()


class _Scheduler:
    def __init__(
        self,
        program: ScalarProgram,
        loads: Sequence[str],
        fills: dict[int, str],
        direct: set[int],
    ) -> None:
        self.program = program
        self.instrs = program.instrs
        self.read_by_calls: set[int] = set()
        for value, instr in enumerate(self.instrs):
            computed = instr.op not in LEAVES and value not in fills
            if computed and spelling_of(program, instr) is None:
                self.read_by_calls.update(instr.args)
        self.kinds = [self._kind(v, loads, fills) for v in range(len(self.instrs))]
        self.ready = self._ready()
        self.place = self._place()
        self.direct = self._direct(direct)

    def _kind(self, value: int, loads: Sequence[str], fills: dict[int, str]) -> str:
        instr = self.instrs[value]
        if instr.op == "load":
            return "copy" if loads[instr.imm[0]] == "tile" else "leaf"
        if instr.op == "index" and value in self.read_by_calls:
            return "inline"  # NumPy's loops read memory: the index must be in a buffer
        if instr.op in LEAVES:
            return "leaf"
        if value in fills:
            return "fill"
        return "inline" if spelling_of(self.program, instr) is not None else "call"

    def _ready(self) -> list[int]:
        """Number of the loop stage in which each value can be had at the earliest."""
        ready: list[int] = []
        for instr, kind in zip(self.instrs, self.kinds, strict=True):
            latest = max((ready[a] for a in instr.args), default=0)
            ready.append(latest + 1 if kind == "call" else 0 if kind == "fill" else latest)
        return ready

    def _place(self) -> list[int]:
        """Number of the loop stage that computes each inline value: where it is read first."""
        place = [len(self.instrs)] * len(self.instrs)
        for value in self.program.outputs:
            place[value] = self.ready[value]
        for value in range(len(self.instrs) - 1, -1, -1):
            instr, kind = self.instrs[value], self.kinds[value]
            if kind == "fill":
                continue
            at = place[value] if kind == "inline" else self.ready[value] - (kind == "call")
            for a in instr.args:
                place[a] = min(place[a], at)
        return place

    def _direct(self, allowed: set[int]) -> dict[int, int]:
        """Results of NumPy loops that nothing but one output reads, with that output."""
        read = {a for instr in self.instrs for a in instr.args}
        outputs = self.program.outputs
        return {
            value: k
            for k, value in enumerate(outputs)
            if k in allowed
            and self.kinds[value] == "call"
            and value not in read
            and outputs.count(value) == 1
        }

    def run(self) -> Stages:
        kinds = self.kinds
        stages = [Stage(k, [v]) for v, k in enumerate(kinds) if k in ("copy", "fill")]
        for number in range(max(self.ready, default=0) + 1):
            loop = self._loop(number)
            if loop.values or loop.outputs:
                stages.append(loop)
            stages += [
                Stage("call", [v], outputs=[self.direct[v]] if v in self.direct else [])
                for v, kind in enumerate(kinds)
                if kind == "call" and self.ready[v] == number + 1
            ]
        return self._assign_buffers(stages)

    def _loop(self, number: int) -> Stage:
        outputs = [
            k
            for k, value in enumerate(self.program.outputs)
            if self.ready[value] == number and value not in self.direct
        ]
        values = [
            v for v, kind in enumerate(self.kinds) if kind == "inline" and self.place[v] == number
        ]
        return Stage("loop", values, self._crossing(values, number), outputs)

    def _crossing(self, values: list[int], number: int) -> list[int]:
        """Values that a call, or a loop of a later stage, reads."""
        wanted: set[int] = set()
        for reader, instr in enumerate(self.instrs):
            kind = self.kinds[reader]
            later = kind == "call" or (kind == "inline" and self.place[reader] > number)
            if later:
                wanted.update(instr.args)
        wanted.update(v for v in self.program.outputs if self.ready[v] > number)
        return [v for v in values if v in wanted]

    def _assign_buffers(self, stages: list[Stage]) -> Stages:
        """Give each value that outlives its stage a buffer; a buffer is used again when free."""
        last: dict[int, int] = {}
        for number, stage in enumerate(stages):
            for value in stage.values:
                for a in self.instrs[value].args:
                    last[a] = number
            for k in stage.outputs:
                last[self.program.outputs[k]] = number
        buffers: dict[int, int] = {}
        free: list[int] = []
        count = 0
        for number, stage in enumerate(stages):
            for value in stage.values if stage.kind != "loop" else stage.stores:
                if value in self.direct:
                    continue
                if not free:
                    free.append(count)
                    count += 1
                buffers[value] = free.pop()
            free += [b for v, b in buffers.items() if last.get(v) == number]
        return Stages(stages, buffers, count)
