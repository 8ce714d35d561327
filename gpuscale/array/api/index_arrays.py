"""Arrays to index with: diagonals, triangles, open meshes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpuscale.array.api.creation import arange, ones
from gpuscale.array.api.masking import select_axis
from gpuscale.array.api.searching import coordinates, nonzero
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array
from gpuscale.chunks.blocks import offsets

__all__ = [
    "diag_indices",
    "diag_indices_from",
    "index_exp",
    "ix_",
    "mask_indices",
    "ndindex",
    "s_",
    "tril_indices",
    "tril_indices_from",
    "triu_indices",
    "triu_indices_from",
]

index_exp, s_, ndindex = np.index_exp, np.s_, np.ndindex


def ix_(*args: Any) -> tuple[Array, ...]:
    """Open mesh from sequences: indexing with it takes every combination.

    Parameters
    ----------
    *args : arrays of int or bool
        One-dimensional. A mask stands for the positions that it keeps, which are counted now.

    Raises
    ------
    ValueError
        If one of them is not one-dimensional.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.arange(12, chunks=5).reshape((3, 4))[ga.ix_([0, 2], [1, 3])].compute()
    array([[ 1,  3],
           [ 9, 11]])
    """
    mesh = []
    for axis, each in enumerate(args):
        if not isinstance(each, Array) and np.size(each) == 0:
            each = np.asarray(each).astype(np.intp)  # an empty list says nothing about its type
        x = as_array(each)
        if x.ndim != 1:
            raise ValueError("Cross index must be 1 dimensional")
        if x.dtype.kind == "b":
            x = nonzero(x)[0].compute_chunk_sizes()
        mesh.append(x[tuple(slice(None) if k == axis else None for k in range(len(args)))])
    return tuple(mesh)


def diag_indices(n: int, ndim: int = 2) -> tuple[Array, ...]:
    """Positions of the main diagonal of an array with ``ndim`` axes of length ``n``.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> [a.compute().tolist() for a in ga.diag_indices(3)]
    [[0, 1, 2], [0, 1, 2]]
    """
    return (arange(n),) * ndim


def diag_indices_from(arr: Any) -> tuple[Array, ...]:
    """Positions of the main diagonal of an array.

    Raises
    ------
    ValueError
        If it has fewer than two axes, or axes of different lengths.
    """
    x = as_array(arr)
    if x.ndim < 2:
        raise ValueError("input array must be at least 2-d")
    if len(set(x.shape)) > 1:
        raise ValueError("All dimensions of input must be of equal length")
    return diag_indices(x.shape[0], x.ndim)


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Array, Array]:
    """Positions of the lower triangle of a matrix, on and below its k-th diagonal.

    Parameters
    ----------
    n : int
        Rows.
    k : int
    m : int, optional
        Columns, as many as rows by default.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> [a.compute().tolist() for a in ga.tril_indices(2)]
    [[0, 1, 1], [0, 0, 1]]
    """
    return _triangle(n, n if m is None else m, k, lower=True)


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Array, Array]:
    """Positions of the upper triangle of a matrix, on and above its k-th diagonal.

    Parameters are those of `tril_indices`.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> [a.compute().tolist() for a in ga.triu_indices(2)]
    [[0, 0, 1], [0, 1, 1]]
    """
    return _triangle(n, n if m is None else m, k, lower=False)


def tril_indices_from(arr: Any, k: int = 0) -> tuple[Array, Array]:
    """Positions of the lower triangle of a matrix; see `tril_indices`.

    Raises
    ------
    ValueError
        If the array has not two axes.
    """
    return tril_indices(_rows(arr), k, as_array(arr).shape[1])


def triu_indices_from(arr: Any, k: int = 0) -> tuple[Array, Array]:
    """Positions of the upper triangle of a matrix; see `triu_indices`.

    Raises
    ------
    ValueError
        If the array has not two axes.
    """
    return triu_indices(_rows(arr), k, as_array(arr).shape[1])


def _rows(arr: Any) -> int:
    x = as_array(arr)
    if x.ndim != 2:
        raise ValueError("input array must be 2-d")
    return x.shape[0]


def mask_indices(n: int, mask_func: Callable[..., Any], k: Any = 0) -> tuple[Array, ...]:
    """Positions that a function such as `triu` leaves in a square of ones.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> [a.compute().tolist() for a in ga.mask_indices(2, ga.triu, 1)]
    [[0], [1]]
    """
    return nonzero(mask_func(ones((n, n), dtype=int), k))


def _triangle(n_rows: int, n_columns: int, k: int, *, lower: bool) -> tuple[Array, Array]:
    """Positions of a triangle; how many each block keeps follows from the shape."""
    numbers = arange(n_rows * n_columns)
    row, column = coordinates(numbers, (n_rows, n_columns))
    flags = column <= row + k if lower else column >= row + k
    cuts = np.asarray(offsets(numbers.chunks[0]))
    counts = np.diff(_kept_before(cuts, n_rows, n_columns, k, lower))
    kept = select_axis(numbers.expr, flags.expr, 0, tuple(counts.tolist()))
    rows, columns = coordinates(Array(kept), (n_rows, n_columns))
    return rows, columns


def _kept_before(cuts: Any, n_rows: int, n_columns: int, k: int, lower: bool) -> Any:
    """How many positions of a triangle come before some numbers in C order."""
    edge = np.clip(np.arange(n_rows + 1) + k + lower, 0, n_columns)  # first column not below
    starts, ends = (np.zeros_like(edge), edge) if lower else (edge, np.full_like(edge, n_columns))
    totals = np.concatenate([[0], np.cumsum(ends - starts)])
    row, column = np.divmod(cuts, max(n_columns, 1))
    return totals[row] + np.clip(column, starts[row], ends[row]) - starts[row]
