"""Before nodes become physical, dtypes are settled for those who mind them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gpuscale.dataframe.algorithms.settling import Settle
from gpuscale.dataframe.by_memory import limits_are_known
from gpuscale.dataframe.minding import minds, minds_columns
from gpuscale.dataframe.nodes.partitions import Partitions
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Partwise, Project
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.nodes.regroup import Regroup
from gpuscale.dataframe.nodes.rows import Counted, Numbered
from gpuscale.dataframe.nodes.shuffle import Shuffle
from gpuscale.dataframe.nodes.values import Values
from gpuscale.dataframe.rules.projection import labels_of_keys
from gpuscale.dataframe.settling import settled
from gpuscale.dataframe.undecided import is_undecided, may_vary
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Physical
from gpuscale.expr.stages import before_lowering
from gpuscale.expr.walk import toposort

__all__ = ["settle"]

_PASSING = (Project, Filter, Assign, Partitions, Counted, Regroup, Physical)


@before_lowering
def settle(roots: list[Node]) -> list[Node]:
    """Give partitions the dtypes of all rows, where they may differ and somebody minds."""
    nodes = list(toposort(roots))
    if not any(map(is_undecided, nodes)):
        return roots
    done: dict[str, Node] = {}
    uneven: set[str] = set()
    for node in nodes:
        minded = {each.token for each in node.children if _minds(node, each, uneven)}

        def new(child: Node, minded: set[str] = minded) -> Node:
            found = done[child.token]
            if child.token not in minded:
                return found
            with limits_are_known():
                return settled(found)

        made = done[node.token] = node.map_children(new)
        left = uneven.intersection(each.token for each in node.children) - minded
        if _may_be_uneven(made) and (left or _makes_uneven(node)):
            uneven.add(node.token)
    return [done[root.token] for root in roots]


def _minds(node: Node, child: Node, uneven: set[str]) -> bool:
    """Whether a node tells partitions of an input that have other dtypes."""
    if child.token not in uneven or isinstance(node, _PASSING):
        return False
    if isinstance(node, Values):
        return bool(node.dtype == object)  # all else is cast
    if isinstance(node, Shuffle):
        return minds_columns(child.meta, labels_of_keys(node) if child is node.x else None)
    if isinstance(node, Partwise):
        inputs, call = node.args, (node.function, node.args, dict(node.kwargs))
    elif isinstance(node, Reduction):
        inputs, call = node.inputs, (node.blueprint, (), {})
    elif isinstance(node, Numbered):
        inputs, call = node.inputs, (node.function, node.args, {})
    else:
        return True
    return minds(*call, [_alone(each, child) for each in inputs if _is_frame(each)])


def _is_frame(operand: Any) -> bool:
    return isinstance(operand, Node) and isinstance(operand.meta, FrameMeta)


def _alone(node: Node, child: Node) -> FrameMeta:
    """Return what is known of an input, of which one alone is looked at."""
    meta: FrameMeta = node.meta
    return meta if node is child else replace(meta, otherwise=None)


def _may_be_uneven(node: Node) -> bool:
    is_settled = isinstance(node, Partwise) and isinstance(node.function, Settle)
    return is_undecided(node) and node.meta.npartitions > 1 and not is_settled


def _makes_uneven(node: Node) -> bool:
    """Whether partitions of a node may have dtypes of their own though those of its inputs do not.

    Of what was computed before nobody knows.
    """
    if isinstance(node, Partwise):
        return may_vary(node.function) or node.aligns(list(node.children))
    return isinstance(node, Physical) or isinstance(node, Regroup) and len(node.inputs) > 1
