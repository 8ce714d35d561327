"""Tasks of a rechunk: each new block is copied together from pieces of old ones."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from gpuscale.backends.seams import array_namespace
from gpuscale.base.types import BlockIndex, Chunks, Key, Unknown
from gpuscale.chunks.rechunk import intersections
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import RechunkPlan
from gpuscale.expr.regrid import is_joined_in_place
from gpuscale.graph.build import GraphBuilder, lays_out
from gpuscale.graph.pieces import joined_pieces
from gpuscale.graph.shuffle import lay_out_shuffle, shuffles
from gpuscale.graph.sizes import all_nbytes

__all__: list[str] = []


@lays_out(RechunkPlan)
def _lay_out_rechunk(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    """Go from the wanted blocks of the last grid back to those of the input."""
    (x,) = node.inputs
    if is_joined_in_place(node, builder.readers):
        _lay_out_pieces(builder, node, x, wanted)
        return
    if shuffles(node, wanted):
        lay_out_shuffle(builder, node, wanted)
        return
    name = builder.key(node, ())[0]
    grids = [x.meta.chunks, *node.plan.steps]
    for level in range(len(grids) - 1, 0, -1):
        needed: dict[BlockIndex, None] = {}
        tables = [intersections(o, n) for o, n in zip(grids[level - 1], grids[level], strict=True)]
        meta = node.meta.with_(chunks=grids[level])
        for index in wanted:
            spans = [table[k] for table, k in zip(tables, index, strict=True)]
            sources = [tuple(p[0] for p in pieces) for pieces in product(*spans)]
            needed.update(dict.fromkeys(sources))
            deps = [
                builder.want(x, s) if level == 1 else _key(name, level - 1, grids, s)
                for s in sources
            ]
            nbytes = meta.block_nbytes(index) or 0
            copy = _Copy(meta.block_shape(index), node.meta.dtype, spans)
            builder.add(_key(name, level, grids, index), node, copy, deps, (), nbytes)
        wanted = list(needed)


def _lay_out_pieces(
    builder: GraphBuilder, node: Exchange, x: Node, wanted: list[BlockIndex]
) -> None:
    keys, sizes = builder.keys(node, wanted), all_nbytes(node, wanted)
    tasks = joined_pieces(builder, node, wanted)
    for index, key, task, nbytes in zip(wanted, keys, tasks, sizes, strict=True):
        deps, join, workspace = task
        builder.add(key, x, join, deps, (index,), nbytes, workspace)


def _key(name: str, level: int, grids: list[Chunks], index: BlockIndex) -> Key:
    return (name if level == len(grids) - 1 else f"{name}-{level}", *index)


class _Copy:
    """Copy pieces, given in C order of their grid, into one new block."""

    __slots__ = ("dtype", "shape", "spans")
    reads_regions = True

    def __init__(self, shape: tuple[Any, ...], dtype: np.dtype[Any], spans: list[Any]) -> None:
        self.shape, self.dtype, self.spans = shape, dtype, spans

    def __call__(self, *chunks: Any) -> Any:
        shape = tuple(
            have if isinstance(want, Unknown) else want
            for want, have in zip(self.shape, chunks[0].shape, strict=True)
        )
        if len(chunks) == 1 and chunks[0].shape == shape:
            return chunks[0][...]
        out = array_namespace(chunks[0]).empty(shape, dtype=self.dtype)
        for chunk, pieces in zip(chunks, product(*map(_placed, self.spans)), strict=True):
            target = tuple(to for to, _ in pieces)
            out[target] = chunk[tuple(of for _, of in pieces)]
        return out


def _placed(pieces: Any) -> list[tuple[slice, slice]]:
    """(slice of the new block, slice of the old one) for the pieces along an axis."""
    if isinstance(pieces[0][2], Unknown):  # such a block is never cut
        return [(slice(None), slice(None))]
    placed, at = [], 0
    for _, start, stop in pieces:
        placed.append((slice(at, at + stop - start), slice(start, stop)))
        at += stop - start
    return placed
