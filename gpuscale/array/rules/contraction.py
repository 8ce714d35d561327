"""Sums of products are made in the way for which there is memory: that of the run."""

from __future__ import annotations

from gpuscale.array.contraction import contracted
from gpuscale.array.nodes.contraction import Contract
from gpuscale.expr.node import Node
from gpuscale.expr.stages import simplify_rules

__all__ = ["plan_contraction"]


@simplify_rules.rule(Contract)
def plan_contraction(node: Contract) -> Node:
    """Have rows of blocks read by one task, or tiles made, or products added by a tree."""
    return contracted(node)
