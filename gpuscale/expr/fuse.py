"""Merge what one task can do in one pass, so that intermediates never exist.

First elementwise work is merged into the program of whoever reads it (`gpuscale.expr.merge`), and
work on frames into the steps of the same task (`gpuscale.expr.merge_steps`). What is left is
inlined: a source, or a block that exactly one task reads, is evaluated inside it. In between small
blocks are joined where nobody can tell (`gpuscale.expr.coarsen`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from gpuscale.expr.coarsen import coarsen
from gpuscale.expr.joins import join_once
from gpuscale.expr.merge import CHEAP, merge, program_cost
from gpuscale.expr.merge_steps import merge_steps
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, Source
from gpuscale.expr.reads import count_reads, is_free_to_read, is_read_in_place
from gpuscale.expr.regrid import rechunk_late
from gpuscale.expr.walk import toposort
from gpuscale.memory.limits import budget_of
from gpuscale.memory.spaces import DEVICE, HOST, space_of

__all__ = ["fuse", "is_computed_again"]

DEEPEST = 32  # nodes evaluated inside each other: each takes frames of Python's stack


def fuse(roots: Iterable[Node]) -> list[Node]:
    """Merge programs and inline single readers, below all roots at once."""
    return _inline(coarsen(merge(rechunk_late(join_once(merge_steps(list(roots)))))))


def _inline(roots: list[Node]) -> list[Node]:
    readers = count_reads(roots)
    done: dict[str, Node] = {}
    depths: dict[str, int] = {}  # of nodes inside each other, down from each
    for node in toposort(roots):
        new = node
        if isinstance(node, Blockwise):
            # Decided on the counts of the old inputs, then moved to the new ones.
            flags = [
                depths.get(each.node.token, 0) < DEEPEST and _should_inline(node, each, readers)
                for each in node.inputs
            ]
            inside = (each.node for each, flag in zip(node.inputs, flags, strict=True) if flag)
            depths[node.token] = 1 + max((depths.get(x.token, 0) for x in inside), default=0)
            new = _with_inline(node, flags)
        done[node.token] = new.map_children(lambda child: done[child.token])
    return [done[root.token] for root in roots]


def is_computed_again(x: Node, readers: Counter[str], passes: int) -> bool:
    """Whether tasks compute the blocks they look at, in each of some passes, instead of one before.

    Functions of users are called once for each block.
    """
    if isinstance(x, Source):
        return is_read_in_place(x, Counter({x.token: readers[x.token] * passes}))
    if not isinstance(x, Blockwise) or readers[x.token] > 1 or not _is_elementwise(x):
        return False
    cheap = program_cost(x.kernel.program) <= CHEAP
    free = all(is_free_to_read(each.node) for each in x.inputs)
    large = x.meta.projected_nbytes > budget_of(x.meta.backend) // 4
    return passes == 1 or free and (cheap or not x.inputs) or large


def _is_elementwise(x: Node) -> bool:
    """Whether a block is made by nothing but scalar operations, down to the results of others."""
    if isinstance(x, Source):
        return True
    inside = (each.node for each in x.inputs if each.inline) if isinstance(x, Blockwise) else ()
    return isinstance(x, Blockwise) and x.is_program and all(map(_is_elementwise, inside))


def _with_inline(node: Blockwise, flags: list[bool]) -> Node:
    if not any(flags):
        return node
    inputs = tuple(
        replace(each, inline=flag) for each, flag in zip(node.inputs, flags, strict=True)
    )
    return node.rebuilt(node.kernel, inputs, node.domain, node.out)


def _should_inline(node: Blockwise, each: BlockInput, readers: Counter[str]) -> bool:
    source = each.node
    if isinstance(source, Source):
        # A partition that goes to all those of others would be decoded for each of them.
        is_repeated = each.view is None and not _one_to_one(each, source, node)
        reads = readers[source.token] + is_repeated
        return is_read_in_place(source, Counter({source.token: reads}))
    return (
        isinstance(source, Blockwise)
        and readers[source.token] == 1
        and not _leaves_device(source, node)
        and _one_to_one(each, source, node)
    )


def _leaves_device(source: Node, node: Node) -> bool:
    """Whether one task would work on a device unseen by its budget: a task counts in one space."""
    spaces = space_of(source.meta.backend), space_of(node.meta.backend)
    return spaces == (DEVICE, HOST)


def _one_to_one(each: BlockInput, source: Blockwise | Source, node: Blockwise) -> bool:
    """Whether every block of the source is read by exactly one block of the reader."""
    if math.prod(source.meta.numblocks) != math.prod(node.space.numblocks):
        return False
    if each.view is None:
        axes = list(each.axes or ())
    else:
        axes = [axis for axis, _, _ in each.view.axes]
    used = {axis for axis in axes if axis is not None}
    return all(n == 1 or axis in used for axis, n in enumerate(node.space.numblocks))
