"""Distinct elements: where they are, how often they occur."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gpuscale.array.api.distinct_slices import item, unique_slices, whole
from gpuscale.array.api.reshaping import ravel, reshape
from gpuscale.array.api.scanning import cumsum
from gpuscale.array.collection import Array
from gpuscale.array.construct import split_every_of
from gpuscale.array.convert import as_array, known_node
from gpuscale.array.ufunc import call
from gpuscale.backends.seams import array_namespace
from gpuscale.base.tokens import tokenize
from gpuscale.base.types import Unknown
from gpuscale.expr.kernels import Block, FunctionKernel
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, Call, TreeReduce

__all__ = [
    "unique",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
]


class UniqueAll(NamedTuple):
    """Distinct elements, where each is first, which of them each element is, how often."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCounts(NamedTuple):
    """Distinct elements and how often each occurs."""

    values: Array
    counts: Array


class UniqueInverse(NamedTuple):
    """Distinct elements and which of them each element is."""

    values: Array
    inverse_indices: Array


def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
) -> Any:
    """Distinct elements, sorted; how many there are is counted when someone asks.

    Parameters
    ----------
    ar : array
    return_index : bool
        Also the position of each in the flattened array, the first one.
    return_inverse : bool
        Also, for each element, the number of the distinct one that it is.
    return_counts : bool
        Also how often each occurs.
    axis : int, optional
        Look at slices along an axis instead of elements; blocks then have the other axes whole. The
        numbers of slices of floats, with ``return_inverse``, take the whole array in one task.
    equal_nan : bool
        Take all NaN for one.

    Returns
    -------
    Array, or tuple of Array
        In one block, which must fit the memory of a task.

    Raises
    ------
    numpy.exceptions.AxisError
        If the axis does not exist.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> [a.compute().tolist() for a in ga.unique(ga.asarray([3, 1, 3]), return_counts=True)]
    [[1, 3], [1, 2]]
    """
    x = as_array(ar)
    if axis is not None:
        return unique_slices(x, (return_index, return_inverse, return_counts), axis, equal_nan)
    parts = _Distinct.of(x, return_index, return_counts, equal_nan)
    results = [parts.item(0, x.dtype)]
    if return_index:
        results.append(parts.item(1, np.intp))
    if return_inverse:
        results.append(_inverse(x, results[0], equal_nan))
    if return_counts:
        results.append(parts.item(2, np.intp))
    return results[0] if len(results) == 1 else tuple(results)


def unique_all(x: Any, /) -> UniqueAll:
    """Distinct elements and all that is known of them; every NaN is one of its own.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.unique_all(ga.asarray([3, 1, 3])).inverse_indices.compute()
    array([1, 0, 1])
    """
    return UniqueAll(*unique(x, True, True, True, equal_nan=False))


def unique_counts(x: Any, /) -> UniqueCounts:
    """Distinct elements and how often each occurs; every NaN is one of its own.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.unique_counts(ga.asarray([3, 1, 3])).counts.compute()
    array([1, 2])
    """
    return UniqueCounts(*unique(x, return_counts=True, equal_nan=False))


def unique_inverse(x: Any, /) -> UniqueInverse:
    """Distinct elements and which of them each element is; every NaN is one of its own.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.unique_inverse(ga.asarray([3, 1, 3])).inverse_indices.compute()
    array([1, 0, 1])
    """
    return UniqueInverse(*unique(x, return_inverse=True, equal_nan=False))


def unique_values(x: Any, /) -> Array:
    """Distinct elements, sorted; every NaN is one of its own.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.unique_values(ga.asarray([3, 1, 3])).compute()
    array([1, 3])
    """
    result: Array = unique(x, equal_nan=False)
    return result


# --- a tree of distinct elements -----------------------------------------------------------------


@dataclass(frozen=True)
class _Distinct:
    """A node whose one block is the tuple of distinct elements, first positions and counts."""

    node: Node
    size: Unknown

    @classmethod
    def of(cls, x: Array, index: bool, counts: bool, equal_nan: bool) -> _Distinct:
        node = known_node(x) if index else x.expr
        meta = node.meta
        axes = tuple(range(meta.ndim))
        strides = tuple(_stride(meta.shape, axis) for axis in axes) if index else None
        kernel = FunctionKernel(
            _distinct_of_block, (strides, counts, equal_nan), wants_block=True, label="unique"
        )
        grid = tuple((1,) * n for n in meta.numblocks)
        blocks = Blockwise(kernel, (BlockInput(node, axes=axes),), meta.chunks, meta)
        out = meta.with_(chunks=tuple((1,) for _ in grid))
        tree = TreeReduce(
            blocks, _Merge(equal_nan), whole, axes, True, split_every_of(None, axes), "unique", out
        )
        # Named after the elements alone, so that all that is said of them is aligned.
        return cls(tree, Unknown(tokenize("unique", node, equal_nan), 0))

    def item(self, number: int, dtype: Any) -> Array:
        meta = ArrayMeta(np.dtype(dtype), ((self.size,),), self.node.meta.backend)
        return Array(Call(item, (self.node,), (number,), (), meta))


def _stride(shape: tuple[Any, ...], axis: int) -> int:
    return int(np.prod(shape[axis + 1 :], dtype=np.int64))


def _distinct_of_block(
    block: Block, chunk: Any, strides: tuple[int, ...] | None, counts: bool, equal_nan: bool
) -> tuple[Any, Any, Any]:
    xp = array_namespace(chunk)
    index: Any = None
    if strides is not None:
        index = xp.zeros((1,) * chunk.ndim, dtype=np.intp)
        for axis, stride in enumerate(strides):
            along = (slice(None), *(None,) * (chunk.ndim - axis - 1))
            index = index + ((xp.arange(chunk.shape[axis]) + block.start[axis]) * stride)[along]
        index = xp.broadcast_to(index, chunk.shape).reshape(-1)
    ones = xp.ones(chunk.size, dtype=np.intp) if counts else None
    return _distinct(chunk.reshape(-1), index, ones, equal_nan)


def _distinct(values: Any, index: Any, counts: Any, equal_nan: bool) -> tuple[Any, Any, Any]:
    """Distinct elements, sorted; the smallest index and the sum of the counts of each."""
    xp = array_namespace(values)
    if index is None and counts is None:
        values = xp.sort(values)
    else:
        order = xp.argsort(values, kind="stable")
        values = values[order]
        index = None if index is None else index[order]
        counts = None if counts is None else counts[order]
    first = xp.ones(values.shape, dtype=bool)
    first[1:] = values[1:] != values[:-1]
    if equal_nan:
        missing = values != values
        first[1:] &= ~(missing[1:] & missing[:-1])
    starts = xp.flatnonzero(first)
    if counts is not None:
        upto = xp.concatenate([xp.zeros(1, dtype=counts.dtype), xp.cumsum(counts)])
        ends = xp.concatenate([starts[1:], xp.asarray([values.size], dtype=starts.dtype)])
        counts = upto[ends[: starts.size]] - upto[starts]
    return values[starts], None if index is None else index[starts], counts


@dataclass(frozen=True)
class _Merge:
    """Distinct elements of several groups of distinct elements."""

    equal_nan: bool

    def __call__(self, parts: Sequence[Any], grid: tuple[int, ...]) -> tuple[Any, Any, Any]:
        xp = array_namespace(parts[0][0])
        joined: list[Any] = [
            None if each[0] is None else xp.concatenate(each) for each in zip(*parts, strict=True)
        ]
        values, index, counts = joined
        if index is not None:  # by position first: the sort by value is stable
            order = xp.argsort(index)
            values, index = values[order], index[order]
            counts = None if counts is None else counts[order]
        return _distinct(values, index, counts, self.equal_nan)


def _inverse(x: Array, values: Array, equal_nan: bool) -> Array:
    node = x.expr
    axes = tuple(range(node.meta.ndim))
    inputs = [BlockInput(node, axes=axes), BlockInput(values.expr, axes=(None,))]
    if not equal_nan and x.dtype.kind in "fcmM":
        missing = ravel(call("not_equal", x, x))
        rank = reshape(cumsum(missing, axis=0) - 1, x.shape).rechunk(x.chunks)
        inputs.append(BlockInput(rank.expr, axes=axes))
    meta = node.meta.with_(dtype=np.dtype(np.intp))
    kernel = FunctionKernel(_number_of, label="inverse")
    return Array(Blockwise(kernel, tuple(inputs), node.meta.chunks, meta))


def _number_of(chunk: Any, values: Any, rank: Any = 0) -> Any:
    xp = array_namespace(chunk)
    missing = chunk != chunk
    known = (values == values).sum()
    places = xp.searchsorted(values[:known], chunk.reshape(-1)).reshape(chunk.shape)
    return xp.where(missing, known + rank, places)
