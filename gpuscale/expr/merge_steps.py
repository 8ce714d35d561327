"""Merge work on partitions into the task of who reads it, so that intermediates never exist.

A node joins the group of its readers when all of them are in one group and take the same partition:
so a chain is one task, and so is what parts and meets again, as ``df.x + df.y`` over one file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeGuard

from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise
from gpuscale.expr.steps import Step, StepsKernel
from gpuscale.expr.walk import toposort

__all__ = ["merge_steps"]


def merge_steps(roots: list[Node]) -> list[Node]:
    """Make one node of each group, below all roots at once."""
    nodes = list(toposort(roots))
    if not any(map(_has_steps, nodes)):
        return roots
    heads = _heads(nodes, roots)
    members: dict[str, list[Blockwise]] = defaultdict(list)
    for node in nodes:
        if _has_steps(node):
            members[heads[node.token]].append(node)
    done: dict[str, Node] = {}
    for node in nodes:
        if not _has_steps(node):
            done[node.token] = node.map_children(lambda child: done[child.token])
        elif heads[node.token] == node.token:
            new = _merged(members[node.token])
            done[node.token] = new.map_children(lambda child: done[child.token])
    return [done[root.token] for root in roots]


def _has_steps(node: Node) -> TypeGuard[Blockwise]:
    return isinstance(node, Blockwise) and isinstance(node.kernel, StepsKernel)


def _heads(nodes: Sequence[Node], roots: Sequence[Node]) -> dict[str, str]:
    """For each node with steps, the node whose task it is done in: its own, or that of its readers.

    Readers come first, so their groups are known.
    """
    requested = {root.token for root in roots}
    readers: dict[str, set[str | None]] = defaultdict(set)
    heads: dict[str, str] = {}
    for node in reversed(nodes):
        found = readers[node.token]
        joins = _has_steps(node) and len(found) == 1 and None not in found
        if joins and node.token not in requested:
            heads[node.token] = str(next(iter(found)))
        elif _has_steps(node):
            heads[node.token] = node.token
        for child, aligned in _children(node):
            readers[child.token].add(heads[node.token] if aligned else None)
    return heads


def _children(node: Node) -> list[tuple[Node, bool]]:
    """Nodes that one reads, and whether it takes of each the partition of its own number."""
    if not _has_steps(node):
        return [(child, False) for child in node.children]
    return [(each.node, _is_aligned(node, each)) for each in node.inputs]


def _is_aligned(node: Blockwise, each: BlockInput) -> bool:
    grid = node.space.numblocks
    source = each.node
    if not _has_steps(source) or each.axes != tuple(range(len(grid))):
        return False
    return source.space.numblocks == grid == source.meta.numblocks


def _merged(members: Sequence[Blockwise]) -> Node:
    """Return one node that takes the steps of all, of which the last gives the result."""
    head = members[-1]
    if len(members) == 1:
        return head
    inside = {node.token for node in members}
    inputs: dict[tuple[str, tuple[int | None, ...] | None], int] = {}
    kept: list[BlockInput] = []
    for node in members:
        for each in node.inputs:
            key = each.node.token, each.axes
            if each.node.token not in inside and key not in inputs:
                inputs[key] = len(kept)
                kept.append(each)
    steps: list[Step] = []
    results: dict[str, int] = {}
    for node in members:
        kernel = node.kernel
        numbers = {
            k: results[each.node.token]
            if each.node.token in inside
            else inputs[each.node.token, each.axes]
            for k, each in enumerate(node.inputs)
        }
        for k, step in enumerate(kernel.steps):
            numbers[kernel.count + k] = len(kept) + len(steps)
            steps.append(step.renumbered(numbers))
        results[node.token] = len(kept) + len(steps) - 1
    kernel = replace(head.kernel, count=len(kept), steps=tuple(steps))
    return head.rebuilt(kernel, tuple(kept), head.domain, head.out)
