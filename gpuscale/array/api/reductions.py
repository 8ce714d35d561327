"""Reductions: sums and extremes; `averages` have means, `nanreductions` leave NaN out."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpuscale.array.api.manipulation import broadcast_to
from gpuscale.array.collection import Array
from gpuscale.array.construct import cast, elementwise, reduce, scalar
from gpuscale.array.convert import as_given, as_node, beside, known_node
from gpuscale.array.durations import duration_dtype
from gpuscale.array.ufunc import into
from gpuscale.chunks.axes import normalize_axes
from gpuscale.codegen.ops import result_dtype
from gpuscale.codegen.reductions import FOLDS
from gpuscale.expr.node import Node

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "count_nonzero",
    "max",
    "min",
    "prod",
    "ptp",
    "sum",
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
    """Axes in order; as for NumPy's ufuncs, what has no axes has the axes 0 and -1."""
    if not ndim and not isinstance(axis, tuple) and axis in (0, -1):
        return ()
    return tuple(sorted(normalize_axes(axis, ndim)))


def _accumulator(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Dtype of a sum or product, as NumPy widens small integers."""
    if dtype.kind == "b" or dtype.kind == "i" and dtype.itemsize < 8:
        return np.dtype(np.int64)
    if dtype.kind == "u" and dtype.itemsize < 8:
        return np.dtype(np.uint64)
    return dtype


# These have a value for no elements, so nothing need be counted where data decides the sizes.
_OF_NOTHING = {
    "sum": 0,
    "prod": 1,
    "any": False,
    "all": True,
    "count": False,
    **{name: getattr(np, name).identity for name in FOLDS},
}

_COMBINES = {
    "sum": "add",
    "prod": "multiply",
    "min": "minimum",
    "max": "maximum",
    "fmin": "fmin",
    "fmax": "fmax",
    "any": "logical_or",
    "all": "logical_and",
    **{name: name for name in FOLDS},
}


def table_reduction(
    name: str,
    x: Any,
    axis: Axis,
    keepdims: bool,
    split_every: Any,
    out: Any,
    prepare: Callable[[Node], Node] | None = None,
    *,
    dtype: Any = None,
    initial: Any = None,
    where: Any = True,
) -> Array:
    """Reduce one array by one row of the reductions table."""
    x, where = with_mask(x, where, name)
    node = as_node(x) if name in _OF_NOTHING else known_node(x)
    axes = reduced_axes(axis, node.meta.ndim)
    if name in ("sum", "prod"):
        check_adds_up(name, node.meta.dtype)
    if prepare is not None:
        node = prepare(node)
    if where is not True:
        node = selected(node, where, _OF_NOTHING.get(name, initial))
    result = node.meta.dtype if dtype is None else np.dtype(dtype)
    reduced = reduce(
        (node,),
        (name,),
        _first if result == node.meta.dtype else _As(result),
        axes,
        keepdims=bool(keepdims),
        dtype=result,
        label=name,
        split_every=split_every,
    )
    if initial is not None:
        reduced = elementwise(_COMBINES[name], reduced, _one(initial, reduced.meta.dtype))
    return into(out, Array(reduced))


def _one(value: Any, dtype: np.dtype[Any]) -> Node:
    """A number that the user gave, of the dtype of the result, as NumPy casts it."""
    array = np.asarray(value).astype(dtype)  # -1 is the largest unsigned integer
    if array.ndim:
        raise ValueError(f"initial must be one number, got an array of shape {array.shape}")
    return scalar(array[()], dtype)


def with_mask(x: Any, where: Any, what: str, *others: Any) -> list[Any]:
    """Bring what is reduced, ``where`` and optional arrays together, as `as_given` does."""
    alone = isinstance(where, builtins.int | np.bool_)
    x, mask, *rest = as_given((x, None if alone else where, *others), what)
    return [x, where if alone else mask, *rest]


def mask_for(where: Any, node: Node) -> Node:
    """Check ``where`` of a reduction and return it in the shape of what is reduced.

    Raises
    ------
    TypeError
        If it is not of booleans.
    ValueError
        If it does not broadcast to the shape.
    """
    mask = beside(bool(where) if isinstance(where, builtins.int) else where, Array(node), "where=")
    if mask.dtype.kind != "b":
        raise TypeError(f"where must be an array of bool, not of {mask.dtype}")
    return broadcast_to(mask, node.meta.shape).expr


def selected(node: Node, where: Any, fill: Any) -> Node:
    """Put a value that changes nothing in the place of elements that do not count."""
    known = known_node(Array(node))
    return elementwise("where", mask_for(where, known), known, _one(fill, known.meta.dtype))


def check_adds_up(name: str, dtype: np.dtype[Any], wanted: Any = None) -> None:
    """Refuse dtypes, dates and strings among them, whose elements NumPy does not reduce like this.

    Raises
    ------
    TypeError
    """
    if builtins.all(d.kind in "biufcO" for d in (dtype, np.dtype(wanted or dtype))):
        return
    try:
        getattr(np, name)(np.zeros(1, dtype), dtype=wanted)
    except (TypeError, ValueError) as error:
        into = "" if wanted is None else f" as {np.dtype(wanted)}"
        raise TypeError(f"{name} of elements of {dtype}{into} is not defined") from error


def widened(dtype: Any, function: Any) -> Callable[[Node], Node]:
    def prepare(node: Node) -> Node:
        given = node.meta.dtype
        wanted = duration_dtype(function, given, dtype)
        return cast(node, _accumulator(given) if wanted is None else wanted)

    return prepare


def sum(
    x: Any,
    /,
    axis: Axis = None,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
    initial: Any = None,
    where: Any = True,
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
    initial : number, optional
        One more element to begin with.
    where : bool array
        Elements that count; broadcast to the shape of ``x``.

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
    prepare = widened(dtype, np.sum)
    return table_reduction(
        "sum", x, axis, keepdims, split_every, out, prepare, initial=initial, where=where
    )


def prod(
    x: Any,
    /,
    axis: Axis = None,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
    initial: Any = None,
    where: Any = True,
) -> Array:
    """Product of the elements along some axes; parameters as for `sum`."""
    prepare = widened(dtype, np.prod)
    return table_reduction(
        "prod", x, axis, keepdims, split_every, out, prepare, initial=initial, where=where
    )


def extreme(
    name: str,
    x: Any,
    axis: Axis,
    keepdims: bool,
    split_every: Any,
    out: Any,
    initial: Any = None,
    where: Any = True,
) -> Array:
    x, where = with_mask(x, where, name)
    axes = reduced_axes(axis, x.ndim)
    result_dtype(_COMBINES[name], x.dtype, x.dtype)  # TypeError where there is no order
    if initial is None and where is not True:
        raise ValueError(
            f"reduction operation '{_COMBINES[name]}' does not have an identity, so to use a where "
            "mask one has to specify 'initial'"
        )
    if initial is None and axes and 0 in (x.shape[a] for a in axes):
        raise ValueError(
            f"zero-size array to reduction operation {_COMBINES[name]} which has no identity"
        )
    return table_reduction(name, x, axes, keepdims, split_every, out, initial=initial, where=where)


def min(
    x: Any,
    /,
    axis: Axis = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
    initial: Any = None,
    where: Any = True,
) -> Array:
    """Smallest element along some axes; NaN where there is one. Parameters as for `sum`."""
    return extreme("min", x, axis, keepdims, split_every, out, initial, where)


def max(
    x: Any,
    /,
    axis: Axis = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
    initial: Any = None,
    where: Any = True,
) -> Array:
    """Largest element along some axes; NaN where there is one. Parameters as for `sum`."""
    return extreme("max", x, axis, keepdims, split_every, out, initial, where)


amin, amax = min, max


def ptp(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Range of the elements, ``max - min``, along some axes."""
    return max(x, axis=axis, keepdims=keepdims) - min(x, axis=axis, keepdims=keepdims)


def _truth(node: Node) -> Node:
    if node.meta.dtype.kind not in "biufc":
        return cast(node, bool)
    return node if node.meta.dtype.kind == "b" else elementwise("not_equal", node, 0)


def any(
    x: Any,
    /,
    axis: Axis = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
    where: Any = True,
) -> Array:
    """Say whether some element along some axes is true."""
    return table_reduction("any", x, axis, keepdims, split_every, out, _truth, where=where)


def all(
    x: Any,
    /,
    axis: Axis = None,
    *,
    keepdims: bool = False,
    split_every: Any = None,
    out: Any = None,
    where: Any = True,
) -> Array:
    """Say whether all elements along some axes are true."""
    return table_reduction("all", x, axis, keepdims, split_every, out, _truth, where=where)


def count_nonzero(
    x: Any, /, axis: Axis = None, *, keepdims: bool = False, split_every: Any = None
) -> Array:
    """Count the elements that are not zero, along some axes."""
    return table_reduction("count", x, axis, keepdims, split_every, None, _truth, dtype=np.int64)
