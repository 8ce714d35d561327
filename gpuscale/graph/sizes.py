"""Bytes that blocks and tasks are projected to take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from math import prod
from operator import add

from gpuscale.base.types import BlockIndex
from gpuscale.expr.interpreted import bytes_to_interpret
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, Source
from gpuscale.expr.reads import is_free_to_read
from gpuscale.expr.steps import StepsKernel

__all__ = ["all_nbytes", "block_nbytes", "workspaces"]


def block_nbytes(node: Node, index: BlockIndex) -> int:
    """Projected bytes of a block; where data decides, those of the largest input block."""
    nbytes = node.meta.block_nbytes(index)
    if nbytes is not None:
        return int(nbytes)
    if isinstance(node, Blockwise):
        return max(
            (_input_nbytes(node, each, k, index) for k, each in enumerate(node.inputs)), default=0
        )
    sizes = [block_nbytes(child, (0,) * child.meta.ndim) for child in node.children]
    return max(sizes, default=node.meta.dtype.itemsize)


def _input_nbytes(node: Blockwise, each: BlockInput, number: int, index: BlockIndex) -> int:
    """Bytes of what a block takes of one input, in a task of its own or evaluated inside."""
    locator = node.locators[number]
    if locator is None:
        return _region_bytes(node, each, [index])[0]
    return block_nbytes(each.node, locator.block(index))


def all_nbytes(node: Node, blocks: Sequence[BlockIndex]) -> list[int]:
    """`block_nbytes` of many blocks."""
    sizes = node.meta.block_sizes(blocks)
    if sizes is None:
        return [block_nbytes(node, index) for index in blocks]
    itemsize = node.meta.dtype.itemsize
    return [size * itemsize for size in sizes]


def workspaces(
    node: Blockwise, blocks: Sequence[BlockIndex], in_place: bool = False
) -> Iterable[int]:
    """Bytes that tasks need besides their inputs and results.

    Parameters
    ----------
    node : Blockwise
    blocks : sequence of tuple of int
    in_place : bool
        Results go where they belong; those of a function still take memory of their own before.
    """
    rooms = _inside(node, blocks)
    if not isinstance(node.kernel, FunctionKernel | StepsKernel):
        return map(add, rooms, repeat(_to_interpret(node, in_place)))
    results, room = all_nbytes(node, blocks), node.kernel.room
    works = _copies(node, results) if room is None else repeat(room)
    rooms = map(add, rooms, map(max, works, _to_decode(node, blocks)))
    return map(add, rooms, results) if in_place else rooms


def _to_interpret(node: Blockwise, in_place: bool) -> int:
    largest = prod(max((n for n in s if isinstance(n, int)), default=1) for s in node.domain)
    return bytes_to_interpret(node.kernel, largest, node.meta.backend, in_place)


def _copies(node: Blockwise, results: Sequence[int]) -> Iterable[int]:
    """Bytes of a copy of each result, or of the block that it is made from if that is larger."""
    inputs = (x.node for x in node.inputs if x.view is not None or {*(x.axes or ())} != {None})
    least = max((each.meta.largest_nbytes for each in inputs), default=0)
    return [max(result, least) for result in results]


def _to_decode(node: Blockwise, blocks: Sequence[BlockIndex]) -> Iterable[int]:
    """Bytes that reading the largest input inside of each task takes, before any work on it."""
    most: Iterable[int] = repeat(0, len(blocks))
    for each, locator in zip(node.inputs, node.locators, strict=True):
        source = each.node
        if each.inline and locator is not None and isinstance(source, Source) and source.room:
            sizes = all_nbytes(source, locator.blocks(blocks))
            most = map(max, most, [int(size * source.room) for size in sizes])
    return most


def _inside(node: Blockwise, blocks: Sequence[BlockIndex]) -> Iterable[int]:
    """Bytes of the inputs that are evaluated inside of each task, and of what that takes."""
    total: Iterable[int] = repeat(0, len(blocks))
    for each, locator in zip(node.inputs, node.locators, strict=True):
        child = each.node
        if not each.inline or is_free_to_read(child):
            continue
        if locator is None:
            total = map(add, total, _region_bytes(node, each, blocks))
            continue
        own = locator.blocks(blocks)
        total = map(add, total, all_nbytes(child, own))
        if isinstance(child, Blockwise):
            total = map(add, total, workspaces(child, own))
    return total


def _region_bytes(node: Blockwise, each: BlockInput, blocks: Sequence[BlockIndex]) -> list[int]:
    """Bytes of what is read of a source: along axes that it is broadcast to it has one element."""
    assert each.view is not None
    meta, axes = each.node.meta, [axis for axis, _, _ in each.view.axes if axis is not None]
    read = meta.with_(chunks=tuple(node.domain[axis] for axis in axes))  # one twice on a diagonal
    sizes = read.block_sizes([tuple(index[axis] for axis in axes) for index in blocks])
    return [n * meta.dtype.itemsize for n in sizes or [meta.size] * len(blocks)]
