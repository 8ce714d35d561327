"""What depends on memory is planned for the run that is to be.

Readers were told in how many partitions rows are. Where there are others now, work that is row by
row, reductions, and the user who asks for all rows take each of these by itself. Whoever else was
told of one partition gets all as one; of several each has its place, and they stay as they were.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from functools import partial
from typing import Any

from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.nodes.by_memory import ByMemory
from gpuscale.dataframe.nodes.partwise import Filter
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.nodes.regroup import Regroup
from gpuscale.dataframe.rules.row_by_row import works_row_by_row
from gpuscale.engines.base import planned_for_default
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.walk import toposort

__all__ = ["plan_by_memory", "planned_now"]


def plan_by_memory(roots: list[Node]) -> list[Node]:
    """Plan again what was planned by the memory that there was when it was written."""
    nodes = list(toposort(roots))
    if not any(isinstance(node, ByMemory) for node in nodes):
        return roots
    done: dict[str, Node] = {}
    several: dict[str, Node] = {}  # what is in other partitions than those that were told
    origins: dict[str, str] = {}  # of what it is made
    for node in nodes:
        origin = _origin(node, origins)
        places = ChainMap(several, done) if origin else done
        new = node.map_children(partial(_at, places))
        if isinstance(new, ByMemory):
            with on_behalf_of(node):
                new = new.make(new.inputs)
            origin = node.token
        if origin and _is_told_otherwise(node, new):
            several[node.token], origins[node.token] = new, origin
            new = _as_told(node, new, done)
        done[node.token] = new
    return [several.get(root.token, done[root.token]) for root in roots]


def _at(places: Mapping[str, Node], node: Node) -> Node:
    return places[node.token]


def _origin(node: Node, origins: dict[str, str]) -> str | None:
    """Return of what a node is made row by row, or reduced, if that is in several partitions."""
    found = {origins.get(x.token) for x in node.children if isinstance(x.meta, FrameMeta)}
    if len(found) != 1 or None in found:
        return None
    is_free = isinstance(node, Filter | Reduction) or works_row_by_row(node)
    return found.pop() if is_free else None


def _is_told_otherwise(node: Node, new: Node) -> bool:
    return isinstance(node.meta, FrameMeta) and node.meta.npartitions != new.meta.npartitions


def _as_told(node: Node, new: Node, done: Mapping[str, Node]) -> Node:
    """Return rows in the partitions of which readers were told."""
    if node.meta.npartitions > 1:
        told = node.map_children(partial(_at, done))
        return told.plan if isinstance(told, ByMemory) else told
    every = tuple((0, block, None) for block in range(new.meta.npartitions))
    return Regroup((new,), (every,), None, new.name)


def planned_now(x: Any) -> Any:
    """Return a collection that is computed at once, by the memory of the default engine."""
    if not any(isinstance(node, ByMemory) for node in toposort([x.expr])):
        return x
    with planned_for_default():
        return wrap(*plan_by_memory([x.expr]))
