"""Walks over expressions, written once, without recursion, so that depth has no limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gpuscale.expr.node import Node

__all__ = ["toposort", "transform"]


def toposort(roots: Iterable[Node]) -> Iterator[Node]:
    """Yield each node below the roots once, inputs before those who read them."""
    done: set[str] = set()
    for root in roots:
        stack = [(root, iter(root.children))]
        while stack:
            node, pending = stack[-1]
            if node.token in done:
                stack.pop()
                continue
            child = next((c for c in pending if c.token not in done), None)
            if child is None:
                done.add(node.token)
                stack.pop()
                yield node
            else:
                stack.append((child, iter(child.children)))


def transform(roots: Iterable[Node], function: Callable[[Node], Node]) -> list[Node]:
    """Rebuild expressions bottom-up; ``function`` sees each node once, its children done."""
    roots = list(roots)
    new: dict[str, Node] = {}
    for node in toposort(roots):
        new[node.token] = function(node.map_children(lambda child: new[child.token]))
    return [new[root.token] for root in roots]
