"""Tasks of a sort across blocks: each block is sorted, then every new block is a merge of runs.

The ends of the new blocks are exact ranks, found by multisequence selection over the sorted
blocks, so the chunks of the result are known beforehand and ties keep their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from gpuscale.backends.seams import array_namespace
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import SortPlan
from gpuscale.graph.build import GraphBuilder, lays_out

__all__ = ["splitters"]

BlockIndex = tuple[int, ...]

_ALL_HELD = "its sorted blocks are all held at once, whatever the chunks: sort less"


@lays_out(SortPlan)
def _lay_out_sort(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    (x,) = node.inputs
    name = builder.key(node, ())[0]
    (sizes,) = x.meta.chunks
    starts = list(accumulate(sizes, initial=0))
    positions = node.plan.positions
    itemsize = x.meta.dtype.itemsize + 8 * positions
    runs = [(f"{name}-run", k) for k in range(len(sizes))]
    for k, run in enumerate(runs):
        nbytes = sizes[k] * itemsize
        args = (starts[k] if positions else None,)
        builder.add(run, node, _sort_block, (builder.want(x, (k,)),), args, nbytes, nbytes)
    ends = list(accumulate(node.meta.chunks[0], initial=0))
    table = (f"{name}-splitters",)
    builder.add(
        table, node, _Splitters(tuple(ends), positions), runs, (), 8 * len(ends) * len(runs)
    )
    for index in wanted:
        nbytes = node.meta.block_nbytes(index) or 0
        merge = _Merge(index[0], positions)
        workspace = nbytes + node.meta.block_shape(index)[0] * itemsize
        builder.add(builder.key(node, index), node, merge, (table, *runs), (), nbytes, workspace)


def _sort_block(chunk: Any, start: int | None) -> Any:
    """Sort a block; with positions, a pair of sorted elements and where they were."""
    xp = array_namespace(chunk)
    if start is None:
        return xp.sort(chunk)
    order = xp.argsort(chunk, kind="stable")
    return chunk[order], order + start


class _Splitters:
    """Where each sorted block is cut for every end of a new block."""

    __slots__ = ("ends", "pairs")
    advice = _ALL_HELD

    def __init__(self, ends: tuple[int, ...], pairs: bool) -> None:
        self.ends, self.pairs = ends, pairs

    def __call__(self, *runs: Any) -> Any:
        return splitters([run[0] for run in runs] if self.pairs else list(runs), self.ends)


def splitters(runs: Sequence[Any], ranks: Sequence[int]) -> Any:
    """Cut sorted runs so that the parts before the cuts hold the smallest elements.

    Parameters
    ----------
    runs : sequence of sorted arrays with one axis
    ranks : sequence of int
        How many elements shall lie before each cut.

    Returns
    -------
    array
        ``(len(ranks), len(runs))`` positions. Among equal elements those of earlier runs come
        first.

    Notes
    -----
    All ranks narrow down together: the pivot of each is the weighted median of the middles of
    what is left of the runs, which discards a quarter of it in every round. Varman et al.,
    "Merging multiple lists on hierarchical-memory multiprocessors", 1991.

    Examples
    --------
    >>> import numpy as np
    >>> splitters([np.array([1, 3, 5]), np.array([2, 3, 4])], [0, 3, 6])
    array([[0, 0],
           [2, 1],
           [3, 3]])
    """
    xp = array_namespace(runs[0])
    lengths = xp.asarray([len(run) for run in runs])
    targets = xp.asarray(ranks)[:, None]
    low = xp.zeros((len(ranks), len(runs)), dtype=int)
    high = xp.broadcast_to(lengths, low.shape).copy()
    cuts = xp.where(targets >= lengths.sum(), lengths, 0)
    open_ = xp.flatnonzero((targets[:, 0] > 0) & (targets[:, 0] < int(lengths.sum())))
    while open_.size:
        pivots = _pivots(xp, runs, low[open_], high[open_])
        left = xp.stack([xp.searchsorted(run, pivots, "left") for run in runs], axis=1)
        right = xp.stack([xp.searchsorted(run, pivots, "right") for run in runs], axis=1)
        wanted = targets[open_, 0]
        less, upto = left.sum(axis=1), right.sum(axis=1)
        found = (less <= wanted) & (wanted <= upto)
        equal = right - left
        before = xp.cumsum(equal, axis=1) - equal
        share = xp.clip((wanted - less)[:, None] - before, 0, equal)
        cuts[open_[found]] = (left + share)[found]
        below = (wanted < less)[:, None]
        high[open_] = xp.where(below, xp.minimum(high[open_], left), high[open_])
        above = (wanted > upto)[:, None]
        low[open_] = xp.where(above, xp.maximum(low[open_], right), low[open_])
        open_ = open_[~found]
    return cuts


def _pivots(xp: Any, runs: Sequence[Any], low: Any, high: Any) -> Any:
    """Weighted medians of the middles of what is left of each run, one for each rank."""
    weight = high - low
    middle = xp.minimum((low + high) // 2, xp.asarray([max(len(r) - 1, 0) for r in runs]))
    filler = next(run for run in runs if len(run))
    values = xp.stack(
        [
            run[middle[:, k]] if len(run) else filler[0:1].repeat(len(low))
            for k, run in enumerate(runs)
        ],
        axis=1,
    )
    order = xp.argsort(values, axis=1, kind="stable")
    running = xp.cumsum(xp.take_along_axis(weight, order, 1), axis=1)
    half = (running * 2 >= running[:, -1:]).argmax(axis=1)
    chosen = xp.take_along_axis(order, half[:, None], 1)
    return xp.take_along_axis(values, chosen, 1)[:, 0]


class _Merge:
    """Put the parts of all runs together that make one new block."""

    __slots__ = ("number", "pairs")
    advice = _ALL_HELD

    def __init__(self, number: int, pairs: bool) -> None:
        self.number, self.pairs = number, pairs

    def __call__(self, cuts: Any, *runs: Any) -> Any:
        first, last = cuts[self.number].tolist(), cuts[self.number + 1].tolist()
        values = [run[0] for run in runs] if self.pairs else runs
        xp = array_namespace(values[0])
        parts = xp.concatenate([v[a:b] for v, a, b in zip(values, first, last, strict=True)])
        if not self.pairs:
            parts.sort(kind="stable")  # merges runs that are sorted already
            return parts
        where = [run[1][a:b] for run, a, b in zip(runs, first, last, strict=True)]
        return xp.concatenate(where)[xp.argsort(parts, kind="stable")]
