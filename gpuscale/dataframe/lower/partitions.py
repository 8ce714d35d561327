"""Some partitions are the very partitions of what they are taken of."""

from __future__ import annotations

from gpuscale.dataframe.nodes.partitions import Partitions
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import PickPlan
from gpuscale.expr.stages import lowers

__all__ = ["lower_partitions"]


@lowers(Partitions)
def lower_partitions(node: Partitions) -> Node:
    """Have readers read those that are chosen."""
    return Exchange((node.x,), PickPlan((node.numbers,)), node.meta)
