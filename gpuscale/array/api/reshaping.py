"""Other shapes of the same elements in C order."""

from __future__ import annotations

import math
from typing import Any

from gpuscale.array.api.index_functions import lengths_of, linear_index
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk
from gpuscale.array.convert import as_array, known_node
from gpuscale.array.nodes.creation import IndexFunction
from gpuscale.chunks.axes import normalize_axis
from gpuscale.chunks.normalize import normalize_chunks
from gpuscale.chunks.reshape import plan_reshape, resolve_shape
from gpuscale.codegen.program import AffineIndex
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import ReshapePlan

__all__ = ["flatten", "ravel", "reshape", "reshape_blockwise"]


def reshape(
    x: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None, limit: Any = None
) -> Array:
    """Give the array a new shape; elements keep their C order.

    Parameters
    ----------
    x : array
    shape : int or tuple of int
        One length may be -1 and is worked out.
    order : {"C", "F"}
        "F" reads and writes with the first axis changing fastest.
    copy : bool, optional
        Accepted for the Array API standard; lazy arrays never share memory.
    limit : int or str, optional
        Bytes of one block of the result; blocks keep their size by default.

    Raises
    ------
    ValueError
        If the sizes differ.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.reshape(ga.arange(6, chunks=4), (2, -1)).compute()
    array([[0, 1, 2],
           [3, 4, 5]])
    """
    node = known_node(x)
    lengths = lengths_of(shape)
    if order == "F":
        return as_array(x).T.reshape(lengths[::-1]).T
    if order not in ("C", "A"):
        raise ValueError(f"order must be 'C', 'F' or 'A', got {order!r}")
    target = resolve_shape(node.meta.shape, lengths)
    fresh = _of_index_function(node, target)
    if fresh is None:
        fresh = node
        for step in plan_reshape(node.meta.shape, target, node.meta.chunks):
            meta = node.meta.with_(chunks=step.chunks_out)
            fresh = Exchange((rechunk(fresh, step.chunks_in),), ReshapePlan(), meta)
    result = Array(fresh)
    return result if limit is None else result.rechunk("auto", block_size_limit=limit)


def along_axis(x: Any, axis: int | None) -> tuple[Array, int]:
    """Return an array and one of its axes; the flat array where no axis is given.

    As in many functions of NumPy, what has no axes has the axes 0 and -1.
    """
    x = as_array(x).compute_chunk_sizes()
    if axis is None or not x.ndim and axis in (0, -1):
        return ravel(x), 0
    return x, normalize_axis(axis, x.ndim)


def _of_index_function(node: Node, shape: tuple[Any, ...]) -> Node | None:
    """An index function of the element's number alone has any shape for nothing."""
    if not isinstance(node, IndexFunction) or node.meta.shape == shape:
        return None
    old, new = linear_index(node.meta.shape), linear_index(shape)
    steps = [_multiple(index, old) for index in node.indices]
    if any(step is None for step in steps):
        return None
    indices = tuple(
        AffineIndex(index.base, tuple(step * c for c in new.coefs))
        for index, step in zip(node.indices, steps, strict=True)
        if step is not None
    )
    itemsize = max(node.meta.dtype.itemsize, 1)
    block = itemsize * math.prod(max(sizes) for sizes in node.meta.chunks)
    meta = node.meta.with_(chunks=normalize_chunks("auto", shape, itemsize, max(block, itemsize)))
    return IndexFunction(node.program, indices, node.params, node.label, meta)


def _multiple(index: AffineIndex, linear: AffineIndex) -> int | None:
    """Factor of an index that counts elements in C order, None where it does not."""
    if not linear.coefs:
        return 0
    step = index.coefs[-1]
    return step if index.coefs == tuple(step * c for c in linear.coefs) else None


def ravel(x: Any, order: str = "C") -> Array:
    """Flatten to one axis."""
    return reshape(x, (-1,), order) if as_array(x).size else reshape(x, (0,), order)


def flatten(x: Any, order: str = "C") -> Array:
    """Flatten to one axis."""
    return ravel(x, order)


def reshape_blockwise(x: Any, shape: Any, chunks: Any = None) -> Array:
    """Reshape every block on its own; elements change places unless blocks are whole rows.

    Parameters
    ----------
    x : array
    shape : int or tuple of int
    chunks : tuple of tuple of int, optional
        Blocks of the result, needed where axes are split.

    Raises
    ------
    ValueError
        If the blocks of the two shapes do not have the same sizes.
    """
    node = known_node(x)
    lengths = lengths_of(shape)
    target = resolve_shape(node.meta.shape, lengths)
    if chunks is None:
        if len(target) != 1:
            raise ValueError("reshape_blockwise needs chunks= unless the result has one axis")
        chunks = (tuple(_block_sizes(node)),)
    meta = node.meta.with_(chunks=tuple(map(tuple, chunks)))
    if meta.shape != target or _block_sizes_of(meta.chunks) != _block_sizes(node):
        raise ValueError(
            f"blocks of shape {node.meta.chunks} cannot be reshaped into blocks {meta.chunks}"
        )
    return Array(Exchange((node,), ReshapePlan(), meta))


def _block_sizes(node: Node) -> list[int]:
    return _block_sizes_of(node.meta.chunks)


def _block_sizes_of(chunks: tuple[tuple[int, ...], ...]) -> list[int]:
    sizes = [1]
    for axis in chunks:
        sizes = [size * n for size in sizes for n in axis]
    return sizes
