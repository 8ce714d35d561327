"""Frames whose keys come in order, as files often have them, are merged neighbour by neighbour.

Statistics of files say which keys each partition may have. Where the partitions of both sides of a
merge follow each other by the keys, nothing is hashed, and new partitions are made of old ones that
lie beside each other: these are mostly handed on as they are, and none waits for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard

from gpuscale.dataframe.algorithms.key_ranges import (
    KeyRange,
    Ranges,
    are_in_order,
    cut_at,
    left_of,
)
from gpuscale.dataframe.algorithms.known_keys import are_whole
from gpuscale.dataframe.algorithms.merging import Merge
from gpuscale.dataframe.algorithms.partitioning import HashCut, Index
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Partwise, Project
from gpuscale.dataframe.nodes.regroup import Regroup
from gpuscale.dataframe.nodes.shuffle import Shuffle
from gpuscale.dataframe.nodes.source import ReadPieces
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.walk import toposort

__all__ = ["bounds_of", "cut_in_order", "merge_in_order", "ranges_of"]

_UNEVEN = 2  # times as much as the others may come together in one partition
_SMALL = 32 << 20  # or so many bytes


def merge_in_order(roots: list[Node]) -> list[Node]:
    """Cut both sides of a merge at the same keys, where both come in order of these."""
    nodes = list(toposort(roots))
    if not any(map(_is_shuffled_merge, nodes)):
        return roots
    done: dict[str, Node] = {}
    for node in nodes:
        new = node.map_children(lambda child: done[child.token])
        if _is_shuffled_merge(new):
            with on_behalf_of(node):
                new = _in_order(new) or new
        done[node.token] = new
    return [done[root.token] for root in roots]


def _is_shuffled_merge(node: Node) -> TypeGuard[Partwise]:
    is_merge = isinstance(node, Partwise) and isinstance(node.function, Merge)
    return is_merge and all(isinstance(each, Shuffle) for each in node.args)  # type: ignore[attr-defined]


def _in_order(merge: Partwise) -> Node | None:
    """Return a merge whose sides are cut at keys instead of hashes, None where it cannot be."""
    sides = list(map(_shuffled_by, merge.args))
    if None in sides:
        return None
    ranges = [ranges_of(x, key) for x, key in sides]  # type: ignore[misc]
    if None in ranges:
        return None
    bounds = bounds_of(max(ranges, key=len))  # type: ignore[arg-type, type-var]
    if len(bounds) + 1 != merge.meta.npartitions:
        return None
    args = [cut_in_order(x, key, own, bounds) for (x, key), own in zip(sides, ranges, strict=True)]  # type: ignore[misc, arg-type]
    return None if None in args else Partwise(merge.function, tuple(args), *merge.operands[2:])


def _shuffled_by(side: Any) -> tuple[Node, Any] | None:
    """Return what a side of a merge is shuffled by, if it is one column of whole numbers."""
    if not isinstance(side, Shuffle) or not isinstance(side.cut, HashCut) or len(side.cut.keys) > 1:
        return None
    (key,) = side.cut.keys
    meta: FrameMeta = side.x.meta
    return None if isinstance(key, Index) or not are_whole(meta, (key,)) else (side.x, key)


def bounds_of(ranges: Ranges) -> list[int]:
    """Return keys at which partitions are cut so that few rows go to others."""
    return sorted({low for low, _ in ranges[1:]})


def cut_in_order(x: Node, key: Any, ranges: Ranges, bounds: list[int]) -> Node | None:
    """Cut a frame at keys; None where too much of it comes together."""
    taken = cut_at(bounds, key, ranges)
    if taken == tuple(((number, None),) for number in range(len(ranges))):
        return x
    pieces = tuple(tuple((0, *each) for each in some) for some in taken)
    found = Regroup((x,), pieces, None, "in-order")
    before, sizes = map(_sizes, (x, found))
    most = max(*before, _UNEVEN * sum(sizes) // len(sizes), _SMALL)
    return found if max(sizes) <= most else None


def _sizes(node: Node) -> list[int]:
    meta: FrameMeta = node.meta
    return [meta.block_nbytes((k,)) or 0 for k in range(meta.npartitions)]


# ------------------------------------------------------------------ what is known of keys


def ranges_of(node: Node, key: Any) -> Ranges | None:
    """Return the keys that each partition may have, if these come in order; None if unknown."""
    found = _ranges(node, key) if node.meta.backend == FrameMeta.host else None
    return found if found is not None and are_in_order(found) else None


def _ranges(node: Node, key: Any) -> Ranges | None:
    while True:
        if isinstance(node, ReadPieces):
            return _of_files(node, key)
        if isinstance(node, Regroup):
            return _of_pieces(node, key)
        below = _where_from(node, key)
        if below is None:
            return None
        node = below


def _where_from(node: Node, key: Any) -> Node | None:
    """Return the frame that a column comes from as it is, rows apart, partition by partition."""
    if isinstance(node, Filter):
        return node.x
    if isinstance(node, Project):
        return None if node.as_series or key not in node.columns else node.x
    if isinstance(node, Assign):
        return None if key in node.names else node.x
    if isinstance(node, Partwise) and isinstance(node.function, Merge):
        count = node.meta.npartitions
        return next((x for x in _sides_with(node, key) if x.meta.npartitions == count), None)
    return None


def _sides_with(merge: Partwise, key: Any) -> Iterator[Node]:
    """Sides of which an inner merge has a column as it is."""
    if merge.function.how == "inner":
        left, right = merge.args
        pairs = zip(*merge.function.keys(left.meta.frame, right.meta.frame), strict=True)
        is_shared = (key, key) in pairs
        for side, other in ((left, right), (right, left)):
            own, others = side.meta.frame.columns, other.meta.frame.columns
            if key in own and (is_shared or key not in others):
                yield side


def _of_files(node: ReadPieces, key: Any) -> Ranges | None:
    found = [each.statistics.get(key, (None, None, None))[:2] for each in node.pieces.pieces]
    if any(None in pair for pair in found):
        return None
    return [(int(low), int(high)) for low, high in found]


def _of_pieces(node: Regroup, key: Any) -> Ranges | None:
    if len(node.inputs) > 1:
        return None
    ranges = _ranges(node.inputs[0], key)
    cuts = [cut for each in node.pieces for _, _, cut in each if cut is not None]
    if ranges is None or not all(isinstance(cut, KeyRange) and cut.key == key for cut in cuts):
        return None
    found = [left_of([(block, cut) for _, block, cut in each], ranges) for each in node.pieces]
    return None if None in found else found  # type: ignore[return-value]
