"""Work that makes each row of the same row of another frame alone, and may see fewer rows.

Where it goes below a merge it may see more, such as would be dropped: then it must raise nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.methods import FRAME_METHODS, SERIES_METHODS, Method, Property
from gpuscale.dataframe.nodes.moving import ToBackend
from gpuscale.dataframe.nodes.partwise import Assign, Partwise, Project
from gpuscale.dataframe.operators import FLEXIBLE
from gpuscale.dataframe.promises import Promised
from gpuscale.dataframe.rules.rewriting import seen_by
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node

__all__ = ["calls_for_each_row", "is_row_by_row", "is_safe", "works_row_by_row"]

_ROW_BY_ROW = {
    *(name for name, rows in (FRAME_METHODS | SERIES_METHODS).items() if rows == "same"),
    *FLEXIBLE,
}

_COMPARING = {operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge}
_SAFE = {*_COMPARING, operator.and_, operator.or_, operator.xor, operator.invert}
_SAFE_METHODS = {
    *("between", "isin", "isna", "isnull", "notna", "notnull"),
    *("lt", "le", "gt", "ge", "eq", "ne"),
}
_SAFE_OF_TEXTS = {
    *("contains", "endswith", "fullmatch", "len", "lower", "lstrip", "match", "removeprefix"),
    *("removesuffix", "rstrip", "slice", "startswith", "strip", "upper"),
}
_SAFE_OF_TIMES = {
    *("day", "dayofweek", "dayofyear", "hour", "is_leap_year", "minute", "month", "quarter"),
    *("second", "weekday", "year"),
}


def is_row_by_row(nodes: Iterable[Node], base: Node) -> bool:
    """Whether all that some nodes make of another is made of each row alone, beside constants."""
    own = {base.token, *(each.token for each in seen_by(nodes, base))}
    return all(_is_row_by_row(each, own) for each in seen_by(nodes, base))


def _is_row_by_row(node: Node, own: set[str]) -> bool:
    if any(isinstance(x.meta, FrameMeta) and x.token not in own for x in node.children):
        return False  # rows of another frame, as many as there were
    return works_row_by_row(node)


def works_row_by_row(node: Node) -> bool:
    """Whether a node makes each row of the same row of each of its inputs, beside constants."""
    if isinstance(node, Assign):
        return all(isinstance(value, Node) or np.ndim(value) == 0 for value in node.values)
    return isinstance(node, Project | ToBackend) or calls_for_each_row(node)


def calls_for_each_row(node: Node) -> bool:
    """Whether a node is a function of the elements of each row, or of several such rows."""
    if not isinstance(node, Partwise) or node.rows != "same":
        return False
    function, options = node.function, dict(node.kwargs)
    function = function.function if isinstance(function, Promised) else function
    if isinstance(function, Property):
        return bool(function.accessor)
    if isinstance(function, Method):
        is_along_rows = options.get("axis") in (1, "columns")
        is_of_element = function.name == "apply" and isinstance(_frame(node.args[0]), pd.Series)
        is_listed = function.name in _ROW_BY_ROW or bool(function.accessor)
        return is_listed or is_along_rows or is_of_element
    return isinstance(function, np.ufunc) or _is_operator(function)


def _is_operator(function: Any) -> bool:
    return getattr(function, "__module__", None) == "_operator"


def _frame(node: Any) -> Any:
    return getattr(getattr(node, "meta", None), "frame", None)


def is_safe(mask: Node, base: Node) -> bool:
    """Whether truth values are made of columns of any values, equal ones of equal, raising nothing.

    It is of work that is row by row.
    """
    return all(_is_safe(each) for each in seen_by([mask], base))


def _is_safe(node: Node) -> bool:
    if isinstance(node, Project):
        return all(not pd.api.types.is_object_dtype(dtype) for dtype in _dtypes(node.meta.frame))
    if not isinstance(node, Partwise) or any(callable(each) for each in node.args):
        return False
    function = node.function
    if isinstance(function, Property):
        return function.accessor == "dt" and function.name in _SAFE_OF_TIMES
    if isinstance(function, Method):
        if function.accessor == "str":
            return function.name in _SAFE_OF_TEXTS
        return not function.accessor and function.name in _SAFE_METHODS
    return function in _SAFE


def _dtypes(frame: Any) -> list[Any]:
    return list(frame.dtypes) if isinstance(frame, pd.DataFrame) else [frame.dtype]
