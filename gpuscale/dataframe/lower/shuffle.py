"""A shuffle is an exchange."""

from __future__ import annotations

from gpuscale.dataframe.nodes.shuffle import Shuffle
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import ShufflePlan
from gpuscale.expr.stages import lowers

__all__ = ["lower_shuffle"]


@lowers(Shuffle)
def lower_shuffle(node: Shuffle) -> Node:
    """Plan it."""
    plan = ShufflePlan(node.cut, node.make, node.label)
    return Exchange((node.x, *node.others), plan, node.meta)
