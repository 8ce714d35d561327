"""Stored chunks under a region: which are touched, and which blocks never share one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from gpuscale.chunks.blocks import locate, offsets, uniform_sizes
from gpuscale.io.pieces import Cells, Region

__all__ = ["align", "compose", "positions", "split", "stored_grid", "window_grid"]


def positions(region: Region, shape: Sequence[int]) -> tuple[range, ...]:
    """Return the positions that a region selects along each axis.

    Raises
    ------
    ValueError
        If the region has not one slice for each axis, or runs backwards.

    Examples
    --------
    >>> positions((slice(2, 9, 3), slice(None)), (7, 2))
    (range(2, 7, 3), range(0, 2))
    """
    if len(region) != len(shape) or not all(isinstance(each, slice) for each in region):
        raise ValueError(f"a region of shape {tuple(shape)} takes one slice per axis, not {region}")
    selected = tuple(range(n)[each] for n, each in zip(shape, region, strict=True))
    if any(each.step < 0 for each in selected):
        raise ValueError(f"a region runs forwards: the steps of {region} must be positive")
    return selected


def compose(outer: tuple[range, ...], inner: Region) -> Region:
    """Return the slices that select, of the outer positions, the inner ones.

    Examples
    --------
    >>> compose((range(10, 20, 2),), (slice(1, 3),))
    (slice(12, 16, 2),)
    """
    selected = (each[part] for each, part in zip(outer, inner, strict=True))
    return tuple(slice(each.start, each.stop, each.step) for each in selected)


def stored_grid(shape: Sequence[int], chunk_shape: Sequence[int]) -> Cells:
    """Return the sizes of regular stored chunks along each axis.

    Examples
    --------
    >>> stored_grid((7, 4), (3, 4))
    ((3, 3, 1), (4,))
    """
    return tuple(uniform_sizes(n, size) for n, size in zip(shape, chunk_shape, strict=True))


def split(selected: range, sizes: int | tuple[int, ...]) -> Iterator[tuple[int, slice, slice]]:
    """Yield each stored chunk that some positions of one axis touch.

    Parameters
    ----------
    selected : range
        Positions along the axis, ascending.
    sizes : int or tuple of int
        Length of every stored chunk along the axis, or of each.

    Yields
    ------
    number : int
        Number of the stored chunk.
    inside : slice
        The positions within the chunk.
    outside : slice
        Where they lie among the selected ones.

    Examples
    --------
    >>> list(split(range(1, 8, 2), 4))
    [(0, slice(1, 4, 2), slice(0, 2, None)), (1, slice(1, 4, 2), slice(2, 4, None))]
    >>> list(split(range(3, 6), (4, 2)))
    [(0, slice(3, 4, 1), slice(0, 1, None)), (1, slice(0, 2, 1), slice(1, 3, None))]
    """
    done, step = 0, selected.step
    while done < len(selected):
        if isinstance(sizes, int):
            number, first = divmod(selected[done], sizes)
            size = sizes
        else:
            number, first = locate(sizes, selected[done])
            size = sizes[number]
        count = min(-(-(size - first) // step), len(selected) - done)
        last = first + (count - 1) * step
        yield number, slice(first, last + 1, step), slice(done, done + count)
        done += count


def window_grid(window: tuple[range, ...], chunk_shape: Sequence[int]) -> Cells:
    """Return the cells into which stored chunks cut a window of their array.

    Examples
    --------
    >>> window_grid((range(1, 9), range(0, 8, 2)), (4, 4))
    ((3, 4, 1), (2, 2))
    """
    return tuple(
        tuple(part.stop - part.start for _, _, part in split(selected, size)) or (0,)
        for selected, size in zip(window, chunk_shape, strict=True)
    )


def align(chunks: Cells, grid: Cells | None) -> Cells:
    """Move the boundaries of blocks forward to the next boundary of a cell.

    There are never more blocks than before, and none grows by more than one cell.

    Examples
    --------
    >>> align(((3, 3, 3),), ((2, 2, 2, 2, 1),))
    ((4, 2, 3),)
    """
    if grid is None:
        return chunks
    return tuple(
        _align_axis(sizes, offsets(cells)) for sizes, cells in zip(chunks, grid, strict=True)
    )


def _align_axis(sizes: tuple[int, ...], bounds: tuple[int, ...]) -> tuple[int, ...]:
    moved = [bounds[bisect_left(bounds, stop)] for stop in offsets(sizes)]
    return tuple(b - a for a, b in zip(moved, moved[1:], strict=False) if b > a) or (0,)
