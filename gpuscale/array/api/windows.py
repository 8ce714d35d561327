"""Windows for smoothing and for spectra: functions of the position, never stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpuscale.array.api.creation import arange, ones
from gpuscale.array.api.elementwise import cos, i0, sqrt, where
from gpuscale.array.collection import Array
from gpuscale.backends.creation import resolve_backend

__all__ = ["bartlett", "blackman", "hamming", "hanning", "kaiser"]


def _positions(M: int, chunks: Any, backend: str) -> Array | None:
    """Twice the distances from the middle, from 1 - M to M - 1; None for a window of one point."""
    if M == 1:
        return None
    return arange(1 - M, M, 2, dtype=float, chunks=chunks, backend=backend)


def _cosines(M: int, weights: Sequence[float], chunks: Any, backend: str) -> Array:
    """A sum of cosines: weight k is that of k periods."""
    n = _positions(M, chunks, backend)
    if n is None:
        return ones(1, backend=backend)
    terms = [w * cos(n * (np.pi * k / (M - 1))) for k, w in enumerate(weights) if k]
    total: Array = sum(terms, n * 0 + weights[0])
    return total


def hanning(M: int, *, chunks: Any = "auto", like: Any = None, backend: str | None = None) -> Array:
    """Hann's window of M points: a raised cosine.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.hanning(3).compute()
    array([0., 1., 0.])
    """
    return _cosines(M, (0.5, 0.5), chunks, resolve_backend(like, backend))


def hamming(M: int, *, chunks: Any = "auto", like: Any = None, backend: str | None = None) -> Array:
    """Hamming's window of M points: a raised cosine on a step.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.hamming(3).compute().round(2)
    array([0.08, 1.  , 0.08])
    """
    return _cosines(M, (0.54, 0.46), chunks, resolve_backend(like, backend))


def blackman(
    M: int, *, chunks: Any = "auto", like: Any = None, backend: str | None = None
) -> Array:
    """Blackman's window of M points: two cosines.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> abs(ga.blackman(3).compute().round(2))
    array([0., 1., 0.])
    """
    return _cosines(M, (0.42, 0.5, 0.08), chunks, resolve_backend(like, backend))


def bartlett(
    M: int, *, chunks: Any = "auto", like: Any = None, backend: str | None = None
) -> Array:
    """Bartlett's window of M points: a triangle.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.bartlett(3).compute()
    array([0., 1., 0.])
    """
    backend = resolve_backend(like, backend)
    n = _positions(M, chunks, backend)
    if n is None:
        return ones(1, backend=backend)
    return where(n <= 0, 1 + n / (M - 1), 1 - n / (M - 1))


def kaiser(
    M: int, beta: float, *, chunks: Any = "auto", like: Any = None, backend: str | None = None
) -> Array:
    """Kaiser's window of M points, the narrower the larger ``beta``.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.kaiser(3, 0.0).compute()
    array([1., 1., 1.])
    """
    backend = resolve_backend(like, backend)
    if M == 1:
        return ones(1, backend=backend)
    n = arange(0, M, dtype=float, chunks=chunks, backend=backend)
    half = (M - 1) / 2.0
    return i0(beta * sqrt(1 - ((n - half) / half) ** 2.0)) / np.i0(float(beta))
