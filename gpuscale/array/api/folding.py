"""``reduce``, ``accumulate`` and ``reduceat`` of NumPy's ufuncs of two operands.

What is associative is done block by block. Other operations fold a line from its first element to
its last, so they get whole lines: the axis becomes one block, cut along the others.
"""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuscale.array.api.manipulation import squeeze
from gpuscale.array.api.reductions import (
    extreme,
    mask_for,
    reduced_axes,
    table_reduction,
    with_mask,
)
from gpuscale.array.api.scanning import scan, summing
from gpuscale.array.api.taking import positions, whole_axis
from gpuscale.array.collection import Array
from gpuscale.array.construct import cast, rechunk
from gpuscale.array.convert import as_array, known_node
from gpuscale.array.ufunc import into
from gpuscale.backends import seams
from gpuscale.backends.creation import is_on_device
from gpuscale.base.types import Chunks, Unknown
from gpuscale.chunks.axes import at_axis, normalize_axis
from gpuscale.chunks.blocks import known_sizes, max_block, merge_sizes, offsets
from gpuscale.codegen.reductions import FOLDS
from gpuscale.expr.kernels import Block, FunctionKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise

__all__: list[str] = []

_EXTREMES = {"maximum": "max", "minimum": "min", "fmax": "fmax", "fmin": "fmin"}
_ROWS = {"add": "sum", "multiply": "prod", "logical_and": "all", "logical_or": "any"}
_ASSOCIATIVE = {*_EXTREMES, *_ROWS, *FOLDS}  # it does not matter where a line is cut for these


def reduce(
    name: str,
    x: Any,
    axis: Any = 0,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = np._NoValue,
    where: Any = True,
) -> Array:
    """Answer ``ufunc.reduce``; what NumPy refuses is refused in its words.

    Raises
    ------
    TypeError
        If the operation is not defined for the dtype, or gives another one than was asked for.
    ValueError
        If there is no element to begin with, or there are several axes and order matters.
    """
    x, where = with_mask(x, where, name)
    if getattr(np, name).identity is None or initial is None:
        x = Array(known_node(x))  # whether there is an element decides
    options = {"axis": axis, "dtype": dtype, "keepdims": True}
    options |= {} if initial is np._NoValue else {"initial": initial}
    options |= {} if where is True else {"where": np.asarray(True)}
    kind = _dtype_of(name, "reduce", x, **options)
    axes = reduced_axes(axis, x.ndim)
    if name not in _ASSOCIATIVE or kind.kind == "O":
        return into(out, _folded(name, x, axes, kind, keepdims, initial, where))
    x = Array(cast(x.expr, kind))
    start = None if initial is np._NoValue else initial
    if name in _EXTREMES:
        return extreme(_EXTREMES[name], x, axes, keepdims, None, out, start, where)
    row = _ROWS.get(name, name)
    return table_reduction(row, x, axes, keepdims, None, out, initial=start, where=where)


def _dtype_of(name: str, method: str, x: Array, *args: Any, **options: Any) -> np.dtype[Any]:
    """Let NumPy say of a single element what dtype comes out, or why nothing does."""
    shape = tuple(1 if isinstance(n, Unknown) else min(n, 1) for n in x._meta.shape)
    result = getattr(getattr(np, name), method)(np.ones(shape, x.dtype), *args, **options)
    kind: np.dtype[Any] = getattr(result, "dtype", np.dtype(object))
    return kind.newbyteorder("=")


def _folded(
    name: str,
    x: Array,
    axes: tuple[int, ...],
    dtype: np.dtype[Any],
    keepdims: bool,
    initial: Any,
    where: Any,
) -> Array:
    """Reduce whole lines as NumPy does."""
    lines = Array(whole_axis(known_node(x), *axes))
    masks = () if where is True else (rechunk(mask_for(where, lines.expr), lines.chunks),)
    options = {} if initial is np._NoValue else {"initial": initial}
    chunks = tuple((1,) if a in axes else sizes for a, sizes in enumerate(lines.chunks))
    function = partial(_fold, name=name, axis=axes, dtype=dtype, **options)
    wide = _by_block(function, name, dtype, chunks, lines.expr, *masks)
    return wide if keepdims else squeeze(wide, axes)


def _fold(block: Block, chunk: Any, *masks: Any, name: str, axis: Any, **options: Any) -> Any:
    options |= dict(zip(("where",), masks, strict=False))
    with np.errstate(all="ignore"):
        return seams.fold(chunk, name, axis, **options)


def _by_block(
    function: Any,
    name: str,
    dtype: np.dtype[Any],
    chunks: Chunks,
    *nodes: Node,
    room: int | None = None,
) -> Array:
    """Call ``function(block, *chunks)`` on nodes that are cut alike; it makes other blocks."""
    inputs = tuple(BlockInput(node, axes=tuple(range(node.meta.ndim))) for node in nodes)
    kernel = FunctionKernel(function, wants_block=True, label=name, room=room)
    meta = nodes[0].meta.with_(dtype=dtype, chunks=chunks)
    return Array(Blockwise(kernel, inputs, nodes[0].meta.chunks, meta))


def accumulate(
    name: str, x: Any, axis: int | None = 0, dtype: Any = None, out: Any = None
) -> Array:
    """Answer ``ufunc.accumulate``.

    Raises
    ------
    TypeError
        If the operation is not defined for the dtype, or there are no axes.
    """
    x = as_array(x)
    if name in ("add", "multiply") and x.ndim and axis is not None:
        return summing(name, x, axis, dtype, out)
    kind = _dtype_of(name, "accumulate", x, axis, dtype)
    axis = normalize_axis(axis or 0, x.ndim)
    if name in _ASSOCIATIVE and kind.kind != "O":
        return scan(name, cast(x.expr, kind), axis, out)
    lines = Array(whole_axis(known_node(x), axis))
    function = partial(_running, name=name, axis=axis, dtype=kind)
    return into(out, _by_block(function, name, kind, lines.chunks, lines.expr))


def _running(block: Block, chunk: Any, name: str, axis: int, dtype: Any) -> Any:
    with np.errstate(all="ignore"):
        return seams.accumulate(chunk, name, axis, dtype)


def reduceat(
    name: str, x: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None
) -> Array:
    """Answer ``ufunc.reduceat``: reduce stretches of an axis that begin at the indices.

    Where these ascend, blocks reduce the parts of stretches that lie in them, and these parts are
    reduced again; else each block gets whole lines.

    Parameters
    ----------
    name : str
    x : array
    indices : array of int
        One-dimensional; a lazy array is computed now.
    axis : int
    dtype : dtype, optional
    out : Array, optional

    Raises
    ------
    TypeError
        If the operation is not defined for the dtype, or the indices are no integers.
    IndexError
        If an index is out of bounds.
    """
    x = Array(known_node(x))
    kind = _dtype_of(name, "reduceat", x, [0] if x.size else [], axis, dtype)
    axis = normalize_axis(axis or 0, x.ndim)
    starts = _starts(name, indices, x.shape[axis])
    x = Array(cast(x.expr, kind))
    ascending = starts.size and bool((np.diff(starts) > 0).all())
    if ascending and name in _ASSOCIATIVE and kind.kind != "O" and x.numblocks[axis] > 1:
        return into(out, _by_parts(name, x, starts, axis))
    lines = Array(whole_axis(x.expr, axis))
    return into(out, _stretches(name, lines, starts, axis, (starts.size,)))


def _starts(name: str, indices: Any, length: int) -> NDArray[Any]:
    starts = positions(indices, length, "raise")
    if starts.ndim != 1:
        raise ValueError(f"the indices of {name}.reduceat have one axis, not {starts.ndim}")
    for wrong in starts[(starts < 0) | (starts >= length)]:
        raise IndexError(f"index {wrong} out-of-bounds in {name}.reduceat [0, {length})")
    return starts.astype(np.int64)


def _by_parts(name: str, x: Array, starts: NDArray[Any], axis: int) -> Array:
    """Reduce what of each stretch lies in each block, then the parts of each stretch."""
    x = x[at_axis(axis, slice(int(starts[0]), None))]
    starts = starts - starts[0]
    borders = np.asarray(offsets(known_sizes(x.chunks[axis])))
    cuts = np.union1d(starts, borders[:-1])
    parts = _stretches(name, x, cuts, axis, np.diff(np.searchsorted(cuts, borders)))
    if cuts.size == starts.size:
        return parts
    firsts = np.searchsorted(cuts, starts)
    counts = tuple(np.diff(firsts, append=cuts.size).tolist())
    together = merge_sizes(counts, max(known_sizes(parts.chunks[axis])))
    parts = parts.rechunk({axis: together})
    groups = np.searchsorted(firsts, np.asarray(offsets(together)))
    return _stretches(name, parts, firsts, axis, np.diff(groups))


def _stretches(name: str, x: Array, starts: NDArray[Any], axis: int, sizes: Any) -> Array:
    """Reduce stretches that end where their block does; ``sizes`` is how many lie in each."""
    chunks = (*x.chunks[:axis], tuple(map(int, sizes)), *x.chunks[axis + 1 :])
    function = partial(_reduce_at, name=name, starts=starts, axis=axis)
    room = _room_on_device(x, axis) if is_on_device(x.backend) else None
    return _by_block(function, name, x.dtype, chunks, x.expr, room=room)


def _room_on_device(x: Array, axis: int) -> int:
    """Bytes that `backends.folding.reduceat_pairwise` takes: pairs, what they come to, places."""
    block = max_block(x.chunks)
    return 4 * prod(block) * x.dtype.itemsize + 41 * block[axis]


def _reduce_at(block: Block, chunk: Any, name: str, starts: NDArray[Any], axis: int) -> Any:
    first = block.start[axis]
    here = starts[(starts >= first) & (starts < first + chunk.shape[axis])] - first
    with np.errstate(all="ignore"):
        return seams.reduceat(chunk, name, here, axis, chunk.dtype)
