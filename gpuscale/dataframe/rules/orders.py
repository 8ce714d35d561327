"""Rows are not sorted for who makes the same of them in any order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from gpuscale.dataframe.algorithms.grouping import Aggregates
from gpuscale.dataframe.algorithms.merging import Merge
from gpuscale.dataframe.algorithms.moments import Mean, Moments
from gpuscale.dataframe.algorithms.partitioning import HashCut, RangeCut
from gpuscale.dataframe.algorithms.reductions import Count, Fold, Length, Unique
from gpuscale.dataframe.api.shuffling import is_sort
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Partwise, Project
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.nodes.shuffle import Shuffle
from gpuscale.dataframe.rules.rewriting import Readers, readers_of, replaced
from gpuscale.dataframe.rules.row_by_row import calls_for_each_row
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node
from gpuscale.expr.walk import toposort

__all__ = ["drop_sorts"]

_ADDED = ("sum", "prod", "total")  # which of texts is their concatenation
_IN_ANY_ORDER = {*_ADDED, "min", "max", "any", "all", "count", "size", "mean", "var"}


def drop_sorts(roots: list[Node]) -> list[Node]:
    """Leave out sorts of which only reductions and groups see the rows, that are the same for them.

    Floating-point numbers are added in another order then, as they are in other partitions.
    """
    while True:
        nodes = list(toposort(roots))
        sorts = [node for node in nodes if _sorts(node)]
        readers = readers_of(nodes, roots) if sorts else {}
        by_token = {node.token: node for node in nodes} if sorts else {}
        found = next((x for x in sorts if _is_in_vain(x, by_token, readers)), None)
        if found is None:
            return roots
        roots = replaced(roots, {found.token: found.x})  # type: ignore[attr-defined]


def _sorts(node: Node) -> bool:
    is_by_sample = is_sort(node) and isinstance(node.cut, RangeCut)  # type: ignore[attr-defined]
    return is_by_sample and node.x.meta.npartitions == node.meta.npartitions  # type: ignore[attr-defined]


def _is_in_vain(node: Node, by_token: dict[str, Node], readers: Readers) -> bool:
    """Whether all who see rows of a node, or what is made of each, take them in any order."""
    pending, done = [node], {node.token}
    while pending:
        for token in readers[pending.pop().token] - done:
            reader = by_token.get(token)
            if reader is None or not (_takes_any(reader) or _hands_on(reader)):
                return False
            done.add(token)
            if not _takes_any(reader):
                pending.append(reader)
    return True


def _hands_on(node: Node) -> bool:
    """Whether a node gives the same rows, in the order in which they come, for those it takes."""
    if isinstance(node, Shuffle):
        return isinstance(node.cut, HashCut) and not node.others
    if isinstance(node, Partwise) and isinstance(node.function, Merge):
        return not node.function.validate
    is_by_rows = isinstance(node, Project | Filter | Assign) or calls_for_each_row(node)
    metas = [x.meta for x in node.children if isinstance(x.meta, FrameMeta)]
    return is_by_rows and len({meta.layout for meta in metas}) == 1


def _takes_any(node: Node) -> bool:
    """Whether a node makes the same of rows in any order."""
    if not isinstance(node, Reduction):
        return False
    frames = [x.meta.frame for x in node.inputs if isinstance(x.meta, FrameMeta)]
    layouts = {x.meta.layout for x in node.inputs if isinstance(x.meta, FrameMeta)}
    plan: Any = node.blueprint
    if len(layouts) > 1:
        return False
    if isinstance(plan, Aggregates):
        dtypes = _dtypes(frames[0])
        kinds = ((kind, dtypes[number]) for kind, number in plan._parts if kind != "size")
        return plan.options.sort and _are_in_any_order(kinds)
    if isinstance(plan, Fold):
        return _are_in_any_order((plan.name, dtype) for dtype in _dtypes(frames[0]))
    return isinstance(plan, Count | Length | Unique | Mean | Moments)


def _are_in_any_order(kinds: Iterable[tuple[Any, Any]]) -> bool:
    return all(
        isinstance(kind, str)
        and kind in _IN_ANY_ORDER
        and not (kind in _ADDED and getattr(dtype, "kind", "O") == "O")
        for kind, dtype in kinds
    )


def _dtypes(frame: Any) -> list[Any]:
    return list(frame.dtypes) if isinstance(frame, pd.DataFrame) else [frame.dtype]
