"""Means, variances and standard deviations; `nanreductions` leave NaN out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpuscale.array.api.reductions import (
    Axis,
    check_adds_up,
    count_nonzero,
    mask_for,
    selected,
    sum,
    with_mask,
)
from gpuscale.array.collection import Array
from gpuscale.array.construct import cast, reduce
from gpuscale.array.convert import as_node, known_node
from gpuscale.array.durations import duration_dtype
from gpuscale.array.ufunc import call, into
from gpuscale.backends.seams import array_namespace
from gpuscale.base.types import is_known
from gpuscale.chunks.axes import normalize_axes
from gpuscale.expr.node import Node

__all__ = ["mean", "std", "var"]


@dataclass(frozen=True)
class _MeanOfMoments:
    """Finish moments: the mean, where nobody knows yet how many elements there are."""

    dtype: np.dtype[Any]

    def __call__(self, partials: tuple[Any, ...]) -> Any:
        n, mean, _ = partials
        xp = array_namespace(mean)
        return xp.where(n > 0, mean, np.nan).astype(self.dtype, copy=False)


@dataclass(frozen=True)
class _Mean:
    """Finish a sum of a known number of elements."""

    count: int
    dtype: np.dtype[Any]

    def __call__(self, partials: tuple[Any, ...]) -> Any:
        (total,) = partials
        count = self.count if total.dtype.kind == "m" else total.dtype.type(self.count)
        with np.errstate(all="ignore"):
            return (total / count).astype(self.dtype)


@dataclass(frozen=True)
class Ratio:
    """Finish with the quotient of a sum and a count."""

    dtype: np.dtype[Any]

    def __call__(self, partials: tuple[Any, ...]) -> Any:
        total, count = partials
        if total.dtype.kind != "m":
            count = count.astype(total.real.dtype)
        with np.errstate(all="ignore"):
            return (total / count).astype(self.dtype, copy=False)


def mean(
    x: Any,
    /,
    axis: Axis = None,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
    where: Any = True,
) -> Array:
    """Mean of the elements along some axes; parameters as for `sum`.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.mean(ga.arange(6, chunks=2)).compute()
    np.float64(2.5)
    """
    x, where = with_mask(x, where, "mean")
    node = as_node(x)
    axes = tuple(sorted(normalize_axes(axis, node.meta.ndim)))
    check_adds_up("mean", node.meta.dtype)
    dtype = duration_dtype(np.mean, node.meta.dtype, dtype)
    wanted = _inexact(node.meta.dtype) if dtype is None else np.dtype(dtype)
    if where is not True:
        return _mean_of_selected(node, axes, wanted, keepdims, split_every, out, where)
    # Half precision is summed in single, as in NumPy.
    working = np.dtype(np.float32) if wanted == np.float16 else wanted
    if wanted.kind not in "fc":
        node = known_node(x)
    lengths = tuple(node.meta.shape[a] for a in axes)
    finalize: Callable[..., Any]
    if is_known(lengths):
        row, finalize = "sum", _Mean(int(np.prod(lengths, dtype=np.int64)), wanted)
    else:
        row, finalize = "moments", _MeanOfMoments(wanted)
    result = reduce(
        (cast(node, working),),
        (row,),
        finalize,
        axes,
        keepdims=bool(keepdims),
        dtype=wanted,
        label="mean",
        split_every=split_every,
    )
    return into(out, Array(result))


def _mean_of_selected(
    node: Node,
    axes: tuple[int, ...],
    wanted: np.dtype[Any],
    keepdims: bool,
    split_every: Any,
    out: Any,
    where: Any,
) -> Array:
    node = known_node(Array(node))
    working = np.dtype(np.float32) if wanted == np.float16 else wanted
    result = reduce(
        (selected(cast(node, working), where, 0), mask_for(where, node)),
        ("sum", "count"),
        Ratio(wanted),
        axes,
        keepdims=bool(keepdims),
        dtype=wanted,
        label="mean",
        split_every=split_every,
    )
    return into(out, Array(result))


def _inexact(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype.newbyteorder("=") if dtype.kind in "fcOmM" else np.dtype(np.float64)


@dataclass(frozen=True)
class _Variance:
    """Finish moments: variance or standard deviation with ``ddof`` degrees of freedom taken."""

    ddof: float
    root: bool
    dtype: np.dtype[Any]

    def __call__(self, partials: tuple[Any, ...]) -> Any:
        n, _, m2 = partials
        xp = array_namespace(m2)
        with np.errstate(all="ignore"):
            result = m2 / xp.maximum(n - self.ddof, 0).astype(m2.dtype)
            result = xp.sqrt(result) if self.root else result
            return result.astype(self.dtype, copy=False)


def _variance(
    x: Any,
    axis: Axis,
    dtype: Any,
    ddof: float,
    keepdims: bool,
    split_every: Any,
    out: Any,
    deviation: bool,
    where: Any,
    given: Any,
) -> Array:
    x, where, given = with_mask(x, where, "std" if deviation else "var", given)
    node = as_node(x)
    axes = tuple(sorted(normalize_axes(axis, node.meta.ndim)))
    check_adds_up("std" if deviation else "var", node.meta.dtype)
    wanted = _inexact(node.meta.dtype) if dtype is None else np.dtype(dtype)
    # That of complex numbers is real, unless someone asks for another dtype.
    final = np.empty(0, wanted).real.dtype if dtype is None else wanted
    if where is not True or given is not None or wanted.kind == "O":
        node = cast(node, wanted)
        total = {"keepdims": keepdims, "split_every": split_every}
        found = _variance_of_selected(node, axes, ddof, deviation, where, given, total)
        return into(out, found.astype(final, copy=False))
    working = np.dtype(np.float32) if wanted == np.float16 else wanted
    result = reduce(
        (cast(node, working),),
        ("moments",),
        _Variance(ddof, deviation, final),
        axes,
        keepdims=bool(keepdims),
        dtype=final,
        label="std" if deviation else "var",
        split_every=split_every,
    )
    return into(out, Array(result))


def _variance_of_selected(
    node: Node,
    axes: tuple[int, ...],
    ddof: float,
    deviation: bool,
    where: Any,
    given: Any,
    kept: dict[str, Any],
) -> Array:
    """In two passes, as NumPy does, or in one around a mean that is given."""
    x = Array(known_node(Array(node)))
    mask = Array(mask_for(where, x.expr))
    if given is None:
        given = mean(x, axes, keepdims=True, split_every=kept["split_every"], where=mask)
    off = abs(x - given)
    if off.shape != x.shape:
        raise ValueError(
            f"the mean has shape {np.shape(given)}, which does not broadcast to {x.shape}; take it "
            "with keepdims=True"
        )
    total = sum(off * off, axes, where=mask, **kept)
    free = call("maximum", count_nonzero(mask, axes, **kept) - ddof, 0).astype(total.dtype)
    result = total / free
    return root(result) if deviation else result


def root(x: Array) -> Array:
    """Square roots; objects have none, but powers."""
    result: Array = call("sqrt", x) if x.dtype.kind != "O" else x**0.5
    return result


def var(
    x: Any,
    /,
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
    """Variance of the elements along some axes, in one stable pass.

    Parameters
    ----------
    ddof, correction : float
        Degrees of freedom taken from the count: NumPy's and the Array API's name.
    x, axis, dtype, keepdims, split_every, out, where
        As for `sum`.
    mean : array, optional
        Taken for the mean, if it was computed before; with ``keepdims=True``.

    Notes
    -----
    Chunks are combined by Chan, Golub and LeVeque, "Algorithms for computing the sample
    variance", 1983.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.var(ga.arange(6, chunks=4), ddof=1).compute()
    np.float64(3.5)
    """
    ddof = ddof or correction
    return _variance(x, axis, dtype, ddof, keepdims, split_every, out, False, where, mean)


def std(
    x: Any,
    /,
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
    """Standard deviation of the elements along some axes; parameters as for `var`."""
    ddof = ddof or correction
    return _variance(x, axis, dtype, ddof, keepdims, split_every, out, True, where, mean)
