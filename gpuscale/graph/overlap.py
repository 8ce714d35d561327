"""Tasks of an overlap: each puts its block with a halo together from neighbours, and uses it."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any, NamedTuple

from gpuscale.backends.seams import array_namespace
from gpuscale.backends.shared_ops import own
from gpuscale.base.types import BlockIndex
from gpuscale.chunks.overlap import HaloPiece, halo_axis
from gpuscale.expr.arrange import forward_slice
from gpuscale.expr.kernels import Block
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import Halo, OverlapPlan
from gpuscale.graph.build import GraphBuilder, lays_out

__all__: list[str] = []

Trim = tuple[tuple[int, int], ...]


class _Piece(NamedTuple):
    """Where a piece goes, and the part of which of the blocks read it is; None for a value."""

    to: slice
    read: int | None
    of: slice


class _Span(NamedTuple):
    """A block with its halo along one axis."""

    reads: tuple[int, ...]
    pieces: tuple[_Piece, ...]
    length: int


@lays_out(OverlapPlan)
def _lay_out_overlap(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    plan = node.plan
    tables = [_tables(x, halo) for x, halo in zip(node.inputs, plan.halos, strict=True)]
    fills = [tuple(b.value for b in halo.boundary) for halo in plan.halos]
    for index in wanted:
        deps, halos, workspace = [], [], 0
        for x, halo, table, fill in zip(node.inputs, plan.halos, tables, fills, strict=True):
            spans = [
                rows[0 if axis is None else index[axis]]
                for rows, axis in zip(table, halo.axes, strict=True)
            ]
            deps += [builder.want(x, block) for block in product(*(s.reads for s in spans))]
            halos.append(_Surround(spans, fill))
            workspace += prod(s.length for s in spans) * x.meta.dtype.itemsize
        trim = tuple(sides[k] for sides, k in zip(plan.trim, index, strict=True))
        block = _block_before_trim(node, index, trim)
        nbytes = node.meta.block_nbytes(index) or 0
        task = _Overlapped(plan.function, tuple(halos), trim)
        workspace += prod(n for n in block.shape if isinstance(n, int)) * node.meta.dtype.itemsize
        builder.add(builder.key(node, index), node, task, deps, (block,), nbytes, workspace)


def _block_before_trim(node: Exchange, index: BlockIndex, trim: Trim) -> Block:
    shape = tuple(
        n + before + after if isinstance(n, int) else n
        for n, (before, after) in zip(node.meta.block_shape(index), trim, strict=True)
    )
    start = node.meta.block_start(index) if node.meta.known else (0,) * len(index)
    return Block(index, start, shape, node.meta.backend)


def _tables(x: Node, halo: Halo) -> list[list[_Span]]:
    """For each axis the spans of all blocks, which many tasks share."""
    return [
        [
            _span(k, pieces)
            for k, pieces in enumerate(halo_axis(sizes, before, after, boundary.kind))
        ]
        if before or after
        else [_Span((k,), (_Piece(slice(None), 0, slice(None)),), n) for k, n in enumerate(sizes)]
        for sizes, (before, after), boundary in zip(
            x.meta.chunks, halo.depth, halo.boundary, strict=True
        )
    ]


def _span(block: int, pieces: tuple[HaloPiece, ...]) -> _Span:
    # An empty block at an edge may have nothing but fill values around it; it is read all the
    # same, so that the task knows whose arrays to make.
    reads = tuple(dict.fromkeys(p.block for p in pieces if p.block is not None)) or (block,)
    placed, at = [], 0
    for source, start, step, length in pieces:
        number = None if source is None else reads.index(source)
        placed.append(_Piece(slice(at, at + length), number, _part(start, step, length)))
        at += length
    return _Span(reads, tuple(placed), at)


def _part(start: int, step: int, length: int) -> slice:
    if step == 0:
        return slice(start, start + 1)  # one element, which assignment repeats
    return forward_slice(start, step, length)


class _Surround:
    """Put one block with its halo together from the blocks that `spans` read, in C order."""

    __slots__ = ("fill", "spans")

    def __init__(self, spans: list[_Span], fill: tuple[Any, ...]) -> None:
        self.spans, self.fill = spans, fill

    @property
    def n_reads(self) -> int:
        return prod(len(span.reads) for span in self.spans)

    def __call__(self, chunks: list[Any]) -> Any:
        shape = tuple(span.length for span in self.spans)
        if all(len(span.pieces) == 1 for span in self.spans) and chunks[0].shape == shape:
            return chunks[0]
        strides = [prod(len(s.reads) for s in self.spans[k + 1 :]) for k in range(len(shape))]
        out = array_namespace(chunks[0]).empty(shape, dtype=chunks[0].dtype)
        for pieces in product(*(span.pieces for span in self.spans)):
            to = tuple(piece.to for piece in pieces)
            reads = [piece.read for piece in pieces]
            if None in reads:  # in a corner the last axis decides
                out[to] = self.fill[max(k for k, read in enumerate(reads) if read is None)]
            else:
                place = sum(r * s for r, s in zip(reads, strides, strict=True))  # type: ignore
                out[to] = chunks[place][tuple(piece.of for piece in pieces)]
        return out


class _Overlapped:
    """One task: surround, call, trim."""

    __slots__ = ("function", "halos", "trim")

    def __init__(self, function: Any, halos: tuple[_Surround, ...], trim: Trim) -> None:
        self.function, self.halos, self.trim = function, halos, trim

    def __call__(self, *chunks_and_block: Any) -> Any:
        *chunks, block = chunks_and_block
        arrays = []
        for halo in self.halos:
            arrays.append(halo(chunks[: halo.n_reads]))
            chunks = chunks[halo.n_reads :]
        result = self.function(block, *arrays)
        if not any(map(any, self.trim)):
            return result
        return own(
            result[
                tuple(
                    slice(before, n - after)
                    for n, (before, after) in zip(result.shape, self.trim, strict=True)
                )
            ]
        )
