"""Whether anybody sees the labels of rows: where nobody does, rows may be numbered otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpuscale.dataframe.algorithms import counting
from gpuscale.dataframe.algorithms.aggregation import Aggregation
from gpuscale.dataframe.algorithms.grouping import Aggregates
from gpuscale.dataframe.algorithms.merging import Merge
from gpuscale.dataframe.algorithms.moments import Mean, Moments
from gpuscale.dataframe.algorithms.partitioning import HashCut, Index, RangeCut
from gpuscale.dataframe.algorithms.reductions import Count, Fold, Length, Unique
from gpuscale.dataframe.algorithms.samples import Dividing
from gpuscale.dataframe.api.positions import Lengths, numbered_after, numbered_rows
from gpuscale.dataframe.api.shuffling import with_index
from gpuscale.dataframe.methods import Method
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Partwise, Project
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.nodes.regroup import Regroup
from gpuscale.dataframe.nodes.rows import Numbered
from gpuscale.dataframe.nodes.shuffle import Shuffle
from gpuscale.dataframe.promises import Promised
from gpuscale.dataframe.rules.rewriting import Readers
from gpuscale.dataframe.rules.row_by_row import calls_for_each_row
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node

__all__ = ["are_seen", "numbers_anew", "numbers_rows"]

_OF_VALUES = (Fold, Count, Length, Lengths, Unique, Mean, Moments, counting.Unique, counting.Counts)


def are_seen(node: Node, nodes: Sequence[Node], readers: Readers) -> bool:
    """Whether labels of the rows of a node may come to the user, or decide which rows there are."""
    by_token = {each.token: each for each in nodes}
    pending, done = [node], {node.token}
    while pending:
        for token in readers[pending.pop().token] - done:
            reader = by_token.get(token)
            if reader is None:
                return True  # the user
            if _forgets(reader):
                continue
            if not _hands_on(reader):
                return True
            done.add(token)
            pending.append(reader)
    return False


def _forgets(node: Node) -> bool:
    """Whether labels make no difference to the rows of a node, nor to their labels."""
    if isinstance(node, Reduction):
        plan = node.blueprint
        if not _is_of_one(node):
            return False
        if isinstance(plan, Aggregates):
            return not any(isinstance(kind, Aggregation) for kind, _ in plan._parts)
        return isinstance(plan, _OF_VALUES) or _has_key(plan, Dividing)
    if isinstance(node, Partwise) and isinstance(node.function, Merge):
        return numbers_rows(node)
    if isinstance(node, Partwise) and node.function is with_index:
        return not dict(node.kwargs).get("append") and _is_of_one(node)
    return numbers_anew(node) and _drops(node)


def _hands_on(node: Node) -> bool:
    """Whether a node gives rows of one frame with their labels, and looks at none of them."""
    if isinstance(node, Shuffle):
        cut, make = node.cut, node.make
        by = getattr(make, "by", ("joined",))
        is_by_columns = isinstance(cut, HashCut) and not _indexes(cut.keys)
        return bool(by) and (is_by_columns or _has_key(cut, RangeCut))
    if isinstance(node, Regroup):
        return len(node.inputs) == 1 and all(c is None for each in node.pieces for *_, c in each)
    is_by_rows = calls_for_each_row(node) and not _gives_rows_to_user(node)
    return (is_by_rows or isinstance(node, Project | Filter | Assign)) and _is_of_one(node)


def _is_of_one(node: Node) -> bool:
    """Whether all inputs have the very same rows, so that none are looked up by their labels."""
    metas = [x.meta for x in node.children if isinstance(x.meta, FrameMeta)]
    return len({meta.layout for meta in metas}) == 1


def _gives_rows_to_user(node: Any) -> bool:
    function = node.function
    function = function.function if isinstance(function, Promised) else function
    return bool(function == Method("apply")) and hasattr(node.args[0].meta.frame, "columns")


def _has_key(plan: Any, kind: type) -> bool:
    return isinstance(plan, kind) and not _indexes((plan.key,))  # type: ignore[attr-defined]


def _indexes(keys: Sequence[Any]) -> bool:
    return any(isinstance(key, Index) for key in keys)


def numbers_rows(merge: Partwise) -> bool:
    """Whether rows of a merge have numbers of their own for labels."""
    left, right = (x.meta.frame for x in merge.args)
    how = merge.function.how
    if how not in ("inner", "left", "right", "outer"):
        return how == "cross"
    return not any(map(_indexes, merge.function.keys(left, right)))


def numbers_anew(node: Node) -> bool:
    """Whether a node is `reset_index`, which numbers all rows."""
    if isinstance(node, Numbered):
        return node.function in (numbered_rows, numbered_after)
    return isinstance(node, Partwise) and node.function == Method("reset_index")


def _drops(node: Any) -> bool:
    options = dict(node.args[0] if isinstance(node, Numbered) else node.kwargs)
    return bool(options.get("drop")) and options.get("level") is None
