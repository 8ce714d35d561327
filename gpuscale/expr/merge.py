"""Merge elementwise work into the program of whoever reads it.

Index functions and views always, other work when it has one reader or is cheaper to repeat than to
keep. Programs grow in place: each instruction of a long chain is written once, and what is merged
into all its readers never becomes a node.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeGuard

from gpuscale.chunks.views import View, compose, is_identity
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import AffineIndex, Instr, ProgramBuilder, ScalarProgram
from gpuscale.expr.kernels import ProgramKernel, ReduceKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise
from gpuscale.expr.reads import count_reads, is_free_to_read
from gpuscale.expr.walk import toposort

__all__ = ["CHEAP", "LONGEST", "merge", "move_index", "program_cost"]

CHEAP = 12  # flops for one element that cost less than writing it out and reading it back
LONGEST = 128  # instructions; beyond this compiling takes longer than fusing saves
_SILENT = {"view", "scalar"}  # parts of programs that say nothing to people


def merge(roots: list[Node]) -> list[Node]:
    """Merge until nothing changes: who read a node separately may have become one reader."""
    before: Counter[str] = Counter()
    while True:
        readers = count_reads(roots)
        merged = _merge_once(roots, readers, before)
        if merged == roots:
            return roots
        roots, before = merged, readers


def _merge_once(roots: list[Node], readers: Counter[str], before: Counter[str]) -> list[Node]:
    """Merge what may be merged by the reads of now; ``before`` are those of the last time."""
    done: dict[str, Node | _Draft] = {}
    settled: set[str] = set()  # what was looked at before, nor has anything below it changed

    def finished(old: Node) -> Node:
        new = done[old.token]
        return new.node if isinstance(new, _Draft) else new

    for node in toposort(roots):
        reads = readers[node.token]
        if node.token in before and all(
            child.token in settled and readers[child.token] == before[child.token]
            for child in node.children
        ):
            settled.add(node.token)
            done[node.token] = _Draft(node, reads) if _is_fused(node) else node
        elif _is_fused(node):
            sources = [_source(node, each, done[each.node.token]) for each in node.inputs]
            done[node.token] = _draft(node, reads, sources, finished)
        else:
            done[node.token] = node.map_children(finished)
    return [finished(root) for root in roots]


def _is_fused(node: Node) -> TypeGuard[Blockwise]:
    return isinstance(node, Blockwise) and isinstance(node.kernel, ProgramKernel | ReduceKernel)


def _draft(
    node: Blockwise,
    reads: int,
    sources: list[_Draft | None],
    finished: Callable[[Node], Node],
) -> _Draft:
    if not any(sources):
        new = node.map_children(finished)
        assert isinstance(new, Blockwise)
        return _Draft(new, reads)
    inputs = [
        each if source else each.map_nodes(finished)
        for each, source in zip(node.inputs, sources, strict=True)
    ]
    return _Draft(node, reads, _Program(node.kernel, inputs, sources))


class _Draft:
    """Elementwise work that may be merged into others before it becomes a node.

    Parameters
    ----------
    base : Blockwise
        The node, or what it was before something was merged into it.
    reads : int
        How often others read it.
    program : _Program, optional
        What it computes, where something was merged into it.
    """

    def __init__(self, base: Blockwise, reads: int, program: _Program | None = None) -> None:
        self.base, self.reads, self.program = base, reads, program

    @cached_property
    def kernel(self) -> Any:
        """The finished kernel."""
        return self.base.kernel if self.program is None else self.program.finish(self.base.kernel)

    @cached_property
    def node(self) -> Blockwise:
        """The finished node."""
        if self.program is None:
            return self.base
        base = self.base
        new = base.rebuilt(self.kernel, tuple(self.inputs), base.domain, base.out)
        assert isinstance(new, Blockwise)
        return new

    @property
    def inputs(self) -> Sequence[BlockInput]:
        """What the program reads."""
        return self.base.inputs if self.program is None else self.program.inputs

    @property
    def instrs(self) -> Sequence[Instr]:
        """The program, as far as it is written."""
        if self.program is not None:
            return self.program.builder.instrs
        instrs: Sequence[Instr] = self.base.kernel.program.instrs
        return instrs

    @cached_property
    def cost(self) -> int:
        """Cost of one element, in additions."""
        return _cost(self.instrs)


def _source(node: Blockwise, each: BlockInput, source: Node | _Draft) -> _Draft | None:
    """What is to be merged in the place of an input, if anything."""
    if each.view is None or not isinstance(source, _Draft):
        return None
    if not isinstance(source.base.kernel, ProgramKernel):
        return None
    instrs = source.instrs
    if len(instrs) == 1 and instrs[0].op == "load":
        return source
    if len(instrs) + len(node.kernel.program.instrs) > LONGEST:
        return None
    if not source.inputs or _is_read_as_well_inside(node, source):
        return source
    return None


def _is_read_as_well_inside(node: Blockwise, source: _Draft) -> bool:
    """Whether it costs no more to compute it for this reader than to keep it."""
    if _repeats(node, source.base) and source.cost > CHEAP:
        return False
    if source.reads == 1:
        return True
    return source.cost <= CHEAP and all(is_free_to_read(i.node) for i in source.inputs)


def _repeats(node: Blockwise, source: Blockwise) -> bool:
    """Whether the reader has more elements than the source: it would compute each repeatedly."""
    if not (node.space.known and source.meta.known):
        return False
    return node.space.size > source.meta.size


def program_cost(program: ScalarProgram) -> int:
    """Cost of one element of a program, in units of one addition."""
    return _cost(program.instrs)


def _cost(instrs: Sequence[Instr]) -> int:
    return sum(OPS[i.op].cost for i in instrs if i.op in OPS)


class _Program:
    """The program of a reader with the programs of some of its inputs in place of their loads."""

    def __init__(self, kernel: Any, inputs: list[BlockInput], sources: list[_Draft | None]) -> None:
        self.builder = ProgramBuilder()
        self.inputs: list[BlockInput] = []
        self.numbers: dict[tuple[str, View | None], int] = {}
        self.indices: dict[AffineIndex, int] = {}
        self.params: list[Any] = []
        self.param_numbers: dict[tuple[str, str], int] = {}
        self.labels: dict[str, None] = {}
        loads: list[Any] = [None] * len(sources)
        for place in _longest_first(sources):
            source = sources[place]
            if source is None:
                loads[place] = self._load(inputs[place])
            else:
                loads[place] = self._value(self._splice(inputs[place], source))
        self._add_label(kernel.label)
        self.outputs = self._copy(kernel.program, loads, kernel.indices, kernel.params)

    def finish(self, kernel: Any) -> Any:
        """The kernel of the reader with this program."""
        return replace(
            kernel,
            program=self.builder.build(*self.outputs),
            indices=tuple(self.indices),
            params=tuple(self.params),
            label="+".join(self.labels) or "view",
        )

    def _add_label(self, label: str) -> None:
        self.labels.update(dict.fromkeys(part for part in label.split("+") if part not in _SILENT))

    def _load(self, each: BlockInput) -> Any:
        number = self._number(each)
        return lambda dtype: self.builder.load(number, dtype)

    @staticmethod
    def _value(value: int) -> Any:
        return lambda dtype: value

    def _number(self, each: BlockInput) -> int:
        key = (each.node.token, each.view)
        if key not in self.numbers:
            self.numbers[key] = len(self.inputs)
            self.inputs.append(each)
        return self.numbers[key]

    def _splice(self, each: BlockInput, source: _Draft) -> int:
        """Write the program of an input; return the number of its value."""
        view = each.view
        assert view is not None
        if self._takes_over(source, view):
            (value,) = self.outputs
            return value
        kernel, inputs = source.kernel, []
        for inner in source.inputs:
            assert inner.view is not None
            inputs.append(replace(inner, view=compose(view, inner.view)))
        indices = tuple(move_index(ix, view) for ix in kernel.indices)
        self._add_label(kernel.label)
        same = self._keeps_numbers(inputs, indices, kernel.params)
        if same and self.builder.start(kernel.program):
            (value,) = kernel.program.outputs
            return int(value)
        loads = [self._load(each) for each in inputs]
        (value,) = self._copy(kernel.program, loads, indices, kernel.params)
        return value

    def _takes_over(self, source: _Draft, view: View) -> bool:
        """Go on with the program of an input that nobody else reads, if nothing is written yet."""
        other = source.program
        if other is None or source.reads > 1 or self.builder.instrs:
            return False
        if not is_identity(view, source.base.meta.shape):
            return False
        self.__dict__.update(other.__dict__)
        return True

    def _keeps_numbers(
        self, inputs: list[BlockInput], indices: tuple[AffineIndex, ...], params: tuple[Any, ...]
    ) -> bool:
        """Whether what a program reads has the same numbers here: it need not be copied."""
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


def _longest_first(sources: list[_Draft | None]) -> list[int]:
    """Places of inputs, the one with the longest program in front: only the first is not copied."""
    lengths = [0 if source is None else len(source.instrs) for source in sources]
    return sorted(range(len(sources)), key=lambda place: -lengths[place])


def move_index(index: AffineIndex, view: View) -> AffineIndex:
    """Express an index function of a node in the positions of a view of it."""
    base = index.base
    coefs = [0] * len(view.shape)
    for coef, (axis, start, step) in zip(index.coefs, view.axes, strict=True):
        base += coef * start
        if axis is not None:
            coefs[axis] += coef * step
    return AffineIndex(base, tuple(coefs))
