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
    last = len(divisions) - 2
    pieces: Pieces = tuple(
        _pieces(bounds, divisions[k], divisions[k + 1], k == last) for k in range(last + 1)
    )
    return Regroup((node,), pieces, divisions, "repartition")


def _pieces(bounds: tuple[Any, ...], low: Any, high: Any, last: bool) -> tuple[Any, ...]:
    """Return the pieces of partitions that lie between two bounds."""
    count = len(bounds) - 1
    first = max(0, bisect_right(bounds, low) - 1)
    stop = bisect_right(bounds, high) if last else bisect_left(bounds, high)
    found = []
    for block in range(min(first, count - 1), max(0, min(stop, count))):
        starts, ends = bounds[block], bounds[block + 1]
        inside = low <= starts and (ends <= high if block < count - 1 else ends < high or last)
        found.append((0, block, None if inside else Labels(low, high, last)))
    return tuple(found)


def common_divisions(metas: list[FrameMeta]) -> tuple[Any, ...]:
    """Return all bounds of some frames, each once."""
    bounds = sorted({label for meta in metas for label in meta.divisions or ()})
    return tuple(bounds) if len(bounds) > 1 else (bounds[0], bounds[0])
