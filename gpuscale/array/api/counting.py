"""Counting: how often each integer occurs, and sums of what is counted in each block."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any, ClassVar

import numpy as np

from gpuscale.array.api.masking import settle
from gpuscale.array.collection import Array
from gpuscale.array.construct import on_backend, rechunk, split_every_of
from gpuscale.array.convert import as_given
from gpuscale.backends import seams
from gpuscale.backends.creation import parcel
from gpuscale.backends.seams import array_namespace, to_host
from gpuscale.base.tokens import tokenize
from gpuscale.base.types import Unknown
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
    function: Any,
    inputs: Sequence[Node],
    shape: tuple[int, ...],
    dtype: Any,
    label: str,
    shared: Sequence[Array] = (),
) -> Array:
    """Sum of what a function counts in every aligned block; one result of ``shape``.

    Every block gets all of each shared array, after the inputs.
    """
    first = inputs[0].meta
    axes = tuple(range(first.ndim))
    kernel = FunctionKernel(function, label=label)
    aligned = tuple(BlockInput(x, axes=axes) for x in inputs) + tuple(
        BlockInput(
            on_backend(rechunk(x.expr, tuple((n,) for n in x.shape)), first.backend),
            axes=(None,) * x.ndim,
        )
        for x in shared
    )
    cells = tuple((n,) for n in shape)
    grid = tuple((1,) * n for n in first.numblocks)
    counted = parcel(np.dtype(dtype).itemsize * prod(shape))
    counts = Blockwise(kernel, aligned, grid, ArrayMeta(counted, grid, first.backend))
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
    weights : array, optional
    minlength : int
        Least length of the result, which the largest element decides: it is counted when someone
        asks.
    split_every : int, optional
        Accepted for dask's sake.

    Returns
    -------
    Array
        In one block.

    Raises
    ------
    ValueError
        If ``x`` does not have one axis; when it is computed, if it holds negative numbers.
    TypeError
        If ``x`` is not of integers.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.bincount(ga.asarray([0, 2, 2], chunks=1)).compute()
    array([1, 0, 2])
    """
    x, w = as_given((x, weights), "bincount")
    if x.ndim != 1:
        depth = "too deep" if x.ndim else "of too small depth"
        raise ValueError(f"object {depth} for desired array")
    if x.dtype.kind not in "biu":
        raise TypeError(
            f"Cannot cast array data from {x.dtype!r} to dtype('int64') according to the rule "
            "'safe'"
        )
    minlength = operator.index(minlength)
    if minlength < 0:
        raise ValueError("'minlength' must not be negative")
    inputs = [x.expr]
    if w is not None:
        w = w.astype(float, casting="safe")
        settle(x, w, 0)
        if w._meta.shape != x._meta.shape:
            raise ValueError("The weights and list don't have the same length.")
        inputs = [x.expr, rechunk(w.expr, x._meta.chunks)]
    return Array(_counts(inputs, minlength, np.dtype(np.intp if weights is None else np.float64)))


def _counts(inputs: Sequence[Node], minlength: int, dtype: np.dtype[Any]) -> Node:
    """Sum of the counts of all blocks, of which each is as long as its own elements make it."""
    token, meta = tokenize("bincount", *inputs, minlength), inputs[0].meta
    sizes = tuple(Unknown(token, number) for number in range(meta.numblocks[0]))
    kernel = FunctionKernel(_Bincount(minlength, dtype), label="bincount")
    aligned = tuple(BlockInput(x, axes=(0,)) for x in inputs)
    made = ArrayMeta(dtype, (sizes,), meta.backend)
    counts = Blockwise(kernel, aligned, meta.chunks, made)
    out = made.with_(chunks=((Unknown(token, -1),),))
    add, spans = _AddUp(), split_every_of(None, (0,))
    return TreeReduce(counts, add, _as_they_are, (0,), True, spans, "bincount", out)


@dataclass(frozen=True)
class _Bincount:
    """Count one block."""

    minlength: int
    dtype: np.dtype[Any]

    def __call__(self, chunk: Any, weights: Any = None) -> Any:
        if not chunk.size:  # which has no largest element
            return array_namespace(chunk).zeros(self.minlength, dtype=self.dtype)
        low, high = (int(to_host(each)) for each in (chunk.min(), chunk.max()))
        if low < 0:
            raise ValueError("'list' argument must have no negative elements")
        counts = seams.bincount(chunk, weights, max(self.minlength, high + 1))
        return counts.astype(self.dtype, copy=False)


@dataclass(frozen=True)
class _AddUp:
    """Add counts of different lengths up."""

    data_decide: ClassVar[bool] = True
    advice: ClassVar[str] = (
        "there are as many counts as the largest element says: of few large numbers ask "
        "gpuscale.array.unique for return_counts=True"
    )

    def __call__(self, parts: Sequence[Any], grid: tuple[int, ...]) -> Any:
        longest = max(parts, key=len)
        total = longest.copy()
        for part in parts:
            if part is not longest:
                total[: len(part)] += part
        return total

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Bytes of the sum, and no more."""
        return max(sizes), 0


def _as_they_are(counts: Any) -> Any:
    return counts
