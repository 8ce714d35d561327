"""Tasks of a rechunk whose pieces go from worker to worker, each to where it is needed.

A task on a cluster that reads a piece of a block fetches the whole block, so a rechunk that cuts
every block across all others would move, and hold, all of them many times. The workers of
dask.distributed pass pieces on by themselves, through files where memory is short: a task for each
old block hands its pieces over, one waits until all have, and one for each new block takes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, Self

from gpuscale.base.types import BlockIndex, Chunks, Key
from gpuscale.chunks.rechunk import step_cost
from gpuscale.expr.physical import Exchange
from gpuscale.expr.reads import is_planned_elsewhere

if TYPE_CHECKING:
    from gpuscale.graph.build import GraphBuilder

__all__ = ["HandOver", "ShuffleStep", "Take", "WaitForAll", "lay_out_shuffle", "shuffles"]

#: Bytes of a piece on the average: smaller ones cost their worker more than copies of whole blocks.
LEAST_PIECE = 1 << 17
# Arrays of these kinds are written to files as they are.
_PLAIN = "biufcmM"


@dataclass(frozen=True)
class ShuffleStep:
    """What a task of a shuffle calls; only workers of dask.distributed can.

    Parameters
    ----------
    shuffle : str
        Name of the shuffle, which no other has that runs at the same time.
    """

    shuffle: Any  # a ShuffleId of dask.distributed, which is a str

    def of_run(self, mark: str) -> Self:
        """Return the step for a run that has a mark of its own."""
        return replace(self, shuffle=f"{self.shuffle}-{mark}")


@dataclass(frozen=True)
class HandOver(ShuffleStep):
    """The task of an old block."""

    def __call__(self, block: Any, index: BlockIndex) -> Any:
        """Give the pieces of a block to the workers that need them, and return the run."""
        from distributed.shuffle._rechunk import rechunk_transfer

        return rechunk_transfer(block, self.shuffle, index)


@dataclass(frozen=True)
class WaitForAll(ShuffleStep):
    """The task between the old blocks and the new ones.

    Parameters
    ----------
    old, new : Chunks
        Before and after the rechunk.
    """

    old: Chunks
    new: Chunks

    @property
    def key(self) -> str:
        """By which the scheduler finds the task."""
        return f"shuffle-barrier-{self.shuffle}"

    def __call__(self, *runs: Any) -> Any:
        """Wait until all pieces are where they belong, and return the run."""
        from distributed.shuffle._core import p2p_barrier

        return p2p_barrier(self.shuffle, *runs)


@dataclass(frozen=True)
class Take(ShuffleStep):
    """The task of a new block."""

    def __call__(self, run: Any, index: BlockIndex) -> Any:
        """Put a block together from its pieces, on the worker that has them."""
        from distributed.shuffle._rechunk import rechunk_unpack

        return rechunk_unpack(self.shuffle, index, run)


def shuffles(node: Exchange, wanted: list[BlockIndex]) -> bool:
    """Whether workers are to pass on the pieces of a rechunk.

    They pass on all of them, so not where few blocks are wanted. Where each block has few pieces,
    nobody has to wait until all others are there.
    """
    (x,), meta = node.inputs, node.meta
    if not is_planned_elsewhere() or len(node.plan.steps) == 1 or meta.backend != "numpy":
        return False
    if meta.dtype.kind not in _PLAIN or not meta.known or not meta.size:
        return False
    pieces = step_cost(x.meta.chunks, meta.chunks, meta.dtype.itemsize).pieces
    return pieces * LEAST_PIECE <= meta.nbytes and 2 * len(wanted) >= prod(meta.numblocks)


def lay_out_shuffle(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    """Add the tasks of a rechunk whose pieces workers pass on."""
    (x,) = node.inputs
    name = builder.key(node, ())[0]
    hand_over, take = HandOver(name), Take(name)
    handed: list[Key] = []
    for index in product(*map(range, x.meta.numblocks)):
        handed.append((f"{name}-handed", *index))
        room = x.meta.block_nbytes(index) or 0
        builder.add(handed[-1], node, hand_over, [builder.want(x, index)], (index,), 0, room)
    all_there = (f"{name}-all",)
    wait = WaitForAll(name, x.meta.chunks, node.meta.chunks)
    builder.add(all_there, node, wait, handed)
    for index in wanted:
        nbytes = node.meta.block_nbytes(index) or 0
        builder.add(builder.key(node, index), node, take, [all_there], (index,), nbytes)
