"""Factorizations of single blocks, in terms of matrix products, for any backend."""

from __future__ import annotations

from typing import Any

from gpuscale.backends.seams import array_namespace

__all__ = ["lu_factor", "parity", "solve_triangular_block"]

_SMALL_SYSTEM = 64
_NARROW_PANEL = 16


def solve_triangular_block(t: Any, b: Any, lower: bool, unit: bool = False) -> Any:
    """Solve ``t @ x = b`` for a triangular ``t``, of which only that triangle is read.

    Halves are solved one after the other, so that most of the work is a matrix product
    (Golub and Van Loan, Matrix Computations, 3.1.4).

    Parameters
    ----------
    t : array (n, n)
    b : array (n, m)
    lower : bool
    unit : bool
        The diagonal is taken for ones.

    Raises
    ------
    numpy.linalg.LinAlgError
        If there is a zero on the diagonal.

    Examples
    --------
    >>> import numpy as np
    >>> solve_triangular_block(np.array([[2.0, 9.0], [1.0, 1.0]]), np.array([[2.0], [4.0]]), True)
    array([[1.],
           [3.]])
    """
    xp = array_namespace(t)
    n = t.shape[0]
    if n <= _SMALL_SYSTEM:
        if unit:
            strict = xp.tril(t, -1) if lower else xp.triu(t, 1)
            return xp.linalg.solve(strict + xp.eye(n, dtype=t.dtype), b)
        return xp.linalg.solve(xp.tril(t) if lower else xp.triu(t), b)
    half = n // 2
    first, second = (slice(0, half), slice(half, n))
    if not lower:
        first, second = second, first
    x = xp.empty(b.shape, dtype=b.dtype)
    x[first] = solve_triangular_block(t[first, first], b[first], lower, unit)
    rest = b[second] - t[second, first] @ x[first]
    x[second] = solve_triangular_block(t[second, second], rest, lower, unit)
    return x


def lu_factor(a: Any) -> tuple[Any, Any]:
    """Factorize a matrix by elimination with the largest pivot of each column.

    Columns are halved again and again, so that most of the work is matrix products
    (Toledo, Locality of reference in LU decomposition with partial pivoting, 1997).

    Parameters
    ----------
    a : array (m, n)

    Returns
    -------
    tuple
        The order in which rows were taken, and a copy of the matrix that holds L below the
        diagonal and U on and above it: ``L @ U == a[order]``.

    Examples
    --------
    >>> import numpy as np
    >>> order, both = lu_factor(np.array([[1.0, 2.0], [2.0, 2.0]]))
    >>> order, both.tolist()
    (array([1, 0]), [[2.0, 2.0], [0.5, 1.0]])
    """
    both = a.copy()
    return _factor_in_place(both), both


def _factor_in_place(a: Any) -> Any:
    xp = array_namespace(a)
    m, n = a.shape
    if min(m, n) <= _NARROW_PANEL:
        return _factor_columns(a)
    half = min(m, n) // 2
    order = _factor_in_place(a[:, :half])
    a[:, half:] = a[order, half:]
    a[:half, half:] = solve_triangular_block(a[:half, :half], a[:half, half:], True, unit=True)
    a[half:, half:] -= a[half:, :half] @ a[:half, half:]
    later = _factor_in_place(a[half:, half:])
    a[half:, :half] = a[half:, :half][later]
    return xp.concatenate([order[:half], order[half:][later]])


def _factor_columns(a: Any) -> Any:
    xp = array_namespace(a)
    m, n = a.shape
    order = xp.arange(m)
    for k in range(min(m, n)):
        # No number is looked at, for which a device would be waited for.
        rows = xp.full(2, k)
        rows[1:] += xp.argmax(xp.abs(a[k:, k]))
        a[rows], order[rows] = a[rows[::-1]], order[rows[::-1]]
        pivot = a[k, k]  # where it is zero, so is all below it
        a[k + 1 :, k] /= xp.where(pivot == 0, 1, pivot)
        a[k + 1 :, k + 1 :] -= a[k + 1 :, k : k + 1] * a[k : k + 1, k + 1 :]
    return order


def parity(order: Any) -> int:
    """Sign of a permutation.

    Examples
    --------
    >>> import numpy as np
    >>> parity(np.array([1, 0, 2])), parity(np.array([1, 2, 0]))
    (-1, 1)
    """
    following = order.tolist()
    seen = [False] * len(following)
    sign = 1
    for start in range(len(following)):
        length, at = 0, start
        while not seen[at]:
            seen[at] = True
            at = following[at]
            length += 1
        if length and length % 2 == 0:
            sign = -sign
    return sign
