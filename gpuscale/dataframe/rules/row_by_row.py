"""Work that makes each row of the same row of another frame alone, and may see fewer rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.methods import FRAME_METHODS, SERIES_METHODS, Method, Property
from gpuscale.dataframe.nodes.moving import ToBackend
from gpuscale.dataframe.nodes.partwise import Assign, Partwise, Project
from gpuscale.dataframe.operators import FLEXIBLE
from gpuscale.dataframe.promises import Promised
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node
from gpuscale.expr.walk import toposort

__all__ = ["is_row_by_row", "seen_by"]

_ROW_BY_ROW = {
    *(name for name, rows in (FRAME_METHODS | SERIES_METHODS).items() if rows == "same"),
    *FLEXIBLE,
}


def seen_by(nodes: Iterable[Node], base: Node) -> list[Node]:
    """Return what depends on a node among some and those below them, in order."""
    inside = {base.token}
    found = []
    for each in toposort(nodes):
        if any(child.token in inside for child in each.children):
            inside.add(each.token)
            found.append(each)
    return found


def is_row_by_row(nodes: Iterable[Node], base: Node) -> bool:
    """Whether all that some nodes make of another is made of each row alone, beside constants."""
    own = {base.token, *(each.token for each in seen_by(nodes, base))}
    return all(_is_row_by_row(each, own) for each in seen_by(nodes, base))


def _is_row_by_row(node: Node, own: set[str]) -> bool:
    if any(isinstance(x.meta, FrameMeta) and x.token not in own for x in node.children):
        return False  # rows of another frame, as many as there were
    if isinstance(node, Assign):
        return all(isinstance(value, Node) or np.ndim(value) == 0 for value in node.values)
    return isinstance(node, Project | ToBackend) or _calls_for_each_row(node)


def _calls_for_each_row(node: Node) -> bool:
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
