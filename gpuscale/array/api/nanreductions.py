"""Reductions that leave NaN out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpuscale.array.api.averages import Ratio, mean, var
from gpuscale.array.api.reductions import (
    Axis,
    count_nonzero,
    extreme,
    prod,
    reduced_axes,
    sum,
    widened,
)
from gpuscale.array.collection import Array
from gpuscale.array.construct import cast, elementwise, reduce
from gpuscale.array.convert import as_array, known_node
from gpuscale.array.ufunc import into
from gpuscale.backends.seams import array_namespace
from gpuscale.expr.node import Node

__all__ = ["nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum", "nanvar"]


def without_nan(value: Any) -> Callable[[Node], Node]:
    """Put a value in the place of NaN."""

    def prepare(node: Node) -> Node:
        if node.meta.dtype.kind not in "fc":
            return node
        return elementwise("where", elementwise("isnan", node), value, node)

    return prepare


def nansum(
    x: Any,
    axis: Axis = None,
    *,
    dtype: Any = None,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Sum of the elements that are not NaN; parameters as for `sum`."""
    node = widened(dtype)(without_nan(0.0)(known_node(x)))
    return sum(Array(node), axis, keepdims=keepdims, split_every=split_every, out=out)


def nanprod(
    x: Any,
    axis: Axis = None,
    *,
    dtype: Any = None,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Product of the elements that are not NaN; parameters as for `sum`."""
    node = widened(dtype)(without_nan(1.0)(known_node(x)))
    return prod(Array(node), axis, keepdims=keepdims, split_every=split_every, out=out)


def nanmin(
    x: Any,
    axis: Axis = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Smallest element that is not NaN; NaN where all are. Parameters as for `sum`."""
    return _nan_extreme("min", np.inf, x, axis, keepdims, split_every, out)


def nanmax(
    x: Any,
    axis: Axis = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Largest element that is not NaN; NaN where all are. Parameters as for `sum`."""
    return _nan_extreme("max", -np.inf, x, axis, keepdims, split_every, out)


@dataclass(frozen=True)
class _OrNan:
    """Finish with the first partial; NaN where the second says that nothing was counted."""

    def __call__(self, partials: tuple[Any, ...]) -> Any:
        values, found = partials
        return array_namespace(values).where(found, values, values.dtype.type(np.nan))


def _nan_extreme(
    name: str, empty: float, x: Any, axis: Axis, keepdims: bool, split_every: Any, out: Any
) -> Array:
    x = as_array(x)
    if x.dtype.kind != "f":
        return extreme(name, x, axis, keepdims, split_every, out)
    axes = reduced_axes(axis, x.ndim)
    if 0 in (x.shape[a] for a in axes):
        raise ValueError(f"zero-size array to reduction operation f{name} which has no identity")
    node = x.expr
    present = elementwise("logical_not", elementwise("isnan", node))
    result = reduce(
        (without_nan(empty)(node), present),
        (name, "any"),
        _OrNan(),
        axes,
        keepdims=bool(keepdims),
        dtype=x.dtype,
        label=f"nan{name}",
        split_every=split_every,
    )
    return into(out, Array(result))


def nanmean(
    x: Any,
    axis: Axis = None,
    *,
    dtype: Any = None,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Mean of the elements that are not NaN, in one pass; parameters as for `sum`."""
    node = known_node(x)
    if node.meta.dtype.kind not in "fc":
        return mean(x, axis, dtype=dtype, keepdims=keepdims, split_every=split_every, out=out)
    axes = reduced_axes(axis, node.meta.ndim)
    wanted = node.meta.dtype if dtype is None else np.dtype(dtype)
    working = np.dtype(np.float32) if wanted == np.float16 else wanted
    present = elementwise("logical_not", elementwise("isnan", node))
    result = reduce(
        (cast(without_nan(0.0)(node), working), present),
        ("sum", "count"),
        Ratio(wanted),
        axes,
        keepdims=bool(keepdims),
        dtype=wanted,
        label="nanmean",
        split_every=split_every,
    )
    return into(out, Array(result))


def nanvar(
    x: Any,
    axis: Axis = None,
    *,
    dtype: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Variance of the elements that are not NaN, in two passes; parameters as for `var`."""
    x = as_array(x)
    if x.dtype.kind not in "fc":
        return var(
            x, axis, dtype=dtype, ddof=ddof, keepdims=keepdims, split_every=split_every, out=out
        )
    center = nanmean(x, axis, dtype=dtype, keepdims=True, split_every=split_every)
    off = abs(x - center)
    total = nansum(off * off, axis, dtype=dtype, keepdims=keepdims, split_every=split_every)
    present = Array(elementwise("logical_not", elementwise("isnan", x.expr)))
    count = count_nonzero(present, axis, keepdims=keepdims, split_every=split_every)
    free = Array(cast((count - ddof).expr, total.dtype))
    nan = total.dtype.type(np.nan)
    result = Array(elementwise("where", (free > 0).expr, (total / free).expr, nan))
    return into(out, result)


def nanstd(
    x: Any,
    axis: Axis = None,
    *,
    dtype: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Standard deviation of the elements that are not NaN; parameters as for `var`."""
    result = nanvar(x, axis, dtype=dtype, ddof=ddof, keepdims=keepdims, split_every=split_every)
    return into(out, Array(elementwise("sqrt", result.expr)))
