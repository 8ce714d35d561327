"""The user's own functions, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from inspect import Parameter, signature
from typing import Any

import numpy as np

from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk
from gpuscale.array.convert import as_array
from gpuscale.array.infer import infer_dtype
from gpuscale.array.nodes.elementwise import common_backend
from gpuscale.base.errors import ChunkError
from gpuscale.base.types import Chunks
from gpuscale.chunks.axes import normalize_axes
from gpuscale.chunks.broadcast import unify_chunks
from gpuscale.expr.kernels import Block, FunctionKernel
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = ["map_blocks"]


def map_blocks(
    func: Callable[..., Any],
    *args: Any,
    dtype: Any = None,
    chunks: Any = None,
    drop_axis: int | Sequence[int] | None = None,
    new_axis: int | Sequence[int] | None = None,
    name: str | None = None,
    **kwargs: Any,
) -> Array:
    """Apply a function to aligned blocks of arrays.

    Parameters
    ----------
    func : callable
        Called as ``func(*blocks, **kwargs)``. If it takes an argument ``block_id`` it gets the
        number of the block, if it takes ``block_info`` a dictionary as dask's.
    *args : array or object
        Arrays are cut alike, their last axes are aligned, and one with a single block along an
        axis is given to every block; anything else is passed as it is.
    dtype : dtype, optional
        Of the result; by default the function is tried on a tiny block.
    chunks : tuple, optional
        Block sizes of the result where the function changes them: one size, or all sizes, for
        each axis.
    drop_axis : int or sequence of int, optional
        Axes that the function removes; they become one block.
    new_axis : int or sequence of int, optional
        Axes of length 1 block that the function adds, as places in the result.
    name : str, optional
        Label for plans and diagnostics.
    **kwargs
        Passed to the function.

    Raises
    ------
    ValueError
        If the arrays cannot be aligned.
    ChunkError
        If ``chunks`` do not fit the blocks.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.map_blocks(lambda b: b * 2, ga.arange(6, chunks=3)).compute()
    array([ 0,  2,  4,  6,  8, 10])
    """
    if not callable(func):
        raise TypeError(f"the first argument of map_blocks must be callable, got {func!r}")
    nodes, slots = _aligned(args)
    grid = _grid(nodes)
    dropped = _places(drop_axis, len(grid))
    if dropped:
        nodes = [_whole(node, dropped, len(grid)) for node in nodes]
        grid = _grid(nodes)
    kept = [axis for axis in range(len(grid)) if axis not in dropped]
    added = _places(new_axis, len(kept) + np.size([] if new_axis is None else new_axis))
    source: list[int | None] = list(kept)
    for place in sorted(added):
        source.insert(place, None)
    out_chunks = _out_chunks(chunks, source, grid)
    call = _Call(func, slots, tuple(kwargs.items()), _wants(func, "block_id", kwargs),
                 _wants(func, "block_info", kwargs), tuple(n.meta.chunks for n in nodes))
    if dtype is None:
        dtype = infer_dtype(call.plain, [node.meta for node in nodes], getattr(func, "__name__", "function"))
    backend = common_backend(tuple(nodes), "map_blocks") if nodes else "numpy"
    meta = ArrayMeta(np.dtype(dtype), out_chunks, backend)
    of_axis = {axis: place for place, axis in enumerate(source) if axis is not None}
    inputs = tuple(BlockInput(node, axes=_axes(node, grid, of_axis)) for node in nodes)
    label = name or getattr(func, "__name__", "map_blocks")
    kernel = FunctionKernel(call, wants_block=True, label=label)
    return Array(Blockwise(kernel, inputs, out_chunks, meta))


class _Slot(Enum):
    """What stands where a block goes; an enum stays itself when it is pickled."""

    BLOCK = "block"


_BLOCK = _Slot.BLOCK


class _Call:
    """The user's function with everything but the blocks filled in."""

    def __init__(
        self,
        func: Callable[..., Any],
        slots: tuple[Any, ...],
        kwargs: tuple[tuple[str, Any], ...],
        block_id: bool,
        block_info: bool,
        chunks: tuple[Chunks, ...],
    ) -> None:
        self.func, self.slots, self.kwargs = func, slots, kwargs
        self.block_id, self.block_info, self.chunks = block_id, block_info, chunks

    def __gpuscale_tokenize__(self) -> tuple[Any, ...]:
        return (self.func, self.slots, self.kwargs, self.block_id, self.block_info)

    def plain(self, *blocks: Any) -> Any:
        """Call it without a place, as for a trial."""
        origin = Block((0,) * max((b.ndim for b in blocks), default=0), (), (), "numpy")
        return self(origin, *blocks)

    def __call__(self, block: Block, *blocks: Any) -> Any:
        rest = iter(blocks)
        args = [next(rest) if slot is _BLOCK else slot for slot in self.slots]
        kwargs = dict(self.kwargs)
        if self.block_id:
            kwargs["block_id"] = block.index
        if self.block_info:
            kwargs["block_info"] = self._info(block, blocks)
        return self.func(*args, **kwargs)

    def _info(self, block: Block, blocks: Sequence[Any]) -> dict[Any, Any]:
        places = [place for place, slot in enumerate(self.slots) if slot is _BLOCK]
        info: dict[Any, Any] = {
            None: {
                "shape": block.shape,
                "chunk-location": block.index,
                "array-location": [
                    (a, a + n) for a, n in zip(block.start, block.shape, strict=False)
                ],
            }
        }
        for place, chunk, chunks in zip(places, blocks, self.chunks, strict=True):
            own = block.index[len(block.index) - len(chunks) :]
            index = tuple(i if len(c) > 1 else 0 for i, c in zip(own, chunks, strict=False))
            starts = [sum(c[:i]) for c, i in zip(chunks, index, strict=False)]
            info[place] = {
                "shape": tuple(map(sum, chunks)),
                "num-chunks": tuple(map(len, chunks)),
                "chunk-location": index,
                "array-location": [
                    (a, a + n) for a, n in zip(starts, chunk.shape, strict=False)
                ],
                "dtype": chunk.dtype,
            }
        return info




def _aligned(args: Sequence[Any]) -> tuple[list[Node], tuple[Any, ...]]:
    """Arrays with common chunks, and the arguments with a mark where blocks go."""
    arrays = [a for a in args if isinstance(a, Array | np.ndarray)]
    nodes = [as_array(a).expr for a in arrays]
    slots = tuple(_BLOCK if isinstance(a, Array | np.ndarray) else a for a in args)
    if len({node.meta.chunks for node in nodes}) > 1:
        common = unify_chunks(*((n.meta.chunks, n.meta.shape) for n in nodes))
        nodes = [rechunk(n, _fit(n, common)) for n in nodes]
    return nodes, slots


def _fit(node: Node, common: Chunks) -> Chunks:
    own = common[len(common) - node.meta.ndim :]
    return tuple(
        sizes if length == 1 and target != (1,) else target
        for sizes, length, target in zip(node.meta.chunks, node.meta.shape, own, strict=True)
    )


def _grid(nodes: Sequence[Node]) -> Chunks:
    """Chunks of the block grid that all arrays span together."""
    return unify_chunks(*((n.meta.chunks, n.meta.shape) for n in nodes)) if nodes else ()


def _places(axis: Any, ndim: int) -> tuple[int, ...]:
    return () if axis is None else tuple(sorted(normalize_axes(axis, ndim)))


def _whole(node: Node, dropped: tuple[int, ...], ndim: int) -> Node:
    """Make the dropped axes one block each."""
    first = ndim - node.meta.ndim
    chunks = tuple(
        (sum(sizes),) if axis + first in dropped else sizes
        for axis, sizes in enumerate(node.meta.chunks)
    )
    return rechunk(node, chunks)


def _axes(node: Node, grid: Chunks, of_axis: dict[int, int]) -> tuple[int | None, ...]:
    """Axis of the result that each axis of an input follows."""
    first = len(grid) - node.meta.ndim
    return tuple(
        of_axis.get(axis + first) if len(sizes) == len(grid[axis + first]) else None
        for axis, sizes in enumerate(node.meta.chunks)
    )


def _out_chunks(chunks: Any, source: Sequence[int | None], grid: Chunks) -> Chunks:
    natural: Chunks = tuple((1,) if axis is None else grid[axis] for axis in source)
    if chunks is None:
        return natural
    given = chunks if isinstance(chunks, tuple | list) else (chunks,)
    if not source and len(given) == len(grid) == 0:
        return natural
    if len(given) != len(natural):
        raise ChunkError(
            f"map_blocks got chunks={chunks!r} for a result of {len(natural)} axes; give one "
            "size, or a tuple of sizes, for each axis"
        )
    result = []
    for axis, (each, sizes) in enumerate(zip(given, natural, strict=True)):
        full = tuple(each) if isinstance(each, tuple | list) else (each,) * len(sizes)
        if len(full) != len(sizes):
            raise ChunkError(
                f"map_blocks got {len(full)} block sizes for axis {axis}, which has "
                f"{len(sizes)} blocks"
            )
        result.append(full)
    return tuple(result)


def _wants(func: Callable[..., Any], name: str, given: dict[str, Any]) -> bool:
    """Whether a function has a parameter of that name which the user did not fill."""
    try:
        parameter = signature(func).parameters.get(name)
    except (TypeError, ValueError):
        return False
    kinds = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    return parameter is not None and parameter.kind in kinds and name not in given
