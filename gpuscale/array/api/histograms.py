"""Histograms: elements, or points, counted in bins."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from gpuscale.array.api.counting import count_blocks
from gpuscale.array.api.reductions import max as _max
from gpuscale.array.api.reductions import min as _min
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk
from gpuscale.array.convert import as_array, known_node
from gpuscale.backends import seams
from gpuscale.backends.seams import array_namespace
from gpuscale.expr.node import Node

__all__ = ["histogram", "histogram2d", "histogram_bin_edges", "histogramdd"]


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
    return _bins(_numbers(x), bins, range)[0]


def _numbers(x: Any) -> Array:
    x = as_array(x)
    return x.astype(np.uint8) if x.dtype == bool else x  # as NumPy, which warns


def _bins(x: Array, bins: Any, range: Any) -> tuple[Any, tuple[Any, Any, int] | None]:
    """Edges of bins; of equal ones also the limits, in the dtypes that NumPy computes with."""
    if isinstance(bins, str):
        data, limits = np.asarray(x), _limits(range)  # for a rule that sees the data
        edges = np.histogram_bin_edges(data, bins, limits)
        low, high = limits or ((data.min(), data.max()) if data.size else (0, 1))
        return edges, (low, high, len(edges) - 1)
    if isinstance(bins, Array):
        bins = bins.compute()
    if np.ndim(bins):
        return np.histogram_bin_edges(np.asarray([]), bins), None
    bins = _number_of_bins(bins)
    low, high = _limits(range) or _extremes(x)
    return np.histogram_bin_edges(np.empty(0, x.dtype), bins, (low, high)), (low, high, bins)


def _number_of_bins(bins: Any) -> int:
    bins = operator.index(bins)
    if bins < 1:
        raise ValueError("`bins` must be positive, when an integer")
    return int(bins)


def _limits(range: Any) -> tuple[Any, Any] | None:
    if range is None:
        return None
    low, high = (end.compute() if isinstance(end, Array) else end for end in range)
    return low, high


def _extremes(x: Array) -> Any:
    """In the dtype of the elements: Python's numbers are doubles, which count some elsewhere."""
    if not x.size:
        return 0, 1
    from gpuscale.run import compute

    return compute(_min(x), _max(x))


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
    node = known_node(_numbers(x))
    if isinstance(bins, str) and weights is not None:
        raise TypeError("Automated estimation of the number of bins is not supported with weights")
    edges, equal = _bins(Array(node), bins, range)
    inputs = [node]
    dtype: Any = np.intp
    if weights is not None:
        w = as_array(weights)
        if w.shape != node.meta.shape:
            raise ValueError("weights should have the same shape as a.")
        if w.dtype == bool:
            return _any_in_bins(node, edges, equal, density, w)
        inputs.append(rechunk(known_node(w), node.meta.chunks))
        dtype = w.dtype if w.dtype.kind in "fciu" else np.float64
    count = _Histogram(tuple(edges.tolist()), edges.dtype, equal, np.dtype(dtype))
    result = count_blocks(count, inputs, (len(edges) - 1,), dtype, "histogram")
    return _density(result, edges) if density else result, edges


def _density(counts: Array, edges: Any) -> Array:
    return counts / as_array(np.diff(edges).astype(float)) / counts.sum()


def _any_in_bins(node: Node, edges: Any, equal: Any, density: bool, weights: Array) -> Any:
    """Of boolean weights NumPy adds booleans: whether any was true."""
    if equal is None:
        raise TypeError("weights of bool cannot be added up between given edges: use astype(int)")
    options = {"bins": equal[2], "range": equal[:2], "weights": weights.astype(np.intp)}
    found = histogram(Array(node), **options)[0] != 0
    return _density(found, edges) if density else found, edges


@dataclass(frozen=True)
class _Histogram:
    """Count one block; equal bins go by arithmetic, others by bisection, both as NumPy."""

    edges: tuple[complex, ...]
    edge_dtype: np.dtype[Any]
    equal: tuple[Any, Any, int] | None
    dtype: np.dtype[Any]

    def __call__(self, chunk: Any, weights: Any = None) -> Any:
        flat = chunk.ravel()
        w = None if weights is None else weights.ravel()
        if self.equal is None:
            edges = array_namespace(chunk).asarray(self.edges, dtype=self.edge_dtype)
            counts = seams.histogram(flat, edges, None, w)
        else:
            low, high, n = self.equal
            counts = seams.histogram(flat, n, (low, high), w)
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
    edges = [_edges_along(c, b, r) for c, b, r in zip(columns, specs, ranges, strict=True)]
    inputs = [known_node(c) for c in columns]
    if weights is not None:
        inputs.append(known_node(weights))
    if len({x.meta.shape for x in inputs}) > 1:
        raise ValueError("all arrays of a sample, and the weights, must have the same length")
    inputs = [rechunk(x, inputs[0].meta.chunks) for x in inputs]
    shape = tuple(len(e) - 1 for e in edges)
    count = _HistogramDD(
        tuple(tuple(e.tolist()) for e in edges), tuple(e.dtype for e in edges), weights is not None
    )
    result = count_blocks(count, inputs, shape, np.float64, "histogramdd")
    if density:
        total = result.sum()
        for axis, each in enumerate(edges):
            result = result / as_array(np.diff(each).reshape((-1, *(1,) * (d - 1 - axis))))
        result = result / total
    return result, edges


def _edges_along(x: Array, bins: Any, range: Any) -> Any:
    """Edges along one axis: NumPy keeps the dtype of the limits here, not that of the sample."""
    if np.ndim(bins):
        return _bins(x, bins, range)[0]
    low, high = _limits(range) or _extremes(x)
    # Which refuses what is no range, but not one that is too narrow for a bin, as `histogram` does.
    return np.histogramdd(np.empty((0, 1)), _number_of_bins(bins), [(low, high)])[1][0]


def _columns(sample: Any) -> list[Array]:
    if isinstance(sample, list | tuple):
        arrays = [as_array(c) for c in sample]
        return [a.astype(np.result_type(*arrays)) for a in arrays]
    sample = as_array(sample)
    if sample.ndim == 1:
        return [sample]
    return [sample[:, k] for k in np.arange(sample.shape[1]).tolist()]


@dataclass(frozen=True)
class _HistogramDD:
    """Count the points of one block."""

    edges: tuple[tuple[float, ...], ...]
    dtypes: tuple[np.dtype[Any], ...]
    weighted: bool

    def __call__(self, *chunks: Any) -> Any:
        xp = array_namespace(chunks[0])
        columns, weights = (chunks[:-1], chunks[-1]) if self.weighted else (chunks, None)
        points = xp.stack([c.ravel() for c in columns])
        cells, shape = 0, tuple(len(edges) + 1 for edges in self.edges)  # and those outside
        for column, each, dtype in zip(points, self.edges, self.dtypes, strict=True):
            edges = xp.asarray(each, dtype=dtype)
            # The last bin holds both its edges.
            bins = xp.searchsorted(edges, column, side="right") - (column == edges[-1])
            cells = cells * (len(each) + 1) + bins
        counts = seams.bincount(cells, None if weights is None else weights.ravel(), prod(shape))
        return counts.reshape(shape)[(slice(1, -1),) * len(shape)].astype(float)
