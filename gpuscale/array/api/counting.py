"""Counting: how often each integer occurs, and sums of what is counted in each block."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from gpuscale.array.api.reductions import max as _max
from gpuscale.array.api.reductions import min as _min
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk, split_every_of
from gpuscale.array.convert import as_array
from gpuscale.backends import seams
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, TreeReduce

__all__ = ["bincount"]


def _total(parts: Sequence[Any], grid: tuple[int, ...]) -> Any:
    return reduce(operator.add, parts)


@dataclass(frozen=True)
class _Shaped:
    """Finish counts of blocks: drop the axes that stood for blocks."""

    ndim: int

    def __call__(self, counts: Any) -> Any:
        return counts.reshape((*(1,) * self.ndim, *counts.shape))


def count_blocks(
    function: Any, inputs: Sequence[Node], shape: tuple[int, ...], dtype: Any, label: str
) -> Array:
    """Sum of what a function counts in every aligned block; one result of ``shape``."""
    first = inputs[0].meta
    axes = tuple(range(first.ndim))
    kernel = FunctionKernel(function, label=label)
    aligned = tuple(BlockInput(x, axes=axes) for x in inputs)
    cells = tuple((n,) for n in shape)
    grid = tuple((1,) * n for n in first.numblocks)
    partial_type = np.dtype((np.dtype(dtype), shape)) if shape else np.dtype(dtype)
    itemsize = np.dtype([("counts", partial_type)])
    counts = Blockwise(kernel, aligned, grid, ArrayMeta(itemsize, grid, first.backend))
    meta = ArrayMeta(np.dtype(dtype), cells, first.backend)
    return Array(
        TreeReduce(
            counts,
            _total,
            _Shaped(first.ndim),
            axes,
            False,
            split_every_of(None, axes),
            label,
            meta,
        )
    )


def bincount(x: Any, weights: Any = None, minlength: int = 0, split_every: Any = None) -> Array:
    """Count how often each non-negative integer occurs.

    Parameters
    ----------
    x : array of int with one axis
        Its extremes are computed now, since the largest element decides the length.
    weights : array, optional
    minlength : int
    split_every : int, optional
        Accepted for dask's sake.

    Raises
    ------
    ValueError
        If ``x`` does not have one axis, or holds negative numbers.
    TypeError
        If ``x`` is not of integers.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.bincount(ga.asarray([0, 2, 2], chunks=1)).compute()
    array([1, 0, 2])
    """
    x = as_array(x).compute_chunk_sizes()
    if x.ndim != 1:
        depth = "too deep" if x.ndim else "of too small depth"
        raise ValueError(f"object {depth} for desired array")
    if x.dtype.kind not in "biu":
        raise TypeError(
            f"Cannot cast array data from {x.dtype!r} to dtype('int64') according to the rule "
            "'safe'"
        )
    if minlength < 0:
        raise ValueError("'minlength' must not be negative")
    length = minlength
    if x.size:
        from gpuscale.run import compute

        low, high = compute(_min(x), _max(x))
        if low < 0:
            raise ValueError("'list' argument must have no negative elements")
        length = max(minlength, int(high) + 1)
    inputs = [x.expr]
    if weights is not None:
        w = as_array(weights).astype(float, casting="safe")
        if w.shape != x.shape:
            raise ValueError("The weights and list don't have the same length.")
        inputs.append(rechunk(w.expr, x.expr.meta.chunks))
    dtype = np.intp if weights is None else np.float64
    return count_blocks(_Bincount(length), inputs, (length,), dtype, "bincount")


@dataclass(frozen=True)
class _Bincount:
    """Count one block."""

    length: int

    def __call__(self, chunk: Any, weights: Any = None) -> Any:
        return seams.bincount(chunk, weights, self.length)
