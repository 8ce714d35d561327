"""Where the smallest and the largest elements are."""

from __future__ import annotations

from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np

from gpuscale.array.api.nanreductions import present_in, without_nan
from gpuscale.array.api.reductions import reduced_axes, table_reduction
from gpuscale.array.collection import Array
from gpuscale.array.construct import reduce
from gpuscale.array.convert import as_array

__all__ = ["argmax", "argmin", "nanargmax", "nanargmin"]


def _position(
    name: str, x: Any, axis: int | None, keepdims: bool, split_every: Any, out: Any
) -> Array:
    x = as_array(x)
    axes = reduced_axes(None if axis is None else index(axis), x.ndim)
    if 0 in (x.shape[a] for a in axes):
        raise ValueError(f"attempt to get {name} of an empty sequence")
    return table_reduction(name, x, axes, keepdims, split_every, out, dtype=np.int64)


def argmin(
    x: Any,
    /,
    axis: int | None = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Position of the first smallest element; of the flat array where no axis is given."""
    return _position("argmin", x, axis, keepdims, split_every, out)


def argmax(
    x: Any,
    /,
    axis: int | None = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Position of the first largest element; of the flat array where no axis is given."""
    return _position("argmax", x, axis, keepdims, split_every, out)


def _nan_position(name: str, empty: float, x: Any, axis: int | None, keepdims: bool) -> Array:
    x = as_array(x)
    if x.dtype.kind not in "fcO":
        return _position(name, x, axis, keepdims, None, None)
    axes = reduced_axes(None if axis is None else index(axis), x.ndim)
    if 0 in (x.shape[a] for a in axes):
        raise ValueError(f"attempt to get {name} of an empty sequence")
    present = present_in(x.expr)
    result = reduce(
        (without_nan(empty)(x.expr), present),
        (name, "any"),
        _PositionOrError(name),
        axes,
        keepdims=bool(keepdims),
        dtype=np.int64,
        label=f"nan{name}",
    )
    return Array(result)


@dataclass(frozen=True)
class _PositionOrError:
    """Finish with the position; NumPy refuses where all elements are NaN."""

    name: str

    def __call__(self, partials: tuple[Any, ...]) -> Any:
        position, _, found = partials
        if not found.all():
            raise ValueError("All-NaN slice encountered")
        return position


def nanargmin(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """Position of the first smallest element that is not NaN."""
    return _nan_position("argmin", np.inf, x, axis, keepdims)


def nanargmax(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """Position of the first largest element that is not NaN."""
    return _nan_position("argmax", -np.inf, x, axis, keepdims)
