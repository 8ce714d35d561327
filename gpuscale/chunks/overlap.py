"""Halos: the parts of other blocks that surround a block, up to and beyond the array's edges."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import pairwise
from operator import index as as_int
from typing import Any, NamedTuple

from gpuscale.chunks.axes import normalize_axis
from gpuscale.chunks.blocks import offsets

__all__ = [
    "BOUNDARIES",
    "Boundary",
    "HaloPiece",
    "halo_axis",
    "merge_below",
    "normalize_boundary",
    "normalize_depth",
    "trim_axis",
]

#: What lies beyond the edges of an axis, with the element at the edge counted by "reflect".
BOUNDARIES = ("none", "periodic", "reflect", "nearest", "constant")


class Boundary(NamedTuple):
    """What lies beyond the edges of one axis; `value` is used by "constant" alone."""

    kind: str
    value: Any = 0


class HaloPiece(NamedTuple):
    """Element i of a piece is ``block[start + step * i]``, or a fill value where block is None."""

    block: int | None
    start: int
    step: int
    length: int


def normalize_depth(depth: Any, ndim: int) -> tuple[tuple[int, int], ...]:
    """Return how many elements a halo has before and after the block, per axis.

    Parameters
    ----------
    depth : int, pair, tuple, or dict
        One number for all axes; a tuple with one item per axis; or a dictionary from axis to
        item, 0 where nothing is said. An item is a number for both sides, or a pair of numbers.
    ndim : int
        Number of axes.

    Raises
    ------
    ValueError
        If a depth is negative, or there are not as many as axes.
    numpy.exceptions.AxisError
        If an axis does not exist.

    Examples
    --------
    >>> normalize_depth(1, 2), normalize_depth({-1: (0, 2)}, 2)
    (((1, 1), (1, 1)), ((0, 0), (0, 2)))
    """
    if isinstance(depth, Mapping):
        named = {normalize_axis(axis, ndim): item for axis, item in depth.items()}
        items = tuple(named.get(axis, 0) for axis in range(ndim))
    elif isinstance(depth, tuple | list):
        items = tuple(depth)
    else:
        items = (depth,) * ndim
    if len(items) != ndim:
        raise ValueError(f"depth {depth!r} has {len(items)} items for {ndim} axes")
    sides = [item if isinstance(item, tuple | list) else (item, item) for item in items]
    if any(len(pair) != 2 or min(map(as_int, pair)) < 0 for pair in sides):
        raise ValueError(f"a depth is a number of elements or a pair of them, not {depth!r}")
    return tuple((as_int(before), as_int(after)) for before, after in sides)


def normalize_boundary(boundary: Any, ndim: int) -> tuple[Boundary, ...]:
    """Return what lies beyond the edges of each axis.

    Parameters
    ----------
    boundary : str, number, None, tuple, or dict
        "none" or None: nothing, blocks at the edge have no halo there; "periodic": the other
        end; "reflect": the same elements backwards; "nearest": the last element again; a number:
        that value. A tuple or dictionary says it per axis, None where nothing is said.
    ndim : int
        Number of axes.

    Raises
    ------
    ValueError
        If the name is not one of these, or there are not as many as axes.

    Examples
    --------
    >>> normalize_boundary({0: "reflect", 1: 7}, 3)
    (Boundary(kind='reflect', value=0), Boundary(kind='constant', value=7), \
Boundary(kind='none', value=0))
    """
    if isinstance(boundary, Mapping):
        named = {normalize_axis(axis, ndim): item for axis, item in boundary.items()}
        items = tuple(named.get(axis) for axis in range(ndim))
    elif isinstance(boundary, tuple | list):
        items = tuple(boundary)
    else:
        items = (boundary,) * ndim
    if len(items) != ndim:
        raise ValueError(f"boundary {boundary!r} has {len(items)} items for {ndim} axes")
    return tuple(map(_boundary, items))


def _boundary(item: Any) -> Boundary:
    if item is None:
        return Boundary("none")
    if not isinstance(item, str):
        return Boundary("constant", item)
    if item not in BOUNDARIES[:-1]:
        raise ValueError(f"boundary {item!r} is neither a number nor one of {BOUNDARIES[:-1]}")
    return Boundary(item)


def halo_axis(
    sizes: tuple[int, ...], before: int, after: int, boundary: str = "none"
) -> tuple[tuple[HaloPiece, ...], ...]:
    """Return, for each block of an axis, the pieces that make it up together with its halo.

    A halo deeper than the neighbours reaches beyond them, and beyond an edge it wraps around or
    is reflected as often as it takes. An empty axis has no halo.

    Parameters
    ----------
    sizes : tuple of int
        Sizes of the blocks.
    before, after : int
        Elements of the halo on either side.
    boundary : str
        One of `BOUNDARIES`.

    Examples
    --------
    >>> halo_axis((3, 2), 1, 1)[1]
    (HaloPiece(block=0, start=2, step=1, length=1), HaloPiece(block=1, start=0, step=1, length=2))
    >>> halo_axis((3, 2), 1, 1, "periodic")[1][-1]
    HaloPiece(block=0, start=0, step=1, length=1)
    """
    starts = offsets(sizes)
    blocks = []
    for block, (begin, end) in enumerate(pairwise(starts)):
        low, high = _reach(begin, end, before, after, boundary, starts[-1])
        pieces = tuple(_pieces(starts, low, high, boundary))
        blocks.append(pieces or (HaloPiece(block, 0, 1, 0),))
    return tuple(blocks)


def trim_axis(
    sizes: tuple[int, ...], before: int, after: int, boundary: str = "none"
) -> tuple[tuple[int, int], ...]:
    """Return where each block lies within itself and its halo: start and stop.

    Examples
    --------
    >>> trim_axis((3, 2), 1, 1)
    ((0, 3), (1, 3))
    """
    starts = offsets(sizes)
    margins = [
        begin - _reach(begin, end, before, after, boundary, starts[-1])[0]
        for begin, end in pairwise(starts)
    ]
    return tuple((margin, margin + size) for margin, size in zip(margins, sizes, strict=True))


def _reach(
    begin: int, end: int, before: int, after: int, boundary: str, length: int
) -> tuple[int, int]:
    """Return the positions that a block covers with its halo; they may lie beyond the edges."""
    if boundary == "none" or length == 0:
        return max(0, begin - before), min(length, end + after)
    return begin - before, end + after


def _pieces(starts: tuple[int, ...], low: int, high: int, boundary: str) -> Iterator[HaloPiece]:
    length = starts[-1]
    while low < high:
        lap = low // length
        stop = min(high, (lap + 1) * length)
        if lap == 0 or boundary == "periodic":
            yield from _forward(starts, low - lap * length, stop - lap * length)
        elif boundary == "reflect":
            mirror = (lap + 1) * length
            # Two reflections are a shift.
            if lap % 2:
                yield from _backward(starts, mirror - stop, mirror - low)
            else:
                yield from _forward(starts, low - lap * length, stop - lap * length)
        elif boundary == "nearest":
            edge = 0 if lap < 0 else length - 1
            block = bisect_right(starts, edge) - 1
            yield HaloPiece(block, edge - starts[block], 0, stop - low)
        else:
            yield HaloPiece(None, 0, 0, stop - low)
        low = stop


def _forward(starts: tuple[int, ...], low: int, high: int) -> Iterator[HaloPiece]:
    """Read the positions from low to high, both within the axis."""
    block = bisect_right(starts, low) - 1
    while low < high:
        stop = min(high, starts[block + 1])
        if stop > low:
            yield HaloPiece(block, low - starts[block], 1, stop - low)
        low = stop
        block += 1


def _backward(starts: tuple[int, ...], low: int, high: int) -> Iterator[HaloPiece]:
    """Read the same positions from the last to the first."""
    for block, start, _, length in reversed(list(_forward(starts, low, high))):
        yield HaloPiece(block, start + length - 1, -1, length)


def merge_below(sizes: tuple[int, ...], least: int) -> tuple[int, ...]:
    """Merge neighbouring blocks until none is smaller than `least`, if the axis is long enough.

    Examples
    --------
    >>> merge_below((2, 2, 2, 1), 3), merge_below((2,), 3)
    ((4, 3), (2,))
    """
    if min(sizes, default=least) >= least:
        return sizes
    merged: list[int] = []
    current = 0
    for size in sizes:
        current += size
        if current >= least:
            merged.append(current)
            current = 0
    if not merged:
        return (current,)
    merged[-1] += current
    return tuple(merged)
