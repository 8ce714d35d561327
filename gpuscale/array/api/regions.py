"""Assignment to a region: positions at a regular distance along each axis."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import count, pairwise
from typing import Any, NamedTuple

import numpy as np

from gpuscale.array.api.index_functions import axis_index
from gpuscale.array.collection import Array
from gpuscale.array.construct import cast, elementwise, rechunk, view
from gpuscale.array.nodes.creation import IndexFunction
from gpuscale.array.nodes.elementwise import Elementwise
from gpuscale.chunks import views
from gpuscale.chunks.blocks import offsets
from gpuscale.codegen.program import ProgramBuilder, ScalarProgram
from gpuscale.expr.kernels import Block, FunctionKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = ["Assignment", "Span", "assign_many", "assign_region", "assignment_of"]

_INSIDE = "inside"


class Span(NamedTuple):
    """``length`` positions of an axis from ``start``, ``step`` apart; the step is positive."""

    start: int
    step: int
    length: int

    def before(self, position: int) -> int:
        """How many of them lie before a position."""
        return min(max(-((self.start - position) // self.step), 0), self.length)


Region = tuple["Span | None", ...]
"""For each axis what is assigned to; None is all of it."""


def assign_region(x: Array, region: Region, values: Array) -> Array:
    """Replace a region.

    Parameters
    ----------
    x : Array
        Without unknown sizes, unless the region is all of it.
    region : tuple of Span or None
    values : Array
        Of the dtype of ``x``; one number, or with as many axes, each as long as that of the region
        or 1.
    """
    if any(span is not None and span.length == 0 for span in region):
        return x
    node, new = x.expr, values.expr
    if not any(region):
        new = view(new, views.broadcast_to(new.meta.shape, node.meta.shape))
        return Array(rechunk(new, node.meta.chunks))
    if not new.meta.ndim:
        return _choose(x, region, new)
    chunks = tuple(
        (1,) if length == 1 and sizes != (1,) else _taken(sizes, span)
        for sizes, span, length in zip(node.meta.chunks, region, new.meta.shape, strict=True)
    )
    new = rechunk(new, chunks)
    repeats = (n == 1 or span is None for n, span in zip(new.meta.shape, region, strict=True))
    if all(repeats):
        return _choose(x, region, new)
    return Array(_fill(node, region, new))


def _choose(x: Array, region: Region, new: Node) -> Array:
    chosen = elementwise("where", _inside(x.expr, region), new, x.expr)
    return Array(cast(chosen, x.dtype))  # `where` changes the byte order


def _taken(sizes: tuple[Any, ...], span: Span | None) -> tuple[Any, ...]:
    """How many of a span's positions lie in each block."""
    if span is None:
        return sizes
    return tuple(span.before(end) - span.before(start) for start, end in pairwise(offsets(sizes)))


def _inside(node: Node, region: Region) -> Node:
    """Whether an element lies in the region, as a function of its index.

    Where the region starts and ends are parameters, so that all regions share one kernel.
    """
    cut = [(axis, span) for axis, span in enumerate(region) if span is not None]
    params: list[int] = []
    for _, span in cut:
        last = span.start + span.step * (span.length - 1)
        params += (
            (span.start, last) if span.step == 1 else (span.start, last, span.start, span.step)
        )
    program = _inside_program(tuple(span.step > 1 for _, span in cut))
    indices = tuple(axis_index(axis, node.meta.ndim) for axis, _ in cut)
    meta = node.meta.with_(dtype=np.dtype(bool))
    return IndexFunction(program, indices, tuple(map(np.int64, params)), _INSIDE, meta)


@lru_cache(maxsize=256)
def _inside_program(has_steps: tuple[bool, ...]) -> ScalarProgram:
    builder = ProgramBuilder()
    integer = np.dtype(np.int64)
    numbers = count()
    result = None
    for number, has_step in enumerate(has_steps):
        index = builder.index(number)
        start, last = builder.param(next(numbers), integer), builder.param(next(numbers), integer)
        tests = [
            builder.apply("greater_equal", index, start),
            builder.apply("less_equal", index, last),
        ]
        if has_step:
            first, step = (builder.param(next(numbers), integer) for _ in range(2))
            rest = builder.apply("remainder", builder.apply("subtract", index, first), step)
            tests.append(builder.apply("equal", rest, builder.const(np.int64(0), integer)))
        for test in tests:
            result = test if result is None else builder.apply("logical_and", result, test)
    assert result is not None
    return builder.build(result)


class Assignment(NamedTuple):
    """One number for the elements of a region of ``x``."""

    x: Node
    region: Region
    value: Any


def assignment_of(node: Node) -> Assignment | None:
    """Read what `assign_region` wrote, where it assigned a number to positions without gaps."""
    if not (isinstance(node, Elementwise) and node.op == "where"):
        return None
    inside, number, x = node.inputs
    if not (isinstance(inside, IndexFunction) and isinstance(number, IndexFunction)):
        return None
    alike = inside.meta.chunks == node.meta.chunks == x.meta.chunks
    if inside.label != _INSIDE or len(inside.params) != 2 * len(inside.indices) or not alike:
        return None
    if number.meta.ndim or not number.meta.dtype == x.meta.dtype == node.dtype:
        return None
    leaf = number.program.instrs[number.program.outputs[0]]
    if leaf.op not in ("const", "param") or node.dtype.hasobject:  # a list would be many values
        return None
    region: list[Span | None] = [None] * x.meta.ndim
    limits = iter(inside.params)
    for index, start, last in zip(inside.indices, limits, limits, strict=True):
        if index.base or sorted(index.coefs) != [0] * (x.meta.ndim - 1) + [1]:
            return None
        region[index.coefs.index(1)] = Span(int(start), 1, int(last - start) + 1)
    value = leaf.imm[0] if leaf.op == "const" else number.params[leaf.imm[0]]
    return Assignment(x, tuple(region), value)


def assign_many(assignments: Sequence[Assignment]) -> Node:
    """Make assignments, from the first to the last, in one copy of each block of the first."""
    x = assignments[0].x
    inputs = (BlockInput(x, axes=tuple(range(x.meta.ndim))),)
    what = tuple((tuple(each.region), each.value) for each in assignments)
    kernel = FunctionKernel(_filled_often, (what,), wants_block=True, label="setitem")
    return Blockwise(kernel, inputs, x.meta.chunks, x.meta)


def _filled_often(block: Block, chunk: Any, what: Sequence[tuple[Region, Any]]) -> Any:
    out = chunk.copy()
    for region, value in what:
        index = _local(region, block.start, out.shape)
        if index is not None:
            out[index] = value
    return out


def _fill(node: Node, region: Region, values: Node) -> Node:
    """Copy values, cut like the blocks that they go to, into these."""
    axes = tuple(
        axis if len(sizes) == len(own) else None
        for axis, (sizes, own) in enumerate(zip(values.meta.chunks, node.meta.chunks, strict=True))
    )
    inputs = (BlockInput(node, axes=tuple(range(node.meta.ndim))), BlockInput(values, axes=axes))
    kernel = FunctionKernel(_filled, (region,), wants_block=True, label="setitem")
    return Blockwise(kernel, inputs, node.meta.chunks, node.meta)


def _filled(block: Block, chunk: Any, values: Any, region: Region) -> Any:
    index = _local(region, block.start, chunk.shape)
    if index is None:
        return chunk
    out = chunk.copy()
    out[index] = values
    return out


def _local(
    region: Region, starts: tuple[int, ...], shape: tuple[int, ...]
) -> tuple[slice, ...] | None:
    """Where a region lies in a block, if it does."""
    index = []
    for start, length, span in zip(starts, shape, region, strict=True):
        if span is None:
            index.append(slice(None))
            continue
        first, end = span.before(start), span.before(start + length)
        if first == end:
            return None
        local = span.start + first * span.step - start
        index.append(slice(local, local + (end - first - 1) * span.step + 1, span.step))
    return tuple(index)
