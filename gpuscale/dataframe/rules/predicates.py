"""Rows that a filter drops at once are not read: comparisons with constants go into the files."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.conditions import compared, conjuncts
from gpuscale.dataframe.nodes.moving import ToBackend
from gpuscale.dataframe.nodes.partwise import Filter, Project
from gpuscale.dataframe.nodes.source import ReadPieces
from gpuscale.dataframe.rules.rewriting import all_of, is_alone, readers_of, replaced
from gpuscale.dataframe.rules.row_by_row import is_row_by_row
from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.walk import toposort
from gpuscale.io.frames import Comparison, Condition

__all__ = ["filter_early"]


def filter_early(roots: list[Node]) -> list[Node]:
    """Read no rows that the only filter of a file drops; what cannot be said to it is left."""
    while True:
        nodes = list(toposort(roots))
        found = dict(filter(None, map(_pushed, _filters(nodes, roots))))
        if not found:
            return roots
        roots = replaced(roots, found)


def _filters(nodes: list[Node], roots: list[Node]) -> Iterator[tuple[Filter, ReadPieces]]:
    """Filters of files whose rows nobody else sees."""
    readers = readers_of(nodes, roots)
    for node in nodes:
        if isinstance(node, Filter):
            source = _source(node.x)
            if source is not None and is_alone(node, source, readers) and _commutes(node, source):
                yield node, source


def _source(node: Node) -> ReadPieces | None:
    while isinstance(node, Project):
        node = node.x
    node = _unmoved(node)
    is_file = isinstance(node, ReadPieces) and "predicate" in node.pieces.takes
    return node if is_file else None  # type: ignore[return-value]


def _unmoved(node: Node) -> Node:
    """Return what a frame on a device is read as."""
    return node.x if isinstance(node, ToBackend) else node


def _commutes(node: Filter, source: ReadPieces) -> bool:
    """Whether what is left to compare is the same where fewer rows are read."""
    return is_row_by_row([node.x, node.mask], source)


def _pushed(found: tuple[Filter, ReadPieces]) -> tuple[str, Node] | None:
    """Return the token of a filter, and what stands for it: less is read, and less is left."""
    node, source = found
    conditions: list[Condition] = []
    rest: list[Node] = []
    for part in conjuncts(node.mask):
        said = _conditions(part, source)
        conditions.extend(said)
        if not said:
            rest.append(part)
    if not conditions:
        return None
    with on_behalf_of(source):
        new = ReadPieces(source.pieces, source.columns, (*source.predicate, *conditions))
    x, *masks = replaced([node.x, *rest], {source.token: new})
    with on_behalf_of(node):
        return node.token, Filter(x, all_of(masks)) if masks else x


def _conditions(mask: Node, source: ReadPieces) -> list[Condition]:
    """What a mask asks of a column of a file, in the words of its reader; nothing if it cannot."""
    found = [_asked(*each, source) for each in compared(mask)]
    return [each for some in found for each in some] if all(found) else []


def _asked(column: Any, comparison: Comparison, value: Any, source: ReadPieces) -> list[Condition]:
    if comparison != "in":
        return _condition(column, comparison, value, source)
    said = [_condition(column, "==", each, source) for each in value]
    return [(said[0][0][0], "in", tuple(each[0][2] for each in said))] if all(said) else []


def _condition(
    column: Any, comparison: Comparison, value: Any, source: ReadPieces
) -> list[Condition]:
    if not isinstance(column, Project) or not column.as_series or _unmoved(column.x) is not source:
        return []
    (label,) = column.columns
    dtype = column.meta.frame.dtype
    if comparison == "!=" and not isinstance(dtype, np.dtype):
        return []  # whether a null is unequal depends on the dtype
    found = value if source.pieces.compares(label, value) else _comparable(value, dtype)
    return [] if found is None else [(label, comparison, found)]


def _comparable(value: Any, dtype: Any) -> Any:
    """Return a value that files compare with a column as pandas does, None if there is none."""
    if isinstance(dtype, pd.CategoricalDtype) or isinstance(value, Node):
        return None
    kind = getattr(dtype, "kind", "O")
    if kind == "M":
        # Dates of Arrow equal no text, while those of NumPy understand it.
        is_text = isinstance(value, str) and hasattr(dtype, "pyarrow_dtype")
        moments = str | datetime.datetime | np.datetime64
        if not isinstance(value, moments) or is_text:
            return None
        try:
            moment = pd.Timestamp(value)
        except ValueError:
            return None
        zone = getattr(dtype, "tz", None)
        return moment if moment is not pd.NaT and (moment.tz is None) == (zone is None) else None
    if kind in "iuf":
        is_number = isinstance(value, int | float | np.integer | np.floating)
        return value if is_number and not isinstance(value, bool) and value == value else None
    if kind == "b":
        return value if isinstance(value, bool | np.bool_) else None
    is_text = isinstance(dtype, pd.StringDtype)
    return value if is_text and isinstance(value, str) else None
