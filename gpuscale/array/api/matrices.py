"""Arrays from grids of indices: triangles, diagonals, meshes, functions of the position."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpuscale.array.api.creation import arange, eye, full, linspace, zero, zeros
from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.index_functions import (
    axis_index,
    index_function,
    is_lazy,
    shape_of,
)
from gpuscale.array.api.joining import concatenate, stack
from gpuscale.array.api.manipulation import broadcast_arrays, broadcast_to, moveaxis
from gpuscale.array.api.reshaping import ravel
from gpuscale.array.collection import Array
from gpuscale.array.construct import view
from gpuscale.array.convert import as_array, as_arrays, known_node, placed
from gpuscale.array.ufunc import call
from gpuscale.backends.creation import resolve_backend
from gpuscale.chunks import views
from gpuscale.codegen.program import ProgramBuilder

__all__ = [
    "diag",
    "diagflat",
    "diagonal",
    "fromfunction",
    "geomspace",
    "indices",
    "logspace",
    "meshgrid",
    "trace",
    "tri",
    "tril",
    "triu",
    "vander",
]


def _below(shape: tuple[int, ...], k: int, chunks: Any, backend: str) -> Array:
    """Say which elements of the last two axes lie on or below the k-th diagonal."""
    builder = ProgramBuilder()
    limit = builder.apply("add", builder.index(0), builder.param(0, np.dtype(np.int64)))
    value = builder.apply("less_equal", builder.index(1), limit)
    ndim = len(shape)
    axes = (axis_index(ndim - 2, ndim), axis_index(ndim - 1, ndim))
    return index_function(builder, value, axes, (np.int64(k),), shape, chunks, "tri", backend)


def tri(
    n_rows: int,
    n_cols: int | None = None,
    k: int = 0,
    dtype: Any = float,
    *,
    chunks: Any = "auto",
    like: Any = None,
    backend: str | None = None,
) -> Array:
    """Ones on and below the k-th diagonal, zeros above.

    Parameters
    ----------
    n_rows, n_cols : int
        Square by default.
    k : int
    dtype : dtype
    chunks, like, backend
        As for `full`.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.tri(2, 3, dtype=int).compute()
    array([[1, 0, 0],
           [1, 1, 0]])
    """
    shape = shape_of((n_rows, n_rows if n_cols is None else n_cols))
    return _below(shape, k, chunks, resolve_backend(like, backend, dtype)).astype(dtype)


def _triangle(x: Any, k: int, lower: bool) -> Array:
    x = as_array(x)
    if x.ndim == 1:
        x = broadcast_to(x, (x.shape[0], x.shape[0]))
    if x.ndim == 0:
        raise ValueError("Input must have at least one axis")
    nothing = zero(x.dtype)
    mask = _below(x.shape, k if lower else k - 1, x.chunks, x.backend)
    return call("where", mask, x, nothing) if lower else call("where", mask, nothing, x)


def tril(x: Any, /, k: int = 0) -> Array:
    """Zero the elements above the k-th diagonal of the last two axes."""
    return _triangle(x, k, lower=True)


def triu(x: Any, /, k: int = 0) -> Array:
    """Zero the elements below the k-th diagonal of the last two axes."""
    return _triangle(x, k, lower=False)


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """One diagonal of two axes, as a new last axis.

    Raises
    ------
    ValueError
        If there are fewer than two axes.
    """
    node = known_node(x)
    return Array(view(node, views.diagonal(node.meta.shape, offset, axis1, axis2)))


def diag(v: Any, k: int = 0) -> Array:
    """The k-th diagonal of a matrix, or the matrix with that diagonal.

    Raises
    ------
    ValueError
        If there are not one or two axes.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.diag(ga.arange(2)).compute()
    array([[0, 0],
           [0, 1]])
    """
    v = as_array(v)
    if v.ndim == 2:
        return diagonal(v, k)
    if v.ndim != 1:
        raise ValueError("Input must be 1- or 2-d.")
    n = v.shape[0]
    core = call(
        "where", eye(n, dtype=bool, chunks=(v.chunks[0], v.chunks[0]), like=v), v, zero(v.dtype)
    )
    if not k:
        return core
    along = zeros((n, abs(k)), v.dtype, like=v)
    across = zeros((abs(k), n + abs(k)), v.dtype, like=v)
    if k > 0:
        return concatenate([concatenate([along, core], 1), across], 0)
    return concatenate([across, concatenate([core, along], 1)], 0)


def diagflat(v: Any, k: int = 0) -> Array:
    """Matrix with the flattened elements on the k-th diagonal."""
    return diag(ravel(v), k)


def trace(x: Any, /, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Array:
    """Sum along a diagonal of two axes."""
    result: Array = diagonal(x, offset, axis1, axis2).sum(axis=-1, dtype=dtype)
    return result


def indices(
    dimensions: Sequence[int],
    dtype: Any = int,
    sparse: bool = False,
    *,
    chunks: Any = "auto",
    like: Any = None,
    backend: str | None = None,
) -> Any:
    """Positions along each axis of a grid.

    Parameters
    ----------
    dimensions : sequence of int
    dtype : dtype
    sparse : bool
        Return a tuple of arrays that broadcast against each other instead of one array.
    chunks, like, backend
        As for `full`, of the grid.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.indices((2, 2)).compute()[1]
    array([[0, 1],
           [0, 1]])
    """
    shape = shape_of(tuple(dimensions))
    ndim = len(shape)
    name = resolve_backend(like, backend)
    grids = []
    for axis in range(ndim):
        lengths = tuple(n if k == axis else 1 for k, n in enumerate(shape)) if sparse else shape
        builder = ProgramBuilder()
        value = builder.cast(builder.index(0), np.dtype(dtype))
        index = (axis_index(axis, ndim),)
        grid = index_function(
            builder, value, index, (), lengths, "auto" if sparse else chunks, "indices", name
        )
        grids.append(grid)
    if sparse:
        return tuple(grids)
    return stack(grids) if grids else full((0,), 0, dtype)


def meshgrid(
    *xi: Any, sparse: bool = False, indexing: str = "xy", copy: bool = True
) -> tuple[Array, ...]:
    """Coordinate arrays from coordinate vectors.

    Parameters
    ----------
    *xi : array
        With one axis each.
    sparse : bool
        Keep axes of length 1 instead of broadcasting.
    indexing : {"xy", "ij"}
        Whether the first two axes of the result are (y, x) or (x, y).
    copy : bool
        Accepted for NumPy's sake.

    Raises
    ------
    ValueError
        If ``indexing`` is neither.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    vectors = [ravel(x) for x in as_arrays(xi, "meshgrid")]
    n = len(vectors)
    place = list(range(n))
    if indexing == "xy" and n > 1:
        place[0], place[1] = 1, 0
    grids = [
        x[tuple(slice(None) if axis == place[k] else None for axis in range(n))]
        for k, x in enumerate(vectors)
    ]
    if sparse or not grids:
        return tuple(grids)
    lengths = [0] * n
    for k, x in enumerate(vectors):
        lengths[place[k]] = x.shape[0]
    chunks = {place[k]: x.chunks[0] for k, x in enumerate(vectors)}
    return tuple(broadcast_to(g, tuple(lengths), chunks) for g in grids)


def fromfunction(
    function: Callable[..., Any],
    shape: Any,
    *,
    chunks: Any = "auto",
    dtype: Any = float,
    like: Any = None,
    backend: str | None = None,
    **kwargs: Any,
) -> Array:
    """Call a function on the grids of positions; it sees lazy arrays, so its work fuses.

    Parameters
    ----------
    function : callable
        Called as ``function(*grids, **kwargs)``.
    shape : tuple of int
    chunks, like, backend
        As for `full`; of the grids.
    dtype : dtype
        Of the grids.
    **kwargs
        Passed to the function.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.fromfunction(lambda i, j: i + j, (2, 2), dtype=int).compute()
    array([[0, 1],
           [1, 2]])
    """
    lengths = shape_of(shape)
    name = resolve_backend(like, backend, dtype)
    grids = [
        broadcast_to(grid, lengths, chunks)
        for grid in indices(lengths, dtype, sparse=True, backend=name)
    ]
    result = as_array(function(*grids, **kwargs))
    return result if result.shape == lengths else broadcast_to(result, lengths)


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10.0,
    dtype: Any = None,
    **kwargs: Any,
) -> Array:
    """Numbers spaced evenly on a logarithmic scale, from ``base**start`` to ``base**stop``."""
    exponents = linspace(start, stop, num, endpoint=endpoint, **kwargs)
    result = call("power", float(base), exponents)
    return result if dtype is None else result.astype(dtype)


def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
    **kwargs: Any,
) -> Array:
    """Numbers with one ratio between neighbours, from ``start`` to ``stop``, real and not zero.

    Parameters
    ----------
    start, stop : number or array
        Lazy ones stay lazy.
    num, endpoint, dtype, axis
        As for `linspace`.
    **kwargs
        ``chunks``, ``like``, ``backend`` and ``device`` as for `full`.

    Raises
    ------
    ValueError
        If one end is zero, or the signs differ; of arrays when they are computed.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.geomspace(1, ga.asarray([4, 16]), 3).compute()
    array([[ 1.,  1.],
           [ 2.,  4.],
           [ 4., 16.]])
    """
    if any(is_lazy(end) or np.ndim(end) for end in (start, stop)):
        start, stop = broadcast_arrays(*as_arrays((start, stop), "geomspace"))
        start = map_blocks(_checked_start, start, stop, dtype=start.dtype, name="geomspace")
        ends: tuple[Any, ...] = (start, stop)
    else:
        _checked_start(np.asarray(start), np.asarray(stop))
        ends = (float(start), float(stop))
    low, high = np.log10(abs(start)), np.log10(abs(stop))
    result = np.sign(ends[0]) * logspace(low, high, num, endpoint, **kwargs)
    first, last = (placed(end, result) if is_lazy(end) else end for end in ends)
    places = arange(num, chunks=result.chunks[:1], like=result)
    places = places[(..., *(None,) * (result.ndim - 1))]
    if num:
        result = call("where", places == 0, first, result)
    if endpoint and num > 1:
        result = call("where", places == num - 1, last, result)
    return moveaxis(result if dtype is None else result.astype(dtype), 0, axis)


def _checked_start(start: Any, stop: Any) -> Any:
    """Return the start, which all numbers depend on, if the ends may be those of a sequence."""
    if ((start == 0) | (stop == 0)).any():
        raise ValueError("Geometric sequence cannot include zero")
    if ((start < 0) != (stop < 0)).any():
        raise ValueError("start and stop must have the same sign")
    return start


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Array:
    """Matrix of powers of a vector.

    Raises
    ------
    ValueError
        If ``x`` does not have one axis.
    """
    x = as_array(x)
    if x.ndim != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    n = x.shape[0] if N is None else N
    powers = arange(n, like=x) if increasing else arange(n - 1, -1, -1, like=x)
    result = call("power", x[:, None], powers[None, :])
    return result.astype(np.promote_types(x.dtype, int))
