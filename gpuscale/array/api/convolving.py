"""Convolutions and correlations of sequences: each block reads the end of those before it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api.creation import zeros
from gpuscale.array.api.joining import concatenate
from gpuscale.array.api.overlap import map_overlap
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_arrays
from gpuscale.backends.seams import array_namespace

__all__ = ["convolve", "correlate"]

_MODES = ("valid", "same", "full")


def convolve(a: Any, v: Any, mode: str = "full") -> Array:
    """Convolve two sequences: sums of products, one of them running backwards.

    Parameters
    ----------
    a, v : array with one axis
        The shorter one is given whole to every task.
    mode : {"full", "same", "valid"}
        All places where the two overlap; as many as the longer one has elements; those where
        they overlap completely.

    Raises
    ------
    ValueError
        If one is empty or has more axes, or there is no such mode.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.convolve(ga.asarray([1, 2, 3], chunks=2), [0, 1]).compute()
    array([0, 1, 2, 3])
    """
    long, short = _sequences(a, v, "convolve")
    if short.size > long.size:
        long, short = short, long
    n, m = long.size, short.size
    if mode not in _MODES:
        raise ValueError(f"mode must be one of 'valid', 'same', or 'full' (got '{mode}')")
    start, stop = {"full": (0, n + m - 1), "valid": (m - 1, n)}.get(
        mode, ((m - 1) // 2, (m - 1) // 2 + n)
    )
    dtype = np.convolve(np.ones(1, long.dtype), np.ones(1, short.dtype)).dtype
    if stop > n:
        long = concatenate([long, zeros(m - 1, long.dtype, like=long)])
    everywhere = map_overlap(
        _convolved,
        long,
        depth={0: (m - 1, 0)},
        boundary="none",
        taps=short,
        dtype=dtype,
        name="convolve",
    )
    return everywhere[start:stop]


def correlate(a: Any, v: Any, mode: str = "valid") -> Array:
    """Correlate two sequences: sums of products of one and the conjugate of the other, shifted.

    Parameters
    ----------
    a, v, mode
        As for `convolve`.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.correlate(ga.asarray([1, 2, 3], chunks=2), [0, 1, 0.5], "same").compute()
    array([2. , 3.5, 3. ])
    """
    first, second = _sequences(a, v, "correlate")
    if first.size < second.size:
        return _conjugate(correlate(second, first, mode)[::-1])
    return convolve(first, _conjugate(second[::-1]), mode)


def _conjugate(x: Array) -> Array:
    return x.conj() if x.dtype.kind == "c" else x  # of truth values it would be of int8


def _sequences(a: Any, v: Any, what: str) -> tuple[Array, Array]:
    first, second = as_arrays((a, v), what)
    return _sequence(first, "a"), _sequence(second, "v")


def _sequence(x: Array, name: str) -> Array:
    x = x.ravel() if not x.ndim else x
    if x.ndim > 1:
        raise ValueError("object too deep for desired array")
    if not x.size:
        raise ValueError(f"{name} cannot be empty")
    return x


def _convolved(chunk: Any, taps: Any) -> Any:
    """Convolve a block that begins with the elements that it needs of those before it."""
    return array_namespace(chunk).convolve(chunk, taps)[: chunk.shape[0]]
