"""Polynomials: their values, and those that fit points best."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api.creation import zeros_like
from gpuscale.array.api.elementwise import sqrt
from gpuscale.array.api.matrices import vander
from gpuscale.array.api.products import outer
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_arrays, as_given

__all__ = ["polyfit", "polyval"]


def polyval(p: Any, x: Any) -> Array:
    """Values of a polynomial, whose highest coefficient comes first, by Horner's rule.

    Parameters
    ----------
    p : array with one axis
    x : array

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.polyval([3, 0, 1], ga.arange(3)).compute()
    array([ 1,  4, 13])
    """
    given, x = as_arrays((p, x), "polyval")
    # Those that the host has are constants of the program.
    on_host = isinstance(p, np.ndarray) or not hasattr(p, "dtype")
    coefficients: Any = np.asarray(p) if on_host else given
    result = zeros_like(x)
    for k in range(coefficients.shape[0]):
        result = result * x + coefficients[k]
    return result


def polyfit(
    x: Any,
    y: Any,
    deg: int,
    rcond: float | None = None,
    full: bool = False,
    w: Any = None,
    cov: Any = False,
) -> Any:
    """Fit a polynomial to points by least squares.

    Parameters
    ----------
    x : array (m,)
    y : array (m,) or (m, k)
        Each column is fitted.
    deg : int
    rcond : float, optional
        Singular values below this share of the largest count as zero.
    full : bool
        Return the residuals, the rank, the singular values and ``rcond`` as well.
    w : array (m,), optional
        Weights of the residuals before they are squared.
    cov : bool or "unscaled"
        Return the covariance of the coefficients as well.

    Returns
    -------
    Array or tuple
        Coefficients, the highest first.

    Raises
    ------
    ValueError, TypeError
        If the degree is negative, the shapes do not fit, or there are too few points for ``cov``.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.arange(4, chunks=2)
    >>> ga.polyfit(x, 2 * x + 1, 1).compute().round(6)
    array([2., 1.])
    """
    x, y, weights = as_given((x, y, w), "polyfit")
    x, y = x + 0.0, y + 0.0
    _check(x, y, deg)
    order = int(deg) + 1
    rcond = x.size * float(np.finfo(x.dtype).eps) if rcond is None else rcond
    left, right = vander(x, order), y
    if weights is not None:
        weights = weights + 0.0
        if weights.shape != x.shape:
            raise TypeError("expected w and y to have the same length")
        left = left * weights[:, None]
        right = right * (weights[:, None] if y.ndim == 2 else weights)
    scale = sqrt((left * left).sum(axis=0))
    left = left / scale
    from gpuscale.array.linalg.least import lstsq

    found, residuals, rank, singular = lstsq(left, right, rcond)
    found = (found.T / scale).T
    if full:
        return found, residuals, rank, singular, rcond
    return (found, _covariance(left, scale, residuals, y, cov)) if cov else found


def _check(x: Array, y: Array, deg: int) -> None:
    if deg < 0:
        raise ValueError("expected deg >= 0")
    if x.ndim != 1:
        raise TypeError("expected 1D vector for x")
    if x.size == 0:
        raise TypeError("expected non-empty vector for x")
    if y.ndim not in (1, 2):
        raise TypeError("expected 1D or 2D array for y")
    if x.shape[0] != y.shape[0]:
        raise TypeError("expected x and y to have same length")


def _covariance(left: Array, scale: Array, residuals: Array, y: Array, cov: Any) -> Array:
    m, order = left.shape
    from gpuscale.array.linalg.solve import inv

    base = inv(left.T @ left) / outer(scale, scale)
    if isinstance(cov, str) and cov == "unscaled":
        return base if y.ndim == 1 else base[:, :, None]
    if m <= order:
        raise ValueError("the number of data points must exceed order to scale the covariance")
    factor = residuals / (m - order)
    return base * factor if y.ndim == 1 else base[:, :, None] * factor
