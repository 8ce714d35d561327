"""Nodes that become one with those who read them.

A node joins the group of its readers when all of them are in one group: so a chain is one node, and
so is what parts and meets again, as ``x + y`` where both are of one ``x``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.walk import toposort

__all__ = ["merge_with_readers"]

N = TypeVar("N", bound=Node)


def merge_with_readers(
    roots: list[Node],
    member: Callable[[Node], N | None],
    joins: Callable[[N, N], bool],
    merged: Callable[[Sequence[N]], Node],
) -> list[Node]:
    """Make one node of each group, below all roots at once.

    Parameters
    ----------
    roots : list of Node
    member : callable
        Returns a node that may be in a group, None of any other.
    joins : callable
        Whether the second of two may join the group of the first, which reads it.
    merged : callable
        Makes one node of several, in their order; the last one gives the result.
    """
    nodes = list(toposort(roots))
    those = {node.token: each for node in nodes if (each := member(node)) is not None}
    if not those:
        return roots
    heads = _heads(nodes, roots, those, joins)
    groups: dict[str, list[N]] = defaultdict(list)
    for token, each in those.items():
        groups[heads[token]].append(each)
    done: dict[str, Node] = {}
    for node in nodes:
        if heads.get(node.token, node.token) != node.token:
            continue
        group = groups.get(node.token, ())
        with on_behalf_of(node):
            new = merged(group) if len(group) > 1 else node
            done[node.token] = new.map_children(lambda child: done[child.token])
    return [done[root.token] for root in roots]


def _heads(
    nodes: Sequence[Node],
    roots: Sequence[Node],
    those: dict[str, N],
    joins: Callable[[N, N], bool],
) -> dict[str, str]:
    """For each node that may be in a group, the last of its group: itself, or that of its readers.

    Readers come first, so theirs are known.
    """
    readers: dict[str, set[str | None]] = defaultdict(set)
    for root in roots:
        readers[root.token].add(None)
    heads: dict[str, str] = {}
    for node in reversed(nodes):
        reader = those.get(node.token)
        if reader is not None:
            (head, *more) = readers[node.token]
            heads[node.token] = node.token if head is None or more else head
        for child in node.children:
            own = those.get(child.token)
            joined = reader is not None and own is not None and joins(reader, own)
            readers[child.token].add(heads[node.token] if joined else None)
    return heads
