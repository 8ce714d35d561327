"""Tasks of takes and scatters: single elements, chosen by an index array, change places.

No task is made for a pair of blocks. A take goes through the steps that `chunks.take` plans, and
each of their tasks gathers what one block needs.
"""

from __future__ import annotations

import math
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuscale.backends.seams import array_namespace, update
from gpuscale.base.types import BlockIndex, Key
from gpuscale.chunks.blocks import known_sizes, offsets
from gpuscale.chunks.points import line_sizes
from gpuscale.chunks.take import BlockTake, TakeStep, direct_step, plan_take
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import ScatterPlan, TakePlan
from gpuscale.expr.reads import is_planned_elsewhere
from gpuscale.graph.build import GraphBuilder, block_nbytes, lays_out
from gpuscale.graph.handle import same
from gpuscale.graph.piece_shuffle import PieceShuffle, Rows, passes_pieces

__all__: list[str] = []


class _Line:
    """Some axes of an array as one, at the place of the first of them."""

    def __init__(self, meta: ArrayMeta, axes: tuple[int, ...]) -> None:
        self.axes, self.place = axes, axes[0]
        self.grid = tuple(meta.numblocks[axis] for axis in axes)
        self.sizes = line_sizes(tuple(known_sizes(meta.chunks[axis]) for axis in axes))
        self.rest = tuple(s for axis, s in enumerate(meta.chunks) if axis not in axes)

    def block(self, rest: BlockIndex, number: int) -> BlockIndex:
        """Index of the block that has a number on the line and the rest beside it."""
        along = []
        for count in reversed(self.grid):
            number, each = divmod(number, count)
            along.append(each)
        index = list(rest)
        for axis, each in zip(self.axes, reversed(along), strict=True):
            index.insert(axis, each)
        return tuple(index)

    def split(self, index: BlockIndex) -> tuple[BlockIndex, int]:
        """Return the rest of a block's index and its number on the line."""
        number = 0
        for axis, count in zip(self.axes, self.grid, strict=True):
            number = number * count + index[axis]
        return tuple(k for axis, k in enumerate(index) if axis not in self.axes), number


def _row_bytes(node: Exchange, line: _Line) -> int:
    """Bytes of one position of the line in the largest block; unknown axes count as 1."""
    known = (max((n for n in sizes if isinstance(n, int)), default=1) for sizes in line.rest)
    return math.prod(known, start=max(node.meta.dtype.itemsize, 1))


@lays_out(TakePlan)
def _lay_out_take(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    """Go from the wanted blocks of the last step back to those of the input."""
    (x,) = node.inputs
    plan = node.plan
    line = _Line(x.meta, plan.axes)
    place = line.place
    out_sizes = known_sizes(node.meta.chunks[place])
    row_bytes = _row_bytes(node, line)
    direct = direct_step(plan.index, line.sizes, out_sizes)
    if _passes_pieces(node, direct, row_bytes, len(wanted)):
        _lay_out_pieces(builder, node, line, direct, row_bytes, wanted)
        return
    steps = plan_take(plan.index, line.sizes, row_bytes, plan.max_bytes, out_sizes)
    name = builder.key(node, ())[0]
    names = [*(f"{name}-{level}" for level in range(1, len(steps))), name]
    for level in reversed(range(len(steps))):
        meta = node.meta.with_(chunks=_with(node.meta.chunks, place, steps[level].out_sizes))
        step, takes = steps[level], dict[int, BlockTake]()
        needed: dict[BlockIndex, None] = {}
        for index in wanted:
            number = index[place]
            if number not in takes:  # the same for all blocks beside it
                takes[number] = step.block(number)
            take = takes[number]
            gather = _Gather(plan.axes if level == 0 else (place,), place, take)
            deps: list[Key]
            if level == 0:
                rest = (*index[:place], *index[place + 1 :])
                deps = [builder.want(x, line.block(rest, block)) for block in take.blocks]
            else:
                sources = [(*index[:place], block, *index[place + 1 :]) for block in take.blocks]
                needed.update(dict.fromkeys(sources))
                deps = [(names[level - 1], *source) for source in sources]
            nbytes = meta.block_nbytes(index)
            if nbytes is None:
                nbytes = block_nbytes(node, index)
            builder.add((names[level], *index), node, gather, deps, (), nbytes, nbytes)
        wanted = list(needed)


def _passes_pieces(node: Exchange, step: TakeStep, row_bytes: int, wanted: int) -> bool:
    """Whether workers pass on pieces: all of them, so not where few blocks are wanted."""
    meta = node.meta
    if step.ascending or not is_planned_elsewhere() or 2 * wanted < math.prod(meta.numblocks):
        return False
    if not meta.known or not meta.size:
        return False
    pieces = len(step.used) * math.prod(meta.numblocks)
    return passes_pieces(meta.backend, [meta.dtype], meta.nbytes, step.held * row_bytes, pieces)


def _lay_out_pieces(
    builder: GraphBuilder,
    node: Exchange,
    line: _Line,
    step: TakeStep,
    row_bytes: int,
    wanted: list[BlockIndex],
) -> None:
    """Have each block give what all new ones take of it, and these put it in order.

    The positions are data of this process, which workers keep as they keep results.
    """
    (x,), meta, place, name = node.inputs, node.meta, line.place, builder.key(node, ())[0]
    beside = list(product(*(range(len(sizes)) for sizes in line.rest)))
    handed = step.handed()
    largest = max(len(positions) for positions, _ in handed) * row_bytes
    shape = len(handed), len(beside), len(step.out_sizes)
    shuffle = PieceShuffle(builder, node, *shape, largest)
    for source, (block, (positions, ends)) in enumerate(zip(step.used, handed, strict=True)):
        own: Key = (f"{name}-positions", source)
        builder.add(own, node, same, (), (positions,), positions.nbytes)
        cut = _CutBlock(node.plan.axes, ends)
        for number, rest in enumerate(beside):
            source_key = builder.want(x, line.block(rest, block))
            shuffle.hand_over(source, number, cut, (source_key, own))
    shuffle.wait()
    numbers, origins = {rest: k for k, rest in enumerate(beside)}, dict[int, Key]()
    for index in wanted:
        rest, out = (*index[:place], *index[place + 1 :]), index[place]
        if out not in origins:
            origins[out], came_from = (f"{name}-origins", out), step.came_from(out)
            builder.add(origins[out], node, same, (), (came_from,), came_from.nbytes)
        row = tuple(n for axis, n in enumerate(meta.block_shape(index)) if axis != place)
        nbytes, room = meta.block_nbytes(index) or 0, 8 * step.out_sizes[out]
        fields, needs = [(meta.dtype, row)], ((origins[out],), nbytes, nbytes + room)
        key, put = builder.key(node, index), _InOrder(place)
        shuffle.take(key, numbers[rest], out, put, fields, *needs)


class _CutBlock:
    """What all new blocks take of a block."""

    __slots__ = ("axes", "ends")

    def __init__(self, axes: tuple[int, ...], ends: list[int]) -> None:
        self.axes, self.ends = axes, ends

    def __call__(
        self, chunk: Any, positions: Any, index: BlockIndex
    ) -> tuple[Rows, list[tuple[int, int]]]:
        def rows(_: int, start: int, stop: int) -> list[Any]:
            at = positions[start:stop].astype(np.intp)
            return [np.moveaxis(_chosen(np, chunk, self.axes, at), self.axes[0], 0)]

        return rows, list(pairwise([0, *self.ends]))


class _InOrder:
    """A new block from what it takes of all blocks, one after the other."""

    __slots__ = ("place",)

    def __init__(self, place: int) -> None:
        self.place = place

    def __call__(self, rows: Any, came_from: Any, index: BlockIndex) -> Any:
        values = np.moveaxis(rows["f0"], 0, self.place)
        out = np.empty(values.shape, values.dtype)
        places: Any = np.argsort(came_from, kind="stable")
        out[(*(slice(None),) * self.place, places)] = values
        return out


def _with(chunks: Any, place: int, sizes: tuple[int, ...]) -> Any:
    return (*chunks[:place], sizes, *chunks[place + 1 :])


class _Gather:
    """Copy chosen elements of some blocks into one new block."""

    __slots__ = ("axes", "place", "take")
    reads_regions = True

    def __init__(self, axes: tuple[int, ...], place: int, take: BlockTake) -> None:
        self.axes, self.place, self.take = axes, place, take

    def __call__(self, *chunks: Any) -> Any:
        xp = array_namespace(chunks[0])
        first, *rest = self.take.reads()
        piece = _chosen(xp, chunks[0], self.axes, first.positions)
        if not rest:
            return piece
        # Each piece goes before the next one comes: besides the block, only one is in memory.
        shape = list(piece.shape)
        shape[self.place] = self.take.index.size
        out = xp.empty(shape, dtype=piece.dtype)
        self._put(xp, out, first.places, piece)
        del piece
        for chunk, read in zip(chunks[1:], rest, strict=True):
            self._put(xp, out, read.places, _chosen(xp, chunk, self.axes, read.positions))
        return out

    def _put(self, xp: Any, out: Any, places: Any, piece: Any) -> None:
        """Write a piece to its places along the axis."""
        places = places if isinstance(places, slice) else xp.asarray(places)
        out[(*(slice(None),) * self.place, places)] = piece


def _chosen(xp: Any, chunk: Any, axes: tuple[int, ...], positions: Any) -> Any:
    """Elements of one block, on a new axis at the place of the first that they replace."""
    if len(axes) == 1:
        return chunk.take(xp.asarray(positions), axis=axes[0])
    chunk = chunk[...]  # from disk, if it is there
    index = map(xp.asarray, _points(chunk, axes, positions))
    last = chunk.ndim - len(axes)
    front = xp.moveaxis(chunk, axes, tuple(range(last, chunk.ndim)))
    return xp.moveaxis(front[(..., *index)], -1, axes[0])


def _points(chunk: Any, axes: tuple[int, ...], positions: Any) -> tuple[NDArray[Any], ...]:
    """Coordinates inside a block from positions in C order of some of its axes."""
    return np.unravel_index(positions, tuple(chunk.shape[axis] for axis in axes))


@lays_out(ScatterPlan)
def _lay_out_scatter(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    """Each block takes its own points; a block without points stays as it is."""
    x, values = node.inputs
    line = _Line(x.meta, node.plan.axes)
    starts = np.asarray(offsets(line.sizes))
    cuts = np.searchsorted(node.plan.index, starts).tolist()
    touched = [k for k in range(len(line.sizes)) if cuts[k] < cuts[k + 1]]
    number_of = {block: number for number, block in enumerate(touched)}
    for index in wanted:
        rest, block = line.split(index)
        key, source = builder.key(node, index), builder.want(x, index)
        if block not in number_of:
            builder.hand_on(key, node, source)
            continue
        local = node.plan.index[cuts[block] : cuts[block + 1]] - starts[block]
        deps = (source, builder.want(values, (number_of[block], *rest)))
        nbytes = block_nbytes(node, index)
        builder.add(key, node, _Scatter(line.axes, local, node.plan.ufunc), deps, (), nbytes)


class _Scatter:
    """Replace single elements in a copy of a block, or apply a ufunc to them."""

    __slots__ = ("axes", "positions", "ufunc")

    def __init__(self, axes: tuple[int, ...], positions: Any, ufunc: str | None) -> None:
        self.axes, self.positions, self.ufunc = axes, positions, ufunc

    def __call__(self, chunk: Any, values: Any) -> Any:
        xp = array_namespace(chunk)
        out = chunk.copy()
        index = _points(out, self.axes, self.positions)
        front = xp.moveaxis(out, self.axes, tuple(range(len(self.axes))))
        if self.ufunc is None:
            front[tuple(map(xp.asarray, index))] = values
            return out
        operands = []
        if getattr(np, self.ufunc).nin == 2:
            shape = (self.positions.size, *front.shape[len(index) :])
            operands.append(xp.broadcast_to(values, shape))
        update(front, self.ufunc, index, *operands)
        return out
