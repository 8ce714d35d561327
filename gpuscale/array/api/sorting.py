"""Sorting, and what sorting answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.manipulation import flip
from gpuscale.array.api.reshaping import along_axis
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk
from gpuscale.array.convert import as_array, as_arrays
from gpuscale.backends.seams import array_namespace, lexicographic_order
from gpuscale.chunks.axes import normalize_axis
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import SortPlan

__all__ = ["argsort", "lexsort", "sort"]


def _in_one_block(x: Array, axis: int) -> Array:
    """Cut the other axes instead, so that each task sees the axis whole."""
    if x.numblocks[axis] == 1:
        return x
    return x.rechunk({k: -1 if k == axis else "auto" for k in range(x.ndim)})


def _check_kind(kind: str | None) -> None:
    names = ("quick", "quicksort", "heap", "heapsort", "mergesort", "stable")
    if kind is not None and kind not in names:
        raise ValueError(f"sort kind must be one of {', '.join(names)} (got {kind!r})")


def _with_fields_first(x: Array, order: Any) -> Array:
    """Put the fields that decide first before the others: records compare field by field."""
    np.argsort(np.zeros(0, x.dtype), order=order)  # ValueError where there are no such fields
    first = [order] if isinstance(order, str) else list(order)
    return x[[*first, *(name for name in x.dtype.names or () if name not in first)]]


def _sort_chunk(chunk: Any, axis: int) -> Any:
    return array_namespace(chunk).sort(chunk, axis=axis)


def _argsort_chunk(chunk: Any, axis: int) -> Any:
    return array_namespace(chunk).argsort(chunk, axis=axis, kind="stable")


def sort(
    x: Any,
    /,
    axis: int | None = -1,
    kind: str | None = None,
    order: Any = None,
    *,
    descending: bool = False,
    stable: bool = True,
) -> Array:
    """Sort along an axis, across blocks.

    Parameters
    ----------
    x : array
    axis : int or None
        None flattens first.
    kind : str, optional
        Accepted for NumPy's sake; equal elements cannot be told apart.
    order : str or sequence of str, optional
        Fields of a structured dtype to compare first; the others follow in their order.
    descending : bool
        Largest first.
    stable : bool
        Accepted for the Array API standard.

    Returns
    -------
    Array
        With the chunks of ``x`` where it has one axis.

    Raises
    ------
    numpy.exceptions.AxisError
        If the axis does not exist.
    ValueError
        If there is no such field, or none at all.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.sort(ga.asarray([3, 1, 2], chunks=2)).compute()
    array([1, 2, 3])
    """
    _check_kind(kind)
    x = as_array(x)
    if order is not None:
        fields = sort(_with_fields_first(x, order), axis, kind, descending=descending)
        return fields[list(x.dtype.names or ())]
    if axis is not None:
        normalize_axis(axis, x.ndim)  # not even 0, where there are none
    x, axis = along_axis(x, axis)
    if descending:
        return flip(sort(x, axis), axis)
    if x.ndim == 1 and x.numblocks[0] > 1:
        return Array(Exchange((x.expr,), SortPlan(), x.expr.meta))
    return map_blocks(_sort_chunk, _in_one_block(x, axis), axis=axis, dtype=x.dtype, name="sort")


def argsort(
    x: Any,
    /,
    axis: int | None = -1,
    kind: str | None = None,
    order: Any = None,
    *,
    descending: bool = False,
    stable: bool = True,
) -> Array:
    """Positions that would sort an axis; equal elements keep their order.

    Parameters
    ----------
    x, axis, kind, order, descending, stable
        As for `sort`.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.argsort(ga.asarray([3, 1, 2], chunks=2)).compute()
    array([1, 2, 0])
    """
    _check_kind(kind)
    x, axis = along_axis(x if order is None else _with_fields_first(as_array(x), order), axis)
    if descending:
        # Reversed twice, so that equal elements keep their order.
        return x.shape[axis] - 1 - flip(argsort(flip(x, axis), axis), axis)
    if x.ndim == 1 and x.numblocks[0] > 1:
        meta = x.expr.meta.with_(dtype=np.dtype(np.intp))
        return Array(Exchange((x.expr,), SortPlan(positions=True), meta))
    whole = _in_one_block(x, axis)
    return map_blocks(_argsort_chunk, whole, axis=axis, dtype=np.intp, name="argsort")


def lexsort(keys: Any, axis: int = -1) -> Array:
    """Positions that would sort by several keys, of which the last is the first to decide.

    Equal elements keep their order.

    Parameters
    ----------
    keys : sequence of array
        All of one shape.
    axis : int

    Raises
    ------
    TypeError
        If there is no key.
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.lexsort([ga.asarray([9, 1, 5], chunks=2), ga.asarray([1, 2, 1], chunks=2)]).compute()
    array([2, 0, 1])
    """
    arrays = as_arrays(keys, "lexsort")
    if not arrays:
        raise TypeError("need sequence of keys with len > 0 in lexsort")
    if len({key.shape for key in arrays}) > 1:
        raise ValueError("all keys need to be the same shape")
    if not arrays[0].ndim:
        return as_array(np.intp(0))
    first, axis = along_axis(arrays[0], axis)
    if first.ndim == 1 and first.numblocks[0] > 1:
        keys = tuple([rechunk(key.expr, first.chunks) for key in arrays])
        meta = first.expr.meta.with_(dtype=np.dtype(np.intp))
        return Array(Exchange(keys, SortPlan(positions=True, name="lexsort"), meta))
    whole = _in_one_block(first, axis)
    rest = [key.rechunk(whole.chunks) for key in arrays[1:]]
    return map_blocks(_lexsort_chunk, whole, *rest, axis=axis, dtype=np.intp)


def _lexsort_chunk(*keys: Any, axis: int) -> Any:
    return lexicographic_order(*keys, axis=axis)
