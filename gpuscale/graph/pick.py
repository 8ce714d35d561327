"""Tasks of a choice of whole blocks: each hands one block on."""

from __future__ import annotations

from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import PickPlan
from gpuscale.graph.build import GraphBuilder, lays_out
from gpuscale.graph.join import hand_on

__all__: list[str] = []


@lays_out(PickPlan)
def _lay_out_pick(builder: GraphBuilder, node: Exchange, wanted: list[tuple[int, ...]]) -> None:
    (x,) = node.inputs
    for index in wanted:
        source = tuple(n[k] for n, k in zip(node.plan.numbers, index, strict=True))
        builder.add(builder.key(node, index), node, hand_on, (builder.want(x, source),))
