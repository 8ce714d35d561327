"""Below which nodes a filter may stand, as a table: node type to a function.

Each is called with the node, the columns that a condition looks at, and ``keep(x, labels)``, which
gives the rows of an input that meet it, where these columns have some labels there. It returns the
node over such inputs, or None where the rows, their order, or labels that somebody sees, would be
others. The condition raises nothing, whatever the rows, and is the same for equal values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.base.tokens import tokenize
from gpuscale.dataframe.algorithms.counting import DistinctRows
from gpuscale.dataframe.algorithms.cuts import Labels, Share
from gpuscale.dataframe.algorithms.grouping import Aggregates
from gpuscale.dataframe.algorithms.merging import DROPS, Merge
from gpuscale.dataframe.algorithms.partitioning import HashCut, Index, RangeCut
from gpuscale.dataframe.api.joining import Conform
from gpuscale.dataframe.api.positions import Lengths, numbered_after
from gpuscale.dataframe.api.shuffling import GivenCut, with_index
from gpuscale.dataframe.methods import Method
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Partwise
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.nodes.regroup import Regroup
from gpuscale.dataframe.nodes.rows import Numbered
from gpuscale.dataframe.nodes.shuffle import Shuffle
from gpuscale.dataframe.nodes.source import ReadPieces
from gpuscale.dataframe.rules.labels import are_seen, numbers_anew, numbers_rows
from gpuscale.dataframe.rules.projection import Wanted, wanted_of
from gpuscale.dataframe.rules.rewriting import (
    Readers,
    all_of,
    is_alone,
    replaced,
    seen_by,
    table_of,
)
from gpuscale.dataframe.rules.row_by_row import is_row_by_row
from gpuscale.dataframe.undecided import is_undecided
from gpuscale.expr.frames import unknown_rows
from gpuscale.expr.node import Node

__all__ = ["BELOW", "View"]

Columns = frozenset[Any]
Keep = Callable[[Node, Mapping[Any, Any]], Node]

_KEPT = {
    **{"inner": (0, 1), "cross": (0, 1), "left": (0,), "right": (1,)},
    **{"leftsemi": (0,), "left_anti": (0,)},
}
"""Numbers of the sides of which a merge has no rows but those that there are."""


@dataclass(frozen=True)
class View:
    """All that is computed together, and who reads what."""

    nodes: list[Node]
    roots: list[Node]
    readers: Readers

    def hides_labels(self, node: Node) -> bool:
        """Whether nobody sees the labels of the rows of a node."""
        return not are_seen(node, self.nodes, self.readers)

    @cached_property
    def wanted(self) -> Mapping[str, Wanted]:
        """Which columns somebody wants of each node, by its token."""
        return wanted_of(self.nodes, self.roots)

    @property
    def counts_rows(self) -> bool:
        """Whether the rows of each partition are counted for another plan, where they must be."""
        plans = (getattr(root, "blueprint", None) for root in self.roots)
        return any(isinstance(plan, Lengths) for plan in plans)


def _labels(x: Node, like: Any, columns: Columns) -> dict[Any, Any] | None:
    """Return the columns that a frame has, of the same dtypes, each by its label; None if not."""
    frame = x.meta.frame
    if not isinstance(frame, pd.DataFrame) or not frame.columns.is_unique:
        return None
    if not all(c in frame.columns and frame.dtypes[c] == like.dtypes[c] for c in columns):
        return None
    return {column: column for column in columns}


# ------------------------------------------------------------------ merges


def _merge(node: Partwise, columns: Columns, keep: Keep, view: View) -> Node | None:
    merge: Merge = node.function
    every = _sides(node)
    if merge.validate is not None or merge.how not in _KEPT or every is None:
        return None
    if numbers_rows(node) and node.meta.npartitions == 1 and not view.hides_labels(node):
        return None
    sides = [_of_same_dtype(node, every, side) for side in (0, 1)]
    kept = [side for side in _KEPT[merge.how] if columns <= sides[side].keys()]
    if not kept:
        return None
    if merge.how in ("left", "right", "left_anti") and _may_be_cast(node, 1 - kept[0], view):
        return None
    args = list(node.args)
    for side in (0, 1):
        if side in kept:
            args[side] = keep(args[side], {c: sides[side][c] for c in columns})
        elif ("left", "right")[side] in DROPS.get(merge.how, ()):
            keys = _equal_keys(node, sides[1 - side], side)
            if columns <= keys.keys():
                args[side] = keep(args[side], {c: keys[c] for c in columns})
    return Partwise(merge, tuple(args), *node.operands[2:])


def _sides(node: Partwise) -> list[dict[Any, Any]] | None:
    """Return for each side of a merge its columns by the labels that they have in the result."""
    merge: Merge = node.function
    left, right = (x.meta.frame for x in node.args)
    if not (left.columns.is_unique and right.columns.is_unique):
        return None
    pairs = [] if merge.how == "cross" else list(zip(*merge.keys(left, right), strict=True))
    has_index = any(isinstance(key, Index) for pair in pairs for key in pair)
    if not has_index and not all(left.dtypes[a] == right.dtypes[b] for a, b in pairs):
        return None  # dtypes of keys may be those of the rows that there are
    shared = {one for one, other in pairs if one == other and not isinstance(one, Index)}
    both = {c for c in left.columns if c in right.columns} - shared
    found = []
    for frame, end in ((left, merge.suffixes[0]), (right, merge.suffixes[1])):
        found.append({f"{c}{end}" if c in both and end else c: c for c in frame.columns})
    if merge.how == "leftsemi":
        expected = list(found[0])
    else:
        expected = [*found[0], *(c for c in found[1] if c not in shared)]
    out = node.meta.frame
    if expected != [c for c in out.columns if c in expected] or has_index and merge.how != "inner":
        return None
    return [{c: own for c, own in each.items() if c in out} for each in found]


def _of_same_dtype(node: Partwise, sides: list[dict[Any, Any]], side: int) -> dict[Any, Any]:
    out, frame = node.meta.frame, node.args[side].meta.frame
    return {c: own for c, own in sides[side].items() if out.dtypes[c] == frame.dtypes[own]}


def _may_be_cast(node: Partwise, side: int, view: View) -> bool:
    """Whether somebody wants columns of a side that become floats where a row meets none of it."""
    wanted, dtypes = view.wanted.get(node.token), node.args[side].meta.frame.dtypes
    sides = _sides(node)
    assert sides is not None
    asked = [
        c
        for label, c in sides[side].items()
        if label not in sides[1 - side] and (wanted is None or label in wanted)
    ]
    return any(isinstance(dtypes[c], np.dtype) and dtypes[c].kind in "iub" for c in asked)


def _equal_keys(node: Partwise, kept: Mapping[Any, Any], side: int) -> dict[Any, Any]:
    """Return keys of a side by the labels that equal keys of the other one have in the result."""
    frames = [x.meta.frame for x in node.args]
    pairs = zip(*node.function.keys(*frames), strict=True)
    equal = {pair[1 - side]: pair[side] for pair in pairs if Index not in map(type, pair)}
    found = {label: equal[own] for label, own in kept.items() if own in equal}
    own, others = frames[side].dtypes, frames[1 - side].dtypes
    return {label: key for label, key in found.items() if own[key] == others[kept[label]]}


# ------------------------------------------------------------------ other work on partitions


def _partwise(node: Partwise, columns: Columns, keep: Keep, view: View) -> Node | None:
    if isinstance(node.function, Merge):
        return _merge(node, columns, keep, view)
    if numbers_anew(node):
        found = _groups(node, columns, keep, view)
        return found or _renumbered(node, node.args[0], columns, keep, view)
    x = node.args[0] if node.args else None
    if not isinstance(x, Node) or [*node.children] != [x]:
        return None
    labels = _renamed(node) if node.function == Method("rename") else None
    if labels is None:
        is_other = isinstance(node.function, Conform) or node.function is with_index
        labels = _labels(x, node.meta.frame, columns) if is_other else None
    if labels is None or not columns <= labels.keys():
        return None
    new = keep(x, {c: labels[c] for c in columns})
    return Partwise(node.function, (new, *node.args[1:]), *node.operands[2:])


def _renamed(node: Partwise) -> dict[Any, Any] | None:
    """Return the columns of a frame by the labels that it gives them."""
    options, frame = dict(node.kwargs), node.args[0].meta.frame
    new = node.meta.frame.columns
    if len(node.args) > 1 or set(options) != {"columns"} or len(new) != len(frame.columns):
        return None
    return dict(zip(new, frame.columns, strict=True)) if frame.columns.is_unique else None


def _renumbered(node: Any, x: Node, columns: Columns, keep: Keep, view: View) -> Node | None:
    """Go below `reset_index`, where nobody sees the numbers."""
    labels = _labels(x, node.meta.frame, columns)
    if labels is None or not view.hides_labels(node):
        return None
    new = keep(x, labels)
    if isinstance(node, Partwise):
        return Partwise(node.function, (new, *node.args[1:]), *node.operands[2:])
    inputs = (new, *replaced(list(node.inputs[1:]), {x.token: new}))
    return Numbered(node.function, inputs, *node.operands[2:5], new.meta.rows, node.out)


def _numbered(node: Numbered, columns: Columns, keep: Keep, view: View) -> Node | None:
    if not numbers_anew(node) or node.function is not numbered_after:
        return None
    return _renumbered(node, node.inputs[0], columns, keep, view)


def _groups(node: Partwise, columns: Columns, keep: Keep, view: View) -> Node | None:
    """Leave out groups by their keys, which `reset_index` has made columns of."""
    made, options = node.args[0], dict(node.kwargs)
    if not isinstance(made, Reduction) or not is_alone(node, made, view.readers):
        return None
    if not all(value is None or value is False for value in options.values()):
        return None
    names = made.meta.frame.index.names
    groups = _fewer_groups(made, names, node, columns, keep, view)
    return groups and Partwise(node.function, (groups, *node.args[1:]), *node.operands[2:])


def _fewer_groups(
    made: Reduction, names: Any, node: Node, columns: Columns, keep: Keep, view: View
) -> Node | None:
    """Return a reduction of fewer groups, of which a node has the keys under some names."""
    if not isinstance(made.blueprint, Aggregates) or not view.hides_labels(node):
        return None
    _, *keys = made.inputs
    by_name = dict(zip(names, keys, strict=True))
    frame = node.meta.frame
    if len(by_name) < len(keys) or not all(_is_key(by_name.get(c), frame[c]) for c in columns):
        return None
    labels = {c: by_name[c] for c in columns}
    if any(map(is_undecided, made.inputs)):
        return None  # by all rows it may be, and not by those that are left
    base = table_of(made.inputs[0])
    own = {base.token, *(each.token for each in seen_by(made.inputs, base))}
    if all(x.token in own for x in made.inputs) and is_row_by_row(made.inputs, base):
        inputs = tuple(replaced(list(made.inputs), {base.token: keep(base, labels)}))
    else:
        inputs = tuple(keep(x, labels) for x in made.inputs)
    return Reduction(inputs, *made.operands[1:-1], _of_some(made, inputs))


def _is_key(key: Node | None, column: Any) -> bool:
    is_category = isinstance(column.dtype, pd.CategoricalDtype)  # which makes groups of no rows
    return key is not None and key.meta.frame.dtype == column.dtype and not is_category


def _of_some(node: Reduction, inputs: tuple[Node, ...]) -> Any:
    """Return what is known of a result in one partition, of fewer rows."""
    out: Any = node.out
    layout = tokenize("some", out.layout, inputs)
    return replace(out, layout=layout, rows=unknown_rows(layout, 1))


def _assign(node: Assign, columns: Columns, keep: Keep, view: View) -> Node | None:
    """Go below new columns that are made row by row."""
    labels = _labels(node.x, node.meta.frame, columns - set(node.names))
    if labels is None or columns.intersection(node.names):
        return None
    values = [value for value in node.values if isinstance(value, Node)]
    if any(map(is_undecided, values)):
        return None  # by all rows it may be, and not by those that are left
    if not is_alone(node, node.x, view.readers) or not is_row_by_row([node], node.x):
        return None
    x = keep(node.x, labels)
    new = dict(zip(values, replaced(values, {node.x.token: x}), strict=True))
    return Assign(x, node.names, tuple(new.get(v, v) if v in values else v for v in node.values))


# ------------------------------------------------------------------ rows elsewhere


def _shuffle(node: Shuffle, columns: Columns, keep: Keep, view: View) -> Node | None:
    """Go below a shuffle by hashes, and a sort by columns: what divides it is of fewer rows."""
    options = dict(getattr(node.make, "options", ()))
    if not isinstance(node.cut, HashCut | RangeCut | GivenCut) or options.get("key") is not None:
        return None
    if node.others and view.counts_rows:
        return None
    labels = _labels(node.x, node.meta.frame, columns)
    if labels is None:
        return None
    x = keep(node.x, labels)
    others = tuple(replaced(list(node.others), {node.x.token: x}))
    return Shuffle(x, others, *node.operands[2:])


def _regroup(node: Regroup, columns: Columns, keep: Keep, view: View) -> Node | None:
    """Go below `concat` and `repartition`, unless rows are taken by their numbers."""
    cuts = [cut for each in node.pieces for *_, cut in each]
    if not all(cut is None or isinstance(cut, Labels | Share) for cut in cuts):
        return None
    if view.counts_rows and any(isinstance(cut, Share) for cut in cuts):
        return None
    found = [_labels(x, node.meta.frame, columns) for x in node.inputs]
    if None in found:
        return None
    new = tuple(keep(x, labels) for x, labels in zip(node.inputs, found, strict=True))  # type: ignore[arg-type]
    return Regroup(new, *node.operands[1:])


def _reduction(node: Reduction, columns: Columns, keep: Keep, view: View) -> Node | None:
    """Go below `drop_duplicates` and groups with what their rows share."""
    plan = node.blueprint
    if isinstance(plan, Aggregates) and not plan.options.as_index:
        names = node.meta.frame.columns[: plan.keys]
        return _fewer_groups(node, names, node, columns, keep, view)
    if not isinstance(plan, DistinctRows) or len(node.inputs) > 1:
        return None
    if plan.subset is not None and not columns <= set(plan.subset):
        return None
    labels = _labels(node.inputs[0], node.meta.frame, columns)
    if labels is None:
        return None
    inputs = (keep(node.inputs[0], labels),)
    return Reduction(inputs, *node.operands[1:-1], _of_some(node, inputs))


def _filter(node: Filter, columns: Columns, keep: Keep, view: View) -> Node | None:
    """Go below another filter, where what that filters lets more go down; become one in a file."""
    x = node.x
    labels = _labels(x, node.meta.frame, columns)
    if labels is None:
        return None
    if isinstance(x, ReadPieces):
        own: Any = keep(x, labels)
        return Filter(x, all_of([node.mask, own.mask]))
    row = BELOW.get(type(x))
    if row is None or not is_alone(node, x, view.readers) or not is_row_by_row([node.mask], x):
        return None
    below = row(x, columns, keep, view)
    return below and Filter(below, *replaced([node.mask], {x.token: below}))


BELOW: dict[type[Node], Callable[[Any, Columns, Keep, View], Node | None]] = {
    Partwise: _partwise,
    Numbered: _numbered,
    Assign: _assign,
    Shuffle: _shuffle,
    Regroup: _regroup,
    Reduction: _reduction,
    Filter: _filter,
}
