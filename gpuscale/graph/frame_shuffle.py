"""Tasks of a shuffle: partitions are cut by where their rows go, and pieces are put together.

Where there is memory for all of it a few times, new partitions read their pieces out of the cut
partitions. Otherwise each piece is a task, whose result is written to disk until its partition is
made, if it must.
"""

from __future__ import annotations

from typing import Any

from gpuscale.base.types import BlockIndex, Key
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import ShufflePlan
from gpuscale.graph.build import GraphBuilder, lays_out
from gpuscale.memory.limits import budget_of

__all__: list[str] = []

_IN_MEMORY = 4  # times the data: before, cut, made, and what these take


@lays_out(ShufflePlan)
def _lay_out_shuffle(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    x, *others = node.inputs
    plan, name = node.plan, builder.key(node, ())[0]
    count, new = x.meta.numblocks[0], node.meta.numblocks[0]
    shared = tuple(builder.want(each, (0,) * each.meta.ndim) for each in others)
    sizes = [x.meta.block_nbytes((k,)) or 0 for k in range(count)]
    cuts: list[Key] = [(f"{name}-cut", k) for k in range(count)]
    for k, source in enumerate(builder.want_all(x, [(k,) for k in range(count)])):
        builder.add(cuts[k], node, plan.cut, (source, *shared), (), sizes[k], sizes[k])
    share = sum(sizes) // new
    if _IN_MEMORY * sum(sizes) <= budget_of(node.meta.backend):
        for index in wanted:
            make = _OfCuts(plan, index[0])
            builder.add(builder.key(node, index), node, make, cuts, (), share, share)
        return
    for index in wanted:
        pieces: list[Key] = [(f"{name}-piece", k, *index) for k in range(count)]
        for piece, cut, size in zip(pieces, cuts, sizes, strict=True):
            builder.add(piece, node, plan.piece, (cut,), (index[0], True), size // new, 0)
        builder.add(builder.key(node, index), node, _OfPieces(plan), pieces, (), share, share)


class _OfCuts:
    """Make a new partition of what cut partitions have of it."""

    __slots__ = ("number", "plan")

    def __init__(self, plan: ShufflePlan, number: int) -> None:
        self.plan, self.number = plan, number

    def __call__(self, *cuts: Any) -> Any:
        return self.plan.make([self.plan.piece(cut, self.number, False) for cut in cuts])


class _OfPieces:
    """Make a new partition of its pieces."""

    __slots__ = ("plan",)

    def __init__(self, plan: ShufflePlan) -> None:
        self.plan = plan

    def __call__(self, *pieces: Any) -> Any:
        return self.plan.make(list(pieces))
