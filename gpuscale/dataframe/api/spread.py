"""Groups in several partitions: rows, or parts of results, go where those of their group are.

Results come in pandas' order. Sorted ones are cut at keys between which there is as much of them,
found by a sample. In the order in which groups come first they are made by the hash of their keys,
and go where the first row of each stood; so do results that belong to rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.algorithms.group_places import (
    KeyCut,
    KeySample,
    Packing,
    PlaceCut,
    as_they_stood,
    key_label,
    with_places,
)
from gpuscale.dataframe.algorithms.grouping import Gathered, Options
from gpuscale.dataframe.algorithms.partitioning import HashCut, joined
from gpuscale.dataframe.algorithms.spread_groups import (
    AppliedWithFirst,
    OfParts,
    OfRows,
    RowByRow,
    SomeRows,
    WithFirst,
    in_place,
    renumbered,
)
from gpuscale.dataframe.api.groupby import Groups
from gpuscale.dataframe.api.positions import Lengths
from gpuscale.dataframe.api.reductions import one_partition, reduction
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.estimates import likely_nbytes
from gpuscale.dataframe.inference import emptied
from gpuscale.dataframe.nodes.partwise import Partwise
from gpuscale.dataframe.nodes.rows import Numbered
from gpuscale.dataframe.nodes.shuffle import Shuffle
from gpuscale.dataframe.undecided import Varying
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node
from gpuscale.memory.limits import budget_of, chunk_bytes

__all__ = [
    "OF_PARTS",
    "OF_ROWS",
    "as_they_stood_before",
    "count_of",
    "has_order",
    "of_parts",
    "of_rows",
    "packed_like",
    "parts_for",
    "row_by_row",
    "some_rows",
]

OF_PARTS = 1 << 30
OF_ROWS = 128 << 20
"""What is grouped in one place at the most: partial results of so many bytes, or rows."""

_SHARE = 16  # of the memory budget is the most in any case
_SURELY = 8  # and so much of it at the most, if all rows are there that may be
_RESULT = 128 << 20  # bytes that one partition of results is made of
_HANDFUL = 8  # partitions, of which there are a power of two
_FEW = 1 << 16  # parts of groups are not divided: one partition has the result


def count_of(grouped: Groups, nodes: Sequence[Node], most: int) -> int:
    """In how many partitions results of groups are made.

    Of frames of a device it is one. The user says so by ``split_out``. Otherwise it is one for
    columns that are likely to take as much as one place has room for, and else one for each
    128 MiB of them, or less where memory is short.

    Parameters
    ----------
    grouped : Groups
    nodes : sequence of Node
        What is grouped, and the keys.
    most : int
        Bytes that one place has room for.
    """
    meta = nodes[0].meta
    if meta.backend != FrameMeta.host:
        return 1
    if not all(_divides(key.dtype, grouped.options) for _, key in grouped.keys):
        return 1
    if grouped.split_out is not None:
        return grouped.split_out
    return parts_for(nodes, most)


def parts_for(nodes: Sequence[Node], most: int) -> int:
    """In how many partitions columns have room: one if that has no more than so many bytes.

    Of what was filtered it is those that are likely, unless memory had no room for the rest.
    """
    backend = nodes[0].meta.backend
    nbytes = sum(each.meta.nbytes for each in nodes)
    budget = budget_of(backend)
    expected = likely_nbytes(nodes) if nbytes <= budget // _SURELY else nbytes
    if backend != FrameMeta.host or expected <= min(most, budget // _SHARE):
        return 1
    return int(max(2, -(-nbytes // chunk_bytes(backend, _RESULT))))


def _divides(dtype: Any, options: Options) -> bool:
    """Whether keys of a dtype have hashes, and an order, and make no groups without rows.

    Data decide whether objects have an order: if not, all groups are in one partition of several.
    """
    if isinstance(dtype, pd.CategoricalDtype):
        return options.observed
    return has_order(dtype) or pd.api.types.is_object_dtype(dtype)


def has_order(dtype: Any) -> bool:
    """Whether values of a dtype have an order and hashes that do not depend on other values."""
    return isinstance(dtype, pd.StringDtype) or getattr(dtype, "kind", "O") in "iufbmM"


# ------------------------------------------------------------------ a result for each group


def of_parts(
    nodes: Sequence[Node], plan: Any, options: Options, template: Any, label: str, count: int
) -> Any:
    """Make results of the parts that each partition has of its groups, a frame with key columns.

    Parameters
    ----------
    nodes : sequence of Node
        Aligned; those that the blueprint takes.
    plan : Blueprint
    options : Options
    template : object of pandas
    label : str
    count : int
        Partitions of the result.
    """
    out = plan.chunk(*(each.meta.frame for each in nodes))
    parts: Node = Partwise(plan.chunk, tuple(nodes), (), f"groupby-{label}", "new", emptied(out))
    keys = tuple(key_label(k) for k in range(plan.keys))
    if not options.sort:
        numbers = tuple(range(parts.meta.npartitions))
        placed = emptied(with_places(out, 0))
        parts = Numbered(with_places, (parts,), numbers, (), "place", None, placed)
    return _results(parts, keys, OfParts(plan), options, template, label, count, _FEW)


def of_rows(
    grouped: Groups, nodes: Sequence[Node], plan: Gathered, template: Any, label: str, count: int
) -> Any:
    """Make results of all rows of each group."""
    packing, rows, keys = _packed(grouped, nodes, has_places=not plan.options.sort)
    work = OfRows(packing, plan, emptied(template))
    kind = AppliedWithFirst if plan.calls[-1].name == "apply" else WithFirst
    return _results(rows, keys, work, plan.options, template, label, count, kind=kind)


def _results(
    table: Node,
    keys: tuple[Any, ...],
    work: Any,
    options: Options,
    template: Any,
    label: str,
    count: int,
    few: int = 0,
    kind: type[WithFirst] = WithFirst,
) -> Any:
    out = emptied(template)
    if options.sort:
        sample = KeySample(keys, count, few)
        like = sample.finalize(sample.combine([sample.chunk(table.meta.frame)]))
        like = one_partition(like, table, sample, projected=count)
        dividing = reduction((table,), sample, "sample", like)
        met = Shuffle(table, (dividing,), KeyCut(keys, count), joined, count, None, _by(label))
        result: Node = Partwise(work, (met,), (), f"groupby-{label}", "new", out)
    else:
        packing = Packing(out)
        first = kind(work, keys, options.dropna, packing)
        made = Partwise(
            first,
            (_by_hash(table, keys, count, label),),
            (),
            f"groupby-{label}",
            "new",
            packed_like(out),
        )
        placed = as_they_stood_before(made, table.meta.npartitions, count, _by(label))
        result = Partwise(packing.rows, (placed,), (), "unpack", "new", out)
    return wrap(result if options.as_index else _renumbered(result))


def _by(label: str) -> str:
    return f"groupby-{label}-shuffle"


def _by_hash(table: Node, keys: tuple[Any, ...], count: int, label: str) -> Node:
    return Shuffle(table, (), HashCut(keys, count), joined, count, None, _by(label))


def as_they_stood_before(made: Node, before: int, count: int, label: str) -> Node:
    """Send packed rows to where they stood, in partitions that are as many or fewer."""
    return Shuffle(made, (), PlaceCut(before, count), as_they_stood, count, None, label)


def _renumbered(node: Node) -> Node:
    lengths = reduction((node,), Lengths(), "count", ())
    numbers = tuple(range(node.meta.npartitions))
    out = node.meta.frame
    return Numbered(renumbered, (node, lengths), numbers, (), "number", node.meta.rows, out)


# ------------------------------------------------------------------ packed rows


def _packed(
    grouped: Groups, nodes: Sequence[Node], has_places: bool = True
) -> tuple[Packing, Node, tuple[Any, ...]]:
    """Rows with their keys, and places if these matter; and which columns are the keys."""
    frame, *own = (each.meta.frame for each in nodes)
    packing = Packing(frame, tuple(key.name for key in own))
    if has_places:
        numbers = tuple(range(nodes[0].meta.npartitions))
        out = emptied(packing(frame, *own, 0))
        rows: Node = Numbered(packing, tuple(nodes), numbers, (), "pack", None, out)
    else:
        out = emptied(packing.without_places(frame, *own))
        rows = Partwise(packing.without_places, tuple(nodes), (), "pack", "new", out)
    beside = iter(range(len(own)))
    keys = tuple(
        key_label(next(beside)) if label is None else frame.columns.get_loc(label)
        for label, _ in grouped.keys
    )
    return packing, rows, keys


def packed_like(out: Any) -> Any:
    """Return packed rows of a result, none."""
    return Packing(out).packed(out, (), np.zeros(0, np.int64))


# ------------------------------------------------------------------ results of rows


def row_by_row(
    grouped: Groups, nodes: Sequence[Node], plan: Gathered, template: Any, label: str, count: int
) -> Any:
    """Make a value for each row, in the partitions that there are."""
    out = emptied(template)
    placed = _back(RowByRow, grouped, nodes, plan, out, label, count)
    args = (nodes[0], placed, Packing(out))
    function = Varying(in_place) if plan.may_vary else in_place
    return wrap(Partwise(function, args, (), f"groupby-{label}", "same", out))


def some_rows(
    grouped: Groups, nodes: Sequence[Node], plan: Gathered, template: Any, label: str, count: int
) -> Any:
    """Choose rows of groups, which stay in their partitions and in their order."""
    out = emptied(template)
    placed = _back(SomeRows, grouped, nodes, plan, out, label, count)
    return wrap(Partwise(Packing(out).rows, (placed,), (), f"groupby-{label}", "some", out))


def _back(
    kind: type[RowByRow],
    grouped: Groups,
    nodes: Sequence[Node],
    plan: Gathered,
    out: Any,
    label: str,
    count: int,
) -> Node:
    """Work on rows where their groups meet, and send what comes of it back to where they were."""
    packing, rows, keys = _packed(grouped, nodes)
    work = kind(packing, plan, Packing(out))
    met = _by_hash(rows, keys, count, label)
    like = packed_like(work.of_result.like)
    made = Partwise(work, (met,), (), f"groupby-{label}", "new", like)
    before = rows.meta.npartitions
    return as_they_stood_before(made, before, before, _by(label))
