"""Merges give the columns that anybody wants, so that no others are put together from rows."""

from __future__ import annotations

from dataclasses import replace

from gpuscale.dataframe.algorithms.merging import Merge
from gpuscale.dataframe.nodes.partwise import Partwise, Project
from gpuscale.dataframe.rules.projection import Wanted, wanted_of
from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.walk import toposort

__all__ = ["is_merge", "merge_wanted"]


def merge_wanted(roots: list[Node]) -> list[Node]:
    """Leave keys, which merges have to read, out of what comes of them."""
    nodes = list(toposort(roots))
    if not any(map(is_merge, nodes)):
        return roots
    wanted = wanted_of(nodes, roots)
    done: dict[str, Node] = {}
    for node in nodes:
        with on_behalf_of(node):
            new = node.map_children(lambda child: done[child.token])
            if is_merge(new) and node.token in wanted:
                new = _with_columns(new, wanted[node.token])
            elif isinstance(new, Project) and is_merge(new.x) and _is_all(new):
                new = new.x
        done[node.token] = new
    return [done[root.token] for root in roots]


def is_merge(node: Node) -> bool:
    """Whether a node merges two frames by keys."""
    return isinstance(node, Partwise) and isinstance(node.function, Merge)


def _is_all(project: Project) -> bool:
    return not project.as_series and list(project.x.meta.frame.columns) == list(project.columns)


def _with_columns(node: Node, wanted: Wanted) -> Node:
    columns = node.meta.frame.columns
    if wanted is None or not columns.is_unique or columns.nlevels > 1:
        return node
    kept = tuple(label for label in columns if label in wanted)
    if len(kept) == len(columns):
        return node
    function, args, kwargs, label, rows, _ = node.operands
    function = replace(function, columns=kept)
    return Partwise(function, args, kwargs, label, rows, function.template(*args))
