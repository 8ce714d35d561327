"""Affine views: what slices, transposes, broadcasts and diagonals have in common.

A view says for every axis of the source which position an output element reads: ``start + step *
p[out_axis]``. Views compose, so a chain of them is one view, and it reaches a kernel as strides.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import index as as_int

from gpuscale.base.errors import ChunkError, UnknownSizeError
from gpuscale.base.types import Chunks, Shape, Size, Unknown
from gpuscale.chunks.axes import listed_axes, normalize_axes, normalize_axis
from gpuscale.chunks.blocks import known_sizes, locate, offsets
from gpuscale.chunks.broadcast import refine_sizes

__all__ = [
    "AxisMap",
    "AxisTable",
    "View",
    "axis_tables",
    "broadcast_to",
    "compose",
    "diagonal",
    "expand_dims",
    "flip",
    "identity",
    "is_identity",
    "make_view",
    "squeeze",
    "transpose",
    "view_chunks",
]

#: Per source axis: output axis it follows (None: a constant), start, step.
AxisMap = tuple[int | None, int, int]
#: Per output block along one axis: the source block it reads and where in it it starts.
AxisTable = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class View:
    """Which element of a source each element of an output reads.

    Output position ``p`` reads source position ``start + step * p[out_axis]`` along each source
    axis, or the constant ``start`` where `out_axis` is None. An output axis that no source axis
    follows is new: all along it the same elements are read. Two source axes may follow one
    output axis, which is a diagonal.

    Parameters
    ----------
    axes : tuple of (out_axis, start, step)
        One item per source axis. Build views with the functions of this module, which keep one
        spelling for views that mean the same (step 0 for constants, start 0 for empty axes).
    shape : Shape
        Shape of the output.

    Examples
    --------
    >>> identity((4, 5))
    View(axes=((0, 0, 1), (1, 0, 1)), shape=(4, 5))
    """

    axes: tuple[AxisMap, ...]
    shape: Shape


def make_view(axes: Iterable[AxisMap], shape: Shape) -> View:
    """Return a view in its normal spelling, so that equal views compare equal.

    Examples
    --------
    >>> make_view(((0, 7, -2), (None, 3, 5)), (1,))
    View(axes=((0, 7, 1), (None, 3, 0)), shape=(1,))
    """
    return View(tuple([_normal(axis_map, shape) for axis_map in axes]), shape)


def _normal(axis_map: AxisMap, shape: Shape) -> AxisMap:
    out_axis, start, step = axis_map
    if out_axis is None:
        return None, start, 0
    length = shape[out_axis]
    if length == 0:
        return out_axis, 0, 1
    return (out_axis, start, 1) if length == 1 else axis_map


def identity(shape: Shape) -> View:
    """Return the view that reads every element in its own place."""
    return View(tuple((axis, 0, 1) for axis in range(len(shape))), shape)


def is_identity(view: View, source_shape: Shape) -> bool:
    """Say whether a view changes nothing about a source of this shape.

    Examples
    --------
    >>> is_identity(transpose((3, 4), (1, 0)), (3, 4)), is_identity(identity((3, 4)), (3, 4))
    (False, True)
    """
    return view == identity(source_shape)


def compose(outer: View, inner: View) -> View:
    """Return the view that equals taking `inner` of a source and then `outer` of the result.

    Examples
    --------
    >>> compose(flip((5,), 0), flip((5,), 0)) == identity((5,))
    True
    """
    return make_view([_through(axis_map, outer) for axis_map in inner.axes], outer.shape)


def _through(axis_map: AxisMap, outer: View) -> AxisMap:
    middle, start, step = axis_map
    if middle is None:
        return axis_map
    out_axis, outer_start, outer_step = outer.axes[middle]
    return out_axis, start + step * outer_start, step * outer_step


def transpose(shape: Shape, axes: Sequence[int] | None = None) -> View:
    """Return the view with the axes in another order, by default reversed.

    Raises
    ------
    ValueError
        If `axes` is not a permutation.

    Examples
    --------
    >>> transpose((3, 4))
    View(axes=((1, 0, 1), (0, 0, 1)), shape=(4, 3))
    """
    ndim = len(shape)
    if axes is None:
        order = tuple(reversed(range(ndim)))
    elif len(axes) != ndim:
        raise ValueError(f"axes don't match array: {tuple(axes)} for {ndim} dimensions")
    else:
        order = tuple(normalize_axis(axis, ndim) for axis in axes)
        if len(set(order)) != ndim:
            raise ValueError("repeated axis in transpose")
    out_axis_of = {axis: out_axis for out_axis, axis in enumerate(order)}
    return View(
        tuple((out_axis_of[axis], 0, 1) for axis in range(ndim)),
        tuple(shape[axis] for axis in order),
    )


def broadcast_to(shape: Shape, target: Shape) -> View:
    """Return the view that repeats axes of length 1, and adds new ones in front.

    Raises
    ------
    ValueError
        If the shape does not broadcast to the target.

    Examples
    --------
    >>> broadcast_to((3, 1), (2, 3, 4))
    View(axes=((1, 0, 1), (None, 0, 0)), shape=(2, 3, 4))
    """
    added = len(target) - len(shape)
    fits = added >= 0 and all(
        length in (1, wanted) for length, wanted in zip(shape, target[added:], strict=True)
    )
    if not fits:
        raise ValueError(f"cannot broadcast an array of shape {shape} to shape {target}")
    axes: list[AxisMap] = [
        (axis, 0, 1) if length == target[axis] else (None, 0, 0)
        for axis, length in enumerate(shape, added)
    ]
    return View(tuple(axes), target)


def expand_dims(shape: Shape, axes: int | Iterable[int]) -> View:
    """Return the view with new axes of length 1 at the given places of the result.

    Raises
    ------
    numpy.exceptions.AxisError, ValueError
        If a place does not exist or is named twice.

    Examples
    --------
    >>> expand_dims((3,), (0, -1))
    View(axes=((1, 0, 1),), shape=(1, 3, 1))
    """
    places = listed_axes(axes)
    ndim = len(shape) + len(places)
    new = set(normalize_axes(places, ndim))
    kept = [axis for axis in range(ndim) if axis not in new]
    lengths = dict(zip(kept, shape, strict=True))
    return View(
        tuple((out_axis, 0, 1) for out_axis in kept),
        tuple(lengths.get(axis, 1) for axis in range(ndim)),
    )


def squeeze(shape: Shape, axes: int | Iterable[int] | None = None) -> View:
    """Return the view without axes of length 1: the given ones, or all.

    Raises
    ------
    ValueError
        If a given axis has another length.

    Examples
    --------
    >>> squeeze((1, 3, 1))
    View(axes=((None, 0, 0), (0, 0, 1), (None, 0, 0)), shape=(3,))
    """
    if axes is None:
        gone = {axis for axis, length in enumerate(shape) if length == 1}
    else:
        gone = set(normalize_axes(axes, len(shape)))
    if any(shape[axis] != 1 for axis in gone):
        raise ValueError(
            f"cannot select an axis to squeeze out which has size not equal to one: "
            f"axes {tuple(sorted(gone))} of shape {shape}"
        )
    kept = [axis for axis in range(len(shape)) if axis not in gone]
    out_axis_of = {axis: out_axis for out_axis, axis in enumerate(kept)}
    axes_of: list[AxisMap] = [
        (out_axis_of[axis], 0, 1) if axis in out_axis_of else (None, 0, 0)
        for axis in range(len(shape))
    ]
    return View(tuple(axes_of), tuple(shape[axis] for axis in kept))


def flip(shape: Shape, axes: int | Iterable[int] | None = None) -> View:
    """Return the view that reads the given axes, or all, from their ends.

    Examples
    --------
    >>> flip((3, 4), 1)
    View(axes=((0, 0, 1), (1, 3, -1)), shape=(3, 4))
    """
    flipped = set(normalize_axes(axes, len(shape)))
    return make_view(
        [
            (axis, length - 1, -1) if axis in flipped else (axis, 0, 1)
            for axis, length in enumerate(shape)
        ],
        shape,
    )


def diagonal(shape: Shape, offset: int = 0, axis1: int = 0, axis2: int = 1) -> View:
    """Return the view of one diagonal, as a new last axis.

    Raises
    ------
    ValueError
        If there are fewer than two axes, or both are the same.

    Examples
    --------
    >>> diagonal((3, 4), 1)
    View(axes=((0, 0, 1), (0, 1, 1)), shape=(3,))
    """
    if len(shape) < 2:
        raise ValueError("diag requires an array of at least two dimensions")
    first, second = (normalize_axis(axis, len(shape)) for axis in (axis1, axis2))
    if first == second:
        raise ValueError("axis1 and axis2 cannot be the same")
    offset = as_int(offset)
    starts = {first: max(0, -offset), second: max(0, offset)}
    length = max(0, min(shape[axis] - start for axis, start in starts.items()))
    kept = [axis for axis in range(len(shape)) if axis not in starts]
    out_axis_of = {axis: out_axis for out_axis, axis in enumerate(kept)}
    axes: list[AxisMap] = [
        (out_axis_of.get(axis, len(kept)), starts.get(axis, 0), 1) for axis in range(len(shape))
    ]
    return make_view(axes, (*(shape[axis] for axis in kept), length))


def view_chunks(
    view: View,
    source_chunks: Chunks,
    new_axis_chunks: Mapping[int, tuple[Size, ...]] | None = None,
) -> Chunks:
    """Return the grid in which every block of a view reads a single block of the source.

    Parameters
    ----------
    view : View
        The view.
    source_chunks : Chunks
        Chunks of the source.
    new_axis_chunks : mapping from output axis to sizes, optional
        How to cut axes that the source does not have; one block where nothing is given.

    Raises
    ------
    UnknownSizeError
        If blocks of unknown size would have to be cut.

    Examples
    --------
    >>> view_chunks(flip((8,), 0), ((3, 3, 2),))
    ((2, 3, 3),)
    >>> view_chunks(broadcast_to((3,), (2, 3)), ((2, 1),))
    ((2,), (2, 1))
    """
    inherited: list[list[tuple[Size, ...]]] = [[] for _ in view.shape]
    for (out_axis, start, step), sizes in zip(view.axes, source_chunks, strict=True):
        if out_axis is not None:
            inherited[out_axis].append(_inherit(start, step, view.shape[out_axis], sizes))
    given = new_axis_chunks or {}
    return tuple(
        _new_axis(length, given.get(axis))
        if not cuts
        else cuts[0]
        if len(cuts) == 1
        else refine_sizes(*cuts)
        for axis, (length, cuts) in enumerate(zip(view.shape, inherited, strict=True))
    )


def _new_axis(length: Size, given: tuple[Size, ...] | None) -> tuple[Size, ...]:
    if given is None and isinstance(length, Unknown):
        raise UnknownSizeError(
            "cannot broadcast to a length that depends on data and is not computed yet; "
            "call x.compute_chunk_sizes() first"
        )
    return (length,) if given is None else given


def _inherit(start: int, step: int, length: Size, sizes: tuple[Size, ...]) -> tuple[Size, ...]:
    """Cut an output axis where its source is cut; blocks that nothing is read from vanish."""
    whole = start == 0 and step == 1
    if isinstance(length, Unknown):
        return sizes if whole else known_sizes(sizes)
    starts = offsets(sizes)
    if whole and length == starts[-1]:
        return sizes
    if length == 0:
        return (0,)
    inherited = []
    block = bisect_right(starts, start) - 1
    done = 0
    while done < length:
        if step > 0:
            stop = -((start - starts[block + 1]) // step)
        else:
            stop = (start - starts[block]) // -step + 1
        stop = min(stop, length)
        if stop > done:
            inherited.append(stop - done)
            done = stop
        block += 1 if step > 0 else -1
    return tuple(inherited)


def axis_tables(view: View, source_chunks: Chunks, out_chunks: Chunks) -> tuple[AxisTable, ...]:
    """Return, per source axis, the source block that each output block reads and from where.

    The axes are independent of each other, so these short tables say everything about a grid of
    any number of blocks. A constant axis has a table of one row.

    Raises
    ------
    ChunkError
        If an output block would read two source blocks.

    Examples
    --------
    >>> view = flip((8,), 0)
    >>> axis_tables(view, ((3, 3, 2),), ((2, 3, 3),))
    (((2, 1), (1, 2), (0, 2)),)
    """
    return tuple(
        _axis_table(axis_map, sizes, out_chunks)
        for axis_map, sizes in zip(view.axes, source_chunks, strict=True)
    )


def _axis_table(axis_map: AxisMap, sizes: tuple[Size, ...], out_chunks: Chunks) -> AxisTable:
    out_axis, start, step = axis_map
    if out_axis is None:
        if sizes == (1,):
            return ((0, 0),)
        return (locate(sizes, start),)
    out_sizes = out_chunks[out_axis]
    if start == 0 and step == 1 and sizes == out_sizes:
        return tuple([(block, 0) for block in range(len(sizes))])
    starts = offsets(sizes)
    table = []
    for out_start, length in zip(offsets(out_sizes), out_sizes, strict=False):
        first = start + step * out_start
        if length == 0:  # reads nothing: any block will do
            table.append((0, 0))
            continue
        last = first + step * (length - 1)
        block = bisect_right(starts, first) - 1
        if not starts[block] <= last < starts[block + 1]:
            raise ChunkError(
                f"output blocks {out_sizes[:6]}... along axis {out_axis} do not lie within "
                f"the source blocks {sizes[:6]}...: block {len(table)} reads positions {first} "
                f"to {last} of the source; rechunk to `view_chunks(view, source_chunks)`"
            )
        table.append((block, first - starts[block]))
    return tuple(table)
