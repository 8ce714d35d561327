"""Reductions: sums, extremes, means and variances; `nanreductions` leave NaN out."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpuscale.array.collection import Array
from gpuscale.array.construct import cast, elementwise, reduce
from gpuscale.array.convert import as_array, as_node, known_node
from gpuscale.array.ufunc import into
from gpuscale.backends.seams import array_namespace
from gpuscale.base.types import is_known
from gpuscale.chunks.axes import normalize_axes
from gpuscale.expr.node import Node

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "count_nonzero",
    "max",
    "mean",
    "min",
    "prod",
    "ptp",
    "std",
    "sum",
    "var",
]

Axis = builtins.int | tuple[builtins.int, ...] | None


def _first(partials: tuple[Any, ...]) -> Any:
    return partials[0]


@dataclass(frozen=True)
class _As:
    """Finish with the first partial, as another dtype."""

    dtype: np.dtype[Any]

    def __call__(self, partials: tuple[Any, ...]) -> Any:
        return partials[0].astype(self.dtype, copy=False)


def reduced_axes(axis: Axis, ndim: int) -> tuple[int, ...]:
    return tuple(sorted(normalize_axes(axis, ndim)))


def _accumulator(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Dtype of a sum or product, as NumPy widens small integers."""
    if dtype.kind == "b" or dtype.kind == "i" and dtype.itemsize < 8:
        return np.dtype(np.int64)
    if dtype.kind == "u" and dtype.itemsize < 8:
        return np.dtype(np.uint64)
    return dtype


# These have a value for no elements, so nothing need be counted where data decides the sizes.
_OF_NOTHING = frozenset({"sum", "prod", "any", "all", "count"})


def table_reduction(
    name: str,
    x: Any,
    axis: Axis,
    keepdims: bool,
    split_every: Any,
    out: Any,
    dtype: Any = None,
    prepare: Callable[[Node], Node] | None = None,
) -> Array:
    """Reduce one array by one row of the reductions table."""
    node = as_node(x) if name in _OF_NOTHING else known_node(x)
    axes = reduced_axes(axis, node.meta.ndim)
    if name in ("sum", "prod"):
        check_adds_up(name, node.meta.dtype)
    if prepare is not None:
        node = prepare(node)
    result = node.meta.dtype if dtype is None else np.dtype(dtype)
    return into(
        out,
        Array(
            reduce(
                (node,),
                (name,),
                _first if result == node.meta.dtype else _As(result),
                axes,
                keepdims=bool(keepdims),
                dtype=result,
                label=name,
                split_every=split_every,
            )
        ),
    )


def check_adds_up(name: str, dtype: np.dtype[Any]) -> None:
    """Refuse dtypes, dates and strings among them, whose elements NumPy does not reduce like this.

    Raises
    ------
    TypeError
    """
    if dtype.kind in "biufcO":
        return
    try:
        getattr(np, name)(np.zeros(1, dtype))
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} of elements of {dtype} is not defined") from error


def widened(dtype: Any) -> Callable[[Node], Node]:
    def prepare(node: Node) -> Node:
        return cast(node, _accumulator(node.meta.dtype) if dtype is None else dtype)

    return prepare


def sum(
    x: Any,
    /,
    axis: Axis = None,
    *,
    dtype: Any = None,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Sum of the elements along some axes.

    Parameters
    ----------
    x : array
    axis : int or tuple of int, optional
        All axes by default.
    dtype : dtype, optional
        Of the result and of the accumulation; small integers are widened as in NumPy.
    keepdims : bool
        Keep reduced axes with length 1.
    split_every : int or dict, optional
        Blocks combined at once; option ``array.split-every``.
    out : Array, optional

    Raises
    ------
    numpy.exceptions.AxisError
        If an axis does not exist.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.sum(ga.ones((4, 3), chunks=2), axis=0).compute()
    array([4., 4., 4.])
    """
    return table_reduction("sum", x, axis, keepdims, split_every, out, None, widened(dtype))


def prod(
    x: Any,
    /,
    axis: Axis = None,
    *,
    dtype: Any = None,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Product of the elements along some axes; parameters as for `sum`."""
    return table_reduction("prod", x, axis, keepdims, split_every, out, None, widened(dtype))


def extreme(name: str, x: Any, axis: Axis, keepdims: bool, split_every: Any, out: Any) -> Array:
    x = as_array(x)
    axes = reduced_axes(axis, x.ndim)
    if axes and 0 in (x.shape[a] for a in axes):
        raise ValueError(f"zero-size array to reduction operation {name}imum which has no identity")
    return table_reduction(name, x, axes, keepdims, split_every, out)


def min(
    x: Any,
    /,
    axis: Axis = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Smallest element along some axes; NaN where there is one. Parameters as for `sum`."""
    return extreme("min", x, axis, keepdims, split_every, out)


def max(
    x: Any,
    /,
    axis: Axis = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Largest element along some axes; NaN where there is one. Parameters as for `sum`."""
    return extreme("max", x, axis, keepdims, split_every, out)


amin, amax = min, max


def ptp(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Range of the elements, ``max - min``, along some axes."""
    return max(x, axis=axis, keepdims=keepdims) - min(x, axis=axis, keepdims=keepdims)


def _truth(node: Node) -> Node:
    return node if node.meta.dtype.kind == "b" else elementwise("not_equal", node, 0)


def any(
    x: Any,
    /,
    axis: Axis = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Say whether some element along some axes is true."""
    return table_reduction("any", x, axis, keepdims, split_every, out, None, _truth)


def all(
    x: Any,
    /,
    axis: Axis = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Say whether all elements along some axes are true."""
    return table_reduction("all", x, axis, keepdims, split_every, out, None, _truth)


def count_nonzero(
    x: Any, /, axis: Axis = None, *, keepdims: bool = False, split_every: Any = None
) -> Array:
    """Count the elements that are not zero, along some axes."""
    return table_reduction("count", x, axis, keepdims, split_every, None, np.int64, _truth)


# --- means and variances -------------------------------------------------------------------------


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


def mean(
    x: Any,
    /,
    axis: Axis = None,
    *,
    dtype: Any = None,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Mean of the elements along some axes; parameters as for `sum`.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.mean(ga.arange(6, chunks=2)).compute()
    np.float64(2.5)
    """
    node = as_node(x)
    axes = reduced_axes(axis, node.meta.ndim)
    check_adds_up("mean", node.meta.dtype)
    wanted = _inexact(node.meta.dtype) if dtype is None else np.dtype(dtype)
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
    root: bool,
) -> Array:
    node = as_node(x)
    axes = reduced_axes(axis, node.meta.ndim)
    check_adds_up("std" if root else "var", node.meta.dtype)
    wanted = _inexact(node.meta.dtype) if dtype is None else np.dtype(dtype)
    working = np.dtype(np.float32) if wanted == np.float16 else wanted
    real = np.empty(0, wanted).real.dtype
    result = reduce(
        (cast(node, working),),
        ("moments",),
        _Variance(ddof, root, real),
        axes,
        keepdims=bool(keepdims),
        dtype=real,
        label="std" if root else "var",
        split_every=split_every,
    )
    return into(out, Array(result))


def var(
    x: Any,
    /,
    axis: Axis = None,
    *,
    dtype: Any = None,
    ddof: float = 0,
    correction: float = 0,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Variance of the elements along some axes, in one stable pass.

    Parameters
    ----------
    ddof, correction : float
        Degrees of freedom taken from the count: NumPy's and the Array API's name.
    x, axis, dtype, keepdims, split_every, out
        As for `sum`.

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
    return _variance(x, axis, dtype, ddof or correction, keepdims, split_every, out, False)


def std(
    x: Any,
    /,
    axis: Axis = None,
    *,
    dtype: Any = None,
    ddof: float = 0,
    correction: float = 0,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
) -> Array:
    """Standard deviation of the elements along some axes; parameters as for `var`."""
    return _variance(x, axis, dtype, ddof or correction, keepdims, split_every, out, True)
