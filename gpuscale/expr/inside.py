"""What a task of a physical node does, in the user's words: operations, and their lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gpuscale.expr.node import Node
from gpuscale.expr.physical import Blockwise, Sink, Source
from gpuscale.expr.steps import StepsKernel

__all__ = ["operation_of", "operations"]


def operations(node: Node) -> Iterator[tuple[str, Any]]:
    """Names and lines of what a task of a node does, what runs inside of it first."""
    if isinstance(node, Blockwise):
        for each in node.inputs:
            if each.inline and not isinstance(each.node, Source):
                yield from operations(each.node)
        if isinstance(node.kernel, StepsKernel):
            yield from ((step.label, step.origin) for step in node.kernel.steps)
            return
    yield node.name, node.origin


def operation_of(node: Node) -> str:
    """Name what a task of a node is for, not how it is done: views and writes are of something."""
    if isinstance(node, Sink) and not isinstance(node.x, Source):
        return f"writing {operation_of(node.x)}"
    named = [name for name, _ in operations(node) if name != "view"]
    return named[-1] if named else node.name
