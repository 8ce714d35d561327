"""Tasks of a shuffle: partitions are cut by where their rows go, and parts are put together.

New partitions read their parts out of the cut partitions, wherever these are: what memory has no
room for is written to disk part by part. On a cluster, where a task fetches its inputs as a whole,
workers pass on the parts, unless there is memory for all of it a few times. Where they cannot, or
there is little less, each part is a task: nobody waits until all are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from gpuscale.base.types import BlockIndex, Key
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import ShufflePlan
from gpuscale.expr.reads import is_planned_elsewhere
from gpuscale.graph.build import GraphBuilder, lays_out
from gpuscale.graph.piece_shuffle import PieceShuffle, Rows, passes_pieces
from gpuscale.memory.limits import budget_of
from gpuscale.memory.pickler import packed, unpacked
from gpuscale.memory.projection import MORE_PARTITIONS

__all__: list[str] = []

# Times the data: before, cut, made, and what these take, of each of two frames that a merge reads;
# a worker may do all of it for others that have died.
_IN_MEMORY = 8


@lays_out(ShufflePlan)
def _lay_out_shuffle(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    x, *others = node.inputs
    shared = tuple(builder.want(each, (0,) * each.meta.ndim) for each in others)
    blocks = list(product(*map(range, x.meta.numblocks)))
    count, new = len(blocks), node.meta.numblocks[0]
    sizes = [x.meta.block_nbytes(index) or 0 for index in blocks]
    total, backend = sum(sizes), node.meta.backend
    if not is_planned_elsewhere() or _IN_MEMORY * total <= budget_of(backend):
        lay_out = _lay_out_whole
    elif 2 * len(wanted) >= new and passes_pieces(backend, (), total, 2 * total, count * new):
        lay_out = _lay_out_pieces
    else:
        lay_out = _lay_out_parts
    sources = builder.want_all(x, blocks)
    lay_out(builder, node, wanted, sources, shared, sizes)


def _lay_out_whole(
    builder: GraphBuilder,
    node: Exchange,
    wanted: list[BlockIndex],
    sources: Sequence[Key],
    shared: tuple[Key, ...],
    sizes: list[int],
) -> None:
    """Have new partitions read their parts of whatever is cut."""
    cuts = _cuts(builder, node, sources, shared, sizes)
    share = sum(sizes) // node.meta.numblocks[0]
    for index in wanted:
        make = _OfCuts(node.plan, index[0])
        builder.add(builder.key(node, index), node, make, cuts, (), share, 2 * share)


def _lay_out_parts(
    builder: GraphBuilder,
    node: Exchange,
    wanted: list[BlockIndex],
    sources: Sequence[Key],
    shared: tuple[Key, ...],
    sizes: list[int],
) -> None:
    """Have a task for each part of what is cut."""
    name, new = builder.key(node, ())[0], node.meta.numblocks[0]
    cuts, share = _cuts(builder, node, sources, shared, sizes), sum(sizes) // new
    for index in wanted:
        parts: list[Key] = [(f"{name}-part", k, *index) for k in range(len(cuts))]
        for part, key, size in zip(parts, cuts, sizes, strict=True):
            builder.add(part, node, _Part(index[0]), (key,), (), size // new, 0)
        builder.add(builder.key(node, index), node, _OfParts(node.plan), parts, (), share, share)


def _cuts(
    builder: GraphBuilder,
    node: Exchange,
    sources: Sequence[Key],
    shared: tuple[Key, ...],
    sizes: list[int],
) -> list[Key]:
    """Cut all partitions."""
    name, plan = builder.key(node, ())[0], node.plan
    cuts: list[Key] = [(f"{name}-cut", k) for k in range(len(sources))]
    cut = (_Cut if node.inputs[0].meta.known else _MeasuredCut)(plan.cut)
    for key, source, size in zip(cuts, sources, sizes, strict=True):
        builder.add(key, node, cut, (source, *shared), (), size, size)
    return cuts


def _lay_out_pieces(
    builder: GraphBuilder,
    node: Exchange,
    wanted: list[BlockIndex],
    sources: Sequence[Key],
    shared: tuple[Key, ...],
    sizes: list[int],
) -> None:
    """Have workers pass on the parts, packed as bytes."""
    new, plan = node.meta.numblocks[0], node.plan
    shuffle = PieceShuffle(builder, node, len(sources), 1, new, max(sizes))
    for k, source in enumerate(sources):
        shuffle.hand_over(k, 0, _CutRows(plan.cut), (source, *shared), 2 * sizes[k])
    shuffle.wait()
    share, make = sum(sizes) // new, _OfPacked(plan)
    for index in wanted:
        key = builder.key(node, index)
        shuffle.take(key, 0, index[0], make, [_BYTES], (), share, 3 * share)


_BYTES: tuple[np.dtype[Any], tuple[int, ...]] = (np.dtype(np.uint8), ())


class _CutRows:
    """What new partitions have of a partition, a part of the rows at a time."""

    __slots__ = ("cut",)

    def __init__(self, cut: Any) -> None:
        self.cut = cut

    def __call__(self, *inputs_and_index: Any) -> tuple[Rows, list[tuple[int, int]]]:
        cut = self.cut(*inputs_and_index[:-1])

        def rows(number: int, start: int, stop: int) -> list[Any]:
            # Of one without rows the first piece says what columns there are.
            is_needed = start < stop or not start
            return [packed(cut.between(number, start, stop)) if is_needed else _NOTHING]

        return rows, [(0, length) for length in cut.lengths]


_NOTHING = np.empty(0, np.uint8)


class _OfPacked:
    """Make a new partition of its parts, which are bytes one after the other."""

    __slots__ = ("plan",)
    otherwise = MORE_PARTITIONS

    def __init__(self, plan: ShufflePlan) -> None:
        self.plan = plan

    def __call__(self, rows: Any, index: BlockIndex) -> Any:
        return self.plan.make(list(unpacked(rows["f0"])))


class _Cut:
    """Cut a partition."""

    __slots__ = ("cut",)
    otherwise = MORE_PARTITIONS

    def __init__(self, cut: Any) -> None:
        self.cut = cut

    def __call__(self, partition: Any, *others: Any) -> Any:
        return self.cut(partition, *others)


class _MeasuredCut(_Cut):
    """Cut a partition of which nobody knows how many rows it will have: it is looked at then."""

    __slots__ = ()

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Bytes of the cut rows, and of what cutting takes, from those of the inputs."""
        return sizes[0], sizes[0]


class _OfCuts:
    """Make a new partition of what cut partitions have of it."""

    __slots__ = ("number", "plan")
    otherwise = MORE_PARTITIONS
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
    otherwise = MORE_PARTITIONS

    def __init__(self, plan: ShufflePlan) -> None:
        self.plan = plan

    def __call__(self, *parts: Any) -> Any:
        return self.plan.make(list(parts))
