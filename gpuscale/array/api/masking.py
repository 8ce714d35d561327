"""Boolean masks as indices: how many elements they keep is known when the data is."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gpuscale.array.api.index_terms import Advanced
from gpuscale.array.api.reshaping import reshape
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk, view
from gpuscale.array.convert import known_node, placed
from gpuscale.backends.seams import array_namespace
from gpuscale.base.tokens import tokenize
from gpuscale.base.types import Size, Unknown, is_known
from gpuscale.chunks import views
from gpuscale.chunks.blocks import offsets
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = ["flat_axes", "host_sizes", "keep_masked", "kept_sizes", "select_axis", "settle"]


def keep_masked(x: Array, mask: Advanced, axis: int, place: int) -> Array:
    """Keep what a mask says, along as many axes as it has, which become one.

    Parameters
    ----------
    x : Array
    mask : Advanced
    axis : int
        First axis of ``x`` that the mask takes.
    place : int
        Where the axis of kept elements goes.
    """
    keep = placed(mask.array, x)
    settle(x, keep, axis)
    if mask.n_axes != 1:
        x, keep = flat_axes(x, axis, mask.n_axes), flat_axes(keep, 0, mask.n_axes)
    sizes = host_sizes(mask, x._meta.chunks[axis])
    node = select_axis(x.expr, keep.expr, axis, sizes)
    order = [k for k in range(node.meta.ndim) if k != axis]
    order.insert(place, axis)
    return Array(view(node, views.transpose(node.meta.shape, order)))


def host_sizes(mask: Advanced, along: tuple[Any, ...]) -> tuple[int, ...] | None:
    """Count what each block keeps of a mask that the host holds, flattened; None for a lazy one."""
    if not isinstance(mask.array, np.ndarray):
        return None
    counts = np.concatenate([[0], np.cumsum(mask.array.reshape(-1))])
    return tuple(np.diff(counts[list(offsets(along))]).tolist())


def settle(x: Array, mask: Array, axis: int) -> None:
    """Count sizes that depend on data where only one of a mask and its array knows them."""
    along = x._meta.chunks[axis : axis + mask.ndim]
    if along != mask._meta.chunks and not is_known((*along, *mask._meta.chunks)):
        x.compute_chunk_sizes()
        mask.compute_chunk_sizes()


def flat_axes(x: Array, axis: int, count: int) -> Array:
    """Merge neighbouring axes in C order."""
    node = known_node(x)
    shape = node.meta.shape
    merged = prod(shape[axis : axis + count])
    return reshape(Array(node), (*shape[:axis], merged, *shape[axis + count :]))


def select_axis(x: Node, mask: Node, axis: int, sizes: tuple[int, ...] | None = None) -> Node:
    """Keep what a mask of one axis says along one axis.

    The sizes that nobody knows yet are named after the mask, so that all that one mask keeps of
    arrays with the same blocks is aligned.
    """
    mask = rechunk(mask, (x.meta.chunks[axis],))
    kept = kept_sizes(mask) if sizes is None else sizes
    chunks = (*x.meta.chunks[:axis], kept, *x.meta.chunks[axis + 1 :])
    inputs = (
        BlockInput(x, axes=tuple(range(x.meta.ndim))),
        BlockInput(mask, axes=(axis,)),
    )
    kernel = FunctionKernel(_compress, (axis,), label="mask")
    return Blockwise(kernel, inputs, x.meta.chunks, x.meta.with_(chunks=chunks))


def kept_sizes(mask: Node) -> tuple[Size, ...]:
    """Sizes, not known yet, of what each block of a mask keeps."""
    token = tokenize("mask", mask)
    return tuple(Unknown(token, number) for number in range(mask.meta.numblocks[0]))


def _compress(chunk: Any, mask: Any, axis: int) -> Any:
    return array_namespace(chunk).compress(mask, chunk, axis=axis)
