"""Distinct slices along an axis: rows of a table, say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk, split_every_of
from gpuscale.array.convert import known_node
from gpuscale.backends.creation import parcel
from gpuscale.backends.seams import array_namespace, bincount, on_device
from gpuscale.base.tokens import tokenize
from gpuscale.base.types import Unknown
from gpuscale.chunks.axes import normalize_axis
from gpuscale.chunks.blocks import max_block
from gpuscale.chunks.normalize import normalize_chunks
from gpuscale.engines.automatic import chunk_bytes
from gpuscale.expr.kernels import Block, FunctionKernel
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, Call, TreeReduce

__all__ = ["item", "unique_slices", "whole"]

Parts = tuple[Any, Any, Any]


def whole(parts: Any) -> Any:
    """Finish a tree whose one block is a tuple."""
    return parts


def item(parts: Any, number: int) -> Any:
    """One array of such a block."""
    return parts[number]


item.hands_on = True  # type: ignore[attr-defined]


def unique_slices(
    x: Array, wanted: tuple[bool, bool, bool], axis: int, equal_nan: bool
) -> Array | tuple[Array, ...]:
    """Distinct slices, sorted, and what is wanted of first positions, numbers and counts.

    Raises
    ------
    numpy.exceptions.AxisError
        If the axis does not exist.
    """
    node = known_node(x)
    axis = normalize_axis(axis, node.meta.ndim)
    index, inverse, counts = wanted
    node = _cut_along(node, axis)
    block = max_block(node.meta.chunks)
    n_fields = prod(n for k, n in enumerate(block) if k != axis)
    merge = _MergeSlices(axis, equal_nan, n_fields, node.meta.dtype.itemsize)
    # Each slice has a position and a count beside it.
    width = node.meta.dtype.itemsize + -(-16 * block[axis] // max(1, prod(block)))
    kernel = FunctionKernel(
        _slices_of_block,
        (merge,),
        wants_block=True,
        label="unique",
        room=merge.room(block[axis]),
    )
    axes = tuple(range(node.meta.ndim))
    made = node.meta.with_(dtype=parcel(width))
    blocks = Blockwise(kernel, (BlockInput(node, axes=axes),), node.meta.chunks, made)
    out = made.with_(chunks=((1,),) * len(axes))
    step = split_every_of(None, axes)
    tree = TreeReduce(blocks, merge, whole, axes, True, step, "unique", out)
    size = Unknown(tokenize("unique", node, axis, equal_nan), 0)
    shape = (*node.meta.shape[:axis], size, *node.meta.shape[axis + 1 :])
    values = _item(tree, 0, shape, x.dtype)
    first = _item(tree, 1, (size,), np.intp)
    results = [values, first] if index else [values]
    if inverse:
        results.append(_numbers(node, values.expr, first.expr, axis, equal_nan))
    if counts:
        results.append(_item(tree, 2, (size,), np.intp))
    return results[0] if len(results) == 1 else tuple(results)


def _cut_along(node: Node, axis: int) -> Node:
    """Cut a node along one axis only, as it is cut there if blocks do not become too large."""
    meta = node.meta
    limit, itemsize = chunk_bytes(meta.backend), max(meta.dtype.itemsize, 1)
    chunks = tuple(c if k == axis else (sum(c),) for k, c in enumerate(meta.chunks))
    if np.prod(max_block(chunks), dtype=float) * itemsize > limit:
        wanted = {k: "auto" if k == axis else -1 for k in range(meta.ndim)}
        chunks = normalize_chunks(wanted, meta.shape, itemsize, limit, meta.chunks)
    return rechunk(node, chunks)


def _item(tree: Node, number: int, shape: tuple[Any, ...], dtype: Any) -> Array:
    meta = ArrayMeta(np.dtype(dtype), tuple((n,) for n in shape), tree.meta.backend)
    return Array(Call(item, (tree,), (number,), (), meta))


@dataclass(frozen=True)
class _MergeSlices:
    """Distinct slices of several groups of slices, with first positions and counts.

    Parameters
    ----------
    axis : int
    equal_nan : bool
    n_fields, itemsize : int
        Elements of a slice, and bytes of each.
    """

    axis: int
    equal_nan: bool
    n_fields: int
    itemsize: int
    data_decide: ClassVar[bool] = True
    advice: ClassVar[str] = "what is distinct has to fit"

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Bytes at most: all slices may be distinct."""
        total = sum(sizes)
        return total, total + self.room(total // (self.n_fields * self.itemsize + 16))

    def room(self, n_slices: int) -> int:
        """Bytes that NumPy takes beside the slices: as measured, for values, orders and fields."""
        values = n_slices * self.n_fields * self.itemsize
        return 13 * values // 4 + 56 * n_slices + 600 * self.n_fields

    def __call__(self, parts: Sequence[Parts], grid: tuple[int, ...]) -> Parts:
        xp = array_namespace(parts[0][0])
        values, index, counts = (
            xp.concatenate(each, axis=axis)
            for each, axis in zip(zip(*parts, strict=True), (self.axis, 0, 0), strict=True)
        )
        return self.of(values, index, counts)

    def of(self, values: Any, index: Any, counts: Any) -> Parts:
        """Distinct slices; positions ascend among equal ones, so the first is the smallest."""
        xp = array_namespace(values)
        options = {"axis": self.axis, "equal_nan": self.equal_nan}
        found, first, numbers = xp.unique(values, True, True, **options)
        # As floating point numbers, which hold such counts exactly: CuPy adds no int64 up by `at`.
        totals = bincount(numbers.reshape(-1), counts, first.size).astype(np.intp)
        return found.copy(), index[first], totals  # no view: its size is measured


def _slices_of_block(block: Block, chunk: Any, merge: _MergeSlices) -> Parts:
    xp = array_namespace(chunk)
    length = chunk.shape[merge.axis]
    positions = xp.arange(length, dtype=np.intp) + block.start[merge.axis]
    return merge.of(chunk, positions, xp.ones(length, dtype=np.intp))


def _numbers(node: Node, values: Node, first: Node, axis: int, equal_nan: bool) -> Array:
    """For each slice the number of the distinct one that it is."""
    axes = tuple(range(node.meta.ndim))
    inputs = (
        BlockInput(node, axes=tuple(0 if k == axis else None for k in axes)),
        BlockInput(values, axes=(None,) * len(axes)),
        BlockInput(first, axes=(None,)),
    )
    meta = ArrayMeta(np.dtype(np.intp), (node.meta.chunks[axis],), node.meta.backend)
    kernel = FunctionKernel(_found, (axis, equal_nan), wants_block=True, label="inverse")
    return Array(Blockwise(kernel, inputs, meta.chunks, meta))


def _found(block: Block, chunk: Any, values: Any, first: Any, axis: int, equal_nan: bool) -> Any:
    """Find slices by their values; those with NaN that equal no other by their positions."""
    xp = array_namespace(chunk)
    if chunk.ndim == 1 and equal_nan:  # NumPy takes the NaN of slices for different in any case
        return _found_by_value(xp, chunk, values, axis)
    others = tuple(k for k in range(chunk.ndim) if k != axis)
    missing = (chunk != chunk).any(axis=others)
    if not (on_device(chunk) or missing.any()):  # a device is not asked: it would be waited for
        return _found_by_value(xp, chunk, values, axis)
    numbers = xp.empty(chunk.shape[axis], dtype=np.intp)
    numbers[~missing] = _found_by_value(xp, xp.compress(~missing, chunk, axis), values, axis)
    order = xp.argsort(first)
    places = xp.flatnonzero(missing) + block.start[0]
    numbers[missing] = order[xp.searchsorted(first[order], places)]
    return numbers


def _found_by_value(xp: Any, chunk: Any, values: Any, axis: int) -> Any:
    """All slices are among the values, which are sorted: beside them they change no numbers."""
    both = xp.concatenate([values, chunk], axis=axis)
    numbers = xp.unique(both, return_inverse=True, axis=axis)[1].reshape(-1)
    return numbers[values.shape[axis] :].astype(np.intp, copy=False)
