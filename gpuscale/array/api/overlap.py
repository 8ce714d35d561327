"""Functions of blocks that need to see a little of their neighbours: stencils, filters, windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpuscale.array.api.functional import Frame, one_block, refuse_host_arrays
from gpuscale.array.calls import UserCall, align, dtype_of, name_of
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk, together
from gpuscale.array.convert import as_array, known_node
from gpuscale.base.errors import ChunkError
from gpuscale.base.tokens import tokenize
from gpuscale.base.types import Chunks
from gpuscale.chunks.overlap import (
    Boundary,
    merge_below,
    normalize_boundary,
    normalize_depth,
    trim_axis,
)
from gpuscale.expr.kernels import Block, FunctionKernel
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, Exchange
from gpuscale.expr.plans import Halo, OverlapPlan

__all__ = ["map_overlap"]

Depth = tuple[tuple[int, int], ...]
Trim = tuple[tuple[tuple[int, int], ...], ...]


def map_overlap(
    func: Any,
    *args: Any,
    depth: Any = None,
    boundary: Any = None,
    trim: bool = True,
    align_arrays: bool = True,
    allow_rechunk: bool = True,
    dtype: Any = None,
    chunks: Any = None,
    drop_axis: int | Sequence[int] | None = None,
    new_axis: int | Sequence[int] | None = None,
    name: str | None = None,
    meta: Any = None,
    **kwargs: Any,
) -> Array:
    """Apply a function to blocks that are surrounded by elements of their neighbours.

    Each block of the result is one task, which reads its neighbours' edges in place.

    Parameters
    ----------
    func : callable
        Called as ``func(*blocks, **kwargs)`` with blocks that have a halo; it may come after the
        first array as well. ``block_id`` and ``block_info`` as for `map_blocks`; nor must it
        change its blocks, which nothing refuses on a device.
    *args : Array or object
        As for `map_blocks`.
    depth : int, tuple, dict, or list of these
        Elements of the halo: for all axes, for each, or by axis, where an item may be a pair
        (before, after); a list has one for each array. It may be larger than the blocks.
    boundary : str, number, None, tuple, dict, or list of these
        What lies beyond the array's edges: "none" or None (blocks there have no halo),
        "periodic", "reflect", "nearest", or a number.
    trim : bool
        Cut what the halo made larger off the function's result: for each axis, the depth of the
        first array with the most axes.
    align_arrays : bool
        Cut the arrays alike first; False where they are and some sizes depend on data.
    allow_rechunk : bool
        Accepted for dask's sake: no depth needs other chunks here.
    dtype, drop_axis, new_axis, name, meta, **kwargs
        As for `map_blocks`.
    chunks : tuple, optional
        Block sizes of what the function returns, before it is trimmed.

    Raises
    ------
    ValueError
        If a depth is negative, a boundary unknown, or a block comes out in another shape than
        promised.
    ChunkError
        If ``chunks`` do not fit the blocks.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.arange(6, chunks=3)
    >>> ga.map_overlap(lambda b: b + np.roll(b, 1), x, depth=1, boundary="periodic").compute()
    array([5, 1, 3, 5, 7, 9])
    """
    if isinstance(func, Array) and args and callable(args[0]):
        func, args = args[0], (func, *args[1:])
    call = UserCall(func, args, kwargs, "map_overlap")
    nodes = [known_node(a) for a in args if isinstance(a, Array)]
    if not nodes:
        raise ValueError("map_overlap needs at least one array")
    refuse_host_arrays(args, nodes, "map_overlap")
    around = _surroundings(nodes, depth, boundary)
    if not trim:
        nodes = [_deep_enough(node, *each) for node, each in zip(nodes, around, strict=True)]
    nodes = align(nodes) if align_arrays else nodes
    frame = Frame.of(nodes, drop_axis, new_axis)
    nodes = [frame.merged(node) for node in nodes]
    wholes = [one_block(a) for a in kwargs.values() if isinstance(a, Array)]
    ndims = [node.meta.ndim for node in nodes]
    first = ndims.index(max(ndims))
    margins = _margins(frame, around[first])
    natural = tuple(
        tuple(n + sum(sides) for n, sides in zip(sizes, each, strict=True))
        for sizes, each in zip(frame.natural, margins, strict=True)
    )
    large = frame.sizes(chunks, natural, tokenize(call, *nodes, *wholes))
    cut: Trim = margins if trim else tuple(((0, 0),) * len(sizes) for sizes in large)
    halos = [Halo(d, b, frame.axes(node)) for node, (d, b) in zip(nodes, around, strict=True)] + [
        _no_halo(node) for node in wholes
    ]
    nodes = list(together([*nodes, *wholes], "map_overlap"))
    result = dtype_of(dtype, meta, call, _Trial(call, tuple(h.depth for h in halos)), nodes)
    call.promise(result, large, [node.meta.chunks for node in nodes])
    out = ArrayMeta(result, _trimmed(large, cut), nodes[0].meta.backend)
    plan = OverlapPlan(call, tuple(halos), cut, name or name_of(func))
    return Array(Exchange(tuple(nodes), plan, out))


def _surroundings(
    nodes: Sequence[Node], depth: Any, boundary: Any
) -> list[tuple[Depth, tuple[Boundary, ...]]]:
    """Depth and boundary of each array, from one for all or a list."""
    depths = depth if isinstance(depth, list) else [depth] * len(nodes)
    boundaries = boundary if isinstance(boundary, list) else [boundary] * len(nodes)
    for what, given in (("depth", depths), ("boundary", boundaries)):
        if len(given) != len(nodes):
            raise ValueError(f"{what} is a list of {len(given)} items for {len(nodes)} arrays")
    return [
        (
            normalize_depth(0 if d is None else d, node.meta.ndim),
            normalize_boundary(b, node.meta.ndim),
        )
        for node, d, b in zip(nodes, depths, boundaries, strict=True)
    ]


def _deep_enough(node: Node, depth: Depth, boundary: tuple[Boundary, ...]) -> Node:
    """Make blocks as large as halos that end at an edge, so that only outer blocks lack one."""
    chunks = tuple(
        merge_below(sizes, max(pair)) if any(pair) and kind.kind == "none" else sizes
        for sizes, pair, kind in zip(node.meta.chunks, depth, boundary, strict=True)
    )
    return rechunk(node, chunks)


def _margins(frame: Frame, around: tuple[Depth, tuple[Boundary, ...]]) -> Trim:
    """What the halo adds to each block of the result, along each of its axes."""
    depth, boundary = around
    margins = []
    for axis, sizes in zip(frame.source, frame.natural, strict=True):
        pair, kind = ((0, 0), "none") if axis is None else (depth[axis], boundary[axis].kind)
        margins.append(_sides(sizes, pair, kind))
    return tuple(margins)


def _sides(sizes: tuple[Any, ...], pair: tuple[int, int], kind: str) -> tuple[Any, ...]:
    """Elements that the halo adds before and after each block of one axis."""
    if not any(pair):
        return ((0, 0),) * len(sizes)
    before = [start for start, _ in trim_axis(sizes, *pair, kind)]
    after = [start for start, _ in trim_axis(sizes[::-1], *pair[::-1], kind)]
    return tuple(zip(before, after[::-1], strict=True))


def _trimmed(large: Chunks, cut: Trim) -> Chunks:
    chunks = []
    for axis, (sizes, each) in enumerate(zip(large, cut, strict=True)):
        small = []
        for n, sides in zip(sizes, each, strict=True):
            if any(sides) and n - sum(sides) < 0:
                raise ChunkError(
                    f"a block of {n} elements along axis {axis} cannot be trimmed by {sides}; "
                    "chunks= are the sizes before trimming, or pass trim=False"
                )
            small.append(n - sum(sides) if any(sides) else n)
        chunks.append(tuple(small))
    return tuple(chunks)


def _no_halo(node: Node) -> Halo:
    ndim = node.meta.ndim
    return Halo(((0, 0),) * ndim, (Boundary("none"),) * ndim, (None,) * ndim)


@dataclass(frozen=True)
class _Trial:
    """Try a function on single elements that have their halo."""

    call: UserCall
    depths: tuple[Depth, ...]

    def __call__(self, *ones: Any) -> Any:
        blocks = [
            np.ones([1 + sum(pair) for pair in depth], dtype=one.dtype)
            for one, depth in zip(ones, self.depths, strict=True)
        ]
        return self.call.trial(*blocks)


# --- the two halves, for those who call the function themselves ----------------------------------


def overlap(x: Any, depth: Any, boundary: Any = None, *, allow_rechunk: bool = True) -> Array:
    """Surround each block by elements of its neighbours.

    Parameters
    ----------
    x : array
    depth, boundary, allow_rechunk
        As for `map_overlap`.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.overlap.overlap(ga.arange(4, chunks=2), depth=1, boundary="none").compute()
    array([0, 1, 2, 1, 2, 3])
    """
    return map_overlap(
        _itself,
        x,
        depth=depth,
        boundary=boundary,
        trim=False,
        dtype=as_array(x).dtype,
        name="overlap",
    )


def _itself(block: Any) -> Any:
    return block


def trim_internal(x: Any, axes: Any, boundary: Any = None) -> Array:
    """Cut off each block what `overlap` has added.

    Parameters
    ----------
    x : array
        In blocks that have a halo.
    axes : int, tuple or dict
        Depth, as for `overlap`.
    boundary : str, number, None, tuple or dict
        With "none" or None the array's edges have no halo and are left as they are.

    Raises
    ------
    ChunkError
        If a block is smaller than what is cut off.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.overlap.overlap(ga.arange(4, chunks=2), depth=1, boundary="none")
    >>> ga.overlap.trim_internal(x, 1, "none").compute()
    array([0, 1, 2, 3])
    """
    node = known_node(x)
    depth = normalize_depth(axes, node.meta.ndim)
    kinds = normalize_boundary(boundary, node.meta.ndim)
    cut = tuple(
        _cuts(len(sizes), pair, kind.kind)
        for sizes, pair, kind in zip(node.meta.chunks, depth, kinds, strict=True)
    )
    chunks = _trimmed(node.meta.chunks, cut)
    kernel = FunctionKernel(_trim, (cut,), wants_block=True, label="trim")
    source = BlockInput(node, axes=tuple(range(node.meta.ndim)))
    return Array(Blockwise(kernel, (source,), chunks, node.meta.with_(chunks=chunks)))


def _cuts(n_blocks: int, pair: tuple[int, int], kind: str) -> tuple[tuple[int, int], ...]:
    """What to cut off each block, all of which reach at most to their neighbours."""
    cuts = [pair] * n_blocks
    if kind == "none" and n_blocks:
        cuts[0] = (0, cuts[0][1])
        cuts[-1] = (cuts[-1][0], 0)
    return tuple(cuts)


def _trim(block: Block, chunk: Any, cut: Trim) -> Any:
    sides = [each[k] for each, k in zip(cut, block.index, strict=True)]
    return chunk[
        tuple(
            slice(before, n - after) for n, (before, after) in zip(chunk.shape, sides, strict=True)
        )
    ]


def trim_overlap(x: Any, depth: Any, boundary: Any = None) -> Array:
    """Cut off each block what `overlap`, or `map_overlap` with ``trim=False``, has added."""
    return trim_internal(x, depth, boundary)
