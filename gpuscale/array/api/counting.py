"""Counting into bins: histograms, bincount, digitize, searchsorted."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.reductions import max as _max
from gpuscale.array.api.reductions import min as _min
from gpuscale.array.api.reshaping import ravel
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk, split_every_of
from gpuscale.array.convert import as_array, known_node
from gpuscale.backends.seams import array_namespace
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, TreeReduce

__all__ = [
    "bincount",
    "digitize",
    "histogram",
    "histogram2d",
    "histogram_bin_edges",
    "histogramdd",
    "searchsorted",
]


def _total(parts: Sequence[Any], grid: tuple[int, ...]) -> Any:
    return reduce(operator.add, parts)


@dataclass(frozen=True)
class _Shaped:
    """Finish counts of blocks: drop the axes that stood for blocks."""

    ndim: int

    def __call__(self, counts: Any) -> Any:
        return counts.reshape((*(1,) * self.ndim, *counts.shape))


def _count_blocks(
    function: Any, inputs: Sequence[Node], shape: tuple[int, ...], dtype: Any, label: str
) -> Array:
    """Sum of what a function counts in every aligned block; one result of ``shape``."""
    first = inputs[0].meta
    axes = tuple(range(first.ndim))
    kernel = FunctionKernel(function, label=label)
    aligned = tuple(BlockInput(x, axes=axes) for x in inputs)
    cells = tuple((n,) for n in shape)
    grid = tuple((1,) * n for n in first.numblocks)
    partial_type = np.dtype((np.dtype(dtype), shape)) if shape else np.dtype(dtype)
    itemsize = np.dtype([("counts", partial_type)])
    counts = Blockwise(kernel, aligned, grid, ArrayMeta(itemsize, grid, first.backend))
    meta = ArrayMeta(np.dtype(dtype), cells, first.backend)
    return Array(
        TreeReduce(
            counts,
            _total,
            _Shaped(first.ndim),
            axes,
            False,
            split_every_of(None, axes),
            label,
            meta,
        )
    )


# --- histograms ----------------------------------------------------------------------------------


def histogram_bin_edges(x: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """Edges of bins, as a NumPy array.

    Parameters
    ----------
    x : array
        Its extremes are computed now where ``range`` is not given and bins are a number.
    bins : int or sequence
        A number of equal bins, or their edges.
    range : (number, number), optional
    weights : ignored
        As in NumPy.

    Raises
    ------
    ValueError
        If the edges do not increase, or the range is not finite.
    """
    x = as_array(x)
    if isinstance(bins, str):
        return np.histogram_bin_edges(np.asarray(x), bins, range)  # a rule that sees the data
    if isinstance(bins, Array):
        bins = bins.compute()
    if np.ndim(bins) == 0:
        bins = operator.index(bins)
        if bins < 1:
            raise ValueError("`bins` must be positive, when an integer")
        if range is None and x.size:
            from gpuscale.run import compute

            range = compute(_min(x), _max(x))
        sample = np.asarray([] if range is None else range, dtype=x.dtype if x.size else float)
        return np.histogram_bin_edges(sample, bins, range)
    return np.histogram_bin_edges(np.asarray([]), bins)


def histogram(
    x: Any, bins: Any = 10, range: Any = None, density: bool = False, weights: Any = None
) -> tuple[Array, Any]:
    """Count elements in bins.

    Parameters
    ----------
    x : array
    bins : int or sequence
        A number of equal bins, or their edges.
    range : (number, number), optional
        Of the bins. Where it is left out and ``bins`` is a number, the extremes of ``x`` are
        computed now.
    density : bool
        Normalize so that the integral is 1.
    weights : array, optional
        Of the elements, with the shape of ``x``.

    Returns
    -------
    counts : Array
    edges : numpy.ndarray

    Raises
    ------
    ValueError
        If the edges do not increase, or the weights have another shape.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> counts, edges = ga.histogram(ga.arange(10, chunks=3), bins=2, range=(0, 10))
    >>> counts.compute()
    array([5, 5])
    """
    node = known_node(x)
    if isinstance(bins, str) and weights is not None:
        raise TypeError("Automated estimation of the number of bins is not supported with weights")
    edges = histogram_bin_edges(Array(node), bins, range)
    equal = None if np.ndim(bins) else (float(edges[0]), float(edges[-1]), len(edges) - 1)
    inputs = [node]
    dtype: Any = np.intp
    if weights is not None:
        w = as_array(weights)
        if w.shape != node.meta.shape:
            raise ValueError("weights should have the same shape as a.")
        inputs.append(rechunk(known_node(w), node.meta.chunks))
        dtype = w.dtype if w.dtype.kind in "fciu" else np.float64
    count = _Histogram(tuple(edges.tolist()), edges.dtype, equal, np.dtype(dtype))
    result = _count_blocks(count, inputs, (len(edges) - 1,), dtype, "histogram")
    if density:
        widths = as_array(np.diff(edges).astype(float))
        result = result / widths / result.sum()
    return result, edges


@dataclass(frozen=True)
class _Histogram:
    """Count one block; equal bins go by arithmetic, others by bisection, both as NumPy."""

    edges: tuple[float, ...]
    edge_dtype: np.dtype[Any]
    equal: tuple[float, float, int] | None
    dtype: np.dtype[Any]

    def __call__(self, chunk: Any, weights: Any = None) -> Any:
        xp = array_namespace(chunk)
        flat = chunk.ravel()
        w = None if weights is None else weights.ravel()
        if self.equal is None:
            bins: Any = xp.asarray(self.edges, dtype=self.edge_dtype)
            counts, _ = xp.histogram(flat, bins=bins, weights=w)
        else:
            low, high, n = self.equal
            counts, _ = xp.histogram(flat, bins=n, range=(low, high), weights=w)
        return counts.astype(self.dtype, copy=False)


def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: bool = False, weights: Any = None
) -> tuple[Array, Any, Any]:
    """Count pairs of elements in cells; see `histogramdd`."""
    if not hasattr(bins, "__len__") or len(bins) != 2:  # edges or a number for both
        bins = [bins, bins]
    counts, edges = histogramdd((x, y), bins, range, density, weights)
    return counts, edges[0], edges[1]


def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: bool = False, weights: Any = None
) -> tuple[Array, list[Any]]:
    """Count points in cells of a grid.

    Parameters
    ----------
    sample : array of shape (n, d), or sequence of d arrays of length n
    bins : int, sequence of int, or sequence of edges
    range : sequence of (number, number), optional
        Where it is left out and bins are numbers, extremes are computed now.
    density : bool
    weights : array of length n, optional

    Returns
    -------
    counts : Array
    edges : list of numpy.ndarray

    Raises
    ------
    ValueError
        If there are not as many bins as axes, or the lengths differ.
    """
    columns = _columns(sample)
    d = len(columns)
    specs = list(bins) if hasattr(bins, "__len__") else [bins] * d
    if len(specs) != d:
        raise ValueError("The dimension of bins must be equal to the dimension of the sample x.")
    ranges = [None] * d if range is None else list(range)
    if len(ranges) != d:
        raise ValueError("range argument must have one entry per dimension")
    edges = [histogram_bin_edges(c, b, r) for c, b, r in zip(columns, specs, ranges, strict=True)]
    inputs = [known_node(c) for c in columns]
    if weights is not None:
        inputs.append(known_node(weights))
    if len({x.meta.shape for x in inputs}) > 1:
        raise ValueError("all arrays of a sample, and the weights, must have the same length")
    inputs = [rechunk(x, inputs[0].meta.chunks) for x in inputs]
    shape = tuple(len(e) - 1 for e in edges)
    count = _HistogramDD(tuple(tuple(e.tolist()) for e in edges), weights is not None)
    result = _count_blocks(count, inputs, shape, np.float64, "histogramdd")
    if density:
        volume: Any = reduce(np.multiply.outer, [np.diff(e) for e in edges])
        result = result / as_array(volume) / result.sum()
    return result, edges


def _columns(sample: Any) -> list[Array]:
    if isinstance(sample, list | tuple):
        return [as_array(c) for c in sample]
    sample = as_array(sample)
    if sample.ndim == 1:
        return [sample]
    return [sample[:, k] for k in np.arange(sample.shape[1]).tolist()]


@dataclass(frozen=True)
class _HistogramDD:
    """Count the points of one block."""

    edges: tuple[tuple[float, ...], ...]
    weighted: bool

    def __call__(self, *chunks: Any) -> Any:
        xp = array_namespace(chunks[0])
        columns, weights = (chunks[:-1], chunks[-1]) if self.weighted else (chunks, None)
        points = xp.stack([c.ravel() for c in columns], axis=1)
        edges = [xp.asarray(e) for e in self.edges]
        return xp.histogramdd(points, bins=edges, weights=weights)[0]


# --- bincount, digitize, searchsorted -------------------------------------------------------------


def bincount(x: Any, weights: Any = None, minlength: int = 0, split_every: Any = None) -> Array:
    """Count how often each non-negative integer occurs.

    Parameters
    ----------
    x : array of int with one axis
        Its largest element is computed now, since it decides the length, unless ``minlength``
        is given and larger: then it is checked as the counting runs.
    weights : array, optional
    minlength : int
    split_every : int, optional
        Accepted for dask's sake.

    Raises
    ------
    ValueError
        If ``x`` does not have one axis, or holds negative numbers.
    TypeError
        If ``x`` is not of integers.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.bincount(ga.asarray([0, 2, 2], chunks=1)).compute()
    array([1, 0, 2])
    """
    x = as_array(x).compute_chunk_sizes()
    if x.ndim != 1:
        depth = "too deep" if x.ndim else "of too small depth"
        raise ValueError(f"object {depth} for desired array")
    if x.dtype.kind not in "biu":
        raise TypeError(
            f"Cannot cast array data from {x.dtype!r} to dtype('int64') according to the rule "
            "'safe'"
        )
    if minlength < 0:
        raise ValueError("'minlength' must not be negative")
    length = minlength
    if x.size:
        from gpuscale.run import compute

        low, high = compute(_min(x), _max(x))
        if low < 0:
            raise ValueError("'list' argument must have no negative elements")
        length = max(minlength, int(high) + 1)
    inputs = [x.expr]
    if weights is not None:
        w = as_array(weights).astype(float)
        if w.shape != x.shape:
            raise ValueError("The weights and list don't have the same length.")
        inputs.append(rechunk(w.expr, x.expr.meta.chunks))
    dtype = np.intp if weights is None else np.float64
    return _count_blocks(_Bincount(length), inputs, (length,), dtype, "bincount")


@dataclass(frozen=True)
class _Bincount:
    """Count one block."""

    length: int

    def __call__(self, chunk: Any, weights: Any = None) -> Any:
        xp = array_namespace(chunk)
        return xp.bincount(chunk, weights=weights, minlength=self.length)


def digitize(x: Any, bins: Any, right: bool = False) -> Array:
    """Number of the bin that each element belongs to.

    Parameters
    ----------
    x : array
    bins : array with one axis
        Edges, increasing or decreasing.
    right : bool
        Whether bins include their right edge.

    Raises
    ------
    ValueError
        If the edges are not monotonic.
    """
    edges = np.asarray(bins)
    if edges.ndim != 1:
        raise ValueError("object too deep for desired array")
    if edges.size > 1 and not ((np.diff(edges) >= 0).all() or (np.diff(edges) <= 0).all()):
        raise ValueError("bins must be monotonically increasing or decreasing")
    return map_blocks(_digitize, x, bins=edges, right=right, dtype=np.intp, name="digitize")


def _digitize(chunk: Any, bins: Any, right: bool) -> Any:
    xp = array_namespace(chunk)
    return xp.digitize(chunk, xp.asarray(bins), right=right)


def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Array:
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
    table, values = as_array(x1).compute_chunk_sizes(), as_array(x2).compute_chunk_sizes()
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
