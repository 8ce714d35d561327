"""Rows of the seams that count, select and join, for each library that does these as NumPy.

What a library lacks or does slowly is in rows of its own; for CuPy these launch kernels, and stand
in `gpuscale.codegen.rows_cuda`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpuscale.backends.seams import (
    accumulate,
    array_namespace,
    best_positions,
    best_values,
    bincount,
    histogram,
    join_grid,
)
from gpuscale.backends.shared_ops import concatenate_grid

__all__ = ["positions_by_partition", "values_by_partition"]


@accumulate.register(object)
def _accumulate(chunk: Any, ufunc: str, axis: int, dtype: Any = None) -> Any:
    dtype = chunk.dtype if dtype is None else np.dtype(dtype)
    # Ufuncs take no dtype with a unit, and need none: they keep it.
    dtype = None if dtype.kind in "mM" else dtype
    return getattr(array_namespace(chunk), ufunc).accumulate(chunk, axis=axis, dtype=dtype)


@bincount.register(object)
def _bincount(chunk: Any, weights: Any, length: int) -> Any:
    return array_namespace(chunk).bincount(chunk, weights=weights, minlength=length)


@histogram.register(object)
def _histogram(chunk: Any, bins: Any, limits: Any, weights: Any) -> Any:
    return array_namespace(chunk).histogram(chunk, bins=bins, range=limits, weights=weights)[0]


@best_values.register(object)
def values_by_partition(chunk: Any, k: int, axis: int) -> Any:
    """Select values as the library partitions; see `seams.best_values`."""
    ordered = array_namespace(chunk).partition(chunk, _pivot(chunk, k, axis), axis=axis)
    return ordered[_best(k, axis)]


@best_positions.register(object)
def positions_by_partition(chunk: Any, k: int, axis: int) -> Any:
    """Select positions as the library partitions; see `seams.best_positions`."""
    order = array_namespace(chunk).argpartition(chunk, _pivot(chunk, k, axis), axis=axis)
    return order[_best(k, axis)]


@join_grid.register(object)
def _join_grid(first: Any, chunks: Sequence[Any], grid: tuple[int, ...]) -> Any:
    return concatenate_grid(array_namespace(first), chunks, grid)


def _pivot(chunk: Any, k: int, axis: int) -> int:
    return int(chunk.shape[axis]) - k if k > 0 else -k - 1


def _best(k: int, axis: int) -> tuple[slice, ...]:
    """Where the best stand once the others are on the other side of them."""
    return (*(slice(None),) * axis, slice(-k, None) if k > 0 else slice(0, -k))
