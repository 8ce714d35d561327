"""What passes over expressions share: who reads a node, and others in the place of some."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import reduce

from gpuscale.dataframe.nodes.partwise import Partwise, Project
from gpuscale.expr.node import Node
from gpuscale.expr.walk import toposort

__all__ = ["all_of", "is_alone", "readers_of", "replaced", "seen_by", "table_of"]

Readers = Mapping[str, set[str]]


def replaced(roots: list[Node], new: Mapping[str, Node]) -> list[Node]:
    """Put other nodes in the place of some."""
    done = dict(new)
    for node in toposort(roots):
        if node.token not in done:
            done[node.token] = node.map_children(lambda child: done[child.token])
    return [done[root.token] for root in roots]


def readers_of(nodes: Iterable[Node], roots: Iterable[Node]) -> dict[str, set[str]]:
    """Return who reads each node, by tokens; "" is the user, who reads the roots."""
    readers: dict[str, set[str]] = defaultdict(set)
    for node in nodes:
        for child in node.children:
            readers[child.token].add(node.token)
    for root in roots:
        readers[root.token].add("")
    return readers


def seen_by(nodes: Iterable[Node], base: Node) -> list[Node]:
    """Return what depends on a node among some and those below them, in order."""
    inside = {base.token}
    found = []
    for each in toposort(nodes):
        if any(child.token in inside for child in each.children):
            inside.add(each.token)
            found.append(each)
    return found


def table_of(node: Node) -> Node:
    """Return the frame of which columns are taken."""
    while isinstance(node, Project):
        node = node.x
    return node


def is_alone(node: Node, base: Node, readers: Readers) -> bool:
    """Whether all that depends on some frame goes into one node."""
    inside = {base.token, *(each.token for each in seen_by([node], base))}
    return all(readers[token] <= inside for token in inside - {node.token})


def all_of(masks: Iterable[Node]) -> Node:
    """Return a mask that is true where all of some are."""
    return reduce(lambda a, b: Partwise(operator.and_, (a, b), (), "and", "same", None), masks)
