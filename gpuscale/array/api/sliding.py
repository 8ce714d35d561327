"""Windows that slide over an array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from operator import index as as_int
from typing import Any

from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk
from gpuscale.array.convert import known_node
from gpuscale.backends.seams import array_namespace
from gpuscale.base.errors import NotSupportedError
from gpuscale.chunks.axes import listed_axes, normalize_axis
from gpuscale.chunks.blocks import known_sizes, max_block, offsets
from gpuscale.chunks.normalize import normalize_chunks
from gpuscale.chunks.overlap import Boundary
from gpuscale.engines.automatic import chunk_bytes
from gpuscale.expr.kernels import Block
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import Halo, OverlapPlan

__all__ = ["sliding_window_view"]


def sliding_window_view(
    x: Any,
    window_shape: int | Sequence[int],
    axis: int | Sequence[int] | None = None,
    *,
    subok: bool = False,
    writeable: bool = False,
    automatic_rechunk: bool = True,
) -> Array:
    """Views of an array through a window that slides over it, one for each of its places.

    Parameters
    ----------
    x : array
    window_shape : int or sequence of int
        Length of the window along each of ``axis``.
    axis : int or sequence of int, optional
        Axes along which it slides, all by default; one may come more than once.
    subok : bool
        Accepted for NumPy's sake: there are no subclasses.
    writeable : bool
        Must be False: what is assigned to one of our views changes that view alone.
    automatic_rechunk : bool
        Cut the array smaller where its blocks would get too large by their windows.

    Returns
    -------
    Array
        The places along the axes of ``x``, ``n - window + 1`` of them, then the axes of the window.

    Raises
    ------
    ValueError
        If a window is empty or longer than its axis, or there are not as many as axes.
    numpy.exceptions.AxisError
        If an axis does not exist.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.sliding_window_view(ga.arange(5, chunks=2), 3).compute()
    array([[0, 1, 2],
           [1, 2, 3],
           [2, 3, 4]])
    """
    if writeable:
        raise NotSupportedError(
            "views do not write to the array that they are of; leave writeable=False, and assign "
            "to the array itself"
        )
    node = known_node(x)
    window, axes = _window(window_shape, axis, node.meta.ndim)
    after = [0] * node.meta.ndim  # how far the windows that begin in a block reach beyond it
    for w, a in zip(window, axes, strict=True):
        after[a] += w - 1
    if any(n <= longer for n, longer in zip(node.meta.shape, after, strict=True) if longer):
        raise ValueError("window shape cannot be larger than input array shape")
    if automatic_rechunk:
        node = _small_enough(node, prod(window))
    places = tuple(
        _places(known_sizes(sizes), longer)
        for sizes, longer in zip(node.meta.chunks, after, strict=True)
    )
    meta = node.meta.with_(chunks=(*places, *((w,) for w in window)))
    depth = tuple((0, longer) for longer in after)
    halo = Halo(depth, (Boundary("none"),) * len(after), tuple(range(len(after))))
    trim = tuple(((0, 0),) * len(sizes) for sizes in meta.chunks)
    plan = OverlapPlan(_Windows(window, axes), (halo,), trim, "sliding_window_view")
    return Array(Exchange((node,), plan, meta))


def _window(window_shape: Any, axis: Any, ndim: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Lengths of the window, and the axis of each."""
    several = window_shape if hasattr(window_shape, "__iter__") else (window_shape,)
    window = tuple(map(as_int, several))
    if any(w < 1 for w in window):
        raise ValueError(f"window_shape must be of positive numbers, got {window_shape}")
    given = range(ndim) if axis is None else listed_axes(axis)
    axes = tuple(normalize_axis(a, ndim) for a in given)
    if len(window) != len(axes):
        what = "axis is not given" if axis is None else f"axis is {axis}"
        raise ValueError(f"{what}: window_shape needs {len(axes)} numbers, got {window_shape}")
    return window, axes


def _small_enough(node: Node, times: int) -> Node:
    """Cut blocks that would get too large if they were so many times larger."""
    meta, limit = node.meta, chunk_bytes(node.meta.backend)
    itemsize = max(meta.dtype.itemsize, 1) * times
    if prod(max_block(meta.chunks)) * itemsize <= limit:
        return node
    return rechunk(node, normalize_chunks("auto", meta.shape, itemsize, limit, meta.chunks))


def _places(sizes: tuple[int, ...], longer: int) -> tuple[int, ...]:
    """Places of the window that begin in each block; blocks at the end may have none."""
    if not longer:
        return sizes
    last = sum(sizes) - longer
    spans = zip(offsets(sizes)[:-1], sizes, strict=True)
    return tuple(min(n, last - start) for start, n in spans if start < last)


@dataclass(frozen=True)
class _Windows:
    """The windows that begin in a block, which has all that they reach to."""

    window: tuple[int, ...]
    axes: tuple[int, ...]

    def __call__(self, block: Block, chunk: Any) -> Any:
        tricks = array_namespace(chunk).lib.stride_tricks
        return tricks.sliding_window_view(chunk, self.window, self.axes)
