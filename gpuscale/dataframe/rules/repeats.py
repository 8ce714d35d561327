"""Groups of distinct rows are made in several partitions where keys come in order.

Rows that are the same, and those of one group, then lie in one partition, once the few are moved
whose key the next partition has, too: no task has to look at all rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gpuscale.dataframe.algorithms.counting import DistinctRows
from gpuscale.dataframe.algorithms.grouping import Aggregates
from gpuscale.dataframe.algorithms.known_keys import are_whole
from gpuscale.dataframe.algorithms.spread_groups import OfParts
from gpuscale.dataframe.inference import emptied
from gpuscale.dataframe.nodes.partwise import Partwise, Project
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.nodes.regroup import Regroup
from gpuscale.dataframe.rules.ranges import bounds_of, cut_in_order, ranges_of
from gpuscale.dataframe.rules.rewriting import readers_of, replaced
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.walk import toposort

__all__ = ["group_distinct_in_order"]


def group_distinct_in_order(roots: list[Node]) -> list[Node]:
    """Find distinct rows, and group them, where they are, if a key comes in order of partitions."""
    while True:
        nodes = list(toposort(roots))
        if not any(map(_is_distinct, nodes)):
            return roots
        readers = readers_of(nodes, roots)
        found = next((new for node in nodes for new in _grouped(node, readers)), None)
        if found is None:
            return roots
        roots = replaced(roots, found)


def _grouped(groups: Node, readers: dict[str, set[str]]) -> Iterator[dict[str, Node]]:
    """Yield what stands for the groups of distinct rows that nobody else reads."""
    if not isinstance(groups, Reduction) or not isinstance(groups.blueprint, Aggregates):
        return
    options = groups.blueprint.options
    frame, key, *more = groups.inputs
    distinct = frame.x if isinstance(frame, Project) else frame
    if more or not (options.sort and options.as_index and _is_distinct(distinct)):
        return
    inside = {each.token for each in (groups, frame, key)}
    if not all(readers[each.token] <= inside for each in (distinct, frame, key)):
        return
    if not isinstance(key, Project) or not key.as_series or key.x is not distinct:
        return
    with on_behalf_of(distinct):
        rows = _distinct_in_order(distinct, key.columns[0])  # type: ignore[arg-type]
    if rows is not None:
        with on_behalf_of(groups):
            yield {groups.token: _in_place(groups, distinct, rows)}


def _is_distinct(node: Node) -> bool:
    is_one = isinstance(node, Reduction) and isinstance(node.blueprint, DistinctRows)
    return is_one and node.meta.ndim == 1


def _distinct_in_order(node: Reduction, key: Any) -> Node | None:
    """Return distinct rows in several partitions, None where keys are not known to be in order."""
    (x,), plan = node.inputs, node.blueprint
    meta: FrameMeta = x.meta
    is_compared = plan.subset is None or key in plan.subset
    is_plain = meta.frame.ndim == 2 and meta.frame.columns.is_unique and meta.npartitions > 1
    if not is_compared or not is_plain or not are_whole(meta, (key,)):
        return None
    ranges = ranges_of(x, key)
    rows = None if ranges is None else cut_in_order(x, key, ranges, bounds_of(ranges))
    return None if rows is None else Partwise(plan, (rows,), (), node.label, "some", meta.frame)


def _in_place(groups: Reduction, distinct: Node, rows: Node) -> Node:
    """Return groups whose rows lie together; in the order of partitions they are in their own."""
    plan, label = groups.blueprint, groups.label
    nodes = replaced(list(groups.inputs), {distinct.token: rows})
    like = emptied(plan.chunk(*(each.meta.frame for each in nodes)))
    parts = Partwise(plan.chunk, tuple(nodes), (), label, "new", like)
    results = Partwise(OfParts(plan), (parts,), (), label, "new", emptied(plan.template))
    every = tuple((0, block, None) for block in range(results.meta.npartitions))
    return Regroup((results,), (every,), None, label)
