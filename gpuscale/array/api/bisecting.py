"""Bisection: where elements go among sorted ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.reshaping import ravel
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array, as_arrays
from gpuscale.backends.seams import array_namespace, on_device
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = ["digitize", "searchsorted"]


def digitize(x: Any, bins: Any, right: bool = False) -> Array:
    """Number of the bin that each element belongs to.

    Parameters
    ----------
    x : array
    bins : array with one axis
        Edges, increasing or decreasing; every task gets all of them.
    right : bool
        Whether bins include their right edge.

    Raises
    ------
    ValueError
        If the edges are not monotonic; for lazy ones when they are computed.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.digitize(ga.asarray([1, 5, 9], chunks=2), [2, 6]).compute()
    array([0, 1, 2])
    """
    edges: Any = as_array(bins) if isinstance(bins, Array) or on_device(bins) else np.asarray(bins)
    if isinstance(edges, Array):
        x, edges = as_arrays((x, edges), "digitize")
    if edges.ndim != 1:
        raise ValueError("object too deep for desired array")
    known = isinstance(edges, np.ndarray) and edges.size > 1
    if known and not ((np.diff(edges) >= 0).all() or (np.diff(edges) <= 0).all()):
        raise ValueError("bins must be monotonically increasing or decreasing")
    return map_blocks(
        _digitize, as_array(x), bins=edges, right=right, dtype=np.intp, name="digitize"
    )


def _digitize(chunk: Any, bins: Any, right: bool) -> Any:
    xp = array_namespace(chunk)
    return xp.digitize(chunk, xp.asarray(bins), right=right)


def searchsorted(x1: Any, x2: Any, /, side: str = "left", sorter: Any = None) -> Array:
    """Where elements would go in a sorted array.

    Each block of ``x2`` is looked up in each block of the sorted array; the places add up.

    Parameters
    ----------
    x1 : array with one axis
        Sorted, or in the order that ``sorter`` gives.
    x2 : array
    side : {"left", "right"}
        Before or after equal elements.
    sorter : array of int, optional

    Raises
    ------
    ValueError
        If ``x1`` does not have one axis, or ``side`` is neither.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.searchsorted(ga.arange(0, 10, 2, chunks=2), ga.asarray([3, 4])).compute()
    array([2, 2])
    """
    if side not in ("left", "right"):
        raise ValueError(f"side must be 'left' or 'right' (got '{side}')")
    arrays = as_arrays((x1, x2), "searchsorted")
    table, values = (x.compute_chunk_sizes() for x in arrays)
    if table.ndim != 1:
        raise ValueError("object too deep for desired array")
    if sorter is not None:
        table = table[sorter]
    common = np.result_type(table.dtype, values.dtype)
    table, values = table.astype(common, copy=False), values.astype(common, copy=False)
    flat = ravel(values)
    n_table = len(table.chunks[0])
    grid = ((1,) * n_table, flat.chunks[0])
    kernel = FunctionKernel(_search, (side,), label="searchsorted")
    inputs = (BlockInput(table.expr, axes=(0,)), BlockInput(flat.expr, axes=(1,)))
    meta = ArrayMeta(np.dtype(np.intp), grid, values.backend)
    places: Array = Array(Blockwise(kernel, inputs, grid, meta)).sum(axis=0)
    return places.reshape(values.shape) if values.ndim != 1 else places


def _search(table: Any, values: Any, side: str) -> Any:
    return array_namespace(values).searchsorted(table, values, side=side)[None]
