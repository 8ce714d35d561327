"""Functions of the index become programs without inputs."""

from __future__ import annotations

from gpuscale.array.nodes.creation import IndexFunction
from gpuscale.expr.kernels import ProgramKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Blockwise
from gpuscale.expr.stages import lowers

__all__ = ["lower_index_function"]


@lowers(IndexFunction)
def lower_index_function(node: IndexFunction) -> Node:
    """Keep the program; there is nothing to load."""
    kernel = ProgramKernel(node.program, node.indices, node.params, node.label)
    return Blockwise(kernel, (), node.meta.chunks, node.meta)
