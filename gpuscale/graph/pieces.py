"""Blocks that are computed piece by piece, each piece in its place.

Where elementwise work has finer blocks than those that are wanted of it, one task computes all
pieces of a block straight into the block.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, pairwise, product
from typing import TYPE_CHECKING, Any

from gpuscale.backends.creation import namespace
from gpuscale.base.types import Key
from gpuscale.chunks.rechunk import intersections
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Blockwise, Exchange, Physical
from gpuscale.graph.sizes import workspaces

if TYPE_CHECKING:
    from gpuscale.graph.build import GraphBuilder

__all__ = ["JoinedPieces", "joined_pieces", "shared_reads"]

BlockIndex = tuple[int, ...]
Piece = tuple[BlockIndex, tuple[slice, ...], tuple[int, ...]]


def joined_pieces(
    builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]
) -> Iterator[tuple[list[Key], JoinedPieces, int]]:
    """Yield for each wanted block the keys that its task takes, its function and its workspace."""
    (x,) = node.inputs
    assert isinstance(x, Blockwise)
    tables = [
        [_placed(pieces) for pieces in intersections(old, new)]  # type: ignore[arg-type]
        for old, new in zip(x.meta.chunks, node.meta.chunks, strict=True)
    ]
    for index in wanted:
        spans = [table[k] for table, k in zip(tables, index, strict=True)]
        numbers = list(product(*(blocks for blocks, _ in spans)))
        places = list(product(*(cuts for _, cuts in spans)))
        keys, reads = shared_reads(builder, x, numbers)
        pieces = list(zip(numbers, places, reads, strict=True))
        join = JoinedPieces(x, node.meta.block_shape(index), pieces)  # type: ignore[arg-type]
        yield keys, join, max(workspaces(x, numbers))


def shared_reads(
    builder: GraphBuilder, x: Physical, numbers: list[BlockIndex]
) -> tuple[list[Key], list[tuple[int, ...]]]:
    """What one task takes that computes some blocks: each key once, and where each block's are."""
    columns = [builder.want_all(each, blocks) for each, blocks in x.reads(numbers)]
    rows = list(zip(*columns, strict=True)) if columns else [()] * len(numbers)
    at = {key: k for k, key in enumerate(dict.fromkeys(key for row in rows for key in row))}
    return list(at), [tuple(at[key] for key in row) for row in rows]


def _placed(pieces: tuple[Any, ...]) -> tuple[list[int], list[slice]]:
    """Numbers of the old blocks of a new one along an axis, and their places in it."""
    ends = accumulate((stop - start for _, start, stop in pieces), initial=0)
    return [number for number, _, _ in pieces], [slice(*cut) for cut in pairwise(ends)]


class JoinedPieces:
    """The function of one task."""

    __slots__ = ("node", "pieces", "shape")

    def __init__(self, node: Node, shape: tuple[int, ...], pieces: list[Piece]) -> None:
        self.node, self.shape, self.pieces = node, shape, pieces

    def __call__(self, *values_and_index: Any, out: Any = None) -> Any:
        """Compute the pieces of the block, into ``out`` where given."""
        values = values_and_index  # its number stands last, and is known
        node: Any = self.node
        if len(self.pieces) == 1:
            ((number, _, at),) = self.pieces
            return node.run(*(values[k] for k in at), number, out=out)
        if out is None:
            out = namespace(node.meta.backend).empty(self.shape, dtype=node.meta.dtype)
        for number, place, at in self.pieces:
            node.run(*(values[k] for k in at), number, out=out[(*place, ...)])
        return out
