"""Least squares, pseudo-inverses, ranks and approximations of low rank."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from gpuscale.array import random
from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.manipulation import matrix_transpose
from gpuscale.array.api.products import matmul
from gpuscale.array.api.reductions import any as _any
from gpuscale.array.api.reductions import count_nonzero
from gpuscale.array.api.reductions import max as _max
from gpuscale.array.api.reductions import sum as _sum
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array, as_arrays, beside
from gpuscale.array.linalg.checks import matrices
from gpuscale.array.linalg.factor import adjoint
from gpuscale.array.linalg.orthogonal import SVDResult, svd, svdvals, tsqr
from gpuscale.array.ufunc import call

__all__ = ["lstsq", "matrix_rank", "pinv", "svd_compressed"]


def _decompose(x: Array, hermitian: bool = False) -> SVDResult:
    result: SVDResult = svd(x, full_matrices=False, hermitian=hermitian)
    return result


def _inverse_of_large(values: Array, cutoff: Any) -> Array:
    """One over each singular value above the cutoff, zero in place of the others."""
    large = values > cutoff
    return call("where", large, 1 / call("where", large, values, 1), values.dtype.type(0))


def lstsq(a: Any, b: Any, rcond: float | None = None) -> tuple[Array, Array, Array, Array]:
    """Least-squares solutions of linear systems; of these the smallest.

    A tall matrix in several blocks is decomposed by a tree, see `svd`.

    Parameters
    ----------
    a : array (m, n)
    b : array (m,) or (m, k)
    rcond : float, optional
        Singular values below this share of the largest count as zero; by default the precision
        times the larger length. A negative one is the precision.

    Returns
    -------
    tuple
        Solutions (n,) or (n, k); sums of squared residuals (k,), none where the rank is less
        than n or there are no more equations than unknowns; the rank; the singular values of
        ``a``.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the shapes do not fit.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x, residuals, rank, s = ga.linalg.lstsq(ga.ones((4, 1)), ga.arange(4))
    >>> x.compute(), residuals.compute()
    (array([1.5]), array([5.]))
    """
    first, right = as_arrays((a, b), "lstsq")
    columns = right.ndim > 1
    left, node = map(Array, matrices(first, right if columns else right[:, None]))
    if left.ndim != 2 or node.ndim != 2:
        raise LinAlgError(f"lstsq takes two matrices, the shapes are {left.shape} {right.shape}")
    (m, n), dtype = left.shape, left.dtype
    if node.shape[0] != m:
        raise LinAlgError(f"Incompatible dimensions: {left.shape} and {right.shape}")
    u, s, vh = _decompose(left)
    epsilon = np.finfo(dtype).eps
    share = epsilon * max(m, n) if rcond is None else epsilon if rcond < 0 else rcond
    cutoff = s[:1] * s.dtype.type(share)
    weighted = _inverse_of_large(s, cutoff)[:, None] * matmul(adjoint(u), node)
    x = matmul(adjoint(vh), weighted)
    rank = count_nonzero(s > cutoff)
    if m <= n:
        residuals = _squares_of(node)[:0]
    else:
        rest = _squares_of(node - matmul(left, x))
        residuals = map_blocks(_if_full, rest, rank=rank, n=n, chunks=(np.nan,), dtype=rest.dtype)
    return (x if columns else x[:, 0]), residuals, rank, s


def _squares_of(x: Array) -> Array:
    size = call("absolute", x)
    return _sum(size * size, axis=0)


def _if_full(residuals: Any, rank: Any, n: int) -> Any:
    return residuals if int(rank) == n else residuals[:0]


def pinv(a: Any, /, rcond: Any = None, hermitian: bool = False, *, rtol: Any = ...) -> Array:
    """Pseudo-inverses of matrices, by their singular values.

    Parameters
    ----------
    a : array (..., m, n)
    rcond : number or array, optional
        Singular values up to this share of the largest count as zero; 1e-15 by default.
    hermitian : bool
        The matrices are Hermitian.
    rtol : number or array, optional
        The same in the words of the Array API standard; None stands for the precision times the
        larger length.

    Raises
    ------
    ValueError
        If both are given.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.linalg.pinv(ga.asarray([[2.0, 0.0], [0.0, 0.0]])).compute()
    array([[0.5, 0. ],
           [0. , 0. ]])
    """
    (node,) = matrices(a)
    x = Array(node)
    if rcond is not None and rtol is not ...:
        raise ValueError("`rtol` and `rcond` can't be both set.")
    share = rcond if rtol is ... else rtol
    if rtol is None:
        share = max(x.shape[-2:]) * float(np.finfo(x.dtype).eps)
    elif share is None:
        share = 1e-15
    if 0 in x.shape[-2:]:
        return matrix_transpose(x)
    u, s, vh = _decompose(x, hermitian)
    share = beside(share, s, "pinv").astype(s.dtype)
    cutoff = (share[..., None] if share.ndim else share) * _max(s, axis=-1, keepdims=True)
    return matmul(adjoint(vh), _inverse_of_large(s, cutoff)[..., None] * adjoint(u))


def matrix_rank(A: Any, /, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Array:
    """Rank of matrices: how many singular values are not negligible.

    Parameters
    ----------
    A : array (..., m, n)
        A vector has rank 1, unless it is zero.
    tol : number or array, optional
        Values up to this are negligible.
    hermitian : bool
        The matrices are Hermitian.
    rtol : number or array, optional
        Share of the largest; by default the precision times the larger length.

    Raises
    ------
    ValueError
        If both ``tol`` and ``rtol`` are given.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.linalg.matrix_rank(ga.ones((3, 3))).compute()
    np.int64(1)
    """
    if tol is not None and rtol is not None:
        raise ValueError("`tol` and `rtol` can't be both set.")
    x = as_array(A)
    if x.ndim < 2:
        return _any(x != 0).astype(np.int64)
    s = svdvals(x)
    if tol is not None:
        return count_nonzero(s > _column(tol, s), axis=-1)
    share = max(x.shape[-2:]) * np.finfo(s.dtype).eps if rtol is None else rtol
    if s.shape[-1] == 0:
        return count_nonzero(s, axis=-1)
    return count_nonzero(s > _max(s, axis=-1, keepdims=True) * _column(share, s), axis=-1)


def _column(value: Any, s: Array) -> Any:
    array = beside(value, s, "matrix_rank")
    return array[..., None] if array.ndim else value


def svd_compressed(
    a: Any,
    k: int,
    iterator: str = "power",
    n_power_iter: int = 0,
    n_oversamples: int = 10,
    seed: Any = None,
    compute: bool = False,
    coerce_signs: bool = True,
) -> SVDResult:
    """Largest singular values and their vectors, nearly, by random projections.

    Far less work than `svd` where few are wanted (Halko, Martinsson and Tropp, Finding structure
    with randomness, 2011, algorithms 4.3 and 4.4).

    Parameters
    ----------
    a : array (m, n)
    k : int
        How many singular values.
    iterator : {"power", "QR"}
        How the projection is refined; QR loses less precision.
    n_power_iter : int
        How often; once or twice helps where values descend slowly.
    n_oversamples : int
        How many more random directions are taken than singular values wanted.
    seed : int, SeedSequence or Generator, optional
    compute : bool
        Compute the projection after each refinement, so that ``a`` is read anew instead of kept.
    coerce_signs : bool
        Accepted for dask's sake: signs never depend on the blocks.

    Returns
    -------
    SVDResult
        Shapes (m, k), (k,) and (k, n).

    Raises
    ------
    ValueError
        If ``iterator`` is neither, or ``k`` is not positive.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.ones((20, 10), chunks=5)
    >>> _, s, _ = ga.linalg.svd_compressed(x, 2, seed=0)
    >>> s.compute().round(6)
    array([14.142136,  0.      ])
    """
    if iterator not in ("power", "QR"):
        raise ValueError(f"iterator is 'power' or 'QR', not {iterator!r}")
    if k < 1:
        raise ValueError(f"k must be positive, got {k}")
    (node,) = matrices(a)
    if node.meta.ndim != 2:
        raise LinAlgError(f"svd_compressed takes one matrix, the shape is {node.meta.shape}")
    x = Array(node)
    width = min(k + n_oversamples, *x.shape)
    q = _range(x, width, iterator, n_power_iter, seed, compute)
    # x is nearly q @ q^H @ x, whose second part is small.
    v, s, uh = tsqr(adjoint(matmul(adjoint(q), x)), compute_svd=True)
    u = matmul(q, adjoint(uh))
    return SVDResult(u[:, :k], s[:k], adjoint(v)[:k])


def _range(
    x: Array, width: int, iterator: str, n_iterations: int, seed: Any, compute: bool
) -> Array:
    """Orthonormal columns that nearly span those of a matrix."""
    shape = (x.shape[1], width)
    chunks = (x.chunks[1], (width,))
    draws = random.default_rng(seed).normal(size=shape, chunks=chunks, like=x)
    kept = _persisted if compute else _lazy
    sample = kept(matmul(x, draws.astype(x.dtype)))
    for _ in range(n_iterations):
        if iterator == "QR":
            sample = tsqr(sample).Q
            sample = kept(matmul(x, tsqr(kept(matmul(adjoint(x), sample))).Q))
        else:
            sample = kept(matmul(x, kept(matmul(adjoint(x), sample))))
    basis: Array = tsqr(sample).Q
    return basis


def _persisted(x: Array) -> Array:
    return x.persist()


def _lazy(x: Array) -> Array:
    return x
