"""Rechunking becomes an exchange through grids that bound memory."""

from __future__ import annotations

from gpuscale.array.nodes.rechunk import Rechunk
from gpuscale.chunks.rechunk import plan_rechunk
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import RechunkPlan
from gpuscale.expr.stages import lowers
from gpuscale.memory.limits import budget_of

__all__ = ["lower_rechunk"]

SHARE = 8  # part of the memory limit that one task of an exchange may hold


@lowers(Rechunk)
def lower_rechunk(node: Rechunk) -> Node:
    """Plan the steps between the two grids."""
    limit = budget_of(node.meta.backend) // SHARE
    steps = plan_rechunk(node.x.meta.chunks, node.chunks, node.meta.dtype.itemsize, limit)
    return Exchange((node.x,), RechunkPlan(tuple(steps)), node.meta)
