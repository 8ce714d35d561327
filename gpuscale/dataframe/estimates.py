"""How many rows filters are likely to leave, where files note the bounds of their columns.

What frames promise is the most that there may be. Which way is the shorter one depends on what is
likely: values are taken to be spread evenly, conditions to have nothing to do with each other, and
each row of a merge to meet one of the other side, as far as that was not filtered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from gpuscale.dataframe.algorithms.merging import Merge
from gpuscale.dataframe.conditions import compared, conjuncts
from gpuscale.dataframe.nodes.moving import ToBackend
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Partwise, Project
from gpuscale.dataframe.nodes.source import ReadPieces
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node
from gpuscale.expr.walk import toposort

__all__ = ["likely_nbytes", "likely_shares"]

_EQUAL = 0.25  # of the rows have a value that is asked for, as long as nobody knows better
_LEAST = 1e-3

_Asked = tuple[ReadPieces | None, Any, str, Any]


def likely_nbytes(nodes: Sequence[Node]) -> int:
    """Return the bytes that some frames are likely to have together."""
    shares = likely_shares(nodes)
    return int(sum(node.meta.nbytes * shares[node.token] for node in nodes))


def likely_shares(nodes: Iterable[Node]) -> dict[str, float]:
    """Return the share of the promised rows that is likely, of some nodes and those below them."""
    shares: dict[str, float] = {}
    for node in toposort(nodes):
        below = [shares[x.token] for x in node.children if isinstance(x.meta, FrameMeta)]
        share = min(below, default=1.0)
        if isinstance(node, ReadPieces):
            share = _share((node, *each) for each in node.predicate)
        elif isinstance(node, Filter):
            share = shares[node.x.token] * _share(_asked(node.mask))
        elif isinstance(node, Partwise) and isinstance(node.function, Merge):
            left, right = (shares[x.token] for x in node.args)
            sides = {"inner": left * right, "left": left, "right": right}
            share = sides.get(node.function.how, 1.0)
        shares[node.token] = max(_LEAST, share)
    return shares


def _asked(mask: Node) -> Iterator[_Asked]:
    """Yield conditions of a mask: the file, its column, the comparison and the value."""
    for each in conjuncts(mask):
        for column, comparison, value in compared(each):
            yield *_origin(column), comparison, value


def _origin(column: Any) -> tuple[ReadPieces | None, Any]:
    """Return the file that a column comes from as it is, and its label."""
    if not isinstance(column, Project) or not column.as_series:
        return None, None
    (label,), node = column.columns, column.x
    while isinstance(node, Project | Filter | ToBackend | Assign):
        if isinstance(node, Assign) and label in node.names:
            return None, None
        node = node.x
    return (node, label) if isinstance(node, ReadPieces) else (None, None)


def _share(conditions: Iterable[_Asked]) -> float:
    """Return the share of rows that is likely to meet some conditions."""
    share = 1.0
    bounds: dict[tuple[str, Any], tuple[float, float]] = {}
    for node, label, comparison, value in conditions:
        if comparison in ("==", "in"):
            share *= min(1.0, _EQUAL * (len(value) if comparison == "in" else 1))
        elif node is not None and comparison in ("<", "<=", ">", ">="):
            at = _place(node, label, value)
            low, high = bounds.get((node.token, label), (0.0, 1.0))
            between = (low, min(high, at)) if comparison[0] == "<" else (max(low, at), high)
            bounds[node.token, label] = between if at >= 0 else (low, high)
    for low, high in bounds.values():
        share *= max(0.0, high - low)
    return share


def _place(node: ReadPieces, label: Any, value: Any) -> float:
    """Return where a value lies between the bounds of a column: 0 to 1, or -1 if unknown."""
    pieces = node.pieces.pieces
    found = [each.statistics.get(label, (None, None, None))[:2] for each in pieces]
    if not found or any(None in pair for pair in found):
        return -1.0
    with suppress(TypeError, ValueError):  # of what has no differences, as texts
        low, high = min(low for low, _ in found), max(high for _, high in found)
        return min(1.0, max(0.0, float((value - low) / (high - low)))) if low < high else -1.0
    return -1.0
