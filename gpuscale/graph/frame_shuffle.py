"""Tasks of a shuffle: partitions are cut by where their rows go, and parts are put together.

New partitions read their parts out of the cut partitions, wherever these are: what memory has no
room for is written to disk part by part. On a cluster, where a task fetches its inputs as a whole,
each part is a task, unless there is memory for all of it a few times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpuscale.base.types import BlockIndex, Key
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import ShufflePlan
from gpuscale.expr.reads import is_planned_elsewhere
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
    cut = plan.cut if x.meta.known else _MeasuredCut(plan.cut)
    for k, source in enumerate(builder.want_all(x, [(k,) for k in range(count)])):
        builder.add(cuts[k], node, cut, (source, *shared), (), sizes[k], sizes[k])
    share = sum(sizes) // new
    if not is_planned_elsewhere() or _IN_MEMORY * sum(sizes) <= budget_of(node.meta.backend):
        for index in wanted:
            make = _OfCuts(plan, index[0])
            builder.add(builder.key(node, index), node, make, cuts, (), share, 2 * share)
        return
    for index in wanted:
        parts: list[Key] = [(f"{name}-part", k, *index) for k in range(count)]
        for part, key, size in zip(parts, cuts, sizes, strict=True):
            builder.add(part, node, _Part(index[0]), (key,), (), size // new, 0)
        builder.add(builder.key(node, index), node, _OfParts(plan), parts, (), share, share)


class _MeasuredCut:
    """Cut a partition of which nobody knows how many rows it will have: it is looked at then."""

    __slots__ = ("cut",)

    def __init__(self, cut: Any) -> None:
        self.cut = cut

    def __call__(self, partition: Any, *others: Any) -> Any:
        return self.cut(partition, *others)

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Bytes of the cut rows, and of what cutting takes, from those of the inputs."""
        return sizes[0], sizes[0]


class _OfCuts:
    """Make a new partition of what cut partitions have of it."""

    __slots__ = ("number", "plan")
    reads_regions = True

    def __init__(self, plan: ShufflePlan, number: int) -> None:
        self.plan, self.number = plan, number

    def __call__(self, *cuts: Any) -> Any:
        return self.plan.make([cut[self.number] for cut in cuts])


class _Part:
    """A part of a cut partition, which does not keep the rest alive."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, cut: Any) -> Any:
        return cut[self.number].copy()


class _OfParts:
    """Make a new partition of its parts."""

    __slots__ = ("plan",)

    def __init__(self, plan: ShufflePlan) -> None:
        self.plan = plan

    def __call__(self, *parts: Any) -> Any:
        return self.plan.make(list(parts))
