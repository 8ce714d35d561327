"""Integer arrays as indices: the fewest takes that give what NumPy gives.

Arrays that vary along different axes of the result, such as those of `ix_`, are taken one after
the other; only arrays that vary together are points. An array of evenly spaced positions is a
slice, a single position an integer, and both are views.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpuscale.array.api.index_terms import broadcast_index
from gpuscale.array.api.reshaping import reshape
from gpuscale.array.collection import Array
from gpuscale.array.construct import view
from gpuscale.chunks import views
from gpuscale.chunks.blocks import known_sizes
from gpuscale.chunks.points import line_positions, line_sizes
from gpuscale.chunks.slicing import slice_view
from gpuscale.chunks.take import take_sizes
from gpuscale.engines.automatic import chunk_bytes
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import TakePlan

__all__ = ["gather", "take_points"]

IntArray = NDArray[np.int64]

_HELD_CHUNKS = 4  # what a task of a shuffle may hold, in chunks of the size that is configured


class _Group(NamedTuple):
    """Index arrays that vary together, and the axes of their common shape along which they do."""

    dims: tuple[int, ...]
    axes: tuple[int, ...]


def gather(x: Array, arrays: dict[int, IntArray], place: int) -> Array:
    """Take integer arrays along some axes, as NumPy does.

    Parameters
    ----------
    x : Array
    arrays : dict of axis to ndarray
        Positions, none negative; they broadcast together.
    place : int
        How many of the other axes come before those that the arrays make.
    """
    common = broadcast_index(list(arrays.values()))
    groups = _groups(arrays, common)
    node = x.expr
    axes: list[Any] = list(range(node.meta.ndim))  # what each axis of the node is
    for group in sorted(groups, key=lambda group: group.dims):
        at = tuple(axes.index(axis) for axis in group.axes)
        found = [_flat(arrays[axis], group.dims, common) for axis in group.axes]
        if group.dims:
            node = take_points(node, at, found)
        else:
            index: list[Any] = [slice(None)] * node.meta.ndim
            for axis, position in zip(at, found, strict=True):
                index[axis] = int(position[0])
            node = view(node, slice_view(tuple(index), node.meta.shape))
        axes = [a for k, a in enumerate(axes) if k not in at]
        if group.dims:
            axes.insert(at[0], group)
    return _arrange(node, axes, place, common)


def _groups(arrays: dict[int, IntArray], common: tuple[int, ...]) -> list[_Group]:
    """Put arrays together that vary along an axis of the result in common."""
    groups: list[_Group] = []
    for axis in sorted(arrays):
        array = arrays[axis]
        first = len(common) - array.ndim
        dims = {first + k for k, length in enumerate(array.shape) if length != 1}
        axes = [axis]
        apart = []
        for group in groups:
            if dims & set(group.dims) or not (dims or group.dims):
                dims |= set(group.dims)
                axes = [*group.axes, *axes]
            else:
                apart.append(group)
        groups = [*apart, _Group(tuple(sorted(dims)), tuple(sorted(axes)))]
    return groups


def _flat(array: IntArray, dims: tuple[int, ...], common: tuple[int, ...]) -> IntArray:
    """Positions of one array for all points of its group."""
    aligned = array.reshape((1,) * (len(common) - array.ndim) + array.shape)
    index = tuple(slice(None) if d in dims else 0 for d in range(len(common)))
    return np.broadcast_to(aligned[index], tuple(common[d] for d in dims)).reshape(-1)


def take_points(
    node: Node,
    axes: tuple[int, ...],
    coordinates: list[IntArray],
    out_sizes: tuple[int, ...] | None = None,
) -> Node:
    """Take single elements of some axes, which become one axis in the place of the first.

    Parameters
    ----------
    node : Node
    axes : tuple of int
        Ascending; their sizes are known.
    coordinates : list of ndarray
        For each axis the positions, none negative, one-dimensional.
    out_sizes : tuple of int, optional
        Blocks of the new axis.
    """
    meta = node.meta
    first = axes[0]
    if len(axes) == 1 and out_sizes is None:
        span = _as_slice(coordinates[0])
        if span is not None:
            return view(node, slice_view((slice(None),) * first + (span,), meta.shape))
    chunks = tuple(known_sizes(meta.chunks[axis]) for axis in axes)
    index = line_positions(coordinates, chunks)
    if out_sizes is None:
        out_sizes = take_sizes(index, line_sizes(chunks))
    rest = [sizes for axis, sizes in enumerate(meta.chunks) if axis not in axes]
    out = meta.with_(chunks=(*rest[:first], out_sizes, *rest[first:]))
    budget = _HELD_CHUNKS * chunk_bytes(meta.backend)
    return Exchange((node,), TakePlan(axes, index, budget), out)


def _as_slice(positions: IntArray) -> slice | None:
    """The slice that takes the same positions, where there is one."""
    if positions.size < 2:
        start = int(positions[0]) if positions.size else 0
        return slice(start, start + positions.size)
    start, last = int(positions[0]), int(positions[-1])
    step = int(positions[1]) - start
    if step == 0 or last - start != step * (positions.size - 1):
        return None
    if (np.diff(positions) != step).any():
        return None
    stop = last + step
    return slice(start, None if stop < 0 else stop, step)


def _arrange(node: Node, axes: list[Any], place: int, common: tuple[int, ...]) -> Array:
    """Bring the axes that the arrays made to their place, in the shape that they have."""
    plain = [axis for axis in axes if not isinstance(axis, _Group)]
    made = sorted((axis for axis in axes if isinstance(axis, _Group)), key=lambda g: g.dims)
    order = [axes.index(a) for a in (*plain[:place], *made, *plain[place:])]
    node = view(node, views.transpose(node.meta.shape, order))
    dims = [d for group in made for d in group.dims]
    if len(dims) > len(made):
        shape = node.meta.shape
        lengths = tuple(common[d] for d in dims)
        split = reshape(Array(node), (*shape[:place], *lengths, *shape[place + len(made) :]))
        node = split.expr
    count = len(node.meta.shape)
    inner = [place + dims.index(d) for d in sorted(dims)]
    order = [*range(place), *inner, *range(place + len(dims), count)]
    node = view(node, views.transpose(node.meta.shape, order))
    new = [None if d not in dims else slice(None) for d in range(len(common))]
    return Array(view(node, slice_view((slice(None),) * place + tuple(new), node.meta.shape)))
