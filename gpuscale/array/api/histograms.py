"""Histograms: elements, or points, counted in bins."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np

from gpuscale.array.api.counting import count_blocks
from gpuscale.array.api.functional import whole
from gpuscale.array.api.moving import to_backend
from gpuscale.array.api.reductions import max as _max
from gpuscale.array.api.reductions import min as _min
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk
from gpuscale.array.convert import as_array, as_arrays, as_given, known_node
from gpuscale.backends import seams
from gpuscale.backends.seams import array_namespace, on_device, to_host
from gpuscale.expr.node import Node

__all__ = ["histogram", "histogram2d", "histogram_bin_edges", "histogramdd"]


def histogram_bin_edges(x: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """Edges of bins.

    Parameters
    ----------
    x : array
    bins : int, sequence or str
        A number of equal bins, their edges, or a rule that looks at ``x``, all of which is
        computed now: it decides how many there are.
    range : (number, number), optional
        The extremes of ``x`` by default.
    weights : ignored
        As in NumPy.

    Returns
    -------
    numpy.ndarray or Array
        Lazy where they depend on the extremes, a range or edges that are lazy.

    Raises
    ------
    ValueError
        If the edges do not increase, or the range is not finite; for lazy ones when they are
        computed.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.histogram_bin_edges(ga.arange(9, chunks=4), 2).compute()
    array([0., 4., 8.])
    """
    return _bins(_numbers(x), bins, range)[0]


def _numbers(x: Any) -> Array:
    x = as_array(x)
    return x.astype(np.uint8) if x.dtype == bool else x  # as NumPy, which warns


def _bins(x: Array, bins: Any, range: Any) -> tuple[Any, tuple[Any, Any, int] | None]:
    """Edges of bins; of equal ones also the limits, in the dtypes that NumPy computes with."""
    if isinstance(bins, str):
        data, limits = np.asarray(x), _computed(range)  # for a rule that sees the data
        edges = np.histogram_bin_edges(data, bins, limits)
        low, high = limits or ((data.min(), data.max()) if data.size else (0, 1))
        return edges, (low, high, len(edges) - 1)
    bins = as_array(bins) if on_device(bins) else bins
    if isinstance(bins, Array) and bins.ndim:
        return _on_host(_edges_of, bins, shape=known_node(bins).meta.shape, dtype=bins.dtype), None
    if np.ndim(bins):
        return np.histogram_bin_edges(np.asarray([]), bins), None
    n = _number_of_bins(bins)
    low, high = _extremes(x) if range is None else range
    return _equal(partial(_equal_edges, n=n, dtype=x.dtype), low, high, n), (low, high, n)


def _equal(edges: Callable[[Any, Any], Any], low: Any, high: Any, n: int) -> Any:
    """Edges of ``n`` equal bins between limits, lazy where these are."""
    if not isinstance(low, Array) and not isinstance(high, Array):
        return edges(low, high)
    zeros = (
        each.dtype.type(0) if isinstance(each, Array) else type(each)(0) for each in (low, high)
    )
    return _on_host(edges, low, high, shape=(n + 1,), dtype=edges(*zeros).dtype)


def _equal_edges(low: Any, high: Any, n: int, dtype: np.dtype[Any]) -> Any:
    return np.histogram_bin_edges(np.empty(0, dtype), n, (_item(low), _item(high)))


def _edges_of(bins: Any) -> Any:
    return np.histogram_bin_edges(np.asarray([]), bins)


def _item(limit: Any) -> Any:
    """A limit as a number of its dtype, be it an array without axes."""
    return to_host(limit)[()] if hasattr(limit, "dtype") else limit


def _on_host(function: Callable[..., Any], *args: Any, shape: Any, dtype: Any) -> Array:
    """Call a function of small arrays, of which some are lazy, where NumPy is."""
    fixed = [None if isinstance(each, Array) else each for each in args]
    lazy = [to_backend(each, "numpy") for each in args if isinstance(each, Array)]
    return whole(_Filled(function, tuple(fixed)), lazy, shape=shape, dtype=dtype)


@dataclass(frozen=True)
class _Filled:
    """A function some of whose arguments, those that are not None, are there."""

    function: Callable[..., Any]
    fixed: tuple[Any, ...]

    @property
    def __name__(self) -> str:  # for plans and errors
        return "edges"

    def __call__(self, *lazy: Any) -> Any:
        rest = iter(lazy)
        return self.function(*(next(rest) if each is None else each for each in self.fixed))


def _number_of_bins(bins: Any) -> int:
    bins = operator.index(bins)
    if bins < 1:
        raise ValueError("`bins` must be positive, when an integer")
    return int(bins)


def _computed(range: Any) -> tuple[Any, Any] | None:
    if range is None:
        return None
    low, high = (end.compute() if isinstance(end, Array) else end for end in range)
    return low, high


def _extremes(x: Array) -> Any:
    """In the dtype of the elements: Python's numbers are doubles, which count some elsewhere."""
    return (_min(x), _max(x)) if x.size else (0, 1)


def histogram(
    x: Any, bins: Any = 10, range: Any = None, density: bool = False, weights: Any = None
) -> tuple[Array, Any]:
    """Count elements in bins.

    Parameters
    ----------
    x : array
        How many elements there are is counted now where it depends on data.
    bins : int, sequence or str
        A number of equal bins, their edges, or a rule that looks at ``x``, all of which is
        computed now: it decides how many there are.
    range : (number, number), optional
        Of the bins; the extremes of ``x`` by default.
    density : bool
        Normalize so that the integral is 1.
    weights : array, optional
        Of the elements, with the shape of ``x``.

    Returns
    -------
    counts : Array
    edges : numpy.ndarray or Array
        Lazy where they depend on the extremes, a range or edges that are lazy.

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
    x, w = as_given((x, weights), "histogram")
    node = known_node(_numbers(x))
    if isinstance(bins, str) and weights is not None:
        raise TypeError("Automated estimation of the number of bins is not supported with weights")
    edges, equal = _bins(Array(node), bins, range)
    inputs = [node]
    dtype: Any = np.intp
    if w is not None:
        if w.shape != node.meta.shape:
            raise ValueError("weights should have the same shape as a.")
        if w.dtype == bool:
            return _any_in_bins(node, edges, equal, density, w)
        inputs.append(rechunk(known_node(w), node.meta.chunks))
        dtype = w.dtype if w.dtype.kind in "fciu" else np.float64
    function, shared = _Histogram.of(edges, equal, np.dtype(dtype), weights is not None)
    shape = (edges.shape[0] - 1,)
    result = count_blocks(function, inputs, shape, dtype, "histogram", shared)
    return _density(result, edges) if density else result, edges


def _density(counts: Array, edges: Any) -> Array:
    return counts / to_backend(np.diff(edges).astype(float), counts.backend) / counts.sum()


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

    edges: tuple[complex, ...] | None
    edge_dtype: np.dtype[Any]
    equal: tuple[Any, Any, int] | None
    dtype: np.dtype[Any]
    weighted: bool

    @classmethod
    def of(
        cls, edges: Any, equal: Any, dtype: np.dtype[Any], weighted: bool
    ) -> tuple[_Histogram, list[Array]]:
        """Return the function, and the lazy arrays that stand for what is None in it."""
        if equal is not None:
            lazy = [each for each in equal[:2] if isinstance(each, Array)]
            equal = (*(None if isinstance(each, Array) else each for each in equal[:2]), equal[2])
            return cls(None, edges.dtype, equal, dtype, weighted), lazy
        if isinstance(edges, Array):
            return cls(None, edges.dtype, None, dtype, weighted), [edges]
        return cls(tuple(edges.tolist()), edges.dtype, None, dtype, weighted), []

    def __call__(self, chunk: Any, *rest: Any) -> Any:
        flat = chunk.ravel()
        w, lazy = (rest[0].ravel(), iter(rest[1:])) if self.weighted else (None, iter(rest))
        if self.equal is None:
            edges = next(lazy) if self.edges is None else self.edges
            edges = array_namespace(chunk).asarray(edges, dtype=self.edge_dtype)
            counts = seams.histogram(flat, edges, None, w)
        else:
            low, high = (next(lazy) if end is None else end for end in self.equal[:2])
            counts = seams.histogram(flat, self.equal[2], (_item(low), _item(high)), w)
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
        The extremes along each axis by default.
    density : bool
    weights : array of length n, optional

    Returns
    -------
    counts : Array
    edges : list of numpy.ndarray or Array
        Lazy where they depend on extremes, a range or edges that are lazy.

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
    lazy = [each for each in edges if isinstance(each, Array)]
    count = _HistogramDD(
        tuple(None if isinstance(e, Array) else tuple(e.tolist()) for e in edges),
        tuple(e.dtype for e in edges),
        weights is not None,
    )
    shape = tuple(e.shape[0] - 1 for e in edges)
    result = count_blocks(count, inputs, shape, np.float64, "histogramdd", lazy)
    if density:
        total = result.sum()
        for axis, each in enumerate(edges):
            widths = np.diff(each).reshape((-1, *(1,) * (d - 1 - axis)))
            result = result / to_backend(widths, result.backend)
        result = result / total
    return result, edges


def _edges_along(x: Array, bins: Any, range: Any) -> Any:
    """Edges along one axis: NumPy keeps the dtype of the limits here, not that of the sample."""
    if np.ndim(bins):
        return _bins(x, bins, range)[0]
    n = _number_of_bins(bins)
    low, high = _extremes(x) if range is None else range
    return _equal(partial(_equal_edges_of_points, n=n), low, high, n)


def _equal_edges_of_points(low: Any, high: Any, n: int) -> Any:
    """Which refuses what is no range, but not one that is too narrow for a bin, as `histogram`."""
    return np.histogramdd(np.empty((0, 1)), n, [(_item(low), _item(high))])[1][0]


def _columns(sample: Any) -> list[Array]:
    if isinstance(sample, list | tuple):
        arrays = as_arrays(sample, "histogramdd")
        return [a.astype(np.result_type(*arrays)) for a in arrays]
    sample = as_array(sample)
    if sample.ndim == 1:
        return [sample]
    return [sample[:, k] for k in np.arange(sample.shape[1]).tolist()]


@dataclass(frozen=True)
class _HistogramDD:
    """Count the points of one block."""

    edges: tuple[tuple[float, ...] | None, ...]
    dtypes: tuple[np.dtype[Any], ...]
    weighted: bool

    def __call__(self, *chunks: Any) -> Any:
        xp = array_namespace(chunks[0])
        d = len(self.edges)
        columns, weights = chunks[:d], chunks[d] if self.weighted else None
        lazy = iter(chunks[d + self.weighted :])
        every = [
            xp.asarray(next(lazy) if each is None else each, dtype=dtype)
            for each, dtype in zip(self.edges, self.dtypes, strict=True)
        ]
        points = xp.stack([c.ravel() for c in columns])
        cells, shape = 0, tuple(len(edges) + 1 for edges in every)  # and those outside
        for column, edges in zip(points, every, strict=True):
            # The last bin holds both its edges.
            bins = xp.searchsorted(edges, column, side="right") - (column == edges[-1])
            cells = cells * (len(edges) + 1) + bins
        counts = seams.bincount(cells, None if weights is None else weights.ravel(), prod(shape))
        return counts.reshape(shape)[(slice(1, -1),) * len(shape)].astype(float)
