"""Filters go below what rows come through: merges, groups, sorts, new columns, other partitions.

Of a mask that is made of conditions, all of which have to be met, each goes down as far as the
columns are there that it looks at, and from files nothing else may be read in the end. What goes
where is a table, `gpuscale.dataframe.rules.below`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gpuscale.dataframe.conditions import conjuncts
from gpuscale.dataframe.nodes.partwise import Filter, Project
from gpuscale.dataframe.nodes.rows import Counted
from gpuscale.dataframe.rules.below import BELOW, View
from gpuscale.dataframe.rules.rewriting import (
    all_of,
    is_alone,
    readers_of,
    replaced,
    seen_by,
    table_of,
)
from gpuscale.dataframe.rules.row_by_row import is_row_by_row, is_safe
from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.walk import toposort

__all__ = ["filter_below"]


def filter_below(roots: list[Node]) -> list[Node]:
    """Drop rows before they are merged, grouped, sorted or moved, where a filter does after it."""
    while True:
        nodes = list(toposort(roots))
        filters = [node for node in nodes if isinstance(node, Filter)]
        if not filters or any(isinstance(node, Counted) for node in nodes):
            return roots
        view = View(nodes, roots, readers_of(nodes, roots))
        # From above, so that what comes to lie upon another filter goes down together with it.
        found = next(filter(None, (_lowered(node, view) for node in reversed(filters))), None)
        if found is None:
            return roots
        roots = replaced(roots, found)


def _lowered(node: Filter, view: View) -> dict[str, Node] | None:
    """Return what stands for a filter of which some conditions went below, None for none."""
    base = table_of(node.x)
    row = BELOW.get(type(base))
    if row is None or not _is_table(base) or not is_alone(node, base, view.readers):
        return None
    if not is_row_by_row([node.x, node.mask], base):
        return None
    current, rest = base, list[Node]()
    with on_behalf_of(node):
        for mask in conjuncts(node.mask):
            columns = _columns(mask, base) if is_safe(mask, base) else None
            new = None
            if columns:
                new = row(current, columns, _Condition(mask, base), view)
            current, rest = (current, [*rest, mask]) if new is None else (new, rest)
        if current is base:
            return None
        x, *masks = replaced([node.x, *rest], {base.token: current})
        return {node.token: Filter(x, all_of(masks)) if masks else x}


def _is_table(node: Node) -> bool:
    frame = node.meta.frame
    return isinstance(frame, pd.DataFrame) and frame.columns.is_unique


def _columns(mask: Node, base: Node) -> frozenset[Any] | None:
    """Return the columns that a mask looks at, one by one; None where it looks at a table."""
    found: set[Any] = set()
    for node in seen_by([mask], base):
        if not isinstance(node, Project):
            if any(map(_gives_table, node.children)):
                return None
        elif node.as_series:
            if table_of(node) is not base:
                return None
            found.update(node.columns)
    return frozenset(found)


def _gives_table(node: Node) -> bool:
    return isinstance(getattr(node.meta, "frame", None), pd.DataFrame)


class _Condition:
    """A condition of columns of one frame, for others that have these."""

    def __init__(self, mask: Node, base: Node) -> None:
        self._mask, self._base = mask, base

    def __call__(self, x: Node, labels: Mapping[Any, Any]) -> Node:
        """Return the rows that meet it, of a frame where columns have some labels.

        In the place of a label there may be a series. Two filters in a row become one.
        """
        if isinstance(x, Filter) and not any(isinstance(at, Node) for at in labels.values()):
            return Filter(x.x, all_of([x.mask, self._mask_of(x.x, labels)]))
        return Filter(x, self._mask_of(x, labels))

    def _mask_of(self, x: Node, labels: Mapping[Any, Any]) -> Node:
        new = {}
        for node in seen_by([self._mask], self._base):
            if isinstance(node, Project) and node.as_series:
                at = labels[node.columns[0]]
                new[node.token] = at if isinstance(at, Node) else Project(x, (at,), True)
        (mask,) = replaced([self._mask], new)
        return mask
