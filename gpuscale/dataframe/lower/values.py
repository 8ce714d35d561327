"""Arrays of partitions are made in the tasks that make these."""

from __future__ import annotations

from gpuscale.dataframe.nodes.values import Values
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise
from gpuscale.expr.stages import lowers
from gpuscale.expr.steps import Step, StepsKernel, Value

__all__ = ["lower_values_of"]


@lowers(Values)
def lower_values_of(node: Values) -> Node:
    """Call the function."""
    step = Step(node.function, (Value(0), node.dtype), (), node.name, node.origin)
    kernel = StepsKernel(1, (step,))
    return Blockwise(kernel, (BlockInput(node.x, axes=(0,)),), node.meta.chunks, node.meta)
