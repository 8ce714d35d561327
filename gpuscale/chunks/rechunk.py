"""From one grid of blocks to another, in steps of bounded memory.

A step that cuts every block across another axis makes (old blocks) x (new blocks) pieces and lets
one task read blocks from all over the array. Going through grids in between makes fewer pieces
and bounds what a task holds, at the price of one more copy of the data each.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from math import prod
from typing import NamedTuple

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Chunks, Size, is_known
from gpuscale.chunks.blocks import (
    KnownChunks,
    known_sizes,
    max_block,
    merge_sizes,
    n_blocks,
    offsets,
)

__all__ = ["Piece", "Step", "intersections", "plan_rechunk", "step_cost"]

#: A part of an old block: its number, and where in it the part begins and ends.
Piece = tuple[int, int, Size]

# What a copy of the data costs beside what a piece costs (a slice, an edge of the graph, its
# share of an assignment). Only their ratio matters: 2 GB/s against 10 microseconds.
_BYTES_PER_PIECE = 20_000
_MOST_STEPS = 6
# Grids in between keep at least this many blocks, for the workers.
_LEAST_BLOCKS = 32
# A direct step with this many pieces per block is never worth planning around.
_FEW_PIECES = 4


class Step(NamedTuple):
    """What one rechunk step costs: pieces copied, and the bytes that its largest task holds."""

    pieces: int
    held_bytes: int


def intersections(old: tuple[Size, ...], new: tuple[Size, ...]) -> tuple[tuple[Piece, ...], ...]:
    """Return, for each new block of an axis, the parts of old blocks that make it up.

    Every new block has at least one piece, an empty one if need be, so that a task always has an
    input from which to take its backend and dtype.

    Parameters
    ----------
    old, new : tuple of int
        Sizes of the blocks of one axis before and after; equal ones may be unknown.

    Returns
    -------
    tuple of tuples of (old block, start, stop)
        Positions count from the start of the old block.

    Raises
    ------
    ValueError
        If the sizes do not make up the same length.
    UnknownSizeError
        If blocks of unknown size would have to be cut.

    Examples
    --------
    >>> intersections((4, 4), (3, 5))
    (((0, 0, 3),), ((0, 3, 4), (1, 0, 4)))
    """
    if old == new:
        return tuple([((block, 0, size),) for block, size in enumerate(old)])
    old_starts, new_starts = offsets(old), offsets(new)
    if old_starts[-1] != new_starts[-1]:
        raise ValueError(f"blocks of {old_starts[-1]} and of {new_starts[-1]} elements")
    pieces = []
    block = 0
    for begin, end in pairwise(new_starts):
        parts = []
        while begin < end:
            while old_starts[block + 1] <= begin:
                block += 1
            stop = min(end, old_starts[block + 1])
            parts.append((block, begin - old_starts[block], stop - old_starts[block]))
            begin = stop
        pieces.append(tuple(parts) or ((min(block, len(old) - 1), 0, 0),))
    return tuple(pieces)


def plan_rechunk(old: Chunks, new: Chunks, itemsize: int, max_bytes: int) -> list[Chunks]:
    """Return the grids to go through, one exchange each; the last one is `new`.

    Every plan considered merges blocks along the axes on which they have to grow, walks from the
    old to the new block shape through their geometric means (whose volume cannot exceed the
    larger one), and cuts down at the end. The cheapest plan whose tasks hold at most `max_bytes`
    is taken, or the one that holds least where none does.

    Parameters
    ----------
    old, new : Chunks
        Blocks before and after. Axes of unknown size must be equal.
    itemsize : int
        Bytes per element.
    max_bytes : int
        What one task should hold at most: the blocks that it reads and the block that it writes.

    Returns
    -------
    list of Chunks
        Empty if the grids are equal already.

    Raises
    ------
    ValueError
        If the grids are of different shapes.
    UnknownSizeError
        If an axis of unknown size would have to be cut.

    Notes
    -----
    The walk through geometric means is the multi-stage plan of rechunker (Pangeo,
    ``rechunker.algorithm.multistage_rechunking_plan``) and of its use in Cubed.

    Examples
    --------
    >>> plan_rechunk(((4, 4),), ((8,),), 8, 10**6)
    [((8,),)]
    >>> rows, columns = ((1,) * 4096, (4096,)), ((4096,), (1,) * 4096)
    >>> [(len(a), len(b)) for a, b in plan_rechunk(rows, columns, 8, 2**28)]
    [(64, 1), (1, 64), (1, 4096)]
    """
    if old == new:
        return []
    _check(old, new)
    # Axes that stay are left out of the arithmetic: they may be unknown.
    moving = [axis for axis, sizes in enumerate(old) if sizes != new[axis]]
    start, stop = (tuple(known_sizes(chunks[axis]) for axis in moving) for chunks in (old, new))
    beside = prod(
        max(sizes, default=1) if is_known(sizes) else 1
        for axis, sizes in enumerate(old)
        if axis not in moving
    )
    best = _best_plan(start, stop, itemsize * max(beside, 1), max_bytes)
    return [_with_axes(old, moving, chunks) for chunks in best]


def _check(old: Chunks, new: Chunks) -> None:
    if len(old) != len(new):
        raise ValueError(f"cannot rechunk {len(old)} axes to {len(new)}")
    for axis, (before, after) in enumerate(zip(old, new, strict=True)):
        if before == after:
            continue
        if not (is_known(before) and is_known(after)):
            raise UnknownSizeError(
                f"cannot rechunk axis {axis}: its blocks have sizes that depend on data and are "
                "not computed yet; call x.compute_chunk_sizes() first"
            )
        if sum(before) != sum(after):
            raise ValueError(f"cannot rechunk axis {axis} of length {sum(before)} to {sum(after)}")


def _with_axes(chunks: Chunks, axes: list[int], replaced: KnownChunks) -> Chunks:
    at = dict(zip(axes, replaced, strict=True))
    return tuple(at.get(axis, sizes) for axis, sizes in enumerate(chunks))


def _best_plan(
    old: KnownChunks, new: KnownChunks, itemsize: int, max_bytes: int
) -> list[KnownChunks]:
    direct = step_cost(old, new, itemsize)
    few = direct.pieces <= _FEW_PIECES * (n_blocks(old) + n_blocks(new))
    if few and direct.held_bytes <= max_bytes:
        return [new]
    n_elements = prod(sum(sizes) for sizes in old)
    copies = n_elements * itemsize / _BYTES_PER_PIECE
    priced = []
    for plan in _candidates(old, new, min(max_bytes // itemsize, n_elements // _LEAST_BLOCKS)):
        steps = [step_cost(a, b, itemsize) for a, b in pairwise([old, *plan])]
        work = sum(step.pieces for step in steps) + len(steps) * copies
        priced.append((max(step.held_bytes for step in steps), work, plan))
    # Where no plan fits, the last few bytes are not worth any number of copies.
    bound = max(max_bytes, 2 * min(held for held, _, _ in priced))
    return min((work, plan) for held, work, plan in priced if held <= bound)[1]


def _candidates(old: KnownChunks, new: KnownChunks, max_volume: int) -> Iterator[list[KnownChunks]]:
    """Yield plans: merge up to a volume, so many geometric steps, cut down to the end."""
    yield [new]
    seen = set()
    for divisor in (2, 8, 64, max_volume + 1):  # a merging task holds its blocks twice
        ends = _grow(old, new, max_volume // divisor), _grow(new, old, max_volume // divisor)
        if ends not in seen:
            seen.add(ends)
            for n_steps in range(1, _MOST_STEPS + 1):
                middle = _between(old, new, *ends, n_steps)
                yield _without_repeats(old, [ends[0], *middle, ends[1], new])


def _without_repeats(old: KnownChunks, plan: list[KnownChunks]) -> list[KnownChunks]:
    return [after for before, after in pairwise([old, *plan]) if before != after]


def _grow(chunks: KnownChunks, towards: KnownChunks, max_volume: int) -> KnownChunks:
    """Merge blocks along the axes on which the other grid has larger ones, up to a volume."""
    sizes, goals = list(max_block(chunks)), max_block(towards)
    grown = list(chunks)
    for axis in sorted(range(len(sizes)), key=lambda axis: goals[axis] / max(1, sizes[axis])):
        room = max_volume // max(1, prod(sizes) // max(1, sizes[axis]))
        target = min(goals[axis], room)
        if target > sizes[axis]:
            grown[axis] = merge_sizes(chunks[axis], target)
            sizes[axis] = max(grown[axis])
    return tuple(grown)


def _between(
    old: KnownChunks, new: KnownChunks, first: KnownChunks, last: KnownChunks, n_steps: int
) -> list[KnownChunks]:
    """Return the grids strictly between two, whose block shapes are geometric means.

    Along each axis the finer of the old and new blocks are merged, so that the grids in between
    cut where those do.
    """
    finer = [min(axis, key=max) for axis in zip(old, new, strict=True)]
    ends = list(zip(max_block(first), max_block(last), strict=True))
    grids = []
    for step in range(1, n_steps):
        share = step / n_steps
        targets = [max(1, int(a ** (1 - share) * b**share + 1e-6)) for a, b in ends]
        grids.append(tuple(merge_sizes(s, t) for s, t in zip(finer, targets, strict=True)))
    return grids


def step_cost(old: KnownChunks, new: KnownChunks, itemsize: int) -> Step:
    """Return how many pieces a direct step makes, and the bytes that its largest task holds.

    Examples
    --------
    >>> step_cost(((1, 1), (4,)), ((2,), (2, 2)), 8)
    Step(pieces=4, held_bytes=96)
    """
    axes = [_axis_cost(before, after) for before, after in zip(old, new, strict=True)]
    touched = prod(touched for _, touched in axes)
    return Step(prod(n for n, _ in axes), itemsize * (touched + prod(max_block(new))))


# Candidate plans share most of their axes.
@lru_cache(maxsize=256)
def _axis_cost(old: tuple[int, ...], new: tuple[int, ...]) -> tuple[int, int]:
    """Return the number of pieces, and the most elements of old blocks that a new one reads."""
    pieces = most = 0
    starts = offsets(old)
    block = 0
    for begin, end in pairwise(offsets(new)):
        while block < len(old) - 1 and starts[block + 1] <= begin:
            block += 1
        first = block
        while block < len(old) - 1 and starts[block + 1] < end:
            block += 1
        pieces += block - first + 1
        most = max(most, starts[block + 1] - starts[first])
    return pieces, most
