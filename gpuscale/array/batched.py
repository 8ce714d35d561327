"""Functions of the last axes of arrays, mapped over blocks of the axes in front."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from gpuscale.array.construct import rechunk, together
from gpuscale.base.types import Chunks, Unknown
from gpuscale.chunks.blocks import max_block
from gpuscale.chunks.broadcast import unify_chunks
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.meta import ArrayMeta, axis_size
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = ["Output", "batched", "room_of", "whole_axes"]


@dataclass(frozen=True)
class Output:
    """One result of a function of the last axes.

    Parameters
    ----------
    core : tuple of int
        Lengths of its last axes.
    dtype : numpy.dtype
    """

    core: tuple[Any, ...]
    dtype: Any


def batched(
    function: Callable[..., Any],
    inputs: Sequence[Node],
    core_ndims: Sequence[int],
    outputs: Sequence[Output],
    label: str,
    room: float | None = None,
) -> list[Node]:
    """Map a function over the axes in front of the last ones.

    Parameters
    ----------
    function : callable
        Called with a block of each input, all elements along the last axes; the axes in front
        broadcast. Returns one array, or a tuple where there are several outputs.
    inputs : sequence of Node
    core_ndims : sequence of int
        How many of the last axes of each input the function needs whole.
    outputs : sequence of Output
    label : str
    room : float, optional
        Bytes that the function takes inside for each byte of its inputs and results in double
        precision; by default it is thought to copy the results once.

    Raises
    ------
    ValueError
        If the axes in front do not broadcast.
    """
    inputs = together(inputs, label)
    loops = [_loop(node, n) for node, n in zip(inputs, core_ndims, strict=True)]
    grid = unify_chunks(*((chunks, tuple(map(axis_size, chunks))) for chunks in loops))
    nodes = [_aligned(n, k, grid) for n, k in zip(inputs, core_ndims, strict=True)]
    sources = tuple(
        BlockInput(node, axes=_follow(node, n_core, grid))
        for node, n_core in zip(nodes, core_ndims, strict=True)
    )
    backend = nodes[0].meta.backend
    first, n_core = max(zip(nodes, core_ndims, strict=True), key=lambda pair: pair[0].meta.ndim)
    advice = whole_axes(label, first.meta.chunks, range(first.meta.ndim - n_core, first.meta.ndim))
    if len(outputs) == 1:
        meta = _meta(outputs[0], grid, backend)
        kernel = FunctionKernel(
            function, label=label, room=room_of(room, nodes, meta), advice=advice
        )
        return [Blockwise(kernel, sources, meta.chunks, meta)]
    # All results of a block together, as one parcel of bytes as far as planning is concerned.
    parcel = ArrayMeta(np.dtype(np.uint8), (*grid, (_bytes(outputs),)), backend)
    kernel = FunctionKernel(function, label=label, room=room_of(room, nodes, parcel), advice=advice)
    all_results = Blockwise(kernel, sources, parcel.chunks, parcel)
    axes = (*range(len(grid)), None)
    results: list[Node] = []
    for number, output in enumerate(outputs):
        meta = _meta(output, grid, backend)
        kernel = FunctionKernel(_pick, (number,), label=label, room=0)
        results.append(Blockwise(kernel, (BlockInput(all_results, axes=axes),), meta.chunks, meta))
    return results


def whole_axes(label: str, chunks: Chunks, axes: Sequence[int]) -> str:
    """What to do where a function that needs some axes whole has blocks that are too large.

    Examples
    --------
    >>> whole_axes("fft", ((5,), (50, 50), (1,)), [0])
    'fft needs axis 0 whole: use smaller chunks along axis 1'
    >>> whole_axes("inv", ((5,), (50, 50), (1,)), [0, 1])
    'inv needs axes 0 and 1 whole, and smaller chunks do not help: make the array smaller'
    """
    others = [k for k, sizes in enumerate(chunks) if k not in axes and set(sizes) - {0, 1}]
    needs = f"{label} needs {_axes(axes)} whole"
    if others:
        return f"{needs}: use smaller chunks along {_axes(others)}"
    return f"{needs}, and smaller chunks do not help: make the array smaller"


def _axes(axes: Sequence[int]) -> str:
    return f"ax{'e' if len(axes) > 1 else 'i'}s {' and '.join(map(str, axes))}"


def room_of(share: float | None, inputs: Sequence[Node], result: ArrayMeta) -> int | None:
    """Bytes that a function of LAPACK takes inside for its largest block.

    NumPy converts single precision to double and back.
    """
    if share is None:
        return None
    metas = [*(node.meta for node in inputs), result]
    nbytes = sum(prod(max_block(meta.chunks)) * meta.dtype.itemsize for meta in metas)
    single = inputs[0].meta.dtype.char in "fF"
    return int(nbytes * (2 * share + 2 if single else share))


def _pick(results: tuple[Any, ...], number: int) -> Any:
    return results[number]


def _bytes(outputs: Sequence[Output]) -> int:
    """Bytes of all results for one element of the axes in front, as far as they are known."""
    return sum(
        prod(n for n in each.core if not isinstance(n, Unknown)) * np.dtype(each.dtype).itemsize
        for each in outputs
    )


def _loop(node: Node, n_core: int) -> Chunks:
    chunks: Chunks = node.meta.chunks[: node.meta.ndim - n_core]
    return chunks


def _aligned(node: Node, n_core: int, grid: Chunks) -> Node:
    """Cut the axes in front as the grid is, and leave the last ones whole."""
    loop = _loop(node, n_core)
    own = grid[len(grid) - len(loop) :]
    front = tuple(
        sizes if axis_size(sizes) == 1 != axis_size(target) else target
        for sizes, target in zip(loop, own, strict=True)
    )
    core = tuple(
        sizes if len(sizes) == 1 else (axis_size(sizes),) for sizes in node.meta.chunks[len(loop) :]
    )
    return rechunk(node, (*front, *core))


def _follow(node: Node, n_core: int, grid: Chunks) -> tuple[int | None, ...]:
    loop = _loop(node, n_core)
    first = len(grid) - len(loop)
    front = tuple(
        axis + first if len(sizes) == len(grid[axis + first]) else None
        for axis, sizes in enumerate(loop)
    )
    return (*front, *(None,) * n_core)


def _meta(output: Output, grid: Chunks, backend: str) -> ArrayMeta:
    chunks = (*grid, *((n,) for n in output.core))
    return ArrayMeta(np.dtype(output.dtype), chunks, backend)
