"""A regrouping becomes an exchange; partitions that stay as they are cost nothing."""

from __future__ import annotations

from gpuscale.dataframe.algorithms.cuts import Join
from gpuscale.dataframe.nodes.regroup import Regroup
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import RegroupPlan
from gpuscale.expr.stages import lowers

__all__ = ["lower_regroup"]


@lowers(Regroup)
def lower_regroup(node: Regroup) -> Node:
    """Cut and join."""
    plan = RegroupPlan(node.pieces, Join(node.meta.frame, node.meta.backend), node.label)
    return Exchange(node.inputs, plan, node.meta)
