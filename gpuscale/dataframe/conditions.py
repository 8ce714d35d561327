"""Masks as conditions, all of which have to be met: comparisons of columns with constants."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

from gpuscale.dataframe.methods import Method
from gpuscale.dataframe.nodes.partwise import Partwise
from gpuscale.expr.node import Node
from gpuscale.io.frames import Comparison

__all__ = ["compared", "conjuncts"]

_COMPARISONS: dict[Any, Comparison] = {
    operator.eq: "==",
    operator.ne: "!=",
    operator.lt: "<",
    operator.le: "<=",
    operator.gt: ">",
    operator.ge: ">=",
}
_TURNED: dict[Comparison, Comparison] = {
    "<": ">",
    "<=": ">=",
    ">": "<",
    ">=": "<=",
    "==": "==",
    "!=": "!=",
}


def conjuncts(mask: Node) -> Iterator[Node]:
    """Yield truth values that a mask is true where all of them are."""
    both = isinstance(mask, Partwise) and mask.function is operator.and_
    if both and all(isinstance(each, Node) for each in mask.args):  # type: ignore[attr-defined]
        for each in mask.args:  # type: ignore[attr-defined]
            yield from conjuncts(each)
    else:
        yield mask


def compared(mask: Node) -> list[tuple[Any, Comparison, Any]]:
    """Return what is compared with which values, all of which is what a mask asks.

    Nothing if it asks something else; of "in" the values are a tuple, and not empty.
    """
    if not isinstance(mask, Partwise) or not mask.args or mask.kwargs:
        return []
    if mask.function in _COMPARISONS and len(mask.args) == 2:
        comparison = _COMPARISONS[mask.function]
        column, value = mask.args
        if isinstance(value, Node):
            column, value, comparison = value, column, _TURNED[comparison]
        return [(column, comparison, value)]
    if mask.function == Method("isin") and len(mask.args) == 2:
        column, values = mask.args
        if isinstance(values, list | tuple | set | frozenset) and len(values):
            return [(column, "in", tuple(values))]
    if mask.function == Method("between") and len(mask.args) == 3:
        column, low, high = mask.args
        return [(column, ">=", low), (column, "<=", high)]
    return []
