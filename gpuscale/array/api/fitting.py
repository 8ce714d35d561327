"""Values of an assignment: in the dtype of the array, with axes in the order of the array's."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api.index_terms import Advanced, Index
from gpuscale.array.api.regions import Region
from gpuscale.array.collection import Array
from gpuscale.array.construct import cast, view
from gpuscale.array.convert import as_array, beside, placed
from gpuscale.array.nodes.creation import IndexFunction
from gpuscale.base.types import Shape, Size, Unknown
from gpuscale.chunks.views import AxisMap, make_view

__all__ = ["converted", "fitted"]

_NEW = "new"


def converted(value: Any, x: Array) -> Array:
    """Return a value in the dtype of an array, or raise what NumPy's assignment raises for it.

    The assignment says where it shall go, so arrays of NumPy go there too, and what is a function
    of the index is made there.
    """
    dtype = x.dtype
    if isinstance(value, np.generic):
        box = np.empty((), dtype)
        box[()] = value
        value = box
    elif not hasattr(value, "dtype"):
        items = value if isinstance(value, list | tuple) else ()
        mixed = any(isinstance(item, Array) for item in items)
        value = as_array(value) if mixed else np.asarray(value, dtype)
    made_there = isinstance(value, Array) and isinstance(value.expr, IndexFunction)
    if made_there or isinstance(value, np.ndarray):
        value = placed(value, x)
    return Array(cast(beside(value, x, "setitem").expr, dtype))


def fitted(
    values: Array, index: Index, region: Region, shape: Shape, points: list[Size | None]
) -> Array:
    """Return values with first the axes of the points, then those of the array that stay.

    Axes along which a value broadcasts have length 1.

    Parameters
    ----------
    values : Array
    index : Index
        What is assigned to.
    region : tuple of Span or None
        The same for each axis, in ascending order.
    shape : Shape
        Of the array.
    points : list of int or None
        Lengths of the axes that index arrays make; None if nobody knows.

    Raises
    ------
    ValueError
        If the values do not broadcast to what the index names.
    """
    names, kept, flipped = _result_axes(index, len(points))
    lengths: dict[Any, Any] = {("point", k): n for k, n in enumerate(points)}
    lengths[_NEW] = 1
    for axis, (span, length) in enumerate(zip(region, shape, strict=True)):
        lengths[axis] = length if span is None else span.length
    own = _names_of(values, names, lengths, advanced=bool(points))
    given = values._meta.shape
    wanted = [*(("point", k) for k in range(len(points))), *kept]
    axes: list[AxisMap] = []
    for name, length in zip(own, given, strict=True):
        if name == _NEW:
            axes.append((None, 0, 0))
        elif name in flipped and length != 1:
            axes.append((wanted.index(name), int(length) - 1, -1))
        else:
            axes.append((wanted.index(name), 0, 1))
    target = tuple(given[own.index(name)] if name in own else 1 for name in wanted)
    return Array(view(values.expr, make_view(axes, target)))


def _result_axes(index: Index, n_points: int) -> tuple[list[Any], list[int], set[int]]:
    """Names of the axes of ``x[index]``; the axes that no array takes; those read backwards."""
    names: list[Any] = []
    kept: list[int] = []
    flipped: set[int] = set()
    axis = 0
    for item in index.items:
        if isinstance(item, Advanced):
            axis += item.n_axes
        elif item is None:
            names.append(_NEW)
        else:
            kept.append(axis)
            if isinstance(item, slice):
                names.append(axis)
                if item.step is not None and item.step < 0:
                    flipped.add(axis)
            axis += 1
    names[index.place : index.place] = [("point", k) for k in range(n_points)]
    return names, kept, flipped


def _names_of(
    values: Array, names: list[Any], lengths: dict[Any, Any], *, advanced: bool
) -> list[Any]:
    """Names of the axes of a value, aligned to the right; axes too many must have length 1."""
    extra = values.ndim - len(names)
    own = [_NEW] * extra + names[max(-extra, 0) :]
    wanted = [lengths[name] for name in own]
    shape = values._meta.shape
    unknown = any(
        isinstance(n, Unknown) and w is not None and n != w
        for n, w in zip(shape, wanted, strict=True)
    )
    if unknown:
        shape = values.shape
    if not all(n == 1 or w is None or n == w for n, w in zip(shape, wanted, strict=True)):
        target = _text(tuple(lengths[name] for name in names))
        if advanced:
            raise ValueError(
                f"shape mismatch: value array of shape {_text(shape)} could not be broadcast to "
                f"indexing result of shape {target}"
            )
        raise ValueError(
            f"could not broadcast input array from shape {_text(shape)} into shape {target}"
        )
    return own


def _text(shape: tuple[Any, ...]) -> str:
    return str(tuple(Unknown("", -1) if n is None else n for n in shape)).replace(" ", "")
