"""Operators on columns of numbers that follow each other are one pass over the rows.

Columns are those of NumPy's int64, float64 and bool: on others pandas has rules of its own.
"""

from __future__ import annotations

import operator
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
from gpuscale.expr.node import Node
from gpuscale.expr.steps import Step, Value
from gpuscale.expr.with_readers import merge_with_readers

__all__ = ["compute_together"]

_NUMBERS = (np.dtype(np.int64), np.dtype(np.float64))
_TRUTH = (np.dtype(bool),)
_NAMES = {**NUMERIC, **COMPARISONS, **LOGICAL}


def compute_together(roots: list[Node]) -> list[Node]:
    """Make one node of operators on columns of the same rows whose results nobody else reads."""
    return merge_with_readers(roots, _operator, lambda reader, node: True, _together)


def _operator(node: Node) -> Partwise | None:
    return node if _is_operator(node) else None


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
