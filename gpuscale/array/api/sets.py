"""Arrays as sets of their elements."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gpuscale.array.api.distinct import unique
from gpuscale.array.api.joining import concatenate
from gpuscale.array.api.masking import select_axis
from gpuscale.array.api.reshaping import ravel
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_arrays, promoted
from gpuscale.backends.seams import array_namespace
from gpuscale.chunks.blocks import max_block
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = ["intersect1d", "isin", "setdiff1d", "setxor1d", "union1d"]

_NUMBERS = frozenset("biufc")


def isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: str | None = None,
) -> Array:
    """Say for each element whether it is among others.

    Parameters
    ----------
    element : array
    test_elements : array
        Their distinct elements are made one block, which every task gets.
    assume_unique : bool
        Whether both are known to hold no element twice.
    invert : bool
        Say whether it is not.
    kind : str, optional
        Accepted for NumPy's sake.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.isin(ga.arange(4, chunks=2), [1, 3]).compute()
    array([False,  True, False,  True])
    """
    x, table = as_arrays((element, test_elements), "isin")
    axes = tuple(range(x.ndim))
    # Objects may have no order to find distinct ones by.
    table = unique(table) if table.dtype.kind != "O" else table.ravel().rechunk(-1)
    function: Any = _is_in
    room = None
    if {x.dtype.kind, table.dtype.kind} <= _NUMBERS:
        both = np.result_type(x.dtype, table.dtype)
        x, table = x.astype(both), table.astype(both)  # no task has to convert the table
        if x.expr.meta.known:  # places, and what stands there
            room = (8 + both.itemsize) * prod(max_block(x.expr.meta.chunks))
        function = _is_found
    inputs = (BlockInput(x.expr, axes=axes), BlockInput(table.expr, axes=(None,)))
    kernel = FunctionKernel(function, (bool(invert),), label="isin", room=room)
    meta = x.expr.meta.with_(dtype=np.dtype(bool))
    return Array(Blockwise(kernel, inputs, meta.chunks, meta))


def _is_in(chunk: Any, table: Any, invert: bool) -> Any:
    return array_namespace(chunk).isin(chunk, table, invert=invert)


def _is_found(chunk: Any, table: Any, invert: bool) -> Any:
    """Search a sorted table; what is NaN is equal to nothing."""
    if not table.size:
        return array_namespace(chunk).full(chunk.shape, invert)
    places = table[:-1].searchsorted(chunk)  # what is larger than all is compared to the last
    found = table.take(places) == chunk
    return ~found if invert else found


def _keep(x: Array, mask: Array) -> Array:
    return Array(select_axis(x.expr, mask.expr, 0))


def _as_set(x: Array, assume_unique: bool) -> Array:
    result: Array = ravel(x) if assume_unique else unique(x)
    return result


def union1d(ar1: Any, ar2: Any) -> Array:
    """Elements that are in at least one of two arrays, sorted.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.union1d([3, 1], ga.asarray([2, 3])).compute()
    array([1, 2, 3])
    """
    x, y = promoted([ar1, ar2], "union1d")
    result: Array = unique(concatenate([ravel(x), ravel(y)]))
    return result


def intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    """Elements that are in both of two arrays, sorted.

    Parameters
    ----------
    ar1, ar2 : array
    assume_unique : bool
        Accepted for NumPy's sake; what is assumed is not relied on.
    return_indices : bool
        Also the first position of each element in both arrays.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.intersect1d([3, 1], ga.asarray([2, 3])).compute()
    array([3])
    """
    x, y = promoted([ar1, ar2], "intersect1d")
    if not return_indices:
        a = _as_set(x, False)
        return _keep(a, isin(a, y))
    a, at = unique(x, return_index=True)
    b, bt = unique(y, return_index=True)
    in_both = isin(a, b)
    return _keep(a, in_both), _keep(at, in_both), _keep(bt, isin(b, a))


def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Array:
    """Elements of the first array that are not in the second.

    They are sorted, or in their order where ``assume_unique`` says that none occurs twice.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.setdiff1d([3, 1], ga.asarray([2, 3])).compute()
    array([1])
    """
    first, second = as_arrays((ar1, ar2), "setdiff1d")
    x = _as_set(first, assume_unique)
    return _keep(x, isin(x, second, invert=True))


def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Array:
    """Elements that are in one of two arrays only, sorted.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.setxor1d([3, 1], ga.asarray([2, 3])).compute()
    array([1, 2])
    """
    x, y = (unique(each) for each in promoted([ar1, ar2], "setxor1d"))
    apart = [_keep(x, isin(x, y, invert=True)), _keep(y, isin(y, x, invert=True))]
    result: Array = unique(concatenate(apart), equal_nan=False)
    return result
