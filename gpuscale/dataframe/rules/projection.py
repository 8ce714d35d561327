"""Columns that nobody wants are not read, not kept, and not computed.

What is wanted of a node is what all its readers want together, so one pass goes from the readers
down, and a second makes the nodes anew from the sources up: a file is still read once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pandas as pd

from gpuscale.dataframe.algorithms.merging import Merge
from gpuscale.dataframe.algorithms.reductions import Length
from gpuscale.dataframe.methods import Property
from gpuscale.dataframe.nodes.moving import ToBackend
from gpuscale.dataframe.nodes.partitions import Partitions
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Partwise, Project
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.nodes.regroup import Regroup
from gpuscale.dataframe.nodes.rows import Counted
from gpuscale.dataframe.nodes.shuffle import Shuffle
from gpuscale.dataframe.nodes.source import FromFrame, ReadPieces
from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.walk import toposort

__all__ = ["ALL", "NARROWING", "Narrowing", "Wanted", "project_early", "wanted_of", "wants"]

Wanted: TypeAlias = frozenset[Any] | None
"""Labels of columns; None for all."""

ALL: Wanted = None


@dataclass(frozen=True)
class Narrowing:
    """What a node type wants of its inputs, and how it is made when less is wanted of it.

    Parameters
    ----------
    wants : callable
        ``wants(node, wanted)`` gives the inputs that are needed, with the columns that they have to
        have.
    narrowed : callable
        ``narrowed(node, wanted, new)``: the node over new inputs, ``new(child)``, with at least the
        wanted columns.
    """

    wants: Callable[[Any, Wanted], Iterable[tuple[Node, Wanted]]]
    narrowed: Callable[[Any, Wanted, Callable[[Node], Node]], Node]


NARROWING: dict[type[Node], Narrowing] = {}
"""By node type; of one without a row all columns of all inputs are wanted."""


def wants(node_type: type[Node], function: Any, narrowed: Any = None) -> None:
    """Add a row for a node type."""
    NARROWING[node_type] = Narrowing(function, narrowed or _over)


def project_early(roots: list[Node]) -> list[Node]:
    """Leave out columns that nobody wants, from the readers down to the files."""
    nodes = list(toposort(roots))
    if not any(isinstance(node, FromFrame | ReadPieces) for node in nodes):
        return roots
    wanted = wanted_of(nodes, roots)
    done: dict[str, Node] = {}
    for node in nodes:
        if node.token in wanted:
            narrowed = _row(node).narrowed
            with on_behalf_of(node):
                done[node.token] = narrowed(
                    node, wanted[node.token], lambda child: done[child.token]
                )
    return [done[root.token] for root in roots]


def wanted_of(nodes: Sequence[Node], roots: Iterable[Node]) -> dict[str, Wanted]:
    """Return the columns that all readers of each node want together, by its token, if any do."""
    wanted: dict[str, Wanted] = {root.token: ALL for root in roots}
    for node in reversed(nodes):
        if node.token not in wanted:
            continue  # nobody wants any of it
        for child, columns in _row(node).wants(node, wanted[node.token]):
            before = wanted.get(child.token, frozenset())
            wanted[child.token] = _both(before, columns)
    return wanted


def _both(some: Wanted, others: Wanted) -> Wanted:
    return ALL if some is None or others is None else some | others


def _everything(node: Node, wanted: Wanted) -> Iterable[tuple[Node, Wanted]]:
    return ((child, ALL) for child in node.children)


def _over(node: Node, wanted: Wanted, new: Callable[[Node], Node]) -> Node:
    return node.map_children(new)


_OTHERS = Narrowing(_everything, _over)


def _row(node: Node) -> Narrowing:
    return NARROWING.get(type(node), _OTHERS)


def only(node: Node, wanted: Wanted) -> Node:
    """Return a frame with the wanted columns alone, in its own order."""
    frame = node.meta.frame
    if wanted is None or not isinstance(frame, pd.DataFrame) or not frame.columns.is_unique:
        return node
    kept = tuple(label for label in frame.columns if label in wanted)
    return node if len(kept) == frame.shape[1] else Project(node, kept, False)


# ------------------------------------------------------------------ sources


def _narrow_source(node: Any, wanted: Wanted, new: Any) -> Node:
    frame = node.meta.frame
    if wanted is None or not isinstance(frame, pd.DataFrame) or not frame.columns.is_unique:
        return node
    if isinstance(node, ReadPieces) and "columns" not in node.pieces.takes:
        return node
    kept = tuple(label for label in frame.columns if label in wanted)
    if len(kept) == frame.shape[1]:
        return node
    place = node.fields.index("columns")
    return node.rebuilt(*node.operands[:place], kept, *node.operands[place + 1 :])


wants(FromFrame, lambda node, wanted: (), _narrow_source)
wants(ReadPieces, lambda node, wanted: (), _narrow_source)


# ------------------------------------------------------------------ columns, rows


def _project_wants(node: Project, wanted: Wanted) -> Iterable[tuple[Node, Wanted]]:
    columns = frozenset(node.columns)
    yield node.x, columns if wanted is None or node.as_series else columns & wanted


def _narrow_project(node: Project, wanted: Wanted, new: Any) -> Node:
    x, columns = new(node.x), node.columns
    if wanted is not None and not node.as_series:
        columns = tuple(label for label in columns if label in wanted)
    if not node.as_series and list(x.meta.frame.columns) == list(columns):
        return x
    return Project(x, columns, node.as_series)


def _filter_wants(node: Filter, wanted: Wanted) -> Iterable[tuple[Node, Wanted]]:
    yield node.x, wanted
    yield node.mask, ALL


def _narrow_filter(node: Filter, wanted: Wanted, new: Any) -> Node:
    return Filter(only(new(node.x), wanted), new(node.mask))


def _assign_wants(node: Assign, wanted: Wanted) -> Iterable[tuple[Node, Wanted]]:
    # A column that is replaced keeps its place, which matters where all are wanted.
    yield node.x, ALL if wanted is None else wanted - set(node.names)
    for name, value in zip(node.names, node.values, strict=True):
        if isinstance(value, Node) and (wanted is None or name in wanted):
            yield value, ALL


def _narrow_assign(node: Assign, wanted: Wanted, new: Any) -> Node:
    kept = [
        (name, new(value) if isinstance(value, Node) else value)
        for name, value in zip(node.names, node.values, strict=True)
        if wanted is None or name in wanted
    ]
    if not kept:
        return new(node.x)
    names, values = zip(*kept, strict=True)
    return Assign(new(node.x), names, values)


wants(Project, _project_wants, _narrow_project)
wants(Filter, _filter_wants, _narrow_filter)
wants(Assign, _assign_wants, _narrow_assign)


def _narrow_regroup(node: Regroup, wanted: Wanted, new: Any) -> Node:
    inputs = tuple(only(new(each), wanted) for each in node.inputs)
    return Regroup(inputs, *node.operands[1:])


wants(ToBackend, lambda node, wanted: [(node.x, wanted)])
wants(Partitions, lambda node, wanted: [(node.x, wanted)])
wants(Counted, lambda node, wanted: [(node.x, wanted)])
wants(Regroup, lambda node, wanted: [(each, wanted) for each in node.inputs], _narrow_regroup)


def _shuffle_wants(node: Shuffle, wanted: Wanted) -> Iterable[tuple[Node, Wanted]]:
    keys = labels_of_keys(node)
    yield node.x, ALL if wanted is None or keys is None else wanted | keys
    for each in node.others:
        yield each, ALL


def _narrow_shuffle(node: Shuffle, wanted: Wanted, new: Any) -> Node:
    keys = labels_of_keys(node)
    x = new(node.x)
    x = x if wanted is None or keys is None else only(x, wanted | keys)
    return Shuffle(x, tuple(map(new, node.others)), *node.operands[2:])


def labels_of_keys(node: Shuffle) -> frozenset[Any] | None:
    """Columns by which rows are shuffled and sorted; None where it is not known."""
    of_cut: frozenset[Any] | None = getattr(node.cut, "labels", None)
    of_make: frozenset[Any] = getattr(node.make, "labels", frozenset())
    return None if of_cut is None else of_cut | of_make


wants(Shuffle, _shuffle_wants, _narrow_shuffle)


# ------------------------------------------------------------------ what looks at no column


def _partwise_wants(node: Partwise, wanted: Wanted) -> Iterable[tuple[Node, Wanted]]:
    if isinstance(node.function, Merge):
        left, right = node.args
        return zip((left, right), node.function.wants(left, right, wanted), strict=True)
    columns: Wanted = frozenset() if node.function == Property("index") else ALL
    return ((child, columns) for child in node.children)


def _reduction_wants(node: Reduction, wanted: Wanted) -> Iterable[tuple[Node, Wanted]]:
    columns: Wanted = frozenset() if isinstance(node.blueprint, Length) else ALL
    return ((child, columns) for child in node.children)


def _narrow_partwise(node: Partwise, wanted: Wanted, new: Any) -> Node:
    if wanted is None or not isinstance(node.function, Merge):
        return node.map_children(new)
    left, right = node.args
    sides = node.function.wants(left, right, wanted)
    args = tuple(only(new(x), w) for x, w in zip((left, right), sides, strict=True))
    kept = node.function.template(*args)
    return Partwise(node.function, args, node.kwargs, node.label, node.rows, kept)


wants(Partwise, _partwise_wants, _narrow_partwise)
wants(Reduction, _reduction_wants)
