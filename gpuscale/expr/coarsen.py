"""Make tasks worth their cost: small neighbouring blocks become one where nobody can tell.

How users cut an array says how its chunks arrive where somebody asks for them. Along an axis that
is reduced, or that ends in one array in memory, nobody asks; there a task takes as many blocks at
once as make it long beside what the engine spends on it.
"""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import Any

from gpuscale.base.types import Chunks
from gpuscale.expr.interpreted import elements_within
from gpuscale.expr.kernels import ProgramKernel, ReduceKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, Exchange, Sink, Source, TreeReduce
from gpuscale.expr.plans import SelectPlan
from gpuscale.expr.reads import count_reads, is_read_in_place
from gpuscale.expr.walk import toposort
from gpuscale.memory.limits import CHUNKS_IN_MEMORY, budget_of

__all__ = ["ENOUGH", "coarsen", "even_sizes", "merge_sizes"]

TASKS = 4  # that shall have room side by side, with what they work in
ENOUGH = 2 << 20  # bytes of a block beside which the cost of its task is small
MODERATE = 8 << 20  # bytes of a block that is in memory as a whole while a task looks at it


def coarsen(roots: list[Node]) -> list[Node]:
    """Give reductions and results in memory fewer, larger blocks where theirs are small.

    A selection works on whole blocks: it gets them neither small nor large.
    """
    readers = count_reads(roots)
    done: dict[str, Node] = {}
    for node in toposort(roots):
        new = node.map_children(lambda child: done[child.token])
        if isinstance(new, TreeReduce | Sink) and readers[_input(node).token] == 1:
            new = _with_larger_blocks(new, readers)
        elif isinstance(new, Exchange) and isinstance(new.plan, SelectPlan):
            new = _with_moderate_blocks(new, readers)
        done[node.token] = new
    return [done[root.token] for root in roots]


def _input(node: Any) -> Node:
    x: Node = node.x
    return x


def _with_larger_blocks(node: TreeReduce | Sink, readers: Counter[str]) -> Node:
    x = node.x
    if not isinstance(x, Blockwise) or not x.space.known or not x.meta.known:
        return node
    if isinstance(node, Sink):
        # Whoever lends the memory for a piece does not mind how large it is.
        takes_any = hasattr(node.writer, "target") and isinstance(x.kernel, ProgramKernel)
        axes = set(range(x.meta.ndim)) if takes_any else set()
    else:
        axes = set(node.axes) if isinstance(x.kernel, ReduceKernel) else set()
    for each in x.inputs:
        axes -= _held_axes(each, readers)
    if not axes:
        return node
    domain = merge_sizes(x.domain, axes, _elements(ENOUGH, x))
    if domain == x.domain:
        return node
    if isinstance(node, Sink):
        meta = x.meta.with_(chunks=domain)
        return node.rebuilt(x.rebuilt(x.kernel, x.inputs, domain, meta), node.writer, meta)
    grid = tuple(
        (1,) * len(domain[axis]) if axis in node.axes else sizes
        for axis, sizes in enumerate(x.meta.chunks)
    )
    x = x.rebuilt(x.kernel, x.inputs, domain, x.meta.with_(chunks=grid))
    return node.rebuilt(x, *node.operands[1:])


def _with_moderate_blocks(node: Exchange, readers: Counter[str]) -> Node:
    x, *rest = node.inputs
    if isinstance(x, Source):
        if x.reader.cost != "view":
            return node
        meta = x.meta.with_(
            chunks=even_sizes(x.meta.chunks, set(), _at_most(MODERATE, x) // x.meta.dtype.itemsize)
        )
        return node.rebuilt((x.rebuilt(x.reader, meta), *rest), node.plan, node.out)
    if not (isinstance(x, Blockwise) and x.is_program and readers[x.token] == 1):
        return node
    held = set().union(*(_held_axes(each, readers) for each in x.inputs))
    domain = even_sizes(x.domain, held, _elements(MODERATE, x))
    x = x.rebuilt(x.kernel, x.inputs, domain, x.meta.with_(chunks=domain))
    return node.rebuilt((x, *rest), node.plan, node.out)


def _at_most(nbytes: int, x: Node) -> int:
    """Bytes of a larger block: no more than fit side by side where the blocks lie."""
    return min(nbytes, budget_of(x.meta.backend) // CHUNKS_IN_MEMORY)


def _elements(nbytes: int, x: Blockwise) -> int:
    """Elements of a larger block, and what it takes to make them fits side by side with others."""
    loads = [instr.dtype.itemsize for instr in x.kernel.program.instrs]
    most, backend = _at_most(nbytes, x) // max(1, *loads), x.meta.backend
    return elements_within(x.kernel, most, backend, budget_of(backend) // TASKS)


def _held_axes(each: BlockInput, readers: Counter[str]) -> set[int]:
    """Axes along which an input must be met block by block."""
    if each.view is None:
        return {axis for axis in each.axes or () if axis is not None}
    if isinstance(each.node, Source) and is_read_in_place(each.node, readers):
        axes = [axis for axis, _, _ in each.view.axes if axis is not None]
        return {axis for axis in axes if axes.count(axis) > 1}  # a diagonal: squares are read
    counts = zip(each.view.axes, each.node.meta.numblocks, strict=True)
    return {axis for (axis, _, _), count in counts if axis is not None and count > 1}


def merge_sizes(chunks: Chunks, axes: set[int], most: int) -> Chunks:
    """Merge neighbouring blocks along some axes, the last first, up to a number of elements.

    Examples
    --------
    >>> merge_sizes(((2, 2, 2), (3, 3, 3, 3)), {0, 1}, 48)
    ((4, 2), (12,))
    >>> merge_sizes(((2, 2, 2), (3, 3, 3, 3)), {0}, 24)
    ((6,), (3, 3, 3, 3))
    """
    new = list(chunks)
    largest = [max(sizes) for sizes in chunks]
    for axis in sorted(axes, reverse=True):
        count = most // max(1, prod(largest))
        if count > 1:
            sizes = chunks[axis]
            new[axis] = tuple(sum(sizes[k : k + count]) for k in range(0, len(sizes), count))
            largest[axis] = max(new[axis])
    return tuple(new)


def even_sizes(chunks: Chunks, held: set[int], most: int) -> Chunks:
    """Cut some axes anew into blocks of a number of elements, which lie together in C order.

    Examples
    --------
    >>> even_sizes(((2, 2, 2), (3, 3, 3, 3)), set(), 24)
    ((2, 2, 2), (12,))
    >>> even_sizes(((2, 2, 2), (3, 3, 3, 3)), {1}, 12)
    ((4, 2), (3, 3, 3, 3))
    """
    new = list(chunks)
    left = most // max(1, prod(max(chunks[axis]) for axis in held))
    for axis in reversed(range(len(chunks))):
        if axis not in held:
            length = sum(chunks[axis])
            size = max(1, min(length, left))
            left //= size
            new[axis] = tuple(min(size, length - k) for k in range(0, length, size)) or (0,)
    return tuple(new)
