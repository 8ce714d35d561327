"""Merge work on partitions into the task of who reads it, so that intermediates never exist.

A node joins the group of its readers when all of them are in one group and take the same partition
(`gpuscale.expr.with_readers`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise
from gpuscale.expr.steps import Step, StepsKernel
from gpuscale.expr.with_readers import merge_with_readers

__all__ = ["merge_steps"]


def merge_steps(roots: list[Node]) -> list[Node]:
    """Make one node of each group, below all roots at once."""
    return merge_with_readers(roots, _with_steps, _takes_the_same, _merged)


def _with_steps(node: Node) -> Blockwise | None:
    return node if isinstance(node, Blockwise) and isinstance(node.kernel, StepsKernel) else None


def _takes_the_same(reader: Blockwise, node: Blockwise) -> bool:
    """Whether one that reads another takes the partition of its own number, and no other."""
    grid = reader.space.numblocks
    if not node.space.numblocks == grid == node.meta.numblocks:
        return False
    reads = (each.axes for each in reader.inputs if each.node.token == node.token)
    return all(axes == tuple(range(len(grid))) for axes in reads)


def _merged(members: Sequence[Blockwise]) -> Node:
    """Return one node that takes the steps of all, of which the last gives the result."""
    head = members[-1]
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
