"""Rows that can meet none of the other side of a merge are not shuffled for it.

Where one side was filtered, its keys are few: they are looked at first, and of the other side only
rows go to other partitions that may meet one. The merge then gives the same rows in the same order.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, TypeGuard

import numpy as np

from gpuscale.dataframe.algorithms.known_keys import (
    KnownKeys,
    Slots,
    WithKnownKeys,
    are_whole,
)
from gpuscale.dataframe.algorithms.merging import DROPS, Merge
from gpuscale.dataframe.algorithms.partitioning import HashCut
from gpuscale.dataframe.nodes.partwise import Filter, Partwise
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.nodes.shuffle import Shuffle
from gpuscale.dataframe.nodes.source import ReadPieces
from gpuscale.dataframe.rules.places import is_in_place
from gpuscale.expr.frames import ScalarMeta
from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.walk import toposort

__all__ = ["shuffle_known_keys"]

_BITS_OF_KEY = 8  # so few bits are shared by different keys
_LEAST, _MOST = 1 << 16, 1 << 24  # bits
_SPLIT = 16


def shuffle_known_keys(roots: list[Node]) -> list[Node]:
    """Leave rows out of a shuffle that meet none of a side that was filtered."""
    nodes = list(toposort(roots))
    if not any(map(_is_shuffled_merge, nodes)):
        return roots
    readers = Counter(child.token for node in nodes for child in set(node.children))
    readers.update(root.token for root in roots)
    few = _filtered(nodes)
    done: dict[str, Node] = {}
    for node in nodes:
        new = node.map_children(lambda child: done[child.token])
        side = _larger(node, few) if _is_shuffled_merge(node) else None
        if side is not None and readers[node.args[side].token] == 1:  # type: ignore[attr-defined]
            new = _with_less(new, side)
        done[node.token] = new
    return [done[root.token] for root in roots]


def _is_shuffled_merge(node: Node) -> TypeGuard[Partwise]:
    if not isinstance(node, Partwise) or not isinstance(node.function, Merge):
        return False
    is_by_hash = all(isinstance(x, Shuffle) and isinstance(x.cut, HashCut) for x in node.args)
    return is_by_hash and node.function.how in DROPS and node.function.validate is None


def _filtered(nodes: list[Node]) -> set[str]:
    """Nodes below which rows were dropped by what they are."""
    found: set[str] = set()
    for node in nodes:
        is_merge = isinstance(node, Partwise) and isinstance(node.function, Merge)
        drops = isinstance(node, Filter) or isinstance(node, ReadPieces) and node.predicate
        inherits = any(child.token in found for child in node.children)
        if drops or inherits and (not is_merge or node.function.how in DROPS):  # type: ignore[attr-defined]
            found.add(node.token)
    return found


def _larger(node: Partwise, few: set[str]) -> int | None:
    """Number of the side of which rows go: the other one was filtered, and is not larger."""
    for side, name in enumerate(("left", "right")):
        large, small = node.args[side], node.args[1 - side]
        may = name in DROPS[node.function.how] and small.x.token in few
        is_done = isinstance(large.x, Partwise) and isinstance(large.x.function, WithKnownKeys)
        if may and not is_done and not is_in_place(large) and _rows(small) <= _rows(large):
            return side
    return None


def _rows(node: Shuffle) -> int:
    return sum(node.x.meta.projected)


def _with_less(merge: Any, side: int) -> Node:
    """Return a merge to which one side gives the rows whose keys the other one may have."""
    large, small = merge.args[side], merge.args[1 - side]
    wanted = _BITS_OF_KEY * max(1, _rows(small))
    count = min(_MOST, max(_LEAST, 1 << (wanted - 1).bit_length()))
    whole = all(are_whole(each.x.meta, each.cut.keys) for each in (large, small))
    bits: Any = ScalarMeta(np.zeros(0, np.uint8))
    with on_behalf_of(merge):
        plan = KnownKeys(Slots(small.cut.keys, count, whole))
        known = Reduction((small.x,), plan, "known-keys", count // 8, _SPLIT, bits)
        function, out = WithKnownKeys(Slots(large.cut.keys, count, whole)), large.x.meta.frame
        rows = Partwise(function, (large.x, known), (), "with-known-keys", "some", out)
        args = list(merge.args)
        args[side] = Shuffle(rows, *large.operands[1:])
        return Partwise(merge.function, tuple(args), *merge.operands[2:])
