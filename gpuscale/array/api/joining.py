"""Joining arrays and splitting them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, pairwise
from typing import Any

import numpy as np

from gpuscale.array.api.index_functions import computed
from gpuscale.array.api.manipulation import atleast_1d, atleast_2d, atleast_3d, expand_dims
from gpuscale.array.api.reshaping import ravel
from gpuscale.array.collection import Array
from gpuscale.array.construct import cast, rechunk, together
from gpuscale.array.convert import as_array, as_arrays
from gpuscale.array.ufunc import into
from gpuscale.chunks.axes import at_axis, normalize_axis
from gpuscale.chunks.broadcast import unify_chunks
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import ConcatenatePlan

__all__ = [
    "append",
    "array_split",
    "block",
    "column_stack",
    "concat",
    "concatenate",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "split",
    "stack",
    "unstack",
    "vsplit",
    "vstack",
]


def concatenate(
    arrays: Sequence[Any],
    /,
    axis: int | None = 0,
    *,
    dtype: Any = None,
    casting: str = "same_kind",
    out: Any = None,
) -> Array:
    """Join arrays along an axis that they have.

    Parameters
    ----------
    arrays : sequence of array
    axis : int or None
        None flattens the arrays first.
    dtype : dtype, optional
        Of the result; the common one by default.
    casting : str
        What conversions ``dtype`` may ask for.
    out : Array, optional

    Raises
    ------
    ValueError
        If there are no arrays, or their shapes differ along another axis.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.concatenate([ga.arange(2), ga.arange(3)]).compute()
    array([0, 1, 0, 1, 2])
    """
    items = as_arrays(arrays, "concatenate")
    if not items:
        raise ValueError("need at least one array to concatenate")
    if axis is None:
        items, axis = [ravel(a) for a in items], 0
    axis = _check(items, axis)
    common = np.result_type(*(a.dtype for a in items)) if dtype is None else np.dtype(dtype)
    for each in items:
        if not np.can_cast(each.dtype, common, casting):  # type: ignore[arg-type]
            raise TypeError(
                f"Cannot cast array data from {each.dtype!r} to {common!r} according to the rule "
                f"{casting!r}"
            )
    nodes = [cast(a.expr, common) for a in items]
    with_elements = [n for n in nodes if n.meta.chunks[axis] != (0,)]
    nodes = with_elements or nodes[:1]
    return into(out, Array(nodes[0] if len(nodes) == 1 else _join(nodes, axis)), casting)


def _check(items: list[Array], axis: int) -> int:
    ndim = items[0].ndim
    if ndim == 0:
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    axis = normalize_axis(axis, ndim)
    for number, each in enumerate(items):
        if each.ndim != ndim:
            raise ValueError(
                "all the input array dimensions must match: the array at index 0 has "
                f"{ndim} dimension(s) and the array at index {number} has {each.ndim}"
            )
        for k in range(ndim):
            first, other = items[0].expr.meta.shape[k], each.expr.meta.shape[k]
            if k != axis and first != other and items[0].shape[k] != each.shape[k]:
                raise ValueError(
                    "all the input array dimensions except for the concatenation axis must match "
                    f"exactly, but along dimension {k}, the array at index 0 has size "
                    f"{items[0].shape[k]} and the array at index {number} has size {each.shape[k]}"
                )
    return axis


def _join(nodes: list[Node], axis: int) -> Node:
    """Cut all inputs alike along the other axes, then put their blocks in a row."""
    others = [tuple(sizes for k, sizes in enumerate(n.meta.chunks) if k != axis) for n in nodes]
    shapes = [tuple(n for k, n in enumerate(x.meta.shape) if k != axis) for x in nodes]
    common = unify_chunks(*zip(others, shapes, strict=True))
    nodes = [rechunk(n, (*common[:axis], n.meta.chunks[axis], *common[axis:])) for n in nodes]
    along = tuple(chain.from_iterable(n.meta.chunks[axis] for n in nodes))
    inputs = together(nodes, "concatenate")
    meta = inputs[0].meta.with_(chunks=(*common[:axis], along, *common[axis:]))
    return Exchange(inputs, ConcatenatePlan(axis), meta)


def concat(arrays: Sequence[Any], /, *, axis: int | None = 0) -> Array:
    """Join arrays; `concatenate` in the words of the Array API standard."""
    return concatenate(arrays, axis)


def stack(
    arrays: Sequence[Any],
    /,
    axis: int = 0,
    *,
    out: Any = None,
    dtype: Any = None,
    casting: str = "same_kind",
) -> Array:
    """Join arrays of one shape along a new axis; parameters as for `concatenate`.

    Raises
    ------
    ValueError
        If there are no arrays, or their shapes differ.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.stack([ga.arange(2), ga.arange(2)], axis=1).compute()
    array([[0, 0],
           [1, 1]])
    """
    items = as_arrays(arrays, "stack")
    if not items:
        raise ValueError("need at least one array to stack")
    if len({a.shape for a in items}) > 1:
        raise ValueError("all input arrays must have the same shape")
    place = normalize_axis(axis, items[0].ndim + 1)
    items = [expand_dims(a, place) for a in items]
    return concatenate(items, place, out=out, dtype=dtype, casting=casting)


def vstack(arrays: Sequence[Any], *, dtype: Any = None) -> Array:
    """Join arrays as rows."""
    return concatenate([atleast_2d(a) for a in as_arrays(arrays, "vstack")], 0, dtype=dtype)


def hstack(arrays: Sequence[Any], *, dtype: Any = None) -> Array:
    """Join arrays as columns, those with one axis end to end."""
    items = [atleast_1d(a) for a in as_arrays(arrays, "hstack")]
    return concatenate(items, 0 if items and items[0].ndim == 1 else 1, dtype=dtype)


def dstack(arrays: Sequence[Any]) -> Array:
    """Join arrays along the third axis."""
    return concatenate([atleast_3d(a) for a in as_arrays(arrays, "dstack")], 2)


def column_stack(arrays: Sequence[Any]) -> Array:
    """Join arrays with one axis as the columns of a matrix."""
    items = as_arrays(arrays, "column_stack")
    return concatenate([atleast_2d(a).T if a.ndim < 2 else a for a in items], 1)


def append(x: Any, values: Any, axis: int | None = None) -> Array:
    """Join values to the end of an array; both are flattened where no axis is given."""
    return concatenate([x, values], axis)


def block(arrays: Any) -> Array:
    """Put an array together from nested lists of blocks, innermost along the last axis.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.block([[ga.ones((1, 1)), ga.zeros((1, 2))]]).compute()
    array([[1., 0., 0.]])
    """
    depth = _depth(arrays)
    parts = as_arrays(_leaves(arrays), "block")
    ndim = max(depth, *(x.ndim for x in parts))
    return _block(arrays, depth, ndim, 0, iter(parts))


def _depth(arrays: Any) -> int:
    if not isinstance(arrays, list):
        return 0
    if not arrays:
        raise ValueError("List at arrays cannot be empty")
    depths = {_depth(each) for each in arrays}
    if len(depths) > 1:
        raise ValueError("List depths are mismatched")
    return 1 + depths.pop()


def _leaves(arrays: Any) -> list[Any]:
    if isinstance(arrays, list):
        return [leaf for each in arrays for leaf in _leaves(each)]
    return [arrays]


def _block(arrays: Any, depth: int, ndim: int, level: int, leaves: Iterator[Array]) -> Array:
    if level == depth:
        x = next(leaves)
        return x[(None,) * (ndim - x.ndim)]
    axis = ndim - depth + level
    return concatenate([_block(each, depth, ndim, level + 1, leaves) for each in arrays], axis)


# --- splitting -----------------------------------------------------------------------------------


def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Split into parts that may differ in length by one, or at given places."""
    x = as_array(x)
    axis = normalize_axis(axis, x.ndim)
    length, indices_or_sections = x.shape[axis], computed(indices_or_sections)
    if np.ndim(indices_or_sections):
        ends = [0, *indices_or_sections, length]
    else:
        sections = int(indices_or_sections)
        if sections <= 0:
            raise ValueError("number sections must be larger than 0.")
        sizes = [length // sections + (k < length % sections) for k in range(sections)]
        ends = list(accumulate(sizes, initial=0))
    return [x[at_axis(axis, slice(*span))] for span in pairwise(ends)]


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Split into equal parts, or at given places.

    Raises
    ------
    ValueError
        If the parts would not be equal.
    ZeroDivisionError
        If there shall be no part.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> [part.compute().tolist() for part in ga.split(ga.arange(4), 2)]
    [[0, 1], [2, 3]]
    """
    x, indices_or_sections = as_array(x), computed(indices_or_sections)
    if not np.ndim(indices_or_sections):
        length = x.shape[normalize_axis(axis, x.ndim)]
        if length % indices_or_sections:
            raise ValueError("array split does not result in an equal division")
    return array_split(x, indices_or_sections, axis)


def vsplit(x: Any, indices_or_sections: Any) -> list[Array]:
    """Split along the first axis."""
    if as_array(x).ndim < 2:
        raise ValueError("vsplit only works on arrays of 2 or more dimensions")
    return split(x, indices_or_sections, 0)


def hsplit(x: Any, indices_or_sections: Any) -> list[Array]:
    """Split along the second axis, or the only one."""
    ndim = as_array(x).ndim
    if ndim < 1:
        raise ValueError("hsplit only works on arrays of 1 or more dimensions")
    return split(x, indices_or_sections, 1 if ndim > 1 else 0)


def dsplit(x: Any, indices_or_sections: Any) -> list[Array]:
    """Split along the third axis."""
    if as_array(x).ndim < 3:
        raise ValueError("dsplit only works on arrays of 3 or more dimensions")
    return split(x, indices_or_sections, 2)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Array, ...]:
    """Split into the arrays that `stack` would join."""
    x = as_array(x)
    axis = normalize_axis(axis, x.ndim)
    return tuple(x[at_axis(axis, k)] for k in range(x.shape[axis]))
