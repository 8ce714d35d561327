"""Assignment to a region: positions at a regular distance along each axis."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from gpuscale.array.api.index_functions import axis_index
from gpuscale.array.collection import Array
from gpuscale.array.construct import cast, elementwise, rechunk, view
from gpuscale.array.nodes.creation import IndexFunction
from gpuscale.chunks import views
from gpuscale.chunks.blocks import offsets
from gpuscale.codegen.program import ProgramBuilder
from gpuscale.expr.kernels import Block, FunctionKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = ["Span", "assign_region"]


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
        Of the dtype of ``x``, with as many axes, each as long as that of the region or 1.
    """
    if any(span is not None and span.length == 0 for span in region):
        return x
    node, new = x.expr, values.expr
    if not any(region):
        new = view(new, views.broadcast_to(new.meta.shape, node.meta.shape))
        return Array(rechunk(new, node.meta.chunks))
    chunks = tuple(
        (1,) if length == 1 and sizes != (1,) else _taken(sizes, span)
        for sizes, span, length in zip(node.meta.chunks, region, new.meta.shape, strict=True)
    )
    new = rechunk(new, chunks)
    repeats = (n == 1 or span is None for n, span in zip(new.meta.shape, region, strict=True))
    if all(repeats):
        chosen = elementwise("where", _inside(node, region), new, node)
        return Array(cast(chosen, x.dtype))  # `where` changes the byte order
    return Array(_fill(node, region, new))


def _taken(sizes: tuple[Any, ...], span: Span | None) -> tuple[Any, ...]:
    """How many of a span's positions lie in each block."""
    if span is None:
        return sizes
    return tuple(span.before(end) - span.before(start) for start, end in pairwise(offsets(sizes)))


def _inside(node: Node, region: Region) -> Node:
    """Whether an element lies in the region, as a function of its index.

    Where the region starts and ends are parameters, so that all regions share one kernel.
    """
    builder = ProgramBuilder()
    integer = np.dtype(np.int64)
    cut = [axis for axis, span in enumerate(region) if span is not None]
    params: list[np.int64] = []

    def param(value: int) -> int:
        params.append(np.int64(value))
        return builder.param(len(params) - 1, integer)

    result = None
    for number, axis in enumerate(cut):
        span = region[axis]
        assert span is not None
        index = builder.index(number)
        last = span.start + span.step * (span.length - 1)
        tests = [
            builder.apply("greater_equal", index, param(span.start)),
            builder.apply("less_equal", index, param(last)),
        ]
        if span.step > 1:
            distance = builder.apply("subtract", index, param(span.start))
            rest = builder.apply("remainder", distance, param(span.step))
            tests.append(builder.apply("equal", rest, builder.const(np.int64(0), integer)))
        for test in tests:
            result = test if result is None else builder.apply("logical_and", result, test)
    assert result is not None
    indices = tuple(axis_index(axis, node.meta.ndim) for axis in cut)
    meta = node.meta.with_(dtype=np.dtype(bool))
    return IndexFunction(builder.build(result), indices, tuple(params), "inside", meta)


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
    index = []
    for start, length, span in zip(block.start, chunk.shape, region, strict=True):
        if span is None:
            index.append(slice(None))
            continue
        first, end = span.before(start), span.before(start + length)
        if first == end:
            return chunk
        local = span.start + first * span.step - start
        index.append(slice(local, local + (end - first - 1) * span.step + 1, span.step))
    out = chunk.copy()
    out[tuple(index)] = values
    return out
