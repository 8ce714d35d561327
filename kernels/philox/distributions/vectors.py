"""Distributions whose elements are vectors: `stream.index` counts vectors, a last axis is added."""

from dataclasses import replace
from typing import Any

import numpy as np

from ...elementary.exponential import exp
from ..normal import normal
from .counts import binomial, hypergeometric
from .gamma import log_gamma
from .rejection import Array, Stream


def multinomial(stream: Stream, n: Array, pvals: Array) -> Array:
    """Return multinomial draws as int64: a binomial of what is left for each category in turn.

    Parameters
    ----------
    n : int or one per vector, the number of experiments.
    pvals : probabilities, shape (categories,) or one row per vector.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(2, dtype=np.uint64))
    >>> multinomial(stream, np.array(10), np.array([0.2, 0.3, 0.5])).sum(axis=1)
    array([10, 10])
    """
    categories = pvals.shape[-1]
    out = np.empty((stream.index.size, categories), np.int64)
    left = np.broadcast_to(np.asarray(n, np.int64), stream.index.shape)
    remaining = np.ones(pvals.shape[:-1])
    for j in range(categories - 1):
        share = np.where(remaining > 0.0, pvals[..., j] / remaining, 1.0)
        out[:, j] = binomial(stream.at(j), left, np.clip(share, 0.0, 1.0))
        left = left - out[:, j]
        remaining = remaining - pvals[..., j]
    out[:, -1:] = left[:, np.newaxis]
    return out


def multivariate_hypergeometric(stream: Stream, colors: Array, nsample: Array) -> Array:
    """Return draws without replacement as int64: a hypergeometric of what is left for each color.

    Parameters
    ----------
    colors : integers, shape (categories,): how many there are of each.
    nsample : int, how many to draw.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(2, dtype=np.uint64))
    >>> multivariate_hypergeometric(stream, np.array([5, 3, 2]), np.array(10))
    array([[5, 3, 2],
           [5, 3, 2]])
    """
    out = np.empty((stream.index.size, colors.size), np.int64)
    left = np.broadcast_to(np.asarray(nsample, np.int64), stream.index.shape)
    rest = int(colors.sum())
    for j in range(colors.size - 1):
        rest -= int(colors[j])
        out[:, j] = hypergeometric(stream.at(j), colors[j], np.asarray(rest), left)
        left = left - out[:, j]
    out[:, -1:] = left[:, np.newaxis]
    return out


def dirichlet(stream: Stream, alpha: Array) -> Array:
    """Return Dirichlet draws: gammas over their sum, taken as logarithms so that none underflows.

    Parameters
    ----------
    alpha : concentrations, shape (categories,); a 0 gives 0.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(3, dtype=np.uint64))
    >>> dirichlet(stream, np.array([1e-3, 2.0, 0.0])).sum(axis=1).round(12)
    array([1., 1., 1.])
    """
    wanted = alpha > 0.0
    shapes = np.broadcast_to(np.where(wanted, alpha, 1.0), (stream.index.size, alpha.size))
    drawn = log_gamma(_components(stream, alpha.size), shapes.ravel()).reshape(shapes.shape)
    logs = np.where(wanted, drawn, -np.inf)
    weights = np.where(wanted, exp(logs - logs.max(axis=1, keepdims=True)), 0.0)
    return weights / _row_sums(weights) + 0.0 * alpha  # a NaN stays visible


def multivariate_normal(stream: Stream, mean: Array, factor: Array) -> Array:
    """Return normal vectors mean + factor @ z for standard normal z.

    Parameters
    ----------
    mean : shape (k,).
    factor : shape (k, k), with factor @ factor.T the covariance; see `covariance_factor`.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(3, dtype=np.uint64))
    >>> multivariate_normal(stream, np.zeros(2), np.eye(2)).shape
    (3, 2)
    """
    size = mean.size
    z = _components(stream, size).draws(normal).reshape(-1, size)
    out = np.broadcast_to(mean, z.shape).astype(np.float64)
    # Column by column, not a matrix product: BLAS sums in an order that depends on the row count.
    for j in range(size):
        out += z[:, j : j + 1] * factor[:, j]
    return out


def covariance_factor(cov: Any, method: str = "svd") -> Array:
    """Return a matrix A with A @ A.T = cov.

    Parameters
    ----------
    cov : array_like, shape (k, k), symmetric and positive semidefinite.
    method : "svd", "eigh" or "cholesky" (fastest; needs a positive definite matrix).

    Raises
    ------
    ValueError
        For an unknown method or a matrix that is not square.
    numpy.linalg.LinAlgError
        From "cholesky", where the matrix is not positive definite.

    Examples
    --------
    >>> covariance_factor([[4.0, 0.0], [0.0, 1.0]], "cholesky")
    array([[2., 0.],
           [0., 1.]])
    """
    cov = np.asarray(cov, np.float64)
    if cov.ndim != 2 or cov.shape[0] != cov.shape[1]:
        raise ValueError("cov must be 2 dimensional and square")
    if method == "cholesky":
        return np.linalg.cholesky(cov)
    if method == "eigh":
        values, vectors = np.linalg.eigh(cov)
        return vectors * np.sqrt(np.maximum(values, 0.0))
    if method == "svd":
        vectors, values, _ = np.linalg.svd(cov)
        return vectors * np.sqrt(values)
    raise ValueError("method must be one of 'eigh', 'svd', 'cholesky'")


def _components(stream: Stream, size: int) -> Stream:
    """Return the stream of the single components of vectors of this size, in C order."""
    components = stream.index[:, np.newaxis] * np.uint64(size) + np.arange(size, dtype=np.uint64)
    return replace(stream, index=components.ravel())


def _row_sums(table: Array) -> Array:
    """Return the sums of rows, added column by column, so that they do not depend on the shape."""
    total = np.zeros((len(table), 1))
    for j in range(table.shape[1]):
        total += table[:, j : j + 1]
    return total
