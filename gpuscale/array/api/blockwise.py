"""Functions of blocks that are aligned by index letters, as in Einstein's notation."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gpuscale.array.api.functional import one_block
from gpuscale.array.calls import UserCall, dtype_of, name_of
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk, together
from gpuscale.array.convert import as_arrays, known_node
from gpuscale.backends.seams import array_namespace
from gpuscale.base.errors import ChunkError
from gpuscale.chunks.broadcast import unify_sizes
from gpuscale.expr.kernels import Block, FunctionKernel
from gpuscale.expr.meta import ArrayMeta, axis_size
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, Exchange
from gpuscale.expr.plans import ALL, GatherPlan

__all__ = ["blockwise", "unify_chunks"]

Letters = tuple[Hashable, ...]
Sizes = dict[Hashable, tuple[Any, ...]]
Follow = tuple[int | None, ...]


def blockwise(
    func: Callable[..., Any],
    out_ind: Sequence[Hashable],
    *args: Any,
    name: str | None = None,
    dtype: Any = None,
    adjust_chunks: Mapping[Hashable, Any] | None = None,
    new_axes: Mapping[Hashable, Any] | None = None,
    align_arrays: bool = True,
    concatenate: bool | None = None,
    meta: Any = None,
    **kwargs: Any,
) -> Array:
    """Apply a function to blocks that are aligned by index letters.

    Parameters
    ----------
    func : callable
        Called as ``func(*blocks, **kwargs)``. As for `map_blocks`, it must not change its blocks,
        which nothing refuses on a device.
    out_ind : sequence
        Letters of the axes of the result, as ``"ij"``.
    *args : array and sequence, alternating
        Each array with the letters of its axes; None in their place passes a value as it is.
        Where a letter is not in ``out_ind``, the function gets a list of all blocks along it,
        nested by the axes of the array.
    name : str, optional
        Label for plans and diagnostics.
    dtype : dtype, optional
        Of the result; by default the function is tried on tiny blocks.
    adjust_chunks : dict, optional
        For letters along which the function changes sizes: a function from size to size, one
        size, or all sizes.
    new_axes : dict, optional
        For letters that no array has: the length, or the sizes of the blocks.
    align_arrays : bool
        Cut the arrays alike first; False takes their blocks by number.
    concatenate : bool, optional
        Join the blocks instead of passing lists.
    meta : array, optional
        An array of the dtype of the result.
    **kwargs
        Passed to the function; an Array is passed whole.

    Raises
    ------
    ValueError
        If letters are repeated in the result, unknown, or do not fit the axes, or a block comes
        out in another shape than promised.
    ChunkError
        If blocks do not line up.

    Examples
    --------
    >>> import numpy as np
    >>> import gpuscale.array as ga
    >>> x, y = ga.arange(2, chunks=1), ga.arange(3, chunks=2)
    >>> ga.blockwise(np.multiply.outer, "ij", x, "i", y, "j").compute()
    array([[0, 0, 0],
           [0, 1, 2]])
    """
    if len(args) % 2:
        raise ValueError("blockwise takes pairs of an array and its letters")
    out = tuple(out_ind)
    if len(set(out)) < len(out):
        raise ValueError(f"letters of the result are repeated: {out}")
    pairs = list(zip(args[::2], args[1::2], strict=True))
    arrays = iter(as_arrays([v for v, ind in pairs if ind is not None], "blockwise"))
    values = [v if ind is None else next(arrays) for v, ind in pairs]
    named = [(v.expr, tuple(i)) for v, (_, i) in zip(values, pairs, strict=True) if i is not None]
    letters = [own for _, own in named]
    call = UserCall(func, values, kwargs, "blockwise")
    aligned, sizes = align_by_letter([node for node, _ in named], letters, cut=align_arrays)
    chunks = _result_chunks(out, sizes, new_axes or {}, adjust_chunks or {})
    follows = [follow(n, own, out, sizes) for n, own in zip(aligned, letters, strict=True)]
    rest = zip(aligned, follows, strict=True)
    inputs = [
        next(rest) if ind is not None else _shared(v)
        for v, (_, ind) in zip(values, pairs, strict=True)
        if isinstance(v, Array)
    ] + [_shared(v) for v in kwargs.values() if isinstance(v, Array)]
    nodes = together([node for node, _ in inputs], "blockwise")
    axes = [each for _, each in inputs]
    function = _Joined(call, tuple(axes)) if concatenate else call
    result = dtype_of(dtype, meta, call, _Trial(function, tuple(axes)), nodes)
    call.promise(result, chunks, [])
    frame = ArrayMeta(result, chunks, nodes[0].meta.backend if nodes else "numpy")
    return Array(by_number(function, nodes, axes, frame, name or name_of(func)))


def _shared(x: Array) -> tuple[Node, Follow]:
    """A whole array, which every call gets."""
    node = one_block(x)
    return node, (None,) * node.meta.ndim


def by_number(
    function: Callable[..., Any],
    nodes: Sequence[Node],
    axes: Sequence[Follow],
    meta: ArrayMeta,
    label: str,
) -> Node:
    """Physical node of ``function(block, *blocks)``, whose axes say which blocks it reads."""
    if any(ALL in each for each in axes):
        return Exchange(tuple(nodes), GatherPlan(function, tuple(axes), label), meta)
    inputs = tuple(BlockInput(n, axes=each) for n, each in zip(nodes, axes, strict=True))
    kernel = FunctionKernel(function, wants_block=True, label=label)
    return Blockwise(kernel, inputs, meta.chunks, meta)


def follow(node: Node, letters: Letters, out: Letters, sizes: Sizes) -> Follow:
    """For each axis of a node the axis of the result whose block number it follows.

    `ALL` where the result lacks the letter; None where one block stands for all.
    """
    place = {letter: k for k, letter in enumerate(out)}
    return tuple(
        place.get(letter, ALL) if len(blocks) == len(sizes[letter]) or letter not in place else None
        for letter, blocks in zip(letters, node.meta.chunks, strict=True)
    )


def align_by_letter(
    nodes: Sequence[Node],
    letters: Sequence[Letters],
    cut: bool = True,
    to: Sizes | None = None,
) -> tuple[list[Node], Sizes]:
    """Cut nodes alike along each letter; return them and the sizes of the blocks.

    Without ``cut`` the blocks are taken by number, and must be as many or one. Where the sizes are
    said (``to``), these are made.

    Raises
    ------
    ValueError
        If letters do not fit the axes, or lengths differ along one.
    ChunkError
        If the numbers of blocks differ and they must not be cut.
    """
    found: dict[Hashable, list[tuple[Any, ...]]] = {}
    for node, own in zip(nodes, letters, strict=True):
        if len(own) != node.meta.ndim:
            raise ValueError(f"letters {own} do not name the axes of shape {node.meta.shape}")
        for letter, blocks in zip(own, node.meta.chunks, strict=True):
            found.setdefault(letter, []).append(blocks)
    candidates = {letter: _longest(letter, blocks, cut) for letter, blocks in found.items()}
    if not cut:
        return list(nodes), {letter: max(c, key=len) for letter, c in candidates.items()}
    sizes = to or dict(zip(candidates, unify_sizes(list(candidates.values())), strict=True))
    aligned = [
        rechunk(
            node,
            tuple(
                blocks if axis_size(blocks) == 1 != axis_size(sizes[letter]) else sizes[letter]
                for letter, blocks in zip(own, node.meta.chunks, strict=True)
            ),
        )
        for node, own in zip(nodes, letters, strict=True)
    ]
    return aligned, sizes


def _longest(letter: Hashable, found: list[tuple[Any, ...]], cut: bool) -> list[tuple[Any, ...]]:
    """Different blocks along a letter, without those of length 1 that broadcast."""
    if not cut:
        if len({len(blocks) for blocks in found} - {1}) > 1:
            raise ChunkError(f"arrays have different numbers of blocks along {letter!r}: {found}")
        return found
    long = [blocks for blocks in dict.fromkeys(found) if axis_size(blocks) != 1] or found[:1]
    lengths = {axis_size(blocks) for blocks in long}
    if len(lengths) > 1 and all(isinstance(n, int) for n in lengths):
        raise ValueError(f"arrays have different lengths along {letter!r}: {sorted(lengths)}")
    return long


def _result_chunks(
    out: Letters, sizes: Sizes, new_axes: Mapping[Hashable, Any], adjust: Mapping[Hashable, Any]
) -> tuple[tuple[Any, ...], ...]:
    chunks = []
    for letter in out:
        if letter in new_axes:
            given = new_axes[letter]
            blocks = tuple(given) if isinstance(given, tuple | list) else (given,)
        elif letter in sizes:
            blocks = sizes[letter]
        else:
            raise ValueError(f"no array has the letter {letter!r} of the result; see new_axes=")
        if letter in adjust:
            blocks = _adjusted(letter, blocks, adjust[letter])
        chunks.append(blocks)
    return tuple(chunks)


def _adjusted(letter: Hashable, blocks: tuple[Any, ...], change: Any) -> tuple[Any, ...]:
    if callable(change):
        return tuple(change(n) for n in blocks)
    if not isinstance(change, tuple | list):
        return (change,) * len(blocks)
    if len(change) != len(blocks):
        raise ChunkError(
            f"adjust_chunks gives {len(change)} sizes for {letter!r}, "
            f"which has {len(blocks)} blocks"
        )
    return tuple(change)


@dataclass(frozen=True)
class _Joined:
    """Join nested lists of blocks before the function gets them."""

    function: Any
    axes: tuple[Follow, ...]

    def __call__(self, block: Block, *nests: Any) -> Any:
        return self.function(block, *map(_join, nests, self.axes))


def _join(nest: Any, follow: Follow) -> Any:
    gathered = [axis for axis, each in enumerate(follow) if each == ALL]
    return _concatenate(nest, gathered)


def _concatenate(nest: Any, axes: Sequence[int]) -> Any:
    if not axes:
        return nest
    parts = [_concatenate(each, axes[1:]) for each in nest]
    return parts[0] if len(parts) == 1 else array_namespace(parts[0]).concatenate(parts, axes[0])


@dataclass(frozen=True)
class _Trial:
    """Try a function on single elements, in lists where it gets lists."""

    function: Any
    axes: tuple[Follow, ...]

    def __call__(self, *ones: Any) -> Any:
        nests = []
        for one, follow in zip(ones, self.axes, strict=True):
            for each in follow:
                one = [one] if each == ALL else one
            nests.append(one)
        if isinstance(self.function, _Joined):
            return self.function.function.trial(*map(_join, nests, self.axes))
        return self.function.trial(*nests)


def unify_chunks(*args: Any) -> tuple[dict[Hashable, tuple[Any, ...]], list[Array]]:
    """Cut arrays alike along the axes that share a letter.

    Parameters
    ----------
    *args : array and sequence, alternating
        Each array with the letters of its axes.

    Returns
    -------
    tuple
        The sizes of the blocks by letter, and the arrays.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> chunks, _ = ga.unify_chunks(ga.ones(6, chunks=4), "i", ga.ones(6, chunks=3), "i")
    >>> chunks
    {'i': (3, 1, 2)}
    """
    nodes = [known_node(x) for x in args[::2]]
    aligned, sizes = align_by_letter(nodes, [tuple(ind) for ind in args[1::2]])
    return sizes, [Array(node) for node in aligned]
