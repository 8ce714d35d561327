"""The user's own functions: block by block, and on whole arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np

from gpuscale.array.batched import whole_axes
from gpuscale.array.caller import called_as
from gpuscale.array.calls import UserCall, align, dtype_of, name_of, span_grid
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk, together
from gpuscale.array.convert import as_node, known_node
from gpuscale.array.nodes.elementwise import common_backend
from gpuscale.backends.creation import check_dtype, is_on_device, resolve_backend
from gpuscale.base import config
from gpuscale.base.errors import ChunkError
from gpuscale.base.tokens import tokenize
from gpuscale.base.types import Chunks, Unknown
from gpuscale.chunks.axes import normalize_axes
from gpuscale.chunks.normalize import normalize_chunks
from gpuscale.engines.automatic import chunk_bytes
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, Call

__all__ = ["map_blocks"]


def map_blocks(
    func: Callable[..., Any],
    *args: Any,
    dtype: Any = None,
    chunks: Any = None,
    drop_axis: int | Sequence[int] | None = None,
    new_axis: int | Sequence[int] | None = None,
    name: str | None = None,
    meta: Any = None,
    like: Any = None,
    **kwargs: Any,
) -> Array:
    """Apply a function to aligned blocks of arrays.

    Parameters
    ----------
    func : callable
        Called as ``func(*blocks, **kwargs)``. If it takes an argument ``block_id`` it gets the
        number of the block, if it takes ``block_info`` a dictionary as dask's. It must not change
        its blocks, which other tasks may use: those of the host are read-only, and would refuse,
        but a device has no read-only arrays, and nothing there tells of wrong results.
    *args : Array or object
        Arrays are cut alike, their last axes are aligned, and one with a single block along an
        axis is given to every block; anything else, a NumPy array too, is passed as it is.
    dtype : dtype, optional
        Of the result; by default the function is tried on a tiny block.
    chunks : tuple, optional
        Block sizes of the result where the function changes them: one size, or all sizes, for
        each axis; nan where they depend on data. Without arrays these are the blocks to make.
    drop_axis : int or sequence of int, optional
        Axes that the function removes; they become one block.
    new_axis : int or sequence of int, optional
        Axes of one block that the function adds, as places in the result.
    name : str, optional
        Label for plans and diagnostics.
    meta : array, optional
        An array of the dtype of the result; where there are no arrays, of its backend too.
    like : module, array or name, optional
        Library of the chunks where there are no arrays, as for `full`; with arrays they are where
        these are.
    **kwargs
        Passed to the function; an Array is passed whole.

    Raises
    ------
    ValueError
        If the arrays cannot be aligned, or a block comes out in another shape than promised.
    TypeError
        If there are both arrays and ``like``.
    ChunkError
        If ``chunks`` do not fit the blocks.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.map_blocks(lambda b: b * 2, ga.arange(6, chunks=3)).compute()
    array([ 0,  2,  4,  6,  8, 10])
    >>> ga.map_blocks(lambda block_id: np.array(block_id), chunks=((1, 1),), dtype=int).compute()
    array([0, 1])
    """
    call = UserCall(func, args, kwargs, called_as("map_blocks"))
    nodes = align([a.expr for a in args if isinstance(a, Array)])
    wholes = [one_block(a) for a in kwargs.values() if isinstance(a, Array)]
    frame = Frame.of(nodes, drop_axis, new_axis, chunks)
    nodes = [frame.merged(node) for node in nodes]
    everything = together([*nodes, *wholes], "map_blocks")
    if everything and like is not None:
        raise TypeError(
            f"{call.operation} got arrays and like=: the result is where the arrays are; move them "
            "first, by x.to_backend(name), or give the function an argument of that name by "
            "functools.partial(func, like=...)"
        )
    nodes, wholes = list(everything[: len(nodes)]), list(everything[len(nodes) :])
    out = frame.sizes(chunks, frame.natural, tokenize(call, *everything))
    refuse_host_arrays(args, nodes, "map_blocks")
    result = dtype_of(dtype, meta, call, call.trial, everything)
    inputs = [BlockInput(node, axes=frame.axes(node)) for node in nodes]
    inputs += [BlockInput(node, axes=(None,) * node.meta.ndim) for node in wholes]
    backend = everything[0].meta.backend if everything else _backend_of(like, meta, result)
    call.promise(result, out, [node.meta.chunks for node in nodes])
    label = name or name_of(func)
    dropped = sorted({*range(len(frame.grid))} - {*frame.source})
    advice = whole_axes(label, frame.grid, dropped) if dropped else ""
    kernel = FunctionKernel(call, wants_block=True, label=label, advice=advice)
    return Array(Blockwise(kernel, tuple(inputs), out, ArrayMeta(result, out, backend)))


def refuse_host_arrays(args: Sequence[Any], nodes: Sequence[Node], what: str) -> None:
    """Refuse arrays of NumPy beside those of a device that have their shape.

    Others are passed as they are, tables say, which the function may move; these look as if their
    blocks should meet.

    Raises
    ------
    BackendError
        If there is one.
    """
    there = [node for node in nodes if is_on_device(node.meta.backend) and node.meta.ndim]
    for value in args:
        for node in there if isinstance(value, np.ndarray) else ():
            if value.shape == node.meta.shape:
                with config.set({"array.backend": "numpy"}):  # where it lies
                    common_backend((node, as_node(value)), what)


def _backend_of(like: Any, meta: Any, dtype: np.dtype[Any]) -> str:
    """Where blocks lie that a function makes of nothing."""
    if like is None and hasattr(meta, "shape"):
        like = meta
    name = resolve_backend(like, dtype=dtype)
    check_dtype(dtype, name)
    return name


def whole(
    function: Callable[..., Any],
    x: Any,
    *args: Any,
    shape: Sequence[int],
    dtype: Any,
    chunks: Any = None,
    **kwargs: Any,
) -> Array:
    """Call a function on a whole array, in one task.

    For what cannot be done block by block; the array must fit the memory of one worker.

    Parameters
    ----------
    function : callable
        Called as ``function(array, *args, **kwargs)``.
    x : array or sequence of array
        Several arrays are the first arguments.
    *args, **kwargs
        Passed as they are.
    shape : sequence of int
        Of the result.
    dtype : dtype
        Of the result.
    chunks : int, str, tuple or dict, optional
        Blocks to cut the result into; one by default.

    Examples
    --------
    >>> whole(np.flip, np.arange(3), shape=(3,), dtype=int).compute()
    array([2, 1, 0])
    """
    arrays = x if isinstance(x, list | tuple) else (x,)
    nodes = together([known_node(each) for each in arrays], name_of(function))
    one: Chunks = tuple((int(n),) for n in shape)
    meta = ArrayMeta(np.dtype(dtype), one, nodes[0].meta.backend)
    node: Node = Call(function, nodes, args, tuple(sorted(kwargs.items())), meta)
    if chunks is not None:
        limit = chunk_bytes(meta.backend)
        sizes = normalize_chunks(chunks, meta.shape, max(meta.dtype.itemsize, 1), limit)
        node = rechunk(node, sizes)
    return Array(node)


def one_block(x: Any) -> Node:
    """Node of an array in one block."""
    node = known_node(x)
    return rechunk(node, tuple((sum(sizes),) for sizes in node.meta.chunks))


@dataclass(frozen=True)
class Frame:
    """The grid of blocks that a function is mapped over, and which axes it drops and adds.

    Parameters
    ----------
    grid : Chunks
        Blocks that all inputs span together, along the axes of the inputs.
    source : tuple of (int or None)
        For each axis of the result the axis of the grid that it comes from; None for a new one.
    """

    grid: Chunks
    source: tuple[int | None, ...]

    @classmethod
    def of(cls, nodes: Sequence[Node], drop_axis: Any, new_axis: Any, chunks: Any = None) -> Frame:
        """Frame of nodes that are aligned; of the chunks themselves where there are no nodes."""
        grid = span_grid(nodes)
        if not nodes and chunks is not None:
            grid = tuple(tuple(c) if isinstance(c, tuple | list) else (c,) for c in chunks)
        dropped = _places(drop_axis, len(grid))
        grid = tuple(
            (sum(sizes),) if axis in dropped and len(sizes) > 1 else sizes
            for axis, sizes in enumerate(grid)
        )
        source: list[int | None] = [axis for axis in range(len(grid)) if axis not in dropped]
        n_new = 0 if new_axis is None else int(np.size(new_axis))
        for place in _places(new_axis, len(source) + n_new):
            source.insert(place, None)
        return cls(grid, tuple(source))

    @property
    def natural(self) -> Chunks:
        """Chunks of the result if the function keeps the sizes and new axes have length 1."""
        return tuple((1,) if axis is None else self.grid[axis] for axis in self.source)

    def merged(self, node: Node) -> Node:
        """Give a node one block along the axes that are dropped."""
        own = self.grid[len(self.grid) - node.meta.ndim :]
        kept = set(self.source)
        first = len(self.grid) - node.meta.ndim
        return rechunk(
            node,
            tuple(
                sizes if axis + first in kept or len(sizes) == 1 else target
                for axis, (sizes, target) in enumerate(zip(node.meta.chunks, own, strict=True))
            ),
        )

    def axes(self, node: Node) -> tuple[int | None, ...]:
        """Axis of the result whose block number each axis of an input follows."""
        of_grid = {axis: place for place, axis in enumerate(self.source) if axis is not None}
        first = len(self.grid) - node.meta.ndim
        return tuple(
            of_grid.get(axis + first) if len(sizes) == len(self.grid[axis + first]) else None
            for axis, sizes in enumerate(node.meta.chunks)
        )

    def sizes(self, chunks: Any, natural: Chunks, token: str) -> Chunks:
        """Spell out what a user says of the blocks of the result.

        Raises
        ------
        ChunkError
            If there are not as many axes, or blocks along one, as in ``natural``.
        """
        if chunks is None:
            return natural
        given = tuple(chunks) if isinstance(chunks, tuple | list) else (chunks,)
        if len(given) != len(natural):
            raise ChunkError(
                f"chunks={chunks!r} has {len(given)} items for a result of {len(natural)} axes; "
                "give one size, or a tuple of sizes, for each axis"
            )
        result = []
        for axis, (each, sizes) in enumerate(zip(given, natural, strict=True)):
            full = tuple(each) if isinstance(each, tuple | list) else (each,) * len(sizes)
            if len(full) != len(sizes) and self.source[axis] is not None:
                raise ChunkError(
                    f"chunks={chunks!r} has {len(full)} sizes for axis {axis}, which has "
                    f"{len(sizes)} blocks"
                )
            result.append(tuple(_size(n, f"{token}-{axis}", k) for k, n in enumerate(full)))
        return tuple(result)


def _size(size: Any, token: str, block: int) -> Any:
    """A size that a user gave; nan, or None, depends on data."""
    if size is None or isinstance(size, float) and isnan(size):
        return Unknown(token, block)
    return size if isinstance(size, Unknown) else size.__index__()


def _places(axis: int | Iterable[int] | None, ndim: int) -> tuple[int, ...]:
    return () if axis is None else tuple(sorted(normalize_axes(axis, ndim)))
