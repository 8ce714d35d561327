"""Blocks that are computed piece by piece, each piece in its place.

Where elementwise work has finer blocks than those that are wanted of it, one task computes all
pieces of a block straight into the block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, count, islice, pairwise, product, repeat
from typing import TYPE_CHECKING, Any

from gpuscale.backends.creation import namespace
from gpuscale.base.types import BlockIndex, Key
from gpuscale.chunks.rechunk import intersections
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Blockwise, Exchange, Physical
from gpuscale.graph.sizes import workspaces

if TYPE_CHECKING:
    from gpuscale.graph.build import GraphBuilder

__all__ = ["JoinedPieces", "joined_pieces", "shared_reads"]


_BATCH = 1024  # blocks that are laid out together: enough to be quick, few enough to be small


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
    for first in range(0, len(wanted), _BATCH):
        some = wanted[first : first + _BATCH]
        spans = [[table[k] for table, k in zip(tables, index, strict=True)] for index in some]
        numbers = [list(product(*(blocks for blocks, _ in each))) for each in spans]
        reads = shared_reads(builder, x, numbers)
        rooms = iter(workspaces(x, list(chain.from_iterable(numbers)), in_place=True))
        for index, span, own, (keys, at) in zip(some, spans, numbers, reads, strict=True):
            shape: Any = node.meta.block_shape(index)
            join = JoinedPieces(x, shape, own, [cuts for _, cuts in span], at)
            yield keys, join, max(islice(rooms, len(own)))


def shared_reads(
    builder: GraphBuilder, x: Physical, groups: Sequence[list[BlockIndex]]
) -> Iterator[tuple[list[Key], list[tuple[int, ...]]]]:
    """What tasks take of which each computes some blocks: keys once, and where each block's are."""
    blocks = list(chain.from_iterable(groups))
    columns = [builder.want_all(each, theirs) for each, theirs in x.reads(blocks)]
    rows = zip(*columns, strict=True) if columns else repeat(())
    for group in groups:
        own = list(islice(rows, len(group)))
        at = dict(zip(dict.fromkeys(chain.from_iterable(own)), count(), strict=False))
        yield list(at), [tuple(map(at.__getitem__, row)) for row in own]


def _placed(pieces: tuple[Any, ...]) -> tuple[list[int], list[slice]]:
    """Numbers of the old blocks of a new one along an axis, and their places in it."""
    ends = accumulate((stop - start for _, start, stop in pieces), initial=0)
    return [number for number, _, _ in pieces], [slice(*cut) for cut in pairwise(ends)]


class JoinedPieces:
    """The function of one task.

    Parameters
    ----------
    node : Node
        Whose blocks the pieces are.
    shape : tuple of int
    numbers : list of tuple of int
        Their numbers, in C order of the pieces.
    cuts : list of list of slice
        Where they lie along each axis.
    reads : list of tuple of int
        Which of the task's values each piece is computed from.
    """

    __slots__ = ("cuts", "node", "numbers", "reads", "shape")

    def __init__(
        self,
        node: Node,
        shape: tuple[int, ...],
        numbers: list[BlockIndex],
        cuts: list[list[slice]],
        reads: list[tuple[int, ...]],
    ) -> None:
        self.node, self.shape, self.numbers, self.cuts = node, shape, numbers, cuts
        self.reads = reads

    def __call__(self, *values_and_index: Any, out: Any = None) -> Any:
        """Compute the pieces of the block, into ``out`` where given."""
        values = values_and_index  # its number stands last, and is known
        node: Any = self.node
        if len(self.numbers) == 1:
            return node.run(*(values[k] for k in self.reads[0]), self.numbers[0], out=out)
        if out is None:
            out = namespace(node.meta.backend).empty(self.shape, dtype=node.meta.dtype)
        places = product(*self.cuts)
        for number, place, at in zip(self.numbers, places, self.reads, strict=True):
            node.run(*(values[k] for k in at), number, out=out[(*place, ...)])
        return out
