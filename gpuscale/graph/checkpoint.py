"""Tasks of a checkpoint: blocks that are there are read, and nothing behind them is computed."""

from __future__ import annotations

from typing import Any

from gpuscale.base.types import BlockIndex
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import CheckpointPlan
from gpuscale.graph.build import GraphBuilder, lays_out
from gpuscale.graph.sizes import all_nbytes

__all__: list[str] = []


@lays_out(CheckpointPlan)
def _lay_out_checkpoint(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    (x,) = node.inputs
    entry, quiet = node.plan.entry, node.plan.quiet
    kept = entry.kept()
    keep, read = _Keep(entry, quiet), _nothing if quiet else entry.read
    keys, sizes = builder.keys(node, wanted), all_nbytes(node, wanted)
    for index, key, nbytes in zip(wanted, keys, sizes, strict=True):
        room = 0 if quiet else nbytes
        if index in kept:
            builder.add(key, node, read, (), (index,), room)
        else:
            builder.add(key, node, keep, (builder.want(x, index),), (index,), room)


class _Keep:
    """Write one block, and hand it on where somebody wants it."""

    __slots__ = ("entry", "quiet")
    saves = True  # so it is to run as soon as the block is there

    def __init__(self, entry: Any, quiet: bool) -> None:
        self.entry, self.quiet = entry, quiet

    def __call__(self, chunk: Any, index: BlockIndex) -> Any:
        self.entry.keep(index, chunk)
        return None if self.quiet else chunk


def _nothing(index: BlockIndex) -> None:
    return None
