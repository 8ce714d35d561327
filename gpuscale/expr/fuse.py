"""Merge what one task can do in one pass, so that intermediates never exist.

First elementwise work is merged into the program of whoever reads it: index functions and
views always, other work when it has one reader or is cheaper to repeat than to keep. What is
left is inlined: a source, or a block that exactly one task reads, is evaluated inside it. In
between small blocks are joined where nobody can tell (`gpuscale.expr.coarsen`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from gpuscale.chunks.views import View, compose
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import AffineIndex, ProgramBuilder, ScalarProgram
from gpuscale.expr.coarsen import coarsen
from gpuscale.expr.kernels import ProgramKernel, ReduceKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, Source
from gpuscale.expr.reads import count_reads, is_free_to_read, is_read_in_place
from gpuscale.expr.regrid import rechunk_late
from gpuscale.expr.walk import toposort
from gpuscale.memory.limits import memory_limit

__all__ = ["fuse", "is_computed_again", "move_index", "program_cost"]

CHEAP = 12  # flops for one element that cost less than writing it out and reading it back
_SILENT = {"view", "scalar"}  # parts of programs that say nothing to people
DEEPEST = 32  # nodes evaluated inside each other: each takes frames of Python's stack
LONGEST = 128  # instructions; beyond this compiling takes longer than fusing saves


def fuse(roots: Iterable[Node]) -> list[Node]:
    """Merge programs and inline single readers, below all roots at once."""
    return _inline(coarsen(_merge(rechunk_late(list(roots)))))


def _merge(roots: list[Node]) -> list[Node]:
    """Merge until nothing changes: who read a node separately may have become one reader."""
    while (merged := _merge_once(roots)) != roots:
        roots = merged
    return roots


def _merge_once(roots: list[Node]) -> list[Node]:
    readers = count_reads(roots)
    done: dict[str, Node] = {}
    for node in toposort(roots):
        new = node.map_children(lambda child: done[child.token])
        if isinstance(new, Blockwise):
            new = _merge_inputs(new, readers)
        done[node.token] = new
        readers.setdefault(new.token, readers[node.token])
    return [done[root.token] for root in roots]


def _inline(roots: list[Node]) -> list[Node]:
    readers = count_reads(roots)
    done: dict[str, Node] = {}
    depths: dict[str, int] = {}  # of nodes inside each other, down from each
    for node in toposort(roots):
        new = node
        if isinstance(node, Blockwise):
            # Decided on the counts of the old inputs, then moved to the new ones.
            flags = [
                depths.get(each.node.token, 0) < DEEPEST and _should_inline(node, each, readers)
                for each in node.inputs
            ]
            inside = (each.node for each, flag in zip(node.inputs, flags, strict=True) if flag)
            depths[node.token] = 1 + max((depths.get(x.token, 0) for x in inside), default=0)
            new = _with_inline(node, flags)
        done[node.token] = new.map_children(lambda child: done[child.token])
    return [done[root.token] for root in roots]


def _merge_inputs(node: Blockwise, readers: Counter[str]) -> Blockwise:
    if not isinstance(node.kernel, ProgramKernel | ReduceKernel):
        return node
    if not any(_should_merge(node, each, readers) for each in node.inputs):
        return node
    merged = _Merge(node, [_should_merge(node, each, readers) for each in node.inputs])
    return merged.result()


def _should_merge(node: Blockwise, each: BlockInput, readers: Counter[str]) -> bool:
    source = each.node
    if each.view is None or not isinstance(source, Blockwise) or not source.is_program:
        return False
    if source.kernel.is_copy:
        return True
    if len(source.kernel.program.instrs) + len(node.kernel.program.instrs) > LONGEST:
        return False
    if not source.inputs:
        return True
    cost = program_cost(source.kernel.program)
    if _repeats(node, source) and cost > CHEAP:
        return False
    if readers[source.token] == 1:
        return True
    return cost <= CHEAP and all(is_free_to_read(i.node) for i in source.inputs)


def _repeats(node: Blockwise, source: Blockwise) -> bool:
    """Whether the reader has more elements than the source: it would compute each repeatedly."""
    if not (node.space.known and source.meta.known):
        return False
    return node.space.size > source.meta.size


def is_computed_again(x: Node, readers: Counter[str], passes: int) -> bool:
    """Whether tasks compute the blocks they look at, in each of some passes, instead of one before.

    Functions of users are called once for each block.
    """
    if isinstance(x, Source):
        return is_read_in_place(x, Counter({x.token: readers[x.token] * passes}))
    if not isinstance(x, Blockwise) or readers[x.token] > 1 or not _is_elementwise(x):
        return False
    cheap = program_cost(x.kernel.program) <= CHEAP
    free = all(is_free_to_read(each.node) for each in x.inputs)
    return passes == 1 or free and (cheap or not x.inputs) or x.meta.nbytes > memory_limit() // 4


def _is_elementwise(x: Node) -> bool:
    """Whether a block is made by nothing but scalar operations, down to the results of others."""
    if isinstance(x, Source):
        return True
    inside = (each.node for each in x.inputs if each.inline) if isinstance(x, Blockwise) else ()
    return isinstance(x, Blockwise) and x.is_program and all(map(_is_elementwise, inside))


def program_cost(program: ScalarProgram) -> int:
    """Cost of one element of a program, in units of one addition."""
    return sum(OPS[i.op].cost for i in program.instrs if i.op in OPS)


class _Merge:
    """The program of a reader with the programs of some of its inputs in place of their loads."""

    def __init__(self, node: Blockwise, merge: list[bool]) -> None:
        self.node = node
        self.builder = ProgramBuilder()
        self.inputs: dict[tuple[str, View | None], int] = {}
        self.kept: list[BlockInput] = []
        self.indices: dict[AffineIndex, int] = {}
        self.params: list[Any] = []
        self.param_numbers: dict[tuple[str, str], int] = {}
        self.labels: dict[str, None] = {}
        loads: list[Any] = [None] * len(merge)
        for place in _longest_first(node.inputs, merge):
            each = node.inputs[place]
            loads[place] = self._splice(each) if merge[place] else self._load(each)
        kernel = node.kernel
        self._add_label(kernel.label)
        self.outputs = self._copy(kernel.program, loads, kernel.indices, kernel.params)

    def result(self) -> Blockwise:
        kernel = replace(
            self.node.kernel,
            program=self.builder.build(*self.outputs),
            indices=tuple(self.indices),
            params=tuple(self.params),
            label="+".join(self.labels) or "view",
        )
        new = self.node.rebuilt(kernel, tuple(self.kept), self.node.domain, self.node.out)
        assert isinstance(new, Blockwise)
        return new

    def _add_label(self, label: str) -> None:
        self.labels.update(dict.fromkeys(part for part in label.split("+") if part not in _SILENT))

    def _load(self, each: BlockInput) -> Any:
        number = self._number(each)
        return lambda dtype: self.builder.load(number, dtype)

    def _number(self, each: BlockInput) -> int:
        key = (each.node.token, each.view)
        if key not in self.inputs:
            self.inputs[key] = len(self.kept)
            self.kept.append(each)
        return self.inputs[key]

    def _splice(self, each: BlockInput) -> Any:
        source = each.node
        assert isinstance(source, Blockwise) and each.view is not None
        view = each.view
        inputs = []
        for inner in source.inputs:
            assert inner.view is not None
            inputs.append(replace(inner, view=compose(view, inner.view)))
        kernel = source.kernel
        indices = tuple(move_index(ix, view) for ix in kernel.indices)
        self._add_label(kernel.label)
        same = self._keeps_numbers(inputs, indices, kernel.params)
        if same and self.builder.start(kernel.program):
            (first,) = kernel.program.outputs
            return lambda dtype: first
        loads = [self._load(each) for each in inputs]
        (value,) = self._copy(kernel.program, loads, indices, kernel.params)
        return lambda dtype: value

    def _keeps_numbers(
        self, inputs: list[BlockInput], indices: tuple[AffineIndex, ...], params: tuple[Any, ...]
    ) -> bool:
        """Whether what a program reads has the same numbers here: long chains are not copied."""
        numbers = (
            list(map(self._number, inputs)),
            [self.indices.setdefault(index, len(self.indices)) for index in indices],
            list(map(self._param, params)),
        )
        return all(each == list(range(len(each))) for each in numbers)

    def _copy(
        self,
        program: ScalarProgram,
        loads: list[Any],
        indices: tuple[AffineIndex, ...],
        params: tuple[Any, ...],
    ) -> list[int]:
        values: list[int] = []
        for instr in program.instrs:
            if instr.op == "load":
                value = loads[instr.imm[0]](instr.dtype)
            elif instr.op == "index":
                index = indices[instr.imm[0]]
                value = self.builder.index(self.indices.setdefault(index, len(self.indices)))
            elif instr.op == "param":
                value = self.builder.param(self._param(params[instr.imm[0]]), instr.dtype)
            elif instr.op == "const":
                value = self.builder.const(instr.imm[0], instr.dtype)
            else:
                value = self.builder.apply(
                    instr.op, *(values[a] for a in instr.args), dtype=instr.dtype
                )
            values.append(value)
        return [values[k] for k in program.outputs]

    def _param(self, value: Any) -> int:
        # repr tells -0.0 from 0.0 and NaN from NaN of another dtype; equality does not.
        key = (repr(value), type(value).__name__)
        if key not in self.param_numbers:
            self.param_numbers[key] = len(self.params)
            self.params.append(value)
        return self.param_numbers[key]


def _longest_first(inputs: tuple[BlockInput, ...], merge: list[bool]) -> list[int]:
    """Places of inputs, the one with the longest program in front: only the first is not copied."""
    lengths = [
        len(each.node.kernel.program.instrs) if flag else 0  # type: ignore[attr-defined]
        for each, flag in zip(inputs, merge, strict=True)
    ]
    return sorted(range(len(merge)), key=lambda place: -lengths[place])


def move_index(index: AffineIndex, view: View) -> AffineIndex:
    """Express an index function of a node in the positions of a view of it."""
    base = index.base
    coefs = [0] * len(view.shape)
    for coef, (axis, start, step) in zip(index.coefs, view.axes, strict=True):
        base += coef * start
        if axis is not None:
            coefs[axis] += coef * step
    return AffineIndex(base, tuple(coefs))


def _with_inline(node: Blockwise, flags: list[bool]) -> Node:
    if not any(flags):
        return node
    inputs = tuple(
        replace(each, inline=flag) for each, flag in zip(node.inputs, flags, strict=True)
    )
    return node.rebuilt(node.kernel, inputs, node.domain, node.out)


def _should_inline(node: Blockwise, each: BlockInput, readers: Counter[str]) -> bool:
    source = each.node
    if isinstance(source, Source):
        return is_read_in_place(source, readers)
    return (
        isinstance(source, Blockwise)
        and readers[source.token] == 1
        and _one_to_one(each, source, node)
    )


def _one_to_one(each: BlockInput, source: Blockwise, node: Blockwise) -> bool:
    """Whether every block of the source is read by exactly one block of the reader."""
    if math.prod(source.meta.numblocks) != math.prod(node.space.numblocks):
        return False
    if each.view is None:
        axes = list(each.axes or ())
    else:
        axes = [axis for axis, _, _ in each.view.axes]
    used = {axis for axis in axes if axis is not None}
    return all(n == 1 or axis in used for axis, n in enumerate(node.space.numblocks))
