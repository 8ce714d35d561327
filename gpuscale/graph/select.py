"""Tasks of a selection: a sample, brackets, a pass that keeps what lies in them, and the choice.

Blocks are computed inside the tasks that look at them and kept nowhere, where that costs little.
Should the sample have misled, the last task sees it, and goes through all blocks again by itself
with samples at random places, until every wanted element is found: the answer is exact for all
data, and no more than what is in the brackets is ever held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, count, product
from math import prod
from typing import Any

import numpy as np

from gpuscale.backends.creation import namespace
from gpuscale.backends.seams import array_namespace
from gpuscale.backends.transfer import to_host
from gpuscale.base.types import BlockIndex
from gpuscale.chunks.sampling import sample_step
from gpuscale.expr.fuse import is_computed_again
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import SelectPlan
from gpuscale.graph.brackets import (
    SIGMAS,
    Brackets,
    Kept,
    brackets_around,
    comparisons_room,
    elements_of_ranks,
    keep,
    keep_all,
)
from gpuscale.graph.build import GraphBuilder, lays_out
from gpuscale.graph.pieces import shared_reads
from gpuscale.graph.sizes import block_nbytes
from gpuscale.memory.spaces import HOST

__all__: list[str] = []


@lays_out(SelectPlan)
def _lay_out_select(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    x, *sample = node.inputs
    name, shares = builder.key(node, ())[0], node.plan.rule.q
    numbers = list(product(*map(range, x.meta.numblocks)))
    again = is_computed_again(x, builder.readers, passes=1 if sample else 2)
    blocks = [_Blocks(builder, x, [number], again) for number in numbers]
    step = sample_step(x.meta.size, len(shares))
    if sample:
        (small,) = sample
        samples = builder.want_all(small, list(product(*map(range, small.meta.numblocks))))
    else:
        samples = [(f"{name}-sample", *number) for number in numbers]
        starts = accumulate((b.size for b in blocks), initial=0)
        for key, block, start in zip(samples, blocks, starts, strict=False):
            args = (block, -start % step, step)
            builder.add(key, node, _sample, block.keys, args, block.nbytes // step, block.work)
    brackets = (f"{name}-brackets",)
    builder.add(brackets, node, _brackets, samples, (shares,), 64 * len(shares), 0, HOST)
    share = _kept_share(shares, x.meta.size // step)
    parts = [(f"{name}-kept", *number) for number in numbers]
    for key, block in zip(parts, blocks, strict=True):
        nbytes = int(block.nbytes * share)
        deps = (brackets, *block.keys)
        room = nbytes + block.work + comparisons_room(block.size, x.meta.backend)
        builder.add(key, node, _keep, deps, (block,), nbytes, room)
    everything = _Blocks(builder, x, numbers, again)
    choose = _Choose(node.plan.rule, len(parts), everything, x.meta.backend)
    deps = (brackets, *parts, *everything.keys)
    workspace = 2 * int(everything.nbytes * share)  # what blocks keep is brought to the host
    (index,) = wanted
    nbytes = block_nbytes(node, index)
    builder.add(builder.key(node, index), node, choose, deps, (), nbytes, workspace, HOST)


def _kept_share(shares: Sequence[float], sample: int) -> float:
    """Which part of all elements lies in brackets, roughly."""
    widths = [(share * (1 - share) * sample) ** 0.5 for share in shares]
    return min(1.0, sum(2 * SIGMAS * width + 4 for width in widths) / sample)


class _Blocks:
    """Some blocks of a node for one task: results of other tasks, or computed inside this one.

    Called with the results that ``keys`` name, or what reads these in regions, it yields them.
    """

    def __init__(
        self, builder: GraphBuilder, x: Any, numbers: list[BlockIndex], again: bool
    ) -> None:
        self.node = x if again else None
        self.numbers = numbers
        if again:
            ((self.keys, self.places),) = shared_reads(builder, x, [numbers])
        else:
            self.keys, self.places = builder.want_all(x, numbers), []
        sizes = [prod(x.meta.block_shape(number)) for number in numbers]
        self.size = sum(sizes)
        self.nbytes = self.size * x.meta.dtype.itemsize
        self.work = max(sizes) * x.meta.dtype.itemsize if again else 0

    def __call__(self, values: Sequence[Any]) -> Iterator[Any]:
        if self.node is None:
            yield from (value[...] for value in values)
            return
        for number, places in zip(self.numbers, self.places, strict=True):
            yield self.node.run(*(values[k][...] for k in places), number)


def _sample(*args: Any) -> Any:
    """Every so many elements of a block in C order."""
    *values, blocks, first, step = args
    (chunk,) = blocks(values)
    xp = array_namespace(chunk)
    return chunk[xp.unravel_index(xp.arange(first, chunk.size, step), chunk.shape)]


def _brackets(*args: Any) -> Brackets:
    *samples, shares = args
    return brackets_around(np.concatenate([to_host(sample) for sample in samples]), shares)


def _keep(brackets: Brackets, *args: Any) -> Kept:
    *values, blocks = args
    (chunk,) = blocks(values)
    return keep(chunk, brackets)


class _Choose:
    """The result from what all blocks kept; goes through the blocks again where that is needed."""

    __slots__ = ("backend", "blocks", "count", "rule")

    reads_regions = True  # one block after the other, if at all

    def __init__(self, rule: Any, count: int, blocks: _Blocks, backend: str) -> None:
        self.rule, self.count, self.blocks, self.backend = rule, count, blocks, backend

    def __call__(self, brackets: Brackets, *inputs: Any) -> Any:
        kept, values = keep_all(inputs[: self.count]), inputs[self.count :]
        size = int(kept.beyond[0])
        if size == 0 or size < kept.size and not self.rule.skip_nan:
            result = np.full(len(self.rule.q), np.nan, dtype=self.rule.dtype)
        else:
            low, high = self.rule.neighbours(size)
            found = self._find(brackets, kept, np.concatenate([low, high]), values)
            result = self.rule.combine(found[: len(low)], found[len(low) :], size)
        return namespace(self.backend).asarray(result)

    def _find(self, brackets: Brackets, kept: Kept, ranks: Any, values: Sequence[Any]) -> Any:
        attempts = count(1)
        while (found := elements_of_ranks(kept, brackets, ranks)) is None:
            brackets, kept = self._another_try(next(attempts), values)
        return found

    def _another_try(self, attempt: int, values: Sequence[Any]) -> tuple[Brackets, Kept]:
        """Brackets of elements at random places, and what lies in them."""
        generator = np.random.default_rng(attempt)
        share = 2**attempt / sample_step(self.blocks.size, len(self.rule.q))
        samples = [_at_random(chunk, share, generator) for chunk in self.blocks(values)]
        brackets = brackets_around(np.concatenate(samples), self.rule.q)
        return brackets, keep_all([keep(chunk, brackets) for chunk in self.blocks(values)])


def _at_random(chunk: Any, share: float, generator: np.random.Generator) -> Any:
    xp = array_namespace(chunk)
    wanted = 1 + int(chunk.size * share) if chunk.size else 0
    places = generator.integers(0, max(1, chunk.size), wanted)
    return to_host(chunk[xp.unravel_index(xp.asarray(places), chunk.shape)])
