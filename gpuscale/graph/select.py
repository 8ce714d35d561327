"""Tasks of a selection: a sample brackets the wanted ranks, one pass keeps what lies between.

The idea is that of Floyd and Rivest, "Expected time bounds for selection", 1975. Should a sample
mislead, the last task sees that by counting and partitions all blocks instead, so the answer is
exact for every order of the data.
"""

from __future__ import annotations

from typing import Any

from gpuscale.backends.seams import array_namespace
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import SelectPlan
from gpuscale.graph.build import GraphBuilder, lays_out

__all__: list[str] = []

BlockIndex = tuple[int, ...]
SAMPLE = 1 << 14  # elements of all blocks together
SIGMAS = 6  # half width of a bracket, in standard deviations of a sample's rank


@lays_out(SelectPlan)
def _lay_out_select(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    (x,) = node.inputs
    (sizes,) = x.meta.chunks
    name = builder.key(node, ())[0]
    itemsize, total = x.meta.dtype.itemsize, sum(sizes)
    step = max(1, total // SAMPLE)
    blocks = [builder.want(x, (k,)) for k in range(len(sizes))]
    samples = [(f"{name}-sample", k) for k in range(len(sizes))]
    for block, sample, size in zip(blocks, samples, sizes, strict=True):
        builder.add(sample, node, _sample, (block,), (step,), size // step * itemsize)
    bracket = (f"{name}-brackets",)
    ranks = node.plan.ranks
    builder.add(bracket, node, _brackets, samples, (ranks, total), 16 * len(ranks))
    kept = [(f"{name}-kept", k) for k in range(len(sizes))]
    for block, keep, size in zip(blocks, kept, sizes, strict=True):
        share = min(1.0, 2 * SIGMAS * len(ranks) / SAMPLE**0.5)
        nbytes = int(size * itemsize * share)
        builder.add(keep, node, _between, (bracket, block), (), nbytes, size * 2)
    for index in wanted:
        args = (ranks, len(sizes))
        builder.add(
            builder.key(node, index), node, _select, (*kept, *blocks), args, len(ranks) * itemsize
        )


def _sample(chunk: Any, step: int) -> Any:
    return chunk[step // 2 :: step]


def _brackets(*args: Any) -> list[tuple[Any, Any]]:
    """Values that lie a little below and above each rank; None where a sample has none."""
    *samples, ranks, total = args
    xp = array_namespace(samples[0])
    sample = xp.sort(xp.concatenate(samples))
    n = len(sample)
    found = []
    for rank in ranks:
        share = (rank + 0.5) / total
        margin = SIGMAS * (n * share * (1 - share)) ** 0.5 + 2
        low, high = int(n * share - margin), int(n * share + margin)
        found.append((sample[low] if low >= 0 else None, sample[high] if high < n else None))
    return found


def _between(brackets: list[tuple[Any, Any]], chunk: Any) -> list[tuple[int, Any]]:
    """For each bracket: how many elements lie below it, and those inside; -1 where NaN is."""
    xp = array_namespace(chunk)
    result = []
    for low, high in brackets:
        below = 0 if low is None else int(xp.count_nonzero(chunk < low))
        inside = chunk if low is None else chunk[chunk >= low]
        if high is not None:
            inside = inside[inside <= high]
        result.append((below, inside))
    if chunk.dtype.kind == "f" and bool(xp.isnan(chunk).any()):
        return [(-1, chunk[:0])] * len(brackets)
    return result


def _select(*args: Any) -> Any:
    *inputs, ranks, count = args
    kept, blocks = inputs[:count], inputs[count:]
    xp = array_namespace(blocks[0])
    out = xp.empty(len(ranks), dtype=blocks[0].dtype)
    if any(each[0][0] < 0 for each in kept):
        out[:] = xp.nan  # as NumPy: one NaN decides
        return out
    for k, rank in enumerate(ranks):
        below = sum(each[k][0] for each in kept)
        inside = xp.concatenate([each[k][1] for each in kept])
        if not below <= rank < below + len(inside):
            below, inside = 0, xp.concatenate(blocks)
        out[k] = xp.partition(inside, rank - below)[rank - below]
    return out
