"""Elementwise work becomes a program of one operation over broadcast loads."""

from __future__ import annotations

from gpuscale.array.nodes.elementwise import Elementwise
from gpuscale.chunks.views import broadcast_to
from gpuscale.codegen.program import ProgramBuilder
from gpuscale.expr.kernels import ProgramKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise
from gpuscale.expr.stages import lowers

__all__ = ["lower_elementwise"]


@lowers(Elementwise)
def lower_elementwise(node: Elementwise) -> Node:
    """Load every input, apply the operation."""
    builder = ProgramBuilder()
    values = [builder.load(k, x.meta.dtype) for k, x in enumerate(node.inputs)]
    program = builder.build(builder.apply(node.op, *values, dtype=node.dtype))
    inputs = tuple(
        BlockInput(x, view=broadcast_to(x.meta.shape, node.meta.shape)) for x in node.inputs
    )
    kernel = ProgramKernel(program, label=node.op)
    return Blockwise(kernel, inputs, node.meta.chunks, node.meta)
