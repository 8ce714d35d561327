"""Operators on columns of numbers that follow each other are one pass over the rows.

Columns are those of NumPy's int64, float64 and bool: on others pandas has rules of its own.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np
import pandas as pd

from gpuscale.codegen.program import ProgramBuilder
from gpuscale.dataframe.algorithms.arithmetic import (
    COMPARISONS,
    LOGICAL,
    NUMERIC,
    Arithmetic,
    is_number,
)
from gpuscale.dataframe.nodes.partwise import Partwise
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.steps import Step, Value
from gpuscale.expr.walk import toposort

__all__ = ["compute_together"]

_NUMBERS = (np.dtype(np.int64), np.dtype(np.float64))
_TRUTH = (np.dtype(bool),)
_NAMES = {**NUMERIC, **COMPARISONS, **LOGICAL}


def compute_together(roots: list[Node]) -> list[Node]:
    """Make one node of operators on columns of the same rows whose results nobody else reads."""
    nodes = list(toposort(roots))
    if not any(map(_is_operator, nodes)):
        return roots
    heads = _heads(nodes, roots)
    members: dict[str, list[Partwise]] = defaultdict(list)
    for node in nodes:
        if _is_operator(node):
            members[heads[node.token]].append(node)
    done: dict[str, Node] = {}
    for node in nodes:
        group = members.get(node.token, ())
        if len(group) > 1:
            with on_behalf_of(node):
                done[node.token] = _together(group).map_children(lambda child: done[child.token])
        elif heads.get(node.token, node.token) == node.token:
            done[node.token] = node.map_children(lambda child: done[child.token])
    return [done[root.token] for root in roots]


def _heads(nodes: Sequence[Node], roots: Sequence[Node]) -> dict[str, str]:
    """For each operator the last one that it is computed with: that of all who read it, or itself.

    Readers come first, so theirs are known.
    """
    readers: dict[str, set[str]] = defaultdict(set)
    for root in roots:
        readers[root.token].add("")
    heads: dict[str, str] = {}
    for node in reversed(nodes):
        if _is_operator(node):
            found = readers[node.token]
            (head, *more) = found or {""}
            heads[node.token] = head if head and not more else node.token
        for child in node.children:
            readers[child.token].add(heads.get(node.token, ""))
    return heads


def _is_operator(node: Node) -> TypeGuard[Partwise]:
    """Whether a node is an operator on columns of plain numbers that have the very same rows."""
    if not isinstance(node, Partwise) or type(node.function) is not type(operator.add):
        return False  # others need not be hashable
    if node.function not in _NAMES or node.kwargs:
        return False
    inside = _TRUTH if node.function in LOGICAL else _NUMBERS
    return (
        node.rows == "same"
        and _is_column(node, node, (*_NUMBERS, *_TRUTH))
        and any(isinstance(each, Node) for each in node.args)
        and all(
            _is_column(each, node, inside)
            if isinstance(each, Node)
            else inside is _NUMBERS and is_number(each)
            for each in node.args
        )
    )


def _is_column(node: Node, beside: Node, dtypes: Sequence[Any]) -> bool:
    meta = node.meta
    if not isinstance(meta, FrameMeta) or type(meta.frame) is not pd.Series:
        return False
    is_plain = meta.backend == FrameMeta.host and meta.sample is meta.otherwise is None
    return is_plain and meta.frame.dtype in dtypes and meta.layout == beside.meta.layout


def _together(group: Sequence[Partwise]) -> Node:
    """Return a node that computes what the last of some operators gives."""
    inside = {node.token for node in group}
    children = {each.token: each for node in group for each in node.children}
    columns = [each for each in children.values() if each.token not in inside]
    dtypes = tuple(each.meta.frame.dtype for each in columns)
    build = ProgramBuilder()
    written = {each.token: build.load(k, dtypes[k]) for k, each in enumerate(columns)}
    numbers = {each.token: k for k, each in enumerate(columns)}
    params: list[Any] = []
    steps: list[Step] = []
    for node in group:
        operands = []
        for each in node.args:
            if not isinstance(each, Node):
                operands.append(build.param(len(params), _dtype_beside(each, node)))
                params.append(each)
            else:
                operands.append(written[each.token])
        written[node.token] = build.apply(_NAMES[node.function], *operands)
        values = tuple(Value(numbers[e.token]) if isinstance(e, Node) else e for e in node.args)
        steps.append(Step(node.function, values, (), node.label, node.origin))
        numbers[node.token] = len(columns) + len(steps) - 1
    out = group[-1].meta.frame
    program = build.build(written[group[-1].token])
    work = Arithmetic(program, tuple(params), dtypes, out.name, tuple(steps))
    label = "+".join(dict.fromkeys(step.label for step in steps))
    return Partwise(work, tuple(columns), (), label, "same", out)


def _dtype_beside(value: Any, node: Partwise) -> Any:
    """Return the dtype of a number; an integer of Python takes that of the column beside it."""
    if type(value) is int:
        (column,) = node.children
        return column.meta.frame.dtype
    return np.dtype(np.int64 if isinstance(value, np.int64) else np.float64)
