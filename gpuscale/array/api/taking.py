"""Elements picked by position or by condition: ``take`` and its relatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuscale.array.api.elementwise import where
from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.gathering import take_points
from gpuscale.array.api.index_functions import is_lazy
from gpuscale.array.api.index_terms import whole_index
from gpuscale.array.api.lines import are_too_long, take_from_blocks
from gpuscale.array.api.reshaping import along_axis, ravel
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk
from gpuscale.array.convert import as_array, as_arrays, known_node
from gpuscale.array.ufunc import into
from gpuscale.backends.seams import array_namespace
from gpuscale.base.types import Chunks
from gpuscale.chunks.axes import at_axis, normalize_axis
from gpuscale.chunks.blocks import max_block, merge_sizes
from gpuscale.chunks.broadcast import unify_chunks
from gpuscale.chunks.normalize import normalize_chunks
from gpuscale.chunks.take import normalize_take
from gpuscale.engines.automatic import chunk_bytes
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.meta import axis_size
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = [
    "choose",
    "compress",
    "extract",
    "select",
    "shuffle",
    "take",
    "take_along_axis",
]


def take(
    x: Any, indices: Any, /, axis: int | None = None, out: Any = None, mode: str = "raise"
) -> Array:
    """Take elements at given positions of an axis, in one shuffle.

    Parameters
    ----------
    x : array
    indices : int or array of int
        Positions; a lazy array is computed now. Their axes replace ``axis``.
    axis : int, optional
        The flattened array by default.
    out : Array, optional
        Made to hold the result.
    mode : {"raise", "wrap", "clip"}
        What to do with positions that are out of bounds.

    Raises
    ------
    IndexError
        If a position is out of bounds.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.take(ga.arange(10, chunks=4), [7, 0, 7]).compute()
    array([7, 0, 7])
    """
    x, axis = along_axis(x, axis)
    index = positions(indices, x.shape[axis], mode)
    if index.size and not x.shape[axis]:
        raise IndexError("cannot do a non-empty take from an empty axes.")
    return into(out, x[at_axis(axis, index)])


def positions(indices: Any, length: int, mode: str) -> NDArray[Any]:
    """Return positions as an array, with ``mode`` applied to those out of bounds.

    Raises
    ------
    TypeError
        If they are no integers.
    ValueError
        If there is no such mode.
    """
    index = whole_index(indices)
    if index.size == 0 and not hasattr(indices, "dtype"):
        index = index.astype(np.intp)  # an empty list says nothing about its type
    if index.dtype.kind not in "iu":
        raise TypeError(f"indices must be integers, not {index.dtype}")
    if mode == "wrap":
        return index % max(length, 1)
    if mode == "clip":
        return np.clip(index, 0, max(length - 1, 0))
    if mode != "raise":
        raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got {mode!r})")
    return index


def compress(condition: Any, a: Any, axis: int | None = None, out: Any = None) -> Array:
    """Keep positions of an axis for which a condition holds.

    Parameters
    ----------
    condition : array of bool
        One-dimensional; positions beyond its end are not kept. A lazy one stays lazy.
    a : array
    axis : int, optional
        The flattened array by default.
    out : Array, optional
        Made to hold the result.

    Raises
    ------
    ValueError
        If the condition is not one-dimensional.
    IndexError
        If it is longer than the axis.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.compress([True, False, True], ga.arange(5, chunks=2)).compute()
    array([0, 2])
    """
    keep: Any
    if is_lazy(condition):
        keep, a = as_arrays((condition, a), "compress")
    else:
        keep = np.asarray(condition)
    x, axis = along_axis(a, axis)
    if keep.ndim != 1:
        raise ValueError("condition must be a 1-d array")
    keep = keep.astype(bool)
    if isinstance(keep, Array) and keep._meta.chunks == x._meta.chunks[axis : axis + 1]:
        return into(out, x[at_axis(axis, keep)])  # aligned: nothing needs to be counted
    length, given = x.shape[axis], keep.shape[0]
    if given > length:
        if keep[length:].any():
            raise IndexError(
                f"index {given - 1} is out of bounds for axis {axis} with size {length}"
            )
        keep = keep[:length]
    return into(out, x[at_axis(axis, slice(given))][at_axis(axis, keep)])


def extract(condition: Any, arr: Any) -> Array:
    """Keep the elements of the flattened array for which the flattened condition holds.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.arange(6, chunks=4)
    >>> ga.extract(x % 3 == 0, x).compute()
    array([0, 3])
    """
    keep, x = as_arrays((condition, arr), "extract")
    return compress(ravel(keep), ravel(x))


def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Array:
    """For each element the one of several arrays whose number it is.

    Parameters
    ----------
    a : array of int
    choices : sequence of arrays, or one array
        They broadcast with ``a`` and each other.
    out : Array, optional
        Made to hold the result.
    mode : {"raise", "wrap", "clip"}
        What to do with numbers that are out of bounds.

    Raises
    ------
    ValueError
        If a number is out of bounds; when it is computed.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.choose(ga.asarray([1, 0]), [[1, 2], [3, 4]]).compute()
    array([3, 2])
    """
    number, *arrays = as_arrays([a, *choices], "choose")
    if not arrays:
        raise ValueError("choose needs at least one array to choose from")
    dtype = np.result_type(*(each.dtype for each in arrays))
    return into(out, map_blocks(_choose, number, *arrays, mode=mode, dtype=dtype))


def _choose(chunk: Any, *choices: Any, mode: str) -> Any:
    xp = array_namespace(chunk)
    return xp.choose(chunk, choices, mode=mode)


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Array:
    """For each element the choice that belongs to the first condition that holds.

    Parameters
    ----------
    condlist : sequence of arrays of bool
    choicelist : sequence of arrays
        As many; all broadcast together.
    default : scalar or array
        Where no condition holds.

    Raises
    ------
    ValueError
        If there are no conditions, or not as many choices.
    TypeError
        If a condition is not of bool.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.arange(5)
    >>> ga.select([x < 2, x > 3], [x, x * 10], -1).compute()
    array([ 0,  1, -1, -1, 40])
    """
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    if not len(condlist):
        raise ValueError("select with an empty condition list is not possible")
    arrays = as_arrays([*condlist, *choicelist, default], "select")
    conditions = arrays[: len(condlist)]
    for number, each in enumerate(conditions):
        if each.dtype.kind != "b":
            raise TypeError(
                f"invalid entry {number} in condlist: should be boolean ndarray, not {each.dtype}"
            )
    scalars = (int, float, complex, bool)
    choices = arrays[len(condlist) :]
    given = zip((*choicelist, default), choices, strict=True)
    dtype = np.result_type(*(c if type(c) in scalars else array.dtype for c, array in given))
    result = choices[-1].astype(dtype)
    for condition, choice in zip(reversed(conditions), reversed(choices[:-1]), strict=True):
        result = where(condition, choice.astype(dtype), result)
    return result


def places_in_lines(indices: Any, ndim: int) -> Array:
    """Check positions along an axis of an array of so many dimensions, as NumPy does."""
    places = as_array(indices)
    if places.dtype.kind not in "iu":
        raise IndexError("`indices` must be an integer array")
    if places.ndim != ndim:
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    return places


def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Array:
    """Take, along one axis, the positions that an array of equal dimensions has for each line.

    The axis becomes one block, cut along the others where that is too large; where its lines are
    too long by themselves, they are looked at block by block. Lazy positions stay lazy.

    Parameters
    ----------
    arr : array
    indices : array of int
        The other axes broadcast with those of ``arr``.
    axis : int or None
        The flattened array if None.

    Raises
    ------
    ValueError
        If the dimensions differ.
    IndexError
        If ``indices`` are no integers, or out of bounds, which is seen when it is computed.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.asarray([[30, 10, 20], [4, 6, 5]], chunks=2)
    >>> ga.take_along_axis(x, ga.argsort(x), -1).compute()
    array([[10, 20, 30],
           [ 4,  5,  6]])
    """
    x, places = as_arrays((arr, indices), "take_along_axis")
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalize_axis(axis, x.ndim)
    places = places_in_lines(places, x.ndim)
    node = known_node(x)
    source = whole_axis(node, axis)
    in_blocks = are_too_long(source)
    source = node if in_blocks else source
    picked = known_node(places)
    others = _with(source.meta.chunks, axis, (1,)), _with(source.meta.shape, axis, 1)
    grid = unify_chunks(others, (picked.meta.chunks, picked.meta.shape))
    source = _aligned(source, _with(grid, axis, source.meta.chunks[axis]))
    picked = _aligned(picked, grid)
    if in_blocks:
        return Array(take_from_blocks(source, picked, grid, axis))
    kernel = FunctionKernel(_take_along, (axis,), label="take_along_axis")
    inputs = (_follows(source, grid, axis), _follows(picked, grid))
    return Array(Blockwise(kernel, inputs, grid, source.meta.with_(chunks=grid)))


def whole_axis(node: Node, *axes: int) -> Node:
    """Put axes in one block; blocks that this makes too large are cut along the others."""
    meta = node.meta
    limit = chunk_bytes(meta.backend)
    itemsize = max(meta.dtype.itemsize, 1)
    chunks = tuple((axis_size(c),) if k in axes else c for k, c in enumerate(meta.chunks))
    if np.prod(max_block(chunks), dtype=float) * itemsize > limit:
        wanted = {k: -1 if k in axes else "auto" for k in range(meta.ndim)}
        chunks = normalize_chunks(wanted, meta.shape, itemsize, limit, meta.chunks)
    return rechunk(node, chunks)


def _with(items: tuple[Any, ...], axis: int, item: Any) -> tuple[Any, ...]:
    return (*items[:axis], item, *items[axis + 1 :])


def _aligned(node: Node, grid: Chunks) -> Node:
    """Cut a node like the grid, but for the axes along which it broadcasts."""
    return rechunk(
        node,
        tuple(
            own if length == 1 else sizes
            for own, length, sizes in zip(node.meta.chunks, node.meta.shape, grid, strict=True)
        ),
    )


def _follows(node: Node, grid: Chunks, whole: int | None = None) -> BlockInput:
    return BlockInput(
        node,
        axes=tuple(
            None if axis == whole or len(own) != len(sizes) else axis
            for axis, (own, sizes) in enumerate(zip(node.meta.chunks, grid, strict=True))
        ),
    )


def _take_along(chunk: Any, places: Any, axis: int) -> Any:
    return array_namespace(chunk).take_along_axis(chunk, places, axis=axis)


def shuffle(x: Any, indexer: Sequence[Sequence[int]], axis: int = 0, chunks: Any = "auto") -> Array:
    """Bring the positions of an axis into groups, each of which lies in one block.

    Parameters
    ----------
    x : array
    indexer : list of lists of int
        The positions of each group, in the order wanted.
    axis : int
    chunks : "auto" or None
        "auto" puts small groups together in one block, up to the size of the blocks of ``x``;
        None makes one block of each.

    Raises
    ------
    ValueError
        If the indexer is no list of lists.
    IndexError
        If a position is out of bounds.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.shuffle(ga.arange(6, chunks=2), [[5, 0, 1], [2, 4]], axis=0).compute()
    array([5, 0, 1, 2, 4])
    """
    if not isinstance(indexer, list) or not all(isinstance(g, list | np.ndarray) for g in indexer):
        raise ValueError("indexer must be a list of lists of positional indices")
    if chunks not in ("auto", None):
        raise ValueError(f"chunks must be 'auto' or None, got {chunks!r}")
    node = known_node(x)
    axis = normalize_axis(axis, node.meta.ndim)
    positions = np.concatenate([np.zeros(0, np.int64), *(np.asarray(g, np.int64) for g in indexer)])
    index = normalize_take(positions, node.meta.shape[axis], axis)
    sizes = tuple(len(group) for group in indexer if len(group)) or (0,)
    if chunks == "auto":
        sizes = merge_sizes(sizes, max(node.meta.chunks[axis]))
    return Array(take_points(node, (axis,), [index], sizes))
