"""Reductions that leave NaN out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpuscale.array.api.averages import mean, root, var
from gpuscale.array.api.reductions import (
    Axis,
    any,
    count_nonzero,
    extreme,
    mask_for,
    prod,
    reduced_axes,
    sum,
    with_mask,
)
from gpuscale.array.collection import Array
from gpuscale.array.construct import elementwise
from gpuscale.array.convert import known_node
from gpuscale.array.ufunc import call, into
from gpuscale.expr.node import Node

__all__ = ["nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum", "nanvar"]


def without_nan(value: Any) -> Callable[[Node], Node]:
    """Put a value in the place of NaN."""

    def prepare(node: Node) -> Node:
        if node.meta.dtype.kind not in "fcO":
            return node
        return elementwise("where", present_in(node), node, value)

    return prepare


def present_in(node: Node) -> Node:
    """Which elements are not NaN."""
    if node.meta.dtype.kind == "O":  # isnan knows no objects, but NaN is not equal to itself
        return elementwise("equal", node, node)
    return elementwise("logical_not", elementwise("isnan", node))


def _check_inexact(node: Node, dtype: Any) -> None:
    if dtype is not None and node.meta.dtype.kind in "fc" and np.dtype(dtype).kind not in "fc":
        raise TypeError("If a is inexact, then dtype must be inexact")


def _axis(axis: Axis, node: Node) -> Axis:
    """Axes of a mean; NumPy adds up what may be NaN, and sums take the axis 0 of a number."""
    return reduced_axes(axis, node.meta.ndim) if node.meta.dtype.kind in "fcO" else axis


def _counting(node: Node, where: Any) -> Any:
    """Which elements count: those that are chosen and not NaN."""
    if node.meta.dtype.kind not in "fcO":
        return where
    present = present_in(node)
    if where is not True:
        present = elementwise("logical_and", present, mask_for(where, node))
    return Array(present)


def nansum(
    x: Any,
    axis: Axis = None,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
    initial: Any = None,
    where: Any = True,
) -> Array:
    """Sum of the elements that are not NaN; parameters as for `sum`."""
    x, where = with_mask(x, where, "nansum")
    node = without_nan(0)(known_node(x))
    wishes: dict[str, Any] = {"keepdims": keepdims, "split_every": split_every, "out": out}
    return sum(Array(node), axis, dtype=dtype, initial=initial, where=where, **wishes)


def nanprod(
    x: Any,
    axis: Axis = None,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
    initial: Any = None,
    where: Any = True,
) -> Array:
    """Product of the elements that are not NaN; parameters as for `sum`."""
    x, where = with_mask(x, where, "nanprod")
    node = without_nan(1)(known_node(x))
    wishes: dict[str, Any] = {"keepdims": keepdims, "split_every": split_every, "out": out}
    return prod(Array(node), axis, dtype=dtype, initial=initial, where=where, **wishes)


def nanmin(
    x: Any,
    axis: Axis = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
    initial: Any = None,
    where: Any = True,
) -> Array:
    """Smallest element that is not NaN or NaT; NaN where all are. Parameters as for `sum`.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.nanmin(ga.asarray([2.0, ga.nan, 3.0], chunks=2)).compute()
    np.float64(2.0)
    """
    wishes: dict[str, Any] = {"initial": initial, "where": where}
    return _nan_extreme("min", x, axis, keepdims, split_every, out, wishes)


def nanmax(
    x: Any,
    axis: Axis = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
    initial: Any = None,
    where: Any = True,
) -> Array:
    """Largest element that is not NaN or NaT; NaN where all are. Parameters as for `sum`."""
    wishes: dict[str, Any] = {"initial": initial, "where": where}
    return _nan_extreme("max", x, axis, keepdims, split_every, out, wishes)


def _nan_extreme(
    name: str,
    x: Any,
    axis: Axis,
    keepdims: bool,
    split_every: Any,
    out: Any,
    wishes: dict[str, Any],
) -> Array:
    x, where = with_mask(x, wishes["where"], f"nan{name}")
    wishes = wishes | {"where": where}
    if x.dtype.kind != "O":
        return extreme(f"f{name}", x, axis, keepdims, split_every, out, **wishes)
    # NumPy's fmin takes NaN among objects for a number.
    present = Array(present_in(known_node(x)))
    filled = call("where", present, x, np.inf if name == "min" else -np.inf)
    result = extreme(name, filled, axis, keepdims, split_every, None, **wishes)
    some = any(present, axis, keepdims=keepdims, where=wishes["where"])
    return into(out, call("where", some, result, np.nan))


def nanmean(
    x: Any,
    axis: Axis = None,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
    where: Any = True,
) -> Array:
    """Mean of the elements that are not NaN, in one pass; parameters as for `sum`."""
    x, where = with_mask(x, where, "nanmean")
    node = known_node(x)
    _check_inexact(node, dtype)
    axis = _axis(axis, node)
    wishes: dict[str, Any] = {"keepdims": keepdims, "split_every": split_every, "out": out}
    return mean(Array(node), axis, dtype=dtype, where=_counting(node, where), **wishes)


def nanvar(
    x: Any,
    axis: Axis = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    correction: float = 0,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
    where: Any = True,
    mean: Any = None,
) -> Array:
    """Variance of the elements that are not NaN, in two passes; parameters as for `var`."""
    x, where = with_mask(x, where, "nanvar")
    node, ddof = known_node(x), ddof or correction
    axis = _axis(axis, node)
    _check_inexact(node, dtype)
    counting = _counting(node, where)
    kept: dict[str, Any] = {"keepdims": keepdims, "split_every": split_every}
    result = var(Array(node), axis, dtype=dtype, ddof=ddof, where=counting, mean=mean, **kept)
    if counting is not where:
        count = count_nonzero(counting, axis, **kept)
        result = call("where", count > ddof, result, np.nan)
    return into(out, result)


def nanstd(
    x: Any,
    axis: Axis = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    correction: float = 0,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
    where: Any = True,
    mean: Any = None,
) -> Array:
    """Standard deviation of the elements that are not NaN; parameters as for `var`."""
    wishes: dict[str, Any] = {"keepdims": keepdims, "split_every": split_every, "where": where}
    wishes["mean"] = mean
    variance = nanvar(x, axis, dtype=dtype, ddof=ddof or correction, **wishes)
    return into(out, root(variance))
