"""Which partitions belong together, where several frames meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpuscale.base.errors import NotSupportedError
from gpuscale.dataframe.divisions import by_divisions, common_divisions
from gpuscale.dataframe.minding import passes_on
from gpuscale.dataframe.nodes.partwise import Partwise
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node

__all__ = ["aligned"]


def aligned(nodes: Sequence[Node]) -> tuple[list[Node], bool]:
    """Return frames whose partitions of one number belong together, and whether rows agree.

    Frames of one layout have the same rows. Where divisions are known, or there is but one
    partition, pandas aligns the rows of each, cut at all bounds before. Otherwise, where the
    partitions are as many, their indexes must be found the same when they are there.

    Raises
    ------
    NotSupportedError
        If there is no telling which rows belong together.
    """
    frames = [node for node in nodes if isinstance(node.meta, FrameMeta)]
    metas = [node.meta for node in frames]
    if len({meta.layout for meta in metas}) <= 1:
        return list(nodes), True
    if all(meta.npartitions == 1 for meta in metas):
        return list(nodes), False
    if None not in (divisions := {meta.divisions for meta in metas}) and len(divisions) == 1:
        return list(nodes), False
    if None not in divisions and (bounds := _common(metas)) is not None:
        moved = {node.token: by_divisions(node, bounds, True) for node in frames}
        return [moved.get(node.token, node) for node in nodes], False
    if len({meta.npartitions for meta in metas}) == 1:
        return _checked(nodes, frames[0]), True
    counts = " and ".join(str(meta.npartitions) for meta in metas)
    raise NotSupportedError(
        f"frames of {counts} partitions meet, and it is not known which rows belong together; give "
        "them a sorted index by set_index, or reset_index both"
    )


def _common(metas: Sequence[FrameMeta]) -> tuple[Any, ...] | None:
    """Bounds of all, where their labels can be compared."""
    try:
        return common_divisions(list(metas))
    except TypeError:
        return None


def _checked(nodes: Sequence[Node], first: Node) -> list[Node]:
    layout = first.meta.layout
    return [
        node
        if not isinstance(node.meta, FrameMeta) or node.meta.layout == layout
        else Partwise(with_same_index, (first, node), (), "align", "same", node.meta.frame)
        for node in nodes
    ]


@passes_on
def with_same_index(first: Any, other: Any) -> Any:
    """Return the other partition, if it has the index of the first."""
    here, there = (getattr(each, "index", each) for each in (first, other))
    if here is there or here.equals(there):
        return other
    raise ValueError(
        f"rows of two frames are to be put together, but their partitions have other labels "
        f"({len(here)} and {len(there)} rows); give both a sorted index by set_index, or make one "
        "of them from the other by work that leaves the rows as they are"
    )
