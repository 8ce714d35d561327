"""Walks over expressions, written once, without recursion, so that depth has no limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpuscale.expr.node import Node

__all__ = ["landings", "toposort"]

_FLIGHT = 32  # nodes between two landings: pickle recurses some ten times for each


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


def landings(root: Node) -> list[Node]:
    """Nodes on the way up to a deep one, not far from each other.

    Pickled in this order, each finds those below written already: depth has no limit.
    """
    depths: dict[str, int] = {}
    found = []
    for node in toposort([root]):
        depth = 1 + max((depths[child.token] for child in node.children), default=0)
        depths[node.token] = depth
        if depth % _FLIGHT == 0:
            found.append(node)
    return found
