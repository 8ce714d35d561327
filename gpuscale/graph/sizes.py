"""Bytes that blocks and tasks are projected to take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat

from gpuscale.expr.node import Node
from gpuscale.expr.physical import Blockwise
from gpuscale.expr.reads import is_free_to_read

__all__ = ["all_nbytes", "block_nbytes", "workspaces"]

BlockIndex = tuple[int, ...]


def block_nbytes(node: Node, index: BlockIndex) -> int:
    """Projected bytes of a block; where data decides, those of the largest input block."""
    nbytes = node.meta.block_nbytes(index)
    if nbytes is not None:
        return int(nbytes)
    if isinstance(node, Blockwise):
        reads = node.reads((index,))
        return max((block_nbytes(each, block) for each, (block,) in reads), default=0)
    sizes = [block_nbytes(child, (0,) * child.meta.ndim) for child in node.children]
    return max(sizes, default=node.meta.dtype.itemsize)


def all_nbytes(node: Node, blocks: Sequence[BlockIndex]) -> list[int]:
    """`block_nbytes` of many blocks."""
    sizes = node.meta.block_sizes(blocks)
    if sizes is None:
        return [block_nbytes(node, index) for index in blocks]
    itemsize = node.meta.dtype.itemsize
    return [size * itemsize for size in sizes]


def workspaces(node: Blockwise, blocks: Sequence[BlockIndex]) -> Iterable[int]:
    """Bytes that tasks need besides their inputs and results: what is evaluated inside them.

    A program works in tiles that fit the cache.
    """
    itemsize = _itemsize_inside(node)
    sizes = node.space.block_sizes(blocks) if itemsize else None
    return repeat(0, len(blocks)) if sizes is None else [size * itemsize for size in sizes]


def _itemsize_inside(node: Node) -> int:
    """Bytes of one element of each input, and of theirs, that is evaluated inside a task."""
    if not isinstance(node, Blockwise):
        return 0
    return sum(
        each.node.meta.dtype.itemsize + _itemsize_inside(each.node)
        for each in node.inputs
        if each.inline and not is_free_to_read(each.node)
    )
