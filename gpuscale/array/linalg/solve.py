"""Linear systems, inverses and determinants."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

from numpy.linalg import LinAlgError

from gpuscale.array.api.creation import eye
from gpuscale.array.api.elementwise import abs as _abs
from gpuscale.array.api.elementwise import exp, log, sign
from gpuscale.array.api.functional import whole
from gpuscale.array.api.manipulation import broadcast_to, moveaxis
from gpuscale.array.api.matrices import diagonal
from gpuscale.array.api.products import matmul
from gpuscale.array.api.reductions import prod as _prod
from gpuscale.array.api.reshaping import reshape
from gpuscale.array.batched import Output, batched
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array, as_arrays
from gpuscale.array.linalg.checks import ROOM, is_cut, matrices, real_dtype, require_square
from gpuscale.array.linalg.factor import adjoint, cholesky, eliminate, system, triangular
from gpuscale.array.linalg.kernels import parity
from gpuscale.backends.seams import array_namespace, to_host
from gpuscale.expr.node import Node

__all__ = [
    "SlogdetResult",
    "det",
    "inv",
    "matrix_power",
    "slogdet",
    "solve",
    "tensorinv",
    "tensorsolve",
]


def _solve(a: Any, b: Any) -> Any:
    return array_namespace(a).linalg.solve(a, b)


def solve(a: Any, b: Any, /, *, assume_a: str = "gen") -> Array:
    """Solve linear systems.

    One large matrix in several blocks is eliminated by panels of columns, with the right-hand
    sides beside it; other matrices are solved by LAPACK, a block of a stack at a time.

    Parameters
    ----------
    a : array (..., n, n)
    b : array (n,) or (..., n, m)
    assume_a : {"gen", "pos"}
        "pos": the matrix is Hermitian and positive definite, which takes half the work.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the matrices are not square; when it is computed, if one is singular.
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.linalg.solve([[2.0, 0.0], [1.0, 1.0]], ga.asarray([2.0, 4.0])).compute()
    array([1., 3.])
    """
    if assume_a not in ("gen", "pos"):
        raise ValueError(f"assume_a is 'gen' or 'pos', not {assume_a!r}")
    left, right, columns = system(a, b)
    if not is_cut(left):
        core = (left.meta.shape[-1], right.meta.shape[-1])
        (x,) = batched(
            _solve, [left, right], [2, 2], [Output(core, left.meta.dtype)], "solve", ROOM["solve"]
        )
    elif assume_a == "pos":
        lower = cholesky(Array(left))
        half = triangular(lower.expr, right, lower=True)
        x = triangular(adjoint(lower).expr, half, lower=False)
    else:
        x = _solve_by_blocks(left, right)
    return Array(x) if columns else Array(x)[..., 0]


def _solve_by_blocks(a: Node, b: Node) -> Node:
    done = eliminate(a, b)
    upper = done.upper(a.meta.chunks[1])
    return triangular(upper, done.reduced(b.meta.chunks[1]), lower=False)


def _inv(a: Any) -> Any:
    return array_namespace(a).linalg.inv(a)


def inv(a: Any, /) -> Array:
    """Inverses of matrices.

    Raises
    ------
    numpy.linalg.LinAlgError
        If they are not square; when it is computed, if one is singular.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.linalg.inv(ga.asarray([[2.0, 0.0], [0.0, 4.0]])).compute()
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """
    (node,) = matrices(a)
    n = require_square(node)
    if not is_cut(node):
        return Array(
            batched(_inv, [node], [2], [Output((n, n), node.meta.dtype)], "inv", ROOM["inv"])[0]
        )
    unit = eye(n, dtype=node.meta.dtype, chunks=node.meta.chunks, like=Array(node))
    return Array(_solve_by_blocks(node, unit.expr))


# --- determinants --------------------------------------------------------------------------------


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the absolute value of determinants."""

    sign: Array
    logabsdet: Array


def _slogdet(a: Any) -> tuple[Any, Any]:
    return tuple(array_namespace(a).linalg.slogdet(a))


def slogdet(a: Any, /) -> SlogdetResult:
    """Sign and logarithm of determinants, which may be too large or small for a number.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the matrices are not square.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> sign, logabsdet = ga.linalg.slogdet(-1 * ga.eye(3))
    >>> sign.compute(), logabsdet.compute()
    (np.float64(-1.0), np.float64(0.0))
    """
    (node,) = matrices(a)
    require_square(node)
    dtype = node.meta.dtype
    if not is_cut(node):
        outputs = [Output((), dtype), Output((), real_dtype(dtype))]
        return SlogdetResult(
            *map(Array, batched(_slogdet, [node], [2], outputs, "slogdet", ROOM["det"]))
        )
    pivots, turned = _pivots(node)
    return SlogdetResult(_prod(sign(pivots)) * turned, log(_abs(pivots)).sum())


def _pivots(node: Node) -> tuple[Array, Array]:
    """Diagonal of U, and the sign of the permutation."""
    done = eliminate(node)
    upper = Array(done.upper(node.meta.chunks[1]))
    order = Array(done.order(node.meta.shape[0]))
    turned = whole(_parity, order, node.meta.dtype, shape=(), dtype=node.meta.dtype)
    return diagonal(upper), turned


def _parity(order: Any, dtype: Any) -> Any:
    return array_namespace(order).asarray(parity(to_host(order)), dtype=dtype)


def _det(a: Any) -> Any:
    return array_namespace(a).linalg.det(a)


def det(a: Any, /) -> Array:
    """Determinants of matrices.

    Raises
    ------
    numpy.linalg.LinAlgError
        If they are not square.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.linalg.det(ga.asarray([[0.0, 1.0], [1.0, 0.0]])).compute()
    np.float64(-1.0)
    """
    (node,) = matrices(a)
    require_square(node)
    if not is_cut(node):
        return Array(
            batched(_det, [node], [2], [Output((), node.meta.dtype)], "det", ROOM["det"])[0]
        )
    signs, logarithm = slogdet(Array(node))
    return signs * exp(logarithm)


# --- tensors -------------------------------------------------------------------------------------


def tensorsolve(a: Any, b: Any, axes: Sequence[int] | None = None) -> Array:
    """Solve ``tensordot(a, x, x.ndim) == b``.

    Parameters
    ----------
    a : array
        Its first axes are those of ``b``, the others those of the solution.
    b : array
    axes : sequence of int, optional
        Axes of ``a`` to move to its end first.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the axes of the solution do not have as many elements as ``b``.
    """
    x, y = as_arrays((a, b), "tensorsolve")
    if axes is not None:
        x = moveaxis(x, tuple(axes), tuple(range(x.ndim - len(tuple(axes)), x.ndim)))
    shape = x.shape[y.ndim :]
    if prod(shape) ** 2 != x.size:
        raise LinAlgError(
            "Input arrays must satisfy the requirement prod(a.shape[b.ndim:]) == "
            f"prod(a.shape[:b.ndim]); the shapes are {x.shape} and {y.shape}"
        )
    n = prod(shape)
    return reshape(solve(reshape(x, (n, n)), reshape(y, (n,))), shape)


def tensorinv(a: Any, ind: int = 2) -> Array:
    """Inverse of a tensor under `tensordot`, whose first ``ind`` axes are those of its rows.

    Raises
    ------
    ValueError
        If ``ind`` is not positive.
    numpy.linalg.LinAlgError
        If rows and columns do not have as many elements.
    """
    x = as_array(a)
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    n, m = prod(x.shape[:ind]), prod(x.shape[ind:])
    if n != m:
        raise LinAlgError(f"tensorinv needs as many rows as columns, got {n} and {m}")
    return reshape(inv(reshape(x, (n, n))), (*x.shape[ind:], *x.shape[:ind]))


def matrix_power(a: Any, n: int, /) -> Array:
    """Square matrices multiplied by themselves, as often as an integer says; inverted below zero.

    Raises
    ------
    TypeError
        If ``n`` is no integer.
    numpy.linalg.LinAlgError
        If the matrices are not square.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.linalg.matrix_power(ga.asarray([[1, 1], [0, 1]]), 5).compute()
    array([[1, 5],
           [0, 1]])
    """
    try:
        n = n.__index__()
    except AttributeError:
        raise TypeError("exponent must be an integer") from None
    x = as_array(a)
    if x.ndim < 2:
        raise LinAlgError(
            f"{x.ndim}-dimensional array given. Array must be at least two-dimensional"
        )
    size = require_square(x.expr)
    if n == 0:
        unit = eye(size, dtype=x.dtype, chunks=x.chunks[-2:], like=x)
        return broadcast_to(unit, x.shape, chunks=x.chunks)
    if n < 0:
        x, n = inv(x), -n
    result: Array | None = None
    while n:
        if n % 2:
            result = x if result is None else matmul(result, x)
        n //= 2
        x = matmul(x, x) if n else x
    assert result is not None
    return result
