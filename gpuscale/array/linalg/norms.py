"""Norms of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from gpuscale.array.api.elementwise import abs as _abs
from gpuscale.array.api.elementwise import sqrt
from gpuscale.array.api.manipulation import expand_dims, moveaxis
from gpuscale.array.api.reductions import max as _max
from gpuscale.array.api.reductions import min as _min
from gpuscale.array.api.reductions import sum as _sum
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array
from gpuscale.array.linalg.orthogonal import svdvals
from gpuscale.array.linalg.solve import inv
from gpuscale.array.ufunc import call
from gpuscale.chunks.axes import normalize_axes

__all__ = ["cond", "matrix_norm", "norm", "vector_norm"]


def _inexact(x: Any) -> Array:
    array = as_array(x)
    return array if array.dtype.kind in "fcO" else array.astype(float)


def _squares(x: Array) -> Array:
    """Squared absolute values, without a root that would only be undone."""
    if x.dtype.kind != "c":
        return x * x
    return x.real * x.real + x.imag * x.imag


def norm(
    x: Any, ord: Any = None, axis: int | tuple[int, ...] | None = None, keepdims: bool = False
) -> Array:
    """Norm of vectors or matrices.

    Parameters
    ----------
    x : array
    ord : {None, "fro", "nuc"} or number
        As in `numpy.linalg.norm`.
    axis : int or (int, int), optional
        Of vectors or of matrices; without it and without ``ord``, of all elements.
    keepdims : bool

    Raises
    ------
    ValueError
        If the order is not one of vectors, or of matrices, or there are more than two axes.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.linalg.norm(ga.asarray([3.0, 4.0])).compute()
    np.float64(5.0)
    """
    array = _inexact(x)
    if axis is None:
        axes = tuple(range(array.ndim))
        if ord is None:
            return sqrt(_sum(_squares(array), axis=axes, keepdims=keepdims))
    else:
        if not isinstance(axis, tuple) and not hasattr(axis, "__index__"):
            raise TypeError("'axis' must be None, an integer or a tuple of integers")
        axes = normalize_axes(axis, array.ndim)
    if len(axes) == 1:
        return _vector_norm(array, axes, ord, keepdims)
    if len(axes) == 2:
        return _matrix_norm(array, axes, "fro" if ord is None else ord, keepdims)
    raise ValueError("Improper number of dimensions to norm.")


def _vector_norm(x: Array, axes: tuple[int, ...], order: Any, keepdims: bool) -> Array:
    options: dict[str, Any] = {"axis": axes, "keepdims": keepdims}
    if isinstance(order, str):
        raise ValueError(f"Invalid norm order '{order}' for vectors")
    if order is None or order == 2:
        return sqrt(_sum(_squares(x), **options))
    size = _abs(x)
    if order == np.inf:
        empty = 0 in (x.shape[axis] for axis in axes)
        return _sum(size, **options) if empty else _max(size, **options)
    if order == -np.inf:
        return _min(size, **options)
    if order == 0:
        return _sum((x != 0).astype(size.dtype), **options)
    if order == 1:
        return _sum(size, **options)
    return _sum(size ** float(order), **options) ** (1 / float(order))


def _matrix_norm(x: Array, axes: tuple[int, ...], order: Any, keepdims: bool) -> Array:
    if order in ("fro", "f"):
        return sqrt(_sum(_squares(x), axis=axes, keepdims=keepdims))
    reduce: dict[Any, Any] = {2: _max, -2: _min, "nuc": _sum}
    if order in reduce:
        values = svdvals(moveaxis(x, axes, (-2, -1)))
        result = reduce[order](values, axis=-1)
    elif order in (1, -1, np.inf, -np.inf):
        along, across = axes if abs(order) == 1 else axes[::-1]
        sums = _sum(_abs(x), axis=along)
        result = (_max if order > 0 else _min)(sums, axis=across - (across > along))
    else:
        raise ValueError("Invalid norm order for matrices.")
    return expand_dims(result, tuple(sorted(axes))) if keepdims else result


def vector_norm(
    x: Any, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False, ord: Any = 2
) -> Array:
    """Norm of vectors, along some axes together or of all elements.

    Raises
    ------
    ValueError
        If ``ord`` is no number.
    """
    array = _inexact(x)
    return _vector_norm(array, normalize_axes(axis, array.ndim), ord, keepdims)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    """Norm of the matrices along the last two axes.

    Raises
    ------
    ValueError
        If there is no such order.
    """
    return norm(x, ord, (-2, -1), keepdims)


def cond(x: Any, p: Any = None) -> Array:
    """Condition number of matrices: how much they amplify relative errors.

    Parameters
    ----------
    x : array (..., m, n)
    p : order of the norm, optional
        By default the largest singular value over the smallest.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the matrices have no elements.
    """
    array = _inexact(x)
    if array.size == 0 and 0 in array.shape[-2:]:
        raise LinAlgError("cond is not defined on empty arrays")
    if p is None or p in (2, -2):
        values = svdvals(array)
        first, last = values[..., 0], values[..., -1]
        ratio = last / first if p == -2 else first / last
    else:
        ratio = norm(array, p, (-2, -1)) * norm(inv(array), p, (-2, -1))
    # Singular matrices give NaN where infinity is meant, unless they hold NaN themselves.
    missing = call("isnan", array).any(axis=(-2, -1))
    unsure = call("logical_and", call("isnan", ratio), call("logical_not", missing))
    return call("where", unsure, ratio.dtype.type(np.inf), ratio)
