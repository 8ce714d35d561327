"""One integer index array on one axis: which blocks feed which, in how many steps.

Every step is itself a take whose blocks read few blocks. A task for each pair of blocks is never
made: a permutation of n blocks needs about 2 n tasks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpuscale.chunks.blocks import known_sizes, offsets, uniform_sizes

__all__ = [
    "BlockTake",
    "TakeRead",
    "TakeStep",
    "direct_step",
    "normalize_take",
    "plan_take",
    "take_sizes",
]

IntArray = NDArray[np.int64]

# As in `rechunk`: what a copy of the data costs beside what one read of a block costs.
_BYTES_PER_READ = 20_000
# With this many reads per block there is nothing to save.
_FEW_READS = 16
# Pairs of blocks that are marked in a table (one byte each); more of them are sorted.
_LARGEST_TABLE = 2**26


class TakeRead(NamedTuple):
    """What an output block reads of one block: ``out[places] = block[positions]``."""

    block: int
    positions: IntArray
    places: IntArray | slice


@dataclass(frozen=True, eq=False, slots=True)
class BlockTake:
    """What one output block takes.

    Parameters
    ----------
    blocks : list of int
        Input blocks that it reads, in order; at least one.
    starts : ndarray of int64
        Where these start.
    index : ndarray of int64
        Positions in the input of its elements.
    ascending : bool
        Whether the index never steps back, so that blocks are read in order.
    """

    blocks: list[int]
    starts: IntArray
    index: IntArray
    ascending: bool

    def reads(self) -> list[TakeRead]:
        """Return what it reads of each block.

        Examples
        --------
        >>> take = BlockTake([0, 1], np.array([0, 3]), np.array([5, 0]), False)
        >>> [(read.block, read.positions.tolist(), read.places) for read in take.reads()]
        [(0, [0], array([1])), (1, [2], array([0]))]
        """
        if len(self.blocks) == 1:
            whole = slice(0, self.index.size)
            return [TakeRead(self.blocks[0], self.index - self.starts[0], whole)]
        numbers = np.searchsorted(self.starts, self.index, side="right") - 1
        local = self.index - self.starts[numbers]
        order = None if self.ascending else _order(numbers, len(self.blocks))
        if order is not None:
            numbers, local = numbers[order], local[order]
        cuts = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
        return [
            TakeRead(block, local[a:b], slice(a, b) if order is None else order[a:b])
            for block, a, b in zip(self.blocks, cuts[:-1], cuts[1:], strict=True)
        ]


@dataclass(frozen=True, eq=False)
class TakeStep:
    """One take along an axis, all blocks of it.

    Parameters
    ----------
    index : ndarray of int64
        Position in the input of every output element, none negative.
    in_sizes, out_sizes : tuple of int
        Sizes of the blocks before and after.
    ascending : bool
        Whether the index never steps back, so that blocks are read in order.

    Examples
    --------
    >>> step = TakeStep(np.array([5, 0, 4]), (3, 3), (2, 1), False)
    >>> step.block(0).blocks, step.block(1).blocks
    ([0, 1], [1])
    """

    index: IntArray
    in_sizes: tuple[int, ...]
    out_sizes: tuple[int, ...]
    ascending: bool

    @cached_property
    def _starts(self) -> tuple[IntArray, IntArray]:
        return np.asarray(offsets(self.in_sizes)), np.asarray(offsets(self.out_sizes))

    @cached_property
    def pairs(self) -> IntArray:
        """Pairs of an output block and an input block that it reads, each as one number."""
        n_in, n_out = len(self.in_sizes), len(self.out_sizes)
        out_block = np.repeat(np.arange(n_out), self.out_sizes)
        pairs = out_block * n_in + _blocks_of(self.index, self.in_sizes)
        if n_in * n_out > _LARGEST_TABLE:
            return np.unique(pairs)
        table = np.zeros(n_in * n_out, bool)
        table[pairs] = True
        return np.flatnonzero(table)

    @cached_property
    def _sources(self) -> tuple[list[int], list[int]]:
        """Blocks read by all output blocks one after the other, and where those of each begin."""
        n_in = len(self.in_sizes)
        firsts = np.searchsorted(self.pairs, np.arange(len(self.out_sizes) + 1) * n_in)
        return (self.pairs % n_in).tolist(), firsts.tolist()

    @property
    def held(self) -> int:
        """The most elements that a task holds: the blocks that it reads, and the one it makes."""
        return _cost(self)[1]

    @cached_property
    def used(self) -> list[int]:
        """Input blocks that are read at all, in order."""
        return np.unique(self.pairs % len(self.in_sizes)).tolist()

    def handed(self) -> list[tuple[NDArray[Any], list[int]]]:
        """Return what each block in use gives, output block by output block.

        Returns
        -------
        list of (ndarray of int, list of int)
            Positions in the block, and where those for each output block end.

        Examples
        --------
        >>> step = TakeStep(np.array([5, 0, 4]), (3, 3), (2, 1), False)
        >>> [(positions.tolist(), ends) for positions, ends in step.handed()]
        [([0], [1, 1]), ([2, 1], [1, 2])]
        """
        blocks, (starts, out_starts) = _blocks_of(self.index, self.in_sizes), self._starts
        order = _order(blocks, len(self.in_sizes))
        firsts = np.searchsorted(blocks[order], [*self.used, len(self.in_sizes)])
        found = []
        for block, first, last in zip(self.used, firsts[:-1], firsts[1:], strict=True):
            chosen = order[first:last]
            positions = self.index[chosen] - starts[block]
            ends = np.searchsorted(chosen, out_starts[1:])
            small = np.min_scalar_type(self.in_sizes[block])
            found.append((positions.astype(small), ends.tolist()))
        return found

    def came_from(self, out_block: int) -> NDArray[Any]:
        """Return for each element of an output block the number of its block among those in use.

        Examples
        --------
        >>> TakeStep(np.array([5, 0, 4]), (3, 3), (2, 1), False).came_from(0)
        array([1, 0], dtype=uint8)
        """
        _, starts = self._starts
        index = self.index[starts[out_block] : starts[out_block + 1]]
        numbers = np.searchsorted(self.used, _blocks_of(index, self.in_sizes))
        return numbers.astype(np.min_scalar_type(len(self.in_sizes)))

    def block(self, out_block: int) -> BlockTake:
        """Return what one output block takes."""
        starts, out_starts = self._starts
        sources, firsts = self._sources
        blocks = sources[firsts[out_block] : firsts[out_block + 1]] or [0]
        index = self.index[out_starts[out_block] : out_starts[out_block + 1]]
        return BlockTake(blocks, starts[blocks], index, self.ascending)


def normalize_take(index: Any, length: int, axis: int = 0) -> IntArray:
    """Return an index array without negative positions.

    Parameters
    ----------
    index : array_like of int
        Positions, negative ones counted from the end; any shape.
    length : int
        Length of the axis.
    axis : int
        Number of the axis, for the error.

    Raises
    ------
    IndexError
        If a position is out of bounds, or the array holds no integers.

    Examples
    --------
    >>> normalize_take([-1, 0], 5)
    array([4, 0])
    """
    array = np.asarray(index)
    if array.size == 0 and not isinstance(index, np.ndarray):
        array = array.astype(np.int64)  # an empty list says nothing about its type
    if array.dtype.kind not in "iu":
        raise IndexError("arrays used as indices must be of integer (or boolean) type")
    outside = (array >= length) | (array < -length)
    if outside.any():
        raise IndexError(
            f"index {array[outside][0]} is out of bounds for axis {axis} with size {length}"
        )
    array = array.astype(np.int64)
    return np.where(array < 0, array + length, array)


def take_sizes(index: IntArray, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sizes of the output blocks of a take.

    Where the index never turns, a block holds what is taken of one input block, cut if that is
    twice what an input block ever holds; else blocks are as large as the largest of the input.

    Examples
    --------
    >>> take_sizes(np.array([0, 1, 5]), (3, 3)), take_sizes(np.array([5, 0, 4, 1]), (3, 3))
    ((2, 1), (3, 1))
    """
    if not (_ascends(index) or _ascends(index[::-1])):
        return uniform_sizes(index.size, max(1, *sizes))
    counts = np.bincount(_blocks_of(index, sizes), minlength=len(sizes)).tolist()
    if not _ascends(index):
        counts.reverse()
    return _cut_large(counts, sizes)


def _cut_large(counts: list[int], sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Cut blocks far larger than any of the input, as repeated positions make them."""
    largest = max(1, *sizes)
    cut: list[int] = []
    for count in filter(None, counts):
        n_parts = max(1, count // largest)
        cut += uniform_sizes(count, -(-count // n_parts))
    return tuple(cut) or (0,)


def _ascends(index: IntArray) -> bool:
    return bool((index[1:] >= index[:-1]).all())


def _blocks_of(index: IntArray, sizes: tuple[int, ...]) -> IntArray:
    if len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0]:
        return index // sizes[0]  # 10 times faster than a search
    return np.searchsorted(np.asarray(offsets(sizes)), index, side="right") - 1


def _order(numbers: IntArray, n_numbers: int) -> IntArray:
    """Sort small numbers stably, in linear time where NumPy has a radix sort: 16 bits."""
    return np.argsort(numbers.astype(np.uint16) if n_numbers < 2**16 else numbers, kind="stable")


def direct_step(index: IntArray, sizes: tuple[int, ...], out_sizes: tuple[int, ...]) -> TakeStep:
    """Return the one step that takes an index array.

    Examples
    --------
    >>> direct_step(np.array([0, 1, 5]), (3, 3), (2, 1)).ascending
    True
    """
    return TakeStep(index, sizes, out_sizes, _ascends(index))


def plan_take(
    index: IntArray,
    sizes: tuple[int, ...],
    row_bytes: int,
    max_bytes: int,
    out_sizes: tuple[int, ...] | None = None,
) -> list[TakeStep]:
    """Return the steps that take an index array along an axis.

    An index that never steps back is one step. Any other may first take every block's elements
    in the order of the input, so that only those are kept in memory, and may go through groups
    of blocks, which needs fewer reads; the cheapest plan is taken whose tasks hold at most
    `max_bytes`, or nearly as little as any can.

    Parameters
    ----------
    index : ndarray of int64
        One-dimensional, from `normalize_take`.
    sizes : tuple of int
        Sizes of the blocks of the axis.
    row_bytes : int
        Bytes of one position of the axis, over all other axes of a block.
    max_bytes : int
        What one task should hold at most: the blocks that it reads and the block that it writes.
    out_sizes : tuple of int, optional
        Sizes of the output blocks; `take_sizes` if not given.

    Raises
    ------
    UnknownSizeError
        If a block has a size that depends on data.

    Examples
    --------
    >>> [step.out_sizes for step in plan_take(np.array([5, 0, 4]), (3, 3), 8, 10**6)]
    [(3,)]
    """
    sizes = known_sizes(sizes)
    out_sizes = take_sizes(index, sizes) if out_sizes is None else out_sizes
    direct = direct_step(index, sizes, out_sizes)
    if direct.ascending:
        return [direct]
    reads, held = _cost(direct)
    fits = held * row_bytes <= max_bytes
    if fits and reads <= _FEW_READS * (len(sizes) + len(out_sizes)):
        return [direct]
    plans = [[direct], _through(direct, *_in_groups(direct))]
    if not fits:
        first, second = _through(direct, *_by_block(direct))
        plans += [[first, second], [first, *_through(second, *_in_groups(second))]]
    return _cheapest(plans, row_bytes, max_bytes)


def _cheapest(plans: list[list[TakeStep]], row_bytes: int, max_bytes: int) -> list[TakeStep]:
    priced = []
    for number, plan in enumerate(plans):
        reads, held = zip(*map(_cost, plan), strict=True)
        copies = len(plan) * plan[0].index.size * row_bytes / _BYTES_PER_READ
        priced.append((max(held) * row_bytes, sum(reads) + copies, number))
    # Where no plan fits, the last few bytes are not worth any number of copies.
    bound = max(max_bytes, 2 * min(held for held, _, _ in priced))
    return plans[min((work, number) for held, work, number in priced if held <= bound)[1]]


def _by_block(step: TakeStep) -> tuple[IntArray, tuple[int, ...]]:
    """Order the elements by the block that holds them, and cut them where that changes."""
    blocks = _blocks_of(step.index, step.in_sizes)
    counts = np.bincount(blocks, minlength=len(step.in_sizes)).tolist()
    return _order(blocks, len(step.in_sizes)), _cut_large(counts, step.in_sizes)


def _in_groups(step: TakeStep) -> tuple[IntArray, tuple[int, ...]]:
    """Order the elements by group of output blocks, then by group of input blocks.

    With about the square root of n groups on both sides, blocks on the way are as large as
    before, and all tasks read about the square root of n of them.
    """
    in_width, n_in = _group_width(len(step.in_sizes))
    out_width, n_out = _group_width(len(step.out_sizes))
    out_group = np.repeat(np.arange(len(step.out_sizes)) // out_width, step.out_sizes)
    group = out_group * n_in + _blocks_of(step.index, step.in_sizes) // in_width
    counts = np.bincount(group, minlength=n_in * n_out).tolist()
    return _order(group, n_in * n_out), _cut_large(counts, step.in_sizes)


def _group_width(n_blocks: int) -> tuple[int, int]:
    """Return blocks per group, and the number of groups."""
    width = max(1, isqrt(n_blocks))
    return width, -(-n_blocks // width)


def _through(step: TakeStep, order: IntArray, sizes: tuple[int, ...]) -> list[TakeStep]:
    """Split a take in two: first the elements in another order, then in the order wanted."""
    first = step.index[order]
    back = np.empty_like(order)
    back[order] = np.arange(order.size)
    return [
        TakeStep(first, step.in_sizes, sizes, _ascends(first)),
        TakeStep(back, sizes, step.out_sizes, _ascends(back)),
    ]


def _cost(step: TakeStep) -> tuple[int, int]:
    """Return the number of reads, and the most elements that one task holds."""
    n_in, n_out, pairs = len(step.in_sizes), len(step.out_sizes), step.pairs
    lengths = np.asarray(step.in_sizes)[pairs % n_in]
    read = np.bincount(pairs // n_in, weights=lengths, minlength=n_out)
    return len(pairs), int((read + np.asarray(step.out_sizes)).max())
