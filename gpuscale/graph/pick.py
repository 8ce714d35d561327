"""A choice of whole blocks: its readers read the blocks that are chosen."""

from __future__ import annotations

from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import PickPlan
from gpuscale.graph.build import GraphBuilder, lays_out

__all__: list[str] = []


@lays_out(PickPlan)
def _lay_out_pick(builder: GraphBuilder, node: Exchange, wanted: list[tuple[int, ...]]) -> None:
    (x,) = node.inputs
    for index in wanted:
        source = tuple(n[k] for n, k in zip(node.plan.numbers, index, strict=True))
        builder.hand_on(builder.key(node, index), node, builder.want(x, source))
