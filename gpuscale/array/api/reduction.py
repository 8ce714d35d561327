"""The user's own reductions, by a tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gpuscale.array.calls import as_promised, check_place, name_of
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk, split_every_of
from gpuscale.array.convert import as_given, known_node
from gpuscale.array.infer import infer_dtype
from gpuscale.array.ufunc import into
from gpuscale.backends.transfer import to_device
from gpuscale.chunks.axes import normalize_axes
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.physical import BlockInput, Blockwise, TreeReduce
from gpuscale.graph.join import join_blocks

__all__ = ["reduction"]

Partials = Sequence[Any]


def reduction(
    x: Any,
    chunk: Callable[..., Any],
    aggregate: Callable[..., Any],
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    combine: Callable[..., Any] | None = None,
    name: str | None = None,
    out: Any = None,
    concatenate: bool = True,
    output_size: int = 1,
    meta: Any = None,
    weights: Any = None,
    split_every: Any = None,
    dtype: Any = None,
) -> Array:
    """Reduce an array by functions of the user.

    Parameters
    ----------
    x : array
    chunk : callable
        ``chunk(block, axis=, keepdims=True)`` reduces one block; with weights they come second.
    aggregate : callable
        ``aggregate(partials, axis=, keepdims=)`` makes the result of joined partial results.
    axis : int or sequence of int, optional
        All axes by default.
    keepdims : bool
        Keep reduced axes.
    combine : callable, optional
        ``combine(partials, axis=, keepdims=True)`` joins partial results before the last step;
        ``aggregate`` by default.
    name : str, optional
        Label for plans and diagnostics.
    out : Array, optional
    concatenate : bool
        Join partial results along the axes; False hands over nested lists of them, a level for
        each axis.
    output_size : int
        Length that ``aggregate`` gives the reduced axes, where they are kept.
    meta : array, optional
        An array of the dtype of the result.
    weights : array, optional
        Broadcast to the array.
    split_every : int or dict, optional
        Blocks joined at once.
    dtype : dtype, optional
        Of the result; by default the functions are tried on something tiny.

    Raises
    ------
    numpy.exceptions.AxisError
        If an axis does not exist.
    BackendError
        When computed, if a function returns arrays that are elsewhere than its blocks.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.reduction(ga.arange(10, chunks=4), np.sum, np.sum, dtype=int).compute()
    np.int64(45)
    """
    source, weights = as_given((x, weights), name or name_of(aggregate))
    axes = tuple(sorted(normalize_axes(axis, source.ndim)))
    nodes = [known_node(source)]
    if weights is not None:
        from gpuscale.array.api.manipulation import broadcast_to

        wide = broadcast_to(weights, source.shape)
        nodes.append(rechunk(wide.expr, nodes[0].meta.chunks))
    first = _Chunk(chunk, axes)
    join = _Join(axes, len(nodes[0].meta.shape), concatenate)
    last = _Aggregate(aggregate, combine or aggregate, join, axes, bool(keepdims))
    if dtype is None and meta is not None:
        dtype = meta.dtype
    if dtype is None:
        dtype = infer_dtype(_Trial(first, last), [n.meta for n in nodes], name_of(aggregate))
    backend = nodes[0].meta.backend
    first = replace(first, backend=backend)
    last = replace(last, join=replace(join, backend=backend), dtype=np.dtype(dtype))
    label = name or name_of(aggregate)
    grid = tuple(
        (1,) * len(sizes) if axis in axes else sizes
        for axis, sizes in enumerate(nodes[0].meta.chunks)
    )
    inputs = tuple(BlockInput(n, axes=tuple(range(n.meta.ndim))) for n in nodes)
    partial = nodes[0].meta.with_(dtype=np.dtype(dtype), chunks=grid)
    chunked = Blockwise(FunctionKernel(first, label=label), inputs, nodes[0].meta.chunks, partial)
    chunks = tuple(
        (output_size,) if axis in axes else sizes
        for axis, sizes in enumerate(grid)
        if keepdims or axis not in axes
    )
    result = partial.with_(chunks=chunks)
    spans = split_every_of(split_every, axes)
    tree = TreeReduce(chunked, last, last, axes, bool(keepdims), spans, label, result)
    return into(out, Array(tree))


@dataclass(frozen=True)
class _Chunk:
    function: Callable[..., Any]
    axes: tuple[int, ...]
    backend: str = "numpy"

    def __call__(self, block: Any, *weights: Any) -> Any:
        partial = self.function(block, *weights, axis=self.axes, keepdims=True)
        check_place(partial, self.backend, self.function)
        return partial


@dataclass(frozen=True)
class _Join:
    """Join partial results that lie in a grid along the reduced axes."""

    axes: tuple[int, ...]
    ndim: int
    concatenate: bool
    backend: str = "numpy"

    def __call__(self, parts: Partials, grid: tuple[int, ...]) -> Any:
        if not self.concatenate:
            return _nested(list(parts), grid)
        full = [1] * self.ndim
        for axis, count in zip(self.axes, grid, strict=True):
            full[axis] = count
        return self._joined(parts, tuple(full))

    def _joined(self, parts: Partials, grid: tuple[int, ...]) -> Any:
        """Join arrays and numbers, or those in dictionaries and tuples."""
        if isinstance(parts[0], dict):
            return {key: self._joined([part[key] for part in parts], grid) for key in parts[0]}
        if isinstance(parts[0], tuple | list):
            return tuple(self._joined(each, grid) for each in zip(*parts, strict=True))
        return join_blocks([self._array(part) for part in parts], grid)

    def _array(self, part: Any) -> Any:
        """Return a part; a number as an array of one element, which broadcasts against others."""
        if not np.isscalar(part):
            return part
        return to_device(np.full((1,) * self.ndim, part), self.backend)


def _nested(parts: list[Any], grid: tuple[int, ...]) -> Any:
    if len(grid) <= 1:
        return parts
    step = len(parts) // grid[0]
    return [_nested(parts[k : k + step], grid[1:]) for k in range(0, len(parts), step)]


@dataclass(frozen=True)
class _Aggregate:
    """How partial results combine, and how the last of them become the result."""

    function: Callable[..., Any]
    combine: Callable[..., Any]
    join: _Join
    axes: tuple[int, ...]
    keepdims: bool
    dtype: np.dtype[Any] | None = None  # None while it is tried

    def __call__(self, parts: Partials, grid: tuple[int, ...]) -> Any:
        partial = self.combine(self.join(parts, grid), axis=self.axes, keepdims=True)
        check_place(partial, self.join.backend, self.combine)
        return partial

    def of_parts(self, parts: Partials, grid: tuple[int, ...]) -> Any:
        result = self.function(self.join(parts, grid), axis=self.axes, keepdims=self.keepdims)
        if self.dtype is None:
            return result
        return as_promised(result, self.dtype, self.join.backend, self.function)


@dataclass(frozen=True)
class _Trial:
    first: _Chunk
    last: _Aggregate

    def __call__(self, *ones: Any) -> Any:
        return self.last.of_parts([self.first(*ones)], (1,) * len(self.last.axes))
