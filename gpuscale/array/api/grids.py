"""Grids and rows written between brackets: ``mgrid``, ``ogrid``, ``r_`` and ``c_``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpuscale.array.api.creation import arange, linspace
from gpuscale.array.api.joining import concatenate, stack
from gpuscale.array.api.matrices import meshgrid
from gpuscale.array.collection import Array
from gpuscale.array.convert import promoted

__all__ = ["c_", "mgrid", "ogrid", "r_"]


class Grid:
    """Coordinates of a grid that slices describe; an imaginary step is a number of points.

    Parameters
    ----------
    sparse : bool
        Whether axes stay of length 1 instead of being broadcast.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.mgrid[0:2, 0:3].compute()[1]
    array([[0, 1, 2],
           [0, 1, 2]])
    >>> ga.ogrid[0:1:3j].compute()
    array([0. , 0.5, 1. ])
    """

    def __init__(self, sparse: bool) -> None:
        self._sparse = sparse

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return _points(key, _dtype([key]))
        slices = list(key)
        dtype = _dtype(slices)
        vectors = [_points(each, dtype) for each in slices]
        grids = meshgrid(*vectors, sparse=self._sparse, indexing="ij")
        return grids if self._sparse else stack(grids)


def _spelled(key: slice) -> tuple[Any, Any, Any]:
    """Start, stop and step; an imaginary step is made positive."""
    start = 0 if key.start is None else key.start
    step = 1 if key.step is None else key.step
    return start, key.stop, complex(0, abs(step)) if isinstance(step, complex) else step


def _dtype(slices: list[slice]) -> np.dtype[Any]:
    numbers: list[Any] = [0]
    for key in slices:
        start, stop, step = _spelled(key)
        numbers += [start, stop, step.imag if isinstance(step, complex) else step]
    return np.result_type(*numbers)


def _points(key: slice, dtype: np.dtype[Any]) -> Array:
    start, stop, step = _spelled(key)
    if isinstance(step, complex):
        size = int(step.imag)
        step = (stop - start) / float(size - 1) if size != 1 else 1
    else:
        size = max(0, math.ceil((stop - start) / step))
    return (arange(size, dtype=dtype) * step + start).astype(dtype, copy=False)


class Rows:
    """Join what stands between the brackets; slices are ranges.

    A string in the first place says ``"axis,ndmin,trans1d"``: the axis to join, the axes that
    each part has at least, and where its own begin among them.

    Parameters
    ----------
    axis, ndmin, trans1d : int

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.r_[1:3, 0, [7, 8]].compute()
    array([1, 2, 0, 7, 8])
    >>> ga.c_[[1, 2], [3, 4]].compute()
    array([[1, 3],
           [2, 4]])
    """

    def __init__(self, axis: int = 0, ndmin: int = 1, trans1d: int = -1) -> None:
        self._options = (axis, ndmin, trans1d)

    def __getitem__(self, key: Any) -> Array:
        items = list(key) if isinstance(key, tuple) else [key]
        axis, ndmin, trans1d = self._options
        if items and isinstance(items[0], str):
            axis, ndmin, trans1d = _directive(items.pop(0), self._options)
        if any(isinstance(item, str) for item in items):
            raise ValueError("special directives must be the first entry.")
        like = next((item for item in items if isinstance(item, Array) and item.ndim), None)
        parts = promoted([_range(x, like) if isinstance(x, slice) else x for x in items], "r_")
        return concatenate([_with_axes(part, ndmin, trans1d) for part in parts], axis)


def _directive(text: str, options: tuple[int, int, int]) -> tuple[int, int, int]:
    try:
        given = tuple(int(each) for each in text.split(","))
    except ValueError:
        raise ValueError(f"unknown special directive {text!r}") from None
    axis, ndmin, trans1d = (*given, *options[len(given) :])
    return axis, ndmin, trans1d


def _range(key: slice, like: Array | None) -> Array:
    start, stop, step = _spelled(key)
    if isinstance(step, complex):
        result: Array = linspace(start, stop, int(step.imag), like=like)
        return result
    return arange(start, stop, step, like=like)


def _with_axes(part: Array, ndmin: int, trans1d: int) -> Array:
    """Add axes that are missing before a part's own, unless ``trans1d`` says where."""
    missing = ndmin - part.ndim
    if missing <= 0:
        return part
    first = missing if trans1d == -1 else trans1d if trans1d >= 0 else trans1d + missing + 1
    own = (slice(None),) * part.ndim
    return part[(*(None,) * first, *own, *(None,) * (missing - first))]


mgrid, ogrid = Grid(sparse=False), Grid(sparse=True)
r_, c_ = Rows(), Rows(-1, 2, 0)
