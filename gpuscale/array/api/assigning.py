"""Functions that change an array in place: they give its handle another expression."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api.fitting import converted
from gpuscale.array.api.index_functions import linear_index
from gpuscale.array.api.lines import are_too_long, put_in_blocks
from gpuscale.array.api.manipulation import broadcast_to
from gpuscale.array.api.masking import select_axis
from gpuscale.array.api.reshaping import ravel
from gpuscale.array.api.setitem import setitem
from gpuscale.array.api.taking import places_in_lines, positions, whole_axis
from gpuscale.array.api.tiling import resize
from gpuscale.array.collection import Array
from gpuscale.array.construct import PYTHON_SCALARS, rechunk
from gpuscale.array.convert import as_array, beside, known_node
from gpuscale.array.ufunc import call
from gpuscale.backends.seams import array_namespace
from gpuscale.chunks.axes import normalize_axis
from gpuscale.chunks.take import normalize_take
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = ["copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"]


def target(name: str, x: Any) -> Array:
    if not isinstance(x, Array):
        raise TypeError(
            f"{name} changes a gpuscale array in place, got {type(x).__name__}; for NumPy's arrays "
            f"use numpy.{name}"
        )
    return x


def put(a: Array, ind: Any, v: Any, mode: str = "raise") -> None:
    """Replace elements at given positions of the flattened array.

    Parameters
    ----------
    a : Array
        Changed in place.
    ind : array of int
        Positions; a lazy array is computed now.
    v : array
        Its elements in C order, from the start again where they end.
    mode : {"raise", "wrap", "clip"}
        What to do with positions that are out of bounds.

    Raises
    ------
    IndexError
        If a position is out of bounds.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.zeros(4, dtype=int, chunks=2)
    >>> ga.put(x, [0, -1], [7, 8])
    >>> x.compute()
    array([7, 0, 0, 8])
    """
    size = target("put", a).size
    index = positions(ind, size, mode).reshape(-1)
    index = normalize_take(index, size)
    values = ravel(converted(v, a))
    if not (index.size and values.size):
        return
    if values.size > 1:
        values = resize(values, (index.size,))
    if a.ndim:
        a[np.unravel_index(index, a.shape)] = values
    else:
        a[()] = values[-1]


def _safely(values: Any, a: Array) -> Array:
    """Flat values in the dtype of an array; arrays must have one that fits into it."""
    if hasattr(values, "dtype") and not np.can_cast(values.dtype, a.dtype, "safe"):
        raise TypeError(
            f"Cannot cast array data from {values.dtype!r} to {a.dtype!r} according to the rule "
            "'safe'"
        )
    return ravel(converted(values, a))


def place(arr: Array, mask: Any, vals: Any) -> None:
    """Replace the elements that a mask keeps by values in order, which repeat.

    How many there are is counted now, unless there is one value.

    Raises
    ------
    ValueError
        If the mask has another size, or there are no values for what it keeps.
    TypeError
        If the dtype of the values does not fit into that of ``arr``.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.arange(5, chunks=2)
    >>> ga.place(x, x > 1, [7, 8])
    >>> x.compute()
    array([0, 1, 7, 8, 7])
    """
    keep = beside(mask, target("place", arr), "place").astype(bool)
    if keep.size != arr.size:
        raise ValueError("place: mask and data must be the same size")
    values = _safely(vals, arr)
    keep = keep.reshape(arr.shape)
    if values.size == 1:
        arr[keep] = values[0]
        return
    flags = ravel(keep).expr
    count = Array(select_axis(flags, flags, 0)).shape[0]
    if count and not values.size:
        raise ValueError("Cannot insert from an empty array!")
    arr[keep] = resize(values, (count,))


def putmask(a: Array, mask: Any, values: Any) -> None:
    """Replace the elements that a mask keeps by the values at the same places, which repeat.

    Raises
    ------
    ValueError
        If the mask has another size.
    TypeError
        If the dtype of the values does not fit into that of ``a``.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.arange(5, chunks=2)
    >>> ga.putmask(x, x > 1, -x)
    >>> x.compute()
    array([ 0,  1, -2, -3, -4])
    """
    keep = beside(mask, target("putmask", a), "putmask").astype(bool)
    if keep.size != a.size:
        raise ValueError("putmask: mask and data must be the same size")
    new = _safely(values, a)
    if not new.size:
        return
    if new.size == 1:
        new = new[0]
    elif new.size == a.size:
        new = new.reshape(a.shape)
    else:
        new = resize(new, a.shape)
    _assign(a, call("where", keep.reshape(a.shape), new, a))


def _assign(a: Array, result: Array) -> None:
    a._expr = rechunk(result.expr, a.chunks)


def copyto(
    dst: Array | np.ndarray[Any, Any], src: Any, casting: Any = "same_kind", where: Any = True
) -> None:
    """Copy values into an array, where a mask says so.

    Into an array of NumPy's they are computed now.

    Raises
    ------
    TypeError
        If ``casting`` forbids the conversion.
    ValueError
        If the shapes do not broadcast to that of ``dst``.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.zeros(3, chunks=2)
    >>> ga.copyto(x, [1, 2, 3], where=[True, False, True])
    >>> x.compute()
    array([1., 0., 3.])
    """
    if isinstance(dst, np.ndarray):
        np.copyto(dst, np.asarray(src), casting, np.asarray(where))
        return
    wanted = target("copyto", dst).dtype
    given = np.result_type(wanted, src) if type(src) in PYTHON_SCALARS else as_array(src).dtype
    if not np.can_cast(given, wanted, casting):
        raise TypeError(
            f"Cannot cast array data from {given!r} to {wanted!r} according to the rule {casting!r}"
        )
    whole = setitem(dst, ..., src)
    if where is True:
        dst._expr = whole.expr
        return
    mask = beside(where, dst, "copyto")
    if np.broadcast_shapes(mask.shape, dst.shape) != dst.shape:
        raise ValueError(
            f"could not broadcast where mask from shape {mask.shape} into shape {dst.shape}"
        )
    _assign(dst, call("where", mask, whole, dst))


def fill_diagonal(a: Array, val: Any, wrap: bool = False) -> None:
    """Replace the elements of the main diagonal.

    Parameters
    ----------
    a : Array
        Changed in place; at least two axes, all of one length if there are more.
    val : array
        Its elements in C order, from the start again where they end.
    wrap : bool
        In a tall matrix, start again below the square, one row left out.

    Raises
    ------
    ValueError
        If the array has fewer than two axes, or more of different lengths.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.zeros((2, 2), dtype=int)
    >>> ga.fill_diagonal(x, [7, 8])
    >>> x.compute()
    array([[7, 0],
           [0, 8]])
    """
    shape = target("fill_diagonal", a).shape
    if len(shape) < 2:
        raise ValueError("array must be at least 2-d")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise ValueError("All dimensions of input must be of equal length")
    step = 1 + sum(linear_index(shape).coefs[:-1])
    end = a.size if wrap or len(shape) > 2 else min(a.size, shape[1] * shape[1])
    put(a, np.arange(0, end, step), val)


def put_along_axis(arr: Array, indices: Any, values: Any, axis: int | None) -> None:
    """Replace, along one axis, the elements at the positions that an array has for each line.

    Parameters
    ----------
    arr : Array
        Changed in place.
    indices : array of int
        As many dimensions as ``arr``; its other axes broadcast with those of ``arr``.
    values : array
        Broadcast to ``indices``.
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
    >>> x = ga.asarray([[3, 1], [4, 6]], chunks=1)
    >>> ga.put_along_axis(x, ga.asarray([[1], [0]]), 0, axis=1)
    >>> x.compute()
    array([[3, 0],
           [0, 6]])
    """
    x = ravel(target("put_along_axis", arr)) if axis is None else arr
    along = normalize_axis(axis or 0, x.ndim)
    new = converted(values, arr)
    places = places_in_lines(beside(indices, arr, "put_along_axis"), x.ndim)
    places = Array(known_node(places))
    node = whole_axis(known_node(x), along)
    in_blocks = are_too_long(node)
    node = known_node(x) if in_blocks else node
    lengths = list(node.meta.shape)
    lengths[along] = places.shape[along]
    grid = list(node.meta.chunks)
    grid[along] = places.chunks[along] if in_blocks else (places.shape[along],)
    wide = (broadcast_to(each, tuple(lengths)).expr for each in (places, new))
    parts = [rechunk(each, tuple(grid)) for each in wide]
    if in_blocks:
        _assign(arr, Array(put_in_blocks(node, parts[0], parts[1], along)).reshape(arr.shape))
        return
    axes = tuple(None if k == along else k for k in range(x.ndim))
    inputs = tuple(BlockInput(each, axes=axes) for each in (node, *parts))
    kernel = FunctionKernel(_put_along, (along,), label="put_along_axis")
    result = Array(Blockwise(kernel, inputs, node.meta.chunks, node.meta))
    _assign(arr, result.reshape(arr.shape))


def _put_along(chunk: Any, places: Any, values: Any, axis: int) -> Any:
    out = chunk.copy()
    array_namespace(out).put_along_axis(out, places, values, axis=axis)
    return out
