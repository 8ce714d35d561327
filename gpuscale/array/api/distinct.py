"""Distinct elements: where they are, how often they occur."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from gpuscale.array.api.distinct_slices import item, unique_slices, whole
from gpuscale.array.api.distinct_spread import parts_for, spread
from gpuscale.array.api.reshaping import ravel, reshape
from gpuscale.array.api.scanning import cumsum
from gpuscale.array.collection import Array
from gpuscale.array.construct import split_every_of
from gpuscale.array.convert import as_array, known_node
from gpuscale.array.ufunc import call
from gpuscale.backends.creation import parcel
from gpuscale.backends.seams import array_namespace, on_device
from gpuscale.base.tokens import tokenize
from gpuscale.base.types import Unknown
from gpuscale.chunks.blocks import max_block
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
        Look at slices along an axis instead of elements; blocks then have the other axes whole.
    equal_nan : bool
        Take all NaN for one.

    Returns
    -------
    Array, or tuple of Array
        In one block, which must fit the memory of a task; on a cluster whose workers are too small
        for it in several, unless ``return_inverse``.

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
    parts = _Distinct.of(x, return_index, return_counts, equal_nan, not return_inverse)
    results = [parts.item(0, x.dtype)]
    if return_index:
        results.append(parts.item(1, np.intp))
    if return_inverse:
        results.append(_inverse(x, results[0], equal_nan))
    if return_counts:
        results.append(parts.item(1 + return_index, np.intp))
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
    """A node whose blocks are tuples of distinct elements, first positions and counts.

    Those that nobody wants are left out of the tuples. There is one block, unless workers have no
    room for it and ``may_spread``.
    """

    node: Node
    sizes: tuple[Unknown, ...]

    @classmethod
    def of(
        cls, x: Array, index: bool, counts: bool, equal_nan: bool, may_spread: bool
    ) -> _Distinct:
        node = known_node(x) if index else x.expr
        meta = node.meta
        axes = tuple(range(meta.ndim))
        strides = tuple(_stride(meta.shape, axis) for axis in axes) if index else None
        merge = _Merge(meta.dtype, index, counts, equal_nan)
        kernel = FunctionKernel(
            _distinct_of_block,
            (strides, merge),
            wants_block=True,
            label="unique",
            room=merge.room(prod(max_block(meta.chunks))) if meta.known else None,
        )
        grid = tuple((1,) * n for n in meta.numblocks)
        fields: list[Any] = [("", meta.dtype), *[("", np.intp)] * (index + counts)]
        made = meta.with_(dtype=parcel(np.dtype(fields).itemsize))
        blocks = Blockwise(kernel, (BlockInput(node, axes=axes),), meta.chunks, made)
        # Named after the elements alone, so that all that is said of them is aligned.
        token = tokenize("unique", node, equal_nan)
        if may_spread and meta.known:
            count = parts_for(made.nbytes, merge.room(meta.size), meta.backend)
            if count > 1:
                spread_node = spread(blocks, meta.chunks, merge, count, f"{token}-{count}")
                return cls(spread_node, spread_node.meta.chunks[0])
        out = made.with_(chunks=tuple((1,) for _ in grid))
        spans = split_every_of(None, axes)
        tree = TreeReduce(blocks, merge, whole, axes, True, spans, "unique", out)
        return cls(tree, (Unknown(token, 0),))

    def item(self, number: int, dtype: Any) -> Array:
        meta = ArrayMeta(np.dtype(dtype), (self.sizes,), self.node.meta.backend)
        if len(self.sizes) == 1:
            return Array(Call(item, (self.node,), (number,), (), meta))
        kernel = FunctionKernel(item, (number,), label="item")
        inputs = (BlockInput(self.node, axes=(0,)),)
        return Array(Blockwise(kernel, inputs, meta.chunks, meta))


def _stride(shape: tuple[Any, ...], axis: int) -> int:
    return int(np.prod(shape[axis + 1 :], dtype=np.int64))


def _distinct_of_block(
    block: Block, chunk: Any, strides: tuple[int, ...] | None, merge: _Merge
) -> tuple[Any, ...]:
    xp = array_namespace(chunk)
    index: Any = None
    if strides is not None:
        index = xp.zeros((1,) * chunk.ndim, dtype=np.intp)
        for axis, stride in enumerate(strides):
            along = (slice(None), *(None,) * (chunk.ndim - axis - 1))
            index = index + ((xp.arange(chunk.shape[axis]) + block.start[axis]) * stride)[along]
        index = xp.broadcast_to(index, chunk.shape).reshape(-1)
    ones = xp.ones(chunk.size, dtype=np.intp) if merge.counts else None
    return merge.distinct(chunk.flatten(), index, ones)


@dataclass(frozen=True)
class _Merge:
    """Distinct elements of several groups of distinct elements.

    Parameters
    ----------
    dtype : numpy.dtype
    index, counts : bool
        Whether the groups say where each element is first, and how often it is there.
    equal_nan : bool
    """

    dtype: np.dtype[Any]
    index: bool
    counts: bool
    equal_nan: bool
    data_decide: ClassVar[bool] = True
    advice: ClassVar[str] = (
        "what is distinct has to fit: sort the elements (gpuscale.array.sort) and keep those that "
        "differ from the one before, which stay in blocks (the distances of their positions are "
        "the counts)"
    )

    def __call__(self, parts: Sequence[Any], grid: tuple[int, ...]) -> tuple[Any, ...]:
        xp = array_namespace(parts[0][0])
        columns = (xp.concatenate(each) for each in zip(*parts, strict=True))
        values = next(columns)
        index = next(columns) if self.index else None
        counts = next(columns) if self.counts else None
        if index is not None:
            order = xp.argsort(index)
            values, index = values[order], index[order]
            counts = None if counts is None else counts[order]
            del order
        return self.distinct(values, index, counts)

    @property
    def itemsize(self) -> int:
        """Bytes for each element."""
        return self.dtype.itemsize + 8 * (self.index + self.counts)

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Bytes at most: all elements may be distinct."""
        total = sum(sizes)
        return total, self.room(total // max(1, self.itemsize))

    def room(self, size: int) -> int:
        """Bytes beside the result for so many elements, in memory of our own."""
        if not (self.index or self.counts):
            return (self.dtype.itemsize + 4) * size  # one copy, and masks
        # Two copies while they are put in order, the order, and what sorting takes.
        return (2 * self.itemsize + 36) * size

    def distinct(self, values: Any, index: Any, counts: Any) -> tuple[Any, ...]:
        """Distinct elements, sorted, with their smallest index and total count.

        The values are ours to sort, and those of an index that ascend.
        """
        xp = array_namespace(values)
        if index is None and counts is None:
            values.sort()
            return (values[self._is_first(xp, values)].astype(self.dtype, copy=False),)
        order = xp.argsort(values, kind="stable")
        values = values[order]
        index = None if index is None else index[order]
        counts = None if counts is None else counts[order]
        del order
        starts = xp.flatnonzero(self._is_first(xp, values))
        result = [values[starts].astype(self.dtype, copy=False)]  # joined in another byte order
        if index is not None:
            result.append(index[starts])
        if counts is not None and starts.size:
            upto = xp.cumsum(counts)[xp.append(starts[1:], values.size) - 1]
            counts = xp.diff(upto, prepend=0)
        return tuple(result if counts is None else [*result, counts])

    def _is_first(self, xp: Any, values: Any) -> Any:
        """Which of some sorted values differ from the one before; NaN stand at the end."""
        first = xp.ones(values.shape, dtype=bool)
        xp.not_equal(values[1:], values[:-1], out=first[1:])
        # A question to a device is dearer than its answer: there nobody asks.
        if self.equal_nan and values.size and (on_device(values) or values[-1] != values[-1]):
            missing = values != values
            first[1:] &= ~(missing[1:] & missing[:-1])
        return first


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
    # NaN stand at the end of the values: the places of others are the same with and without them.
    places = xp.searchsorted(values, chunk.reshape(-1)).reshape(chunk.shape)
    return xp.where(missing, (values == values).sum() + rank, places)
