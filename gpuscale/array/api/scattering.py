"""Assignment to single elements: those at given positions, and those that a mask keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuscale.array.api.gathering import take_points
from gpuscale.array.api.index_terms import Advanced
from gpuscale.array.api.masking import flat_axes, host_sizes, kept_sizes, select_axis, settle
from gpuscale.array.api.reshaping import reshape
from gpuscale.array.collection import Array
from gpuscale.array.construct import cast, elementwise, rechunk, view
from gpuscale.array.convert import placed
from gpuscale.base.types import Size
from gpuscale.chunks import views
from gpuscale.chunks.axes import at_axis
from gpuscale.chunks.blocks import known_sizes, offsets
from gpuscale.chunks.points import line_positions, line_sizes
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.meta import axis_size
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, Exchange
from gpuscale.expr.plans import ScatterPlan

__all__ = ["assign_mask", "assign_points"]


def assign_points(
    x: Array, points: dict[int, NDArray[np.int64]], values: Array, ufunc: str | None = None
) -> Array:
    """Replace single elements of some axes; of several for one place the last stays.

    Parameters
    ----------
    x : Array
    points : dict of axis to ndarray
        Positions, none negative, all of one shape.
    values : Array
        First the axes of the points, then the other axes of ``x``; each may have length 1.
    ufunc : str, optional
        Name of a ufunc to apply to the elements and the values, one after the other.
    """
    axes = tuple(sorted(points))
    shape = points[axes[0]].shape
    chunks = tuple(known_sizes(x._meta.chunks[axis]) for axis in axes)
    places = line_positions([points[axis].reshape(-1) for axis in axes], chunks)
    if not places.size:
        return x
    order = np.argsort(places, kind="stable")
    places = places[order]
    if ufunc is None:
        last = np.append(places[1:] != places[:-1], True)
        order, places = order[last], places[last]
    counts = np.diff(np.searchsorted(places, offsets(line_sizes(chunks))))
    sizes = tuple(counts[counts > 0].tolist())
    rest = tuple(s for axis, s in enumerate(x._meta.chunks) if axis not in axes)
    new = _in_order(values, shape, order, sizes, rest)
    return Array(Exchange((x.expr, new), ScatterPlan(axes, places, ufunc), x._meta))


def _in_order(
    values: Array, shape: tuple[int, ...], order: Any, sizes: tuple[int, ...], rest: Any
) -> Node:
    """Values of the points in the order wanted, on one axis, then the rest of the axes."""
    lengths = tuple(map(axis_size, rest))
    given = values._meta.shape[: len(shape)]
    if all(length == 1 for length in given):
        one = reshape(values, (1, *values._meta.shape[len(shape) :])).expr
        target = (order.size, *lengths)
        affine = views.broadcast_to(one.meta.shape, target)
        new_axes = {axis: s for axis, s in enumerate((sizes, *rest)) if one.meta.shape[axis] == 1}
        return rechunk(view(one, affine, new_axes), (sizes, *rest))
    node = values.expr
    full = view(node, views.broadcast_to(node.meta.shape, (*shape, *lengths)))
    flat = full if len(shape) == 1 else flat_axes(Array(full), 0, len(shape)).expr
    flat = rechunk(flat, (flat.meta.chunks[0], *rest))
    return take_points(flat, (0,), [order], sizes)


def assign_mask(x: Array, mask: Advanced, values: Array) -> Array:
    """Replace what a mask keeps.

    Parameters
    ----------
    x : Array
    mask : Advanced
    values : Array
        First an axis for the kept elements, then the other axes of ``x``; each may have length 1.

    Raises
    ------
    ValueError
        If there is not one value, nor one for each element that the mask keeps.
    """
    axis, count = mask.axis, mask.n_axes
    keep = placed(mask.array, x)
    settle(x, keep, axis)
    if values._meta.shape[0] == 1:
        return _choose(x, keep, axis, count, values)
    flat = flat_axes(x, axis, count) if count > 1 else x
    flat_keep = flat_axes(keep, 0, count) if count > 1 else keep
    along = rechunk(flat_keep.expr, (flat._meta.chunks[axis],))
    sizes: tuple[Size, ...] = kept_sizes(along)
    if values._meta.chunks[0] != sizes:  # not what this mask keeps of another array
        sizes = _counted(along, host_sizes(mask, along.meta.chunks[0]), values)
    new = values.transpose((*range(1, axis + 1), 0, *range(axis + 1, values.ndim))).expr
    chunks = (*flat._meta.chunks[:axis], sizes, *flat._meta.chunks[axis + 1 :])
    lengths = tuple(map(axis_size, chunks))
    new = rechunk(view(new, views.broadcast_to(new.meta.shape, lengths)), chunks)
    inputs = (
        BlockInput(flat.expr, axes=tuple(range(flat.ndim))),
        BlockInput(along, axes=(axis,)),
        BlockInput(new, axes=tuple(range(flat.ndim))),
    )
    kernel = FunctionKernel(_filled, (axis,), label="setitem")
    node = Blockwise(kernel, inputs, flat._meta.chunks, flat._meta)
    if count == 1:
        return Array(node)
    return Array(rechunk(reshape(Array(node), x._meta.shape).expr, x._meta.chunks))


def _choose(x: Array, keep: Array, axis: int, count: int, values: Array) -> Array:
    """Choose, element by element, between a value that all kept elements share and the old one."""
    index = (0, *(slice(None),) * axis, *(None,) * count)
    new = values[index].expr
    keep = Array(rechunk(keep.expr, x._meta.chunks[axis : axis + count]))
    wide = keep[(..., *(None,) * (x.ndim - axis - count))].expr
    chunks = tuple(
        s if n == 1 else own
        for s, n, own in zip(new.meta.chunks, new.meta.shape, x._meta.chunks, strict=True)
    )
    chosen = elementwise("where", wide, rechunk(new, chunks), x.expr)
    return Array(cast(chosen, x.dtype))  # `where` changes the byte order


def _counted(mask: Node, sizes: tuple[int, ...] | None, values: Array) -> tuple[int, ...]:
    """Count what each block of a mask keeps, now, and compare it with the number of values."""
    if sizes is None:
        kept = Array(select_axis(mask, mask, 0)).compute_chunk_sizes()
        sizes = known_sizes(kept.chunks[0])
    if sum(sizes) != values.shape[0]:
        raise ValueError(
            f"NumPy boolean array indexing assignment cannot assign {values.shape[0]} input "
            f"values to the {sum(sizes)} output values where the mask is true"
        )
    return sizes


def _filled(chunk: Any, mask: Any, values: Any, axis: int) -> Any:
    out = chunk.copy()
    out[at_axis(axis, mask)] = values
    return out
