"""Products of linalg that differ from those of the main namespace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpuscale.array.api import matrices as _matrices
from gpuscale.array.api import products
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_arrays
from gpuscale.array.ufunc import into

__all__ = ["cross", "diagonal", "multi_dot", "outer", "trace"]


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Array:
    """Vector product of vectors with three elements.

    Raises
    ------
    ValueError
        If vectors have another length.
    """
    a, b = as_arrays((x1, x2), "cross")
    lengths = a.shape[axis], b.shape[axis]
    if lengths != (3, 3):
        raise ValueError(
            "Both input arrays must be (arrays of) 3-dimensional vectors, but they are "
            f"{lengths[0]} and {lengths[1]} dimensional instead."
        )
    return products.cross(a, b, axis=axis)


def outer(x1: Any, x2: Any, /) -> Array:
    """Products of all pairs of elements of two vectors.

    Raises
    ------
    ValueError
        If an array does not have one axis.
    """
    a, b = as_arrays((x1, x2), "outer")
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(
            f"Input arrays must be one-dimensional, but they are x1.ndim={a.ndim} and "
            f"x2.ndim={b.ndim}."
        )
    return products.outer(a, b)


def diagonal(x: Any, /, *, offset: int = 0) -> Array:
    """Diagonals of matrices along the last two axes."""
    return _matrices.diagonal(x, offset, -2, -1)


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Array:
    """Sums along the diagonals of matrices along the last two axes."""
    return _matrices.trace(x, offset, -2, -1, dtype)


def multi_dot(arrays: Sequence[Any], *, out: Any = None) -> Array:
    """Product of several matrices, in the order that takes the fewest multiplications.

    Parameters
    ----------
    arrays : sequence of array
        The first and the last may be vectors.
    out : Array, optional

    Raises
    ------
    ValueError
        If there are less than two arrays, or the shapes do not fit.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.linalg.multi_dot([ga.ones((2, 3)), ga.ones((3, 4)), ga.ones(4)]).compute()
    array([12., 12.])
    """
    items = as_arrays(arrays, "multi_dot")
    if len(items) < 2:
        raise ValueError("Expecting at least two arrays.")
    row, column = items[0].ndim == 1, items[-1].ndim == 1
    items[0] = items[0][None, :] if row else items[0]
    items[-1] = items[-1][:, None] if column else items[-1]
    if any(x.ndim != 2 for x in items):
        raise ValueError(f"multi_dot takes matrices, the shapes are {[x.shape for x in items]}")
    lengths = [items[0].shape[0], *(x.shape[1] for x in items)]
    product = _product(items, _splits(lengths), 0, len(items) - 1)
    result = product[0] if row else product
    return into(out, result[..., 0] if column else result)


def _splits(lengths: Sequence[int]) -> dict[tuple[int, int], int]:
    """Where to split each run of matrices (Cormen et al., Introduction to Algorithms, 14.2)."""
    n = len(lengths) - 1
    cost = {(i, i): 0 for i in range(n)}
    split: dict[tuple[int, int], int] = {}
    for width in range(1, n):
        for i in range(n - width):
            j = i + width
            choices = [
                (cost[i, k] + cost[k + 1, j] + lengths[i] * lengths[k + 1] * lengths[j + 1], k)
                for k in range(i, j)
            ]
            cost[i, j], split[i, j] = min(choices)
    return split


def _product(items: list[Array], split: dict[tuple[int, int], int], i: int, j: int) -> Array:
    if i == j:
        return items[i]
    k = split[i, j]
    return products.matmul(_product(items, split, i, k), _product(items, split, k + 1, j))
