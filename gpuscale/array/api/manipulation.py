"""Other orders of the axes and other blocks: views, which compute nothing, and rechunking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpuscale.array.api.index_functions import lengths_of
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk as rechunk_node
from gpuscale.array.construct import view as view_node
from gpuscale.array.convert import as_array, as_arrays, as_node, known_node
from gpuscale.base.types import Shape
from gpuscale.chunks import broadcast, views
from gpuscale.chunks.axes import normalize_axes, normalize_axis
from gpuscale.chunks.normalize import normalize_chunks
from gpuscale.engines.automatic import chunk_bytes

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "copy",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "matrix_transpose",
    "moveaxis",
    "permute_dims",
    "rechunk",
    "rollaxis",
    "rot90",
    "squeeze",
    "swapaxes",
    "transpose",
]

Axes = int | Sequence[int]


def transpose(x: Any, axes: Sequence[int] | None = None) -> Array:
    """Permute the axes, by default reverse them.

    Raises
    ------
    ValueError
        If ``axes`` is no permutation.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.transpose(ga.ones((2, 3))).shape
    (3, 2)
    """
    node = as_node(x)
    return Array(view_node(node, views.transpose(node.meta.shape, axes)))


def permute_dims(x: Any, /, axes: Sequence[int] | None = None) -> Array:
    """Permute the axes; `transpose` in the words of the Array API standard."""
    return transpose(x, axes)


def matrix_transpose(x: Any, /) -> Array:
    """Swap the last two axes.

    Raises
    ------
    ValueError
        If there are fewer than two.
    """
    x = as_array(x)
    if x.ndim < 2:
        raise ValueError(f"matrix transpose needs at least two axes, the array has {x.ndim}")
    return swapaxes(x, -1, -2)


def swapaxes(x: Any, axis1: int, axis2: int) -> Array:
    """Exchange two axes."""
    x = as_array(x)
    order = list(range(x.ndim))
    first, second = (normalize_axis(axis, x.ndim) for axis in (axis1, axis2))
    order[first], order[second] = order[second], order[first]
    return transpose(x, order)


def moveaxis(x: Any, source: Axes, destination: Axes, /) -> Array:
    """Move axes to other places; the rest keep their order.

    Raises
    ------
    ValueError
        If there are not as many places as axes.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.moveaxis(ga.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = as_array(x)
    sources = normalize_axes(source, x.ndim)
    places = normalize_axes(destination, x.ndim)
    if len(sources) != len(places):
        raise ValueError(
            "`source` and `destination` arguments must have the same number of elements"
        )
    order = [axis for axis in range(x.ndim) if axis not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return transpose(x, order)


def rollaxis(x: Any, axis: int, start: int = 0) -> Array:
    """Move an axis back until it lies before ``start``."""
    x = as_array(x)
    axis = normalize_axis(axis, x.ndim)
    place = normalize_axis(start, x.ndim + 1)
    return moveaxis(x, axis, place - 1 if place > axis else place)


def flip(x: Any, /, axis: Axes | None = None) -> Array:
    """Reverse the order along some axes, by default all.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.flip(ga.arange(3, chunks=2)).compute()
    array([2, 1, 0])
    """
    node = known_node(x)
    return Array(view_node(node, views.flip(node.meta.shape, axis)))


def flipud(x: Any) -> Array:
    """Reverse the first axis."""
    if as_array(x).ndim < 1:
        raise ValueError("Input must be >= 1-d.")
    return flip(x, 0)


def fliplr(x: Any) -> Array:
    """Reverse the second axis."""
    if as_array(x).ndim < 2:
        raise ValueError("Input must be >= 2-d.")
    return flip(x, 1)


def rot90(x: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Array:
    """Rotate by 90 degrees, ``k`` times, in the plane of two axes.

    Raises
    ------
    ValueError
        If ``axes`` are not two different axes.
    """
    x = as_array(x)
    if len(axes) != 2:
        raise ValueError("len(axes) must be 2.")
    first, second = (normalize_axis(axis, x.ndim) for axis in axes)
    if first == second:
        raise ValueError("Axes must be different.")
    turns = k % 4
    if turns == 0:
        return x
    if turns == 2:
        return flip(x, (first, second))
    if turns == 1:
        return swapaxes(flip(x, second), first, second)
    return flip(swapaxes(x, first, second), second)


def expand_dims(x: Any, /, axis: Axes = 0) -> Array:
    """Insert axes of length 1, at places of the result."""
    node = as_node(x)
    return Array(view_node(node, views.expand_dims(node.meta.shape, axis)))


def squeeze(x: Any, /, axis: Axes | None = None) -> Array:
    """Remove axes of length 1: the given ones, or all.

    Raises
    ------
    ValueError
        If a given axis has another length.
    """
    node = known_node(x)
    if not node.meta.ndim and not isinstance(axis, tuple) and axis in (0, -1):
        return Array(node)  # as NumPy
    return Array(view_node(node, views.squeeze(node.meta.shape, axis)))


def _at_least(x: Any, places: dict[int, tuple[int, ...]]) -> Array:
    x = as_array(x)
    return expand_dims(x, places[x.ndim]) if x.ndim in places else x


def _each(arrays: tuple[Any, ...], places: dict[int, tuple[int, ...]]) -> Any:
    results = tuple(_at_least(x, places) for x in arrays)
    return results[0] if len(results) == 1 else results


def atleast_1d(*arrays: Any) -> Any:
    """Give arrays at least one axis."""
    return _each(arrays, {0: (0,)})


def atleast_2d(*arrays: Any) -> Any:
    """Give arrays at least two axes."""
    return _each(arrays, {0: (0, 1), 1: (0,)})


def atleast_3d(*arrays: Any) -> Any:
    """Give arrays at least three axes."""
    return _each(arrays, {0: (0, 1, 2), 1: (0, 2), 2: (2,)})


def broadcast_to(x: Any, /, shape: Shape | int, chunks: Any = None) -> Array:
    """Repeat axes of length 1, and add new ones in front, without copying.

    Parameters
    ----------
    x : array
    shape : int or tuple of int
    chunks : int, str, tuple or dict, optional
        Blocks of the result along axes that are repeated; by default of automatic size.

    Raises
    ------
    ValueError
        If the array does not broadcast to the shape.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.broadcast_to(ga.arange(2), (2, 2)).compute()
    array([[0, 1],
           [0, 1]])
    """
    node = known_node(x)
    target = lengths_of(shape)
    affine = views.broadcast_to(node.meta.shape, target)
    limit = chunk_bytes(node.meta.backend)
    sizes = normalize_chunks(
        "auto" if chunks is None else chunks, target, max(node.meta.dtype.itemsize, 1), limit
    )
    used = {axis for axis, _, _ in affine.axes}
    fresh = {axis: sizes[axis] for axis in range(len(target)) if axis not in used}
    return Array(view_node(node, affine, fresh))


def broadcast_arrays(*arrays: Any, subok: bool = False) -> tuple[Array, ...]:
    """Broadcast arrays against each other."""
    together = as_arrays(arrays, "broadcast_arrays")
    shape = broadcast_shapes(*(x.shape for x in together))
    return tuple(broadcast_to(x, shape) for x in together)


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """Shape that several shapes broadcast to.

    Raises
    ------
    ValueError
        If they do not.
    """
    tuples = [tuple(s) if isinstance(s, tuple | list) else (s,) for s in shapes]
    return broadcast.broadcast_shapes(*tuples)  # type: ignore[return-value]


def copy(x: Any) -> Array:
    """Return an array of its own: in-place changes of one are not seen by the other."""
    return Array(as_node(x))


def rechunk(
    x: Any, chunks: Any = "auto", *, block_size_limit: Any = None, balance: bool = False
) -> Array:
    """Cut the same elements into other blocks.

    Parameters
    ----------
    x : array
    chunks : int, str, tuple or dict
        As for creation; None or a missing axis keeps what there is.
    block_size_limit : int or str, optional
        Bytes of one block for "auto".
    balance : bool
        Make all blocks along an axis as equal as possible.

    Raises
    ------
    ChunkError
        If the chunks do not cut this shape.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.rechunk(ga.ones(10, chunks=5), 3).chunks
    ((3, 3, 3, 1),)
    """
    node = known_node(x)
    limit = chunk_bytes(node.meta.backend, block_size_limit)
    meta = node.meta
    sizes = normalize_chunks(chunks, meta.shape, max(meta.dtype.itemsize, 1), limit, meta.chunks)
    if balance:
        sizes = tuple(
            tuple(sum(s) // len(s) + (k < sum(s) % len(s)) for k in range(len(s))) for s in sizes
        )
    return Array(rechunk_node(node, sizes))
