"""Tasks of a rechunk whose pieces go from worker to worker, each to where it is needed.

A task on a cluster that reads a piece of a block fetches the whole block, so a rechunk that cuts
every block across all others would move, and hold, all of them many times. The workers of
dask.distributed pass pieces on by themselves, through files where memory is short: a task for each
old block hands its pieces over, one waits until all have, and one for each new block takes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from inspect import signature
from itertools import accumulate, pairwise, product
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Self

from gpuscale.base.types import BlockIndex, Chunks, Key
from gpuscale.chunks.rechunk import step_cost
from gpuscale.expr.physical import Exchange
from gpuscale.expr.reads import is_planned_elsewhere
from gpuscale.memory.limits import memory_limit

if TYPE_CHECKING:
    from gpuscale.graph.build import GraphBuilder

__all__ = [
    "LEAST_PIECE",
    "OURS",
    "PLAIN",
    "ROOMS",
    "HandOver",
    "ShuffleStep",
    "Take",
    "WaitForAll",
    "lay_out_shuffle",
    "shuffles",
    "workers_pass_pieces",
]

#: What names of shuffles begin with.
OURS = "gpuscale-"

#: Bytes of a piece on the average: smaller ones cost their worker more than copies of whole blocks.
LEAST_PIECE = 1 << 17
#: What whole blocks may take of a worker: it holds results, and its program, beside them.
ROOMS = 3
#: Arrays of these kinds are written to files as they are.
PLAIN = "biufcmM"


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
    turns : int
        In how many of the old blocks, along the first axis, each task hands over what it has.
    """

    takes_failures: ClassVar[bool] = True

    old: Chunks
    new: Chunks
    turns: int = 1

    @property
    def key(self) -> str:
        """By which the scheduler finds the task."""
        return f"shuffle-barrier-{self.shuffle}"

    def __call__(self, *runs: Any) -> Any:
        """Wait until all pieces are where they belong, and return the run.

        Where tasks may fail, what stands in the place of a run that there is not goes on to the
        new blocks that need its old one.
        """
        from distributed.shuffle._core import p2p_barrier

        good = [run for run in runs if isinstance(run, int)]
        if not good:
            return runs[0]
        run = p2p_barrier(self.shuffle, *good)
        if len(good) == len(runs):
            return run
        places = product(*(list(pairwise(accumulate(axis, initial=0))) for axis in self.old))
        width = prod(map(len, self.old[1:]))  # of the blocks of a turn
        rows = (runs[k : k + width] for k in range(0, len(runs), width))
        runs = tuple(run for row in rows for run in row * self.turns)
        lost = [pair for pair in zip(places, runs, strict=True) if not isinstance(pair[1], int)]
        return Incomplete(run, self.new, tuple(lost))


@dataclass(frozen=True)
class Incomplete:
    """A run that lacks the pieces of blocks that failed.

    Parameters
    ----------
    run : object
    new : Chunks
        After the rechunk.
    lost : tuple
        For each block that failed, where it begins and ends along each axis, and the failure.
    """

    run: Any
    new: Chunks
    lost: tuple[tuple[tuple[tuple[Any, Any], ...], Any], ...]

    def failure_of(self, index: BlockIndex) -> Any:
        """What stands in the place of a new block; None if all of its pieces are there."""
        starts = [sum(axis[:i]) for i, axis in zip(index, self.new, strict=True)]
        ends = [sum(axis[: i + 1]) for i, axis in zip(index, self.new, strict=True)]
        for place, failure in self.lost:
            sides = zip(place, starts, ends, strict=True)
            if all(first < end and start < last for (first, last), start, end in sides):
                return failure
        return None


@dataclass(frozen=True)
class Take(ShuffleStep):
    """The task of a new block."""

    def __call__(self, run: Any, index: BlockIndex) -> Any:
        """Put a block together from its pieces, on the worker that has them."""
        from distributed.shuffle._rechunk import rechunk_unpack

        if isinstance(run, Incomplete):
            failure, run = run.failure_of(index), run.run
            if failure is not None:
                return failure
        return rechunk_unpack(self.shuffle, index, run)


def workers_pass_pieces() -> bool:
    """Whether this release of dask.distributed has what the tasks of a shuffle call.

    These are no public names of it. Without them, whole blocks move, as everywhere else.
    """
    try:
        from distributed.shuffle import _buffer, _core, _disk, _limiter, _rechunk

        takes: dict[Any, list[str]] = {
            _rechunk.rechunk_transfer: ["input", "id", "input_chunk"],
            _rechunk.rechunk_unpack: ["id", "output_chunk", "barrier_run_id"],
            _rechunk.ArrayRechunkSpec: ["id", "disk", "new", "old"],
            _rechunk.ArrayRechunkSpec.create_run_on_worker: [
                "self", "run_id", "span_id", "worker_for", "plugin",
            ],
            _rechunk.ArrayRechunkRun.send: ["self", "address", "shards"],
            _rechunk.ArrayRechunkRun.receive: ["self", "data"],
            _rechunk.ArrayRechunkRun.offload: ["self", "func", "args", "kwargs"],
            _limiter.ResourceLimiter: ["limit", "metrics_label"],
            _buffer.ShardsBuffer: ["memory_limiter", "concurrency_limit", "max_message_size"],
            _disk.DiskShardsBuffer._process: ["self", "id", "shards"],
            _core.P2PBarrierTask: ["key", "func", "args", "spec", "kwargs"],
            _core.p2p_barrier: ["id", "run_ids"],
        }  # fmt: skip
    except (ImportError, AttributeError):
        return False
    return all(list(signature(each).parameters) == names for each, names in takes.items())


def shuffles(node: Exchange, wanted: list[BlockIndex]) -> bool:
    """Whether workers are to pass on the pieces of a rechunk.

    They pass on all of them, so not where few blocks are wanted. Where each block has few pieces,
    and a worker has room for the blocks that they are of, nobody has to wait until all others are
    there.
    """
    (x,), meta = node.inputs, node.meta
    if not is_planned_elsewhere() or meta.backend != "numpy":
        return False
    if meta.dtype.kind not in PLAIN or not meta.known or not meta.size:
        return False
    direct = step_cost(x.meta.chunks, meta.chunks, meta.dtype.itemsize)
    if len(node.plan.steps) == 1 and direct.held_bytes * ROOMS <= memory_limit():
        return False
    is_worth = direct.pieces * LEAST_PIECE <= meta.nbytes
    return is_worth and 2 * len(wanted) >= prod(meta.numblocks) and workers_pass_pieces()


def lay_out_shuffle(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    """Add the tasks of a rechunk whose pieces workers pass on."""
    (x,) = node.inputs
    name = builder.key(node, ())[0]
    shuffle = OURS + name
    hand_over, take = HandOver(shuffle), Take(shuffle)
    handed: list[Key] = []
    for index in product(*map(range, x.meta.numblocks)):
        handed.append((f"{name}-handed", *index))
        room = x.meta.block_nbytes(index) or 0
        builder.add(handed[-1], node, hand_over, [builder.want(x, index)], (index,), 0, room)
    all_there = (f"{name}-all",)
    wait = WaitForAll(shuffle, x.meta.chunks, node.meta.chunks)
    builder.add(all_there, node, wait, handed)
    for index in wanted:
        nbytes = node.meta.block_nbytes(index) or 0
        builder.add(builder.key(node, index), node, take, [all_there], (index,), nbytes)
