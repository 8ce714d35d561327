"""Tasks of a regrouping: each new block reads the blocks that it has a piece of."""

from __future__ import annotations

from typing import Any

from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import RegroupPlan
from gpuscale.graph.build import GraphBuilder, lays_out
from gpuscale.graph.sizes import block_nbytes

__all__: list[str] = []


@lays_out(RegroupPlan)
def _lay_out_regroup(builder: GraphBuilder, node: Exchange, wanted: list[tuple[int, ...]]) -> None:
    for index in wanted:
        pieces, key = node.plan.pieces[index[0]], builder.key(node, index)
        deps = [builder.want(node.inputs[number], (block,)) for number, block, _ in pieces]
        cuts = [cut for _, _, cut in pieces]
        if cuts == [None]:
            builder.hand_on(key, node, deps[0])
            continue
        distinct = list(dict.fromkeys(deps))
        places = [distinct.index(dep) for dep in deps]
        function = _Regroup(node.plan.join, cuts, places)
        nbytes = block_nbytes(node, index)
        builder.add(key, node, function, distinct, (), nbytes, nbytes)


class _Regroup:
    """Take a piece of each block, and join them."""

    __slots__ = ("cuts", "join", "places")

    def __init__(self, join: Any, cuts: list[Any], places: list[int]) -> None:
        self.join, self.cuts, self.places = join, cuts, places

    def __call__(self, *blocks: Any) -> Any:
        pieces = zip(self.cuts, self.places, strict=True)
        return self.join([blocks[k] if cut is None else cut(blocks[k]) for cut, k in pieces])
