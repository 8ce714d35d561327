"""A view becomes a program that copies, which fusion turns into an alignment of its reader."""

from __future__ import annotations

from gpuscale.array.nodes.view import View
from gpuscale.codegen.program import ProgramBuilder
from gpuscale.expr.kernels import ProgramKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise
from gpuscale.expr.stages import lowers

__all__ = ["lower_view"]


@lowers(View)
def lower_view(node: View) -> Node:
    """Load one input through the view."""
    builder = ProgramBuilder()
    program = builder.build(builder.load(0, node.meta.dtype))
    kernel = ProgramKernel(program, label="view")
    return Blockwise(kernel, (BlockInput(node.x, view=node.view),), node.chunks, node.meta)
