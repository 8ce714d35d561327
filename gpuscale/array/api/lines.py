"""Elements of lines that are too long for one block, taken and put block by block.

A task looks at one block of the lines after the other. Those that memory has no room for lie on
disk meanwhile, so that it holds one of them at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from gpuscale.backends.seams import array_namespace, on_device
from gpuscale.base.types import Chunks
from gpuscale.chunks.blocks import max_block
from gpuscale.engines.automatic import chunk_bytes
from gpuscale.expr.kernels import Block
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import ALL, GatherPlan

__all__ = ["are_too_long", "put_in_blocks", "take_from_blocks"]


def are_too_long(lines: Node) -> bool:
    """Whether blocks that have an axis whole are larger than chunks that are chosen."""
    return _largest(lines.meta) > chunk_bytes(lines.meta.backend)


def take_from_blocks(source: Node, places: Node, grid: Chunks, axis: int) -> Node:
    """Take along an axis of which the source has several blocks.

    Parameters
    ----------
    source, places : Node
        Cut like the grid, but for the source's axis, and axes along which they broadcast.
    grid : Chunks
        Of the result.
    axis : int
    """
    meta = source.meta.with_(chunks=grid)
    axes = _follows(source, grid, axis), _follows(places, grid)
    # What is read of both, places within a block, which of them are there, what is taken there.
    room = _largest(source.meta) + _largest(places.meta) + (20 + meta.dtype.itemsize) * _size(grid)
    length = source.meta.shape[axis]
    plan = GatherPlan(_Take(axis, length), axes, "take_along_axis", room)
    return Exchange((source, places), plan, meta)


def put_in_blocks(node: Node, places: Node, values: Node, axis: int) -> Node:
    """Put along an axis of which all have several blocks; the other axes are cut alike."""
    meta = node.meta
    chunks = (*meta.chunks[:axis], places.meta.chunks[axis], *meta.chunks[axis + 1 :])
    along = _follows(places, chunks, axis)
    axes = tuple(range(meta.ndim)), along, along
    parts = _largest(places.meta) + _largest(values.meta)
    room = _largest(meta) + 2 * parts + (12 + 8 * meta.ndim) * _size(chunks)
    plan = GatherPlan(_Put(axis, meta.shape[axis]), axes, "put_along_axis", room)
    return Exchange((node, places, values), plan, meta)


def _size(chunks: Chunks) -> int:
    return prod(max_block(chunks))


def _largest(meta: ArrayMeta) -> int:
    return _size(meta.chunks) * meta.dtype.itemsize


def _follows(node: Node, grid: Chunks, gathered: int | None = None) -> tuple[int | None, ...]:
    return tuple(
        ALL if axis == gathered else axis if len(own) == len(sizes) else None
        for axis, (own, sizes) in enumerate(zip(node.meta.chunks, grid, strict=True))
    )


@dataclass(frozen=True)
class _Lines:
    axis: int
    length: int
    reads_regions: ClassVar[bool] = True

    def _from_start(self, places: Any) -> Any:
        """Positions without those that count from the end."""
        xp = array_namespace(places)
        wrong = (places < -self.length) | (places >= self.length)
        if wrong.any():
            raise IndexError(
                f"index {int(places[wrong].flat[0])} is out of bounds for axis {self.axis} with "
                f"size {self.length}"
            )
        places = places.astype(np.intp, copy=False)
        return xp.where(places < 0, places + self.length, places)


@dataclass(frozen=True)
class _Take(_Lines):
    """Take what is asked for from each block where it is there."""

    def __call__(self, block: Block, chunks: Sequence[Any], places: Any) -> Any:
        places = self._from_start(places[...])
        xp, axis = array_namespace(places), self.axis
        out = xp.empty(block.shape, dtype=chunks[0].dtype)
        start = 0
        for chunk in chunks:
            stop = start + chunk.shape[axis]
            inside = (places >= start) & (places < stop)
            if on_device(inside) or inside.any():  # a device is not asked: it would be waited for
                at = xp.where(inside, places - start, 0)
                found = xp.take_along_axis(chunk[...], at, axis=axis)
                xp.copyto(out, found, where=inside)
                del at, found
            start = stop
        return out


@dataclass(frozen=True)
class _Put(_Lines):
    """Put into a block what belongs there, in the order of the places."""

    def __call__(
        self, block: Block, chunk: Any, places: Sequence[Any], values: Sequence[Any]
    ) -> Any:
        out = chunk[...].copy()
        start, stop = block.start[self.axis], block.start[self.axis] + out.shape[self.axis]
        for part, new in zip(places, values, strict=True):
            at = self._from_start(part[...])
            inside = (at >= start) & (at < stop)
            index = list(array_namespace(out).nonzero(inside))
            index[self.axis] = at[inside] - start
            out[tuple(index)] = new[...][inside]
        return out
