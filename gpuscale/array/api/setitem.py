"""``x[index] = value``: a new expression in which some elements are others.

A value that does not change along the axes that the index cuts is a choice, element by element,
between it and what was there, so it fuses with its neighbours. Other values are cut like the
blocks that they go to and copied into them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api.fitting import converted, fitted
from gpuscale.array.api.getitem import basic, field, is_field
from gpuscale.array.api.index_terms import (
    Advanced,
    Index,
    broadcast_index,
    integer_arrays,
    parse_index,
)
from gpuscale.array.api.regions import Region, Span, assign_region
from gpuscale.array.api.scattering import assign_mask, assign_points
from gpuscale.array.collection import Array
from gpuscale.array.nodes.elementwise import common_backend
from gpuscale.base.types import Size, Unknown
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = ["assigned", "setitem"]


def setitem(x: Array, index: Any, value: Any) -> Array:
    """Return ``x`` with the elements that ``index`` names replaced by ``value``.

    The value broadcasts, and is converted to the dtype of ``x`` as NumPy's assignment does. Where
    an element is named twice the last value stays. Values for each of the elements that a mask
    keeps make these be counted now, unless they are what the same mask keeps of another array.

    Raises
    ------
    IndexError
        As for `getitem`.
    BackendError
        If the value is an array of gpuscale on another backend.
    ValueError, TypeError
        If the value does not broadcast, or has no meaning in the dtype of ``x``, or there is no
        field of that name.
    """
    if x.dtype.names and is_field(index):
        return _assign_field(x, index, value)
    values = converted(value, x)
    common_backend((x.expr, values.expr), "setitem")  # all of x may be replaced, which would move
    return assigned(x, parse_index(index, x), values)


def assigned(x: Array, parsed: Index, values: Array, ufunc: str | None = None) -> Array:
    """Replace elements; a ufunc, where given, is applied to those that arrays of integers name."""
    axes = _axes_of(parsed)
    if any(item != slice(None) for item in axes) or not _is_one_mask(parsed):
        x.compute_chunk_sizes()
    basic(x, tuple(i if isinstance(i, int) else slice(None) for i in axes))  # raises IndexError
    region = tuple(map(_span, axes, x._meta.shape))
    if not parsed.advanced:
        if values.ndim:
            values = fitted(values, parsed, region, x._meta.shape, [])
        return assign_region(x, region, values)
    part = _part(x, region)
    if _is_one_mask(parsed):
        new = fitted(values, parsed, region, x._meta.shape, [None])
        part = assign_mask(part, parsed.advanced[0], new)
    else:
        part = _assign_integers(x, part, parsed, region, values, ufunc)
    return assign_region(x, region, part) if any(region) else part


def _assign_field(x: Array, name: Any, value: Any) -> Array:
    """Replace some fields of all elements."""
    old = field(x, name)
    new = setitem(old, ..., value)
    inputs = (
        BlockInput(x.expr, axes=tuple(range(x.ndim))),
        BlockInput(new.expr, axes=(*range(x.ndim), *(None,) * (new.ndim - x.ndim))),
    )
    kernel = FunctionKernel(_with_field, (name,), label="setitem")
    return Array(Blockwise(kernel, inputs, x._meta.chunks, x._meta))


def _with_field(chunk: Any, values: Any, name: Any) -> Any:
    out = chunk.copy()
    out[name] = values
    return out


def _is_one_mask(index: Index) -> bool:
    arrays = index.advanced
    return len(arrays) == 1 and arrays[0].is_mask and arrays[0].n_axes > 0


def _axes_of(index: Index) -> list[Any]:
    """What the index says of each axis; all of the axis where an array takes it."""
    axes: list[Any] = []
    for item in index.items:
        if isinstance(item, Advanced):
            axes += [slice(None)] * item.n_axes
        elif item is not None:
            axes.append(item)
    return axes


def _span(item: Any, length: Size) -> Span | None:
    """Positions of an axis in ascending order, None for all of it."""
    if isinstance(item, int):
        assert not isinstance(length, Unknown)
        return None if length == 1 else Span(item % length, 1, 1)
    if isinstance(length, Unknown) or item == slice(None):
        return None
    start, stop, step = item.indices(length)
    count = len(range(start, stop, step))
    if step < 0:
        start, step = start + step * (count - 1), -step
    return None if count == length else Span(start, step, count)


def _part(x: Array, region: Region) -> Array:
    """The region as an array of its own, with all axes."""
    return basic(
        x,
        tuple(
            slice(None) if s is None else slice(s.start, s.start + s.step * s.length, s.step)
            for s in region
        ),
    )


def _assign_integers(
    x: Array, part: Array, index: Index, region: Region, values: Array, ufunc: str | None
) -> Array:
    """Replace elements of the region that arrays of integers name."""
    arrays = integer_arrays(index.advanced, x._meta.shape)
    common = broadcast_index(list(arrays.values()))
    points = {axis: np.broadcast_to(a, common) for axis, a in arrays.items() if axis >= 0}
    new = fitted(values, index, region, x._meta.shape, list(common))
    if points:
        return assign_points(part, points, new, ufunc)
    if 0 in common:  # x[False]
        return part
    return assign_region(part, (None,) * part.ndim, basic(new, (0,) * len(common)))
