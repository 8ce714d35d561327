"""Rows that lie where a shuffle would send them stay there: shuffles by one key become one.

What was merged by the hashes of a key is in its place for the next merge by that key, and the same
rows are in one partition for whoever drops them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpuscale.dataframe.algorithms.counting import DistinctRows
from gpuscale.dataframe.algorithms.known_keys import WithKnownKeys
from gpuscale.dataframe.algorithms.merging import DROPS, Merge
from gpuscale.dataframe.algorithms.partitioning import HashCut, Index, joined
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Partwise, Project
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.nodes.regroup import Regroup
from gpuscale.dataframe.nodes.shuffle import Shuffle
from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.walk import toposort

__all__ = ["is_in_place", "stay_in_place"]

Places = frozenset[tuple[Any, ...]]
"""Keys, each by the hashes of which rows are in their partitions."""

_NOWHERE: Places = frozenset()


def stay_in_place(roots: list[Node]) -> list[Node]:
    """Leave out shuffles of rows that are where they would go, and find distinct ones in place."""
    nodes = list(toposort(roots))
    if not any(map(_is_by_hash, nodes)):
        return roots
    done: dict[str, Node] = {}
    for node in nodes:
        new = node.map_children(lambda child: done[child.token])
        if isinstance(new, Shuffle) and is_in_place(new):
            new = new.x
        elif isinstance(new, Reduction) and isinstance(new.blueprint, DistinctRows):
            with on_behalf_of(node):
                new = _distinct(new) or new
        done[node.token] = new
    return [done[root.token] for root in roots]


def is_in_place(node: Shuffle) -> bool:
    """Whether the rows of a shuffle by hashes are where they would go."""
    if not _is_by_hash(node) or node.x.meta.npartitions != node.npartitions:
        return False
    return node.cut.keys in _places(node.x)


def _is_by_hash(node: Node) -> bool:
    return isinstance(node, Shuffle) and isinstance(node.cut, HashCut) and node.make is joined


def _is_by_columns(node: Shuffle) -> bool:
    return _is_by_hash(node) and not any(isinstance(key, Index) for key in node.cut.keys)


def _distinct(node: Reduction) -> Node | None:
    """Find distinct rows partition by partition, and put these together."""
    (x,), plan = node.inputs, node.blueprint
    meta = x.meta
    if node.meta.ndim != 1 or meta.npartitions == 1 or meta.frame.ndim != 2:
        return None
    compared = set(meta.frame.columns if plan.subset is None else plan.subset)
    if not any(compared.issuperset(keys) for keys in _places(x)):
        return None
    rows = Partwise(plan, (x,), (), node.label, "some", meta.frame)
    every = tuple((0, block, None) for block in range(meta.npartitions))
    return Regroup((rows,), (every,), None, node.label)


# ------------------------------------------------------------------ where rows are


def _places(node: Node) -> Places:
    """Return the keys by whose hashes the rows of a frame are in as many partitions."""
    steps: list[Callable[[Places], Places]] = []
    while True:
        if isinstance(node, Shuffle):
            found = frozenset([node.cut.keys]) if _is_by_columns(node) else _NOWHERE
            break
        if isinstance(node, Partwise) and isinstance(node.function, Merge):
            found = _of_merge(node)
            break
        step = _step(node)
        if step is None:
            return _NOWHERE
        steps.append(step)
        node = _first(node)
    for step in reversed(steps):
        found = step(found)
    return found


def _first(node: Any) -> Node:
    first: Node = node.args[0] if isinstance(node, Partwise) else node.x
    return first


def _step(node: Node) -> Callable[[Places], Places] | None:
    """Return which places are those of a node, of those of what it is made of."""
    if isinstance(node, Project) and not node.as_series:
        columns = set(node.columns)
        return lambda places: frozenset(keys for keys in places if columns.issuperset(keys))
    if isinstance(node, Assign):
        names = set(node.names)
        return lambda places: frozenset(keys for keys in places if names.isdisjoint(keys))
    is_some = isinstance(node, Partwise) and isinstance(node.function, WithKnownKeys | DistinctRows)
    return (lambda places: places) if isinstance(node, Filter) or is_some else None


def _of_merge(node: Partwise) -> Places:
    """Return where the rows of a merge are: where those of each side are whose keys it keeps."""
    merge: Merge = node.function
    if merge.how not in DROPS or merge.left_index or merge.right_index:
        return _NOWHERE
    frames = [x.meta.frame for x in node.args]
    pairs = list(zip(*merge.keys(*frames), strict=True))
    both = {c for c in frames[0].columns if c in frames[1].columns}
    shared = {one for one, other in pairs if one == other}
    found: set[tuple[Any, ...]] = set()
    for side, other in ((0, 1), (1, 0)):
        is_kept = merge.how == "inner" or DROPS[merge.how] == (("left", "right")[other],)
        is_in_parts = node.args[side].meta.npartitions == node.meta.npartitions
        if is_kept and is_in_parts:
            renamed = both - shared
            places = _places(node.args[side])
            found.update(keys for keys in places if renamed.isdisjoint(keys))
    return frozenset(found)
