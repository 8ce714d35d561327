"""Partitions by the bounds of a sorted index."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

from gpuscale.dataframe.algorithms.cuts import Labels
from gpuscale.dataframe.nodes.regroup import Pieces, Regroup
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node

__all__ = ["by_divisions", "common_divisions"]


def by_divisions(node: Node, divisions: tuple[Any, ...], force: bool) -> Node:
    """Return a frame cut at other bounds.

    Raises
    ------
    ValueError
        If those of the frame are not known, the new ones are not sorted, or do not span the same
        labels without ``force``.
    """
    meta: FrameMeta = node.meta
    bounds = meta.divisions
    if bounds is None:
        raise ValueError(
            "divisions of this frame are not known; make a sorted index by set_index, or "
            "repartition by npartitions="
        )
    if list(divisions) != sorted(divisions) or len(divisions) < 2:
        raise ValueError(f"divisions must be two labels at least, sorted, and not {divisions!r}")
    if divisions == bounds:
        return node
    if not force and (divisions[0] != bounds[0] or divisions[-1] != bounds[-1]):
        raise ValueError(
            f"divisions have to begin with {bounds[0]!r} and end with {bounds[-1]!r}, as those of "
            "the frame; say force=True for others"
        )
    if divisions[0] > bounds[0] or divisions[-1] < bounds[-1]:
        raise ValueError(
            f"divisions from {divisions[0]!r} to {divisions[-1]!r} leave out rows of a frame from "
            f"{bounds[0]!r} to {bounds[-1]!r}"
        )
    return Regroup((node,), _pieces(bounds, divisions), divisions, "repartition")


def _pieces(bounds: tuple[Any, ...], divisions: tuple[Any, ...]) -> Pieces:
    """Return what each new partition takes of the old ones.

    Of each old one the first piece has no lower and the last no upper bound: no row is lost, even
    of one whose labels lie beyond its bounds.
    """
    found: list[list[tuple[int, int, Any]]] = [[] for _ in divisions[1:]]
    last = len(found) - 1
    for block, (low, high) in enumerate(zip(bounds, bounds[1:], strict=False)):
        first = min(last, max(0, bisect_right(divisions, low) - 1))
        stop = bisect_right(divisions, high) if block == len(bounds) - 2 else 0
        stop = min(last, max(first, (stop or bisect_left(divisions, high)) - 1))
        for k in range(first, stop + 1):
            lower = None if k == first else divisions[k]
            upper = None if k == stop else divisions[k + 1]
            whole = lower is None and upper is None
            found[k].append((0, block, None if whole else Labels(lower, upper)))
    return tuple(map(tuple, found))


def common_divisions(metas: list[FrameMeta]) -> tuple[Any, ...]:
    """Return all bounds of some frames, each once."""
    bounds = sorted({label for meta in metas for label in meta.divisions or ()})
    return tuple(bounds) if len(bounds) > 1 else (bounds[0], bounds[0])
