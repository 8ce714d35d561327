"""The largest and smallest elements, without sorting the others."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from gpuscale.array.api.reshaping import along_axis
from gpuscale.array.api.sorting import argsort, sort
from gpuscale.array.collection import Array
from gpuscale.array.construct import split_every_of
from gpuscale.array.convert import known_node
from gpuscale.backends.creation import parcel
from gpuscale.backends.seams import array_namespace, best_positions, best_values
from gpuscale.backends.shared_ops import own
from gpuscale.chunks.axes import at_axis, normalize_axis
from gpuscale.chunks.blocks import max_block
from gpuscale.expr.kernels import Block, FunctionKernel
from gpuscale.expr.physical import BlockInput, Blockwise, TreeReduce

__all__ = ["argpartition", "argtopk", "partition", "topk"]


def topk(x: Any, k: int, axis: int = -1, split_every: int | None = None) -> Array:
    """Largest elements along an axis, the largest first; smallest first where ``k`` is negative.

    Parameters
    ----------
    x : array
    k : int
        How many; all where there are fewer.
    axis : int
    split_every : int, optional
        Blocks combined at once; option ``array.split-every``.

    Returns
    -------
    Array
        In one block along ``axis``. NaN counts as larger than every number.

    Raises
    ------
    numpy.exceptions.AxisError
        If the axis does not exist.
    TypeError
        If ``k`` is not an integer.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.asarray([5, 1, 3, 6], chunks=2)
    >>> ga.topk(x, 2).compute(), ga.topk(x, -2).compute()
    (array([6, 5]), array([1, 3]))
    """
    return _best(x, k, axis, split_every, _top_values, _Values, None, "topk")


def argtopk(x: Any, k: int, axis: int = -1, split_every: int | None = None) -> Array:
    """Positions of the elements that `topk` gives.

    Which of several equal elements is named is not defined. Parameters are those of `topk`.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.argtopk(ga.asarray([5, 1, 3, 6], chunks=2), 2).compute()
    array([3, 0])
    """
    return _best(x, k, axis, split_every, _top_positions, _Positions, np.intp, "argtopk")


def _best(
    x: Any,
    k: int,
    axis: int,
    split_every: Any,
    first: Callable[..., Any],
    rest: type[_Values] | type[_Positions],
    dtype: Any,
    label: str,
) -> Array:
    """Select in each block, then among what a few blocks selected, up to one."""
    node = known_node(x)
    k = operator.index(k)
    axis = normalize_axis(axis, node.meta.ndim)
    sizes = node.meta.chunks[axis]
    meta = node.meta if dtype is None else node.meta.with_(dtype=np.dtype(dtype))
    block = max_block(node.meta.chunks)
    others = prod(n for other, n in enumerate(block) if other != axis)
    step = rest(k, axis, node.meta.dtype.itemsize, abs(k) * others)
    part = parcel(step.itemsize)
    kept = tuple(min(abs(k), n) for n in sizes)
    before, after = node.meta.chunks[:axis], node.meta.chunks[axis + 1 :]
    room = step.room * prod(block)
    kernel = FunctionKernel(first, (k, axis), wants_block=True, label=label, room=room)
    chosen = Blockwise(
        kernel,
        (BlockInput(node, axes=tuple(range(node.meta.ndim))),),
        node.meta.chunks,
        meta.with_(dtype=part, chunks=(*before, kept, *after)),
    )
    out = meta.with_(chunks=(*before, (min(abs(k), sum(sizes)),), *after))
    spans = split_every_of(split_every, (axis,))
    return Array(TreeReduce(chosen, step, step.finish, (axis,), True, spans, label, out))


def _top_values(block: Block, chunk: Any, k: int, axis: int) -> Any:
    return _select(chunk, k, axis)


def _select(values: Any, k: int, axis: int) -> Any:
    if 0 < abs(k) < values.shape[axis]:
        return best_values(values, k, axis).copy()  # a view would keep all that was partitioned
    return own(values if k else values[at_axis(axis, slice(0))])


@dataclass(frozen=True)
class _Values:
    """Select again among selected elements; in the end sort them.

    Parameters
    ----------
    k, axis : int
    width : int
        Bytes of an element.
    most : int
        Elements that are selected in the largest block.
    """

    k: int
    axis: int
    width: int
    most: int

    @property
    def itemsize(self) -> int:
        """Bytes that are kept of each selected element."""
        return self.width

    @property
    def room(self) -> int:
        """Bytes that a selection takes for each element that it is made among."""
        return self.width

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Bytes of what is selected among some selected elements, and to select or sort it."""
        total = sum(sizes)
        workspace = total + self.room * (total // max(1, self.itemsize))
        return min(total, self.most * self.itemsize), workspace

    def __call__(self, parts: Sequence[Any], grid: tuple[int, ...]) -> Any:
        joined = array_namespace(parts[0]).concatenate(parts, axis=self.axis)
        return _select(joined, self.k, self.axis)

    def finish(self, values: Any) -> Any:
        ordered = array_namespace(values).sort(values, axis=self.axis)
        return ordered[at_axis(self.axis, slice(None, None, -1 if self.k > 0 else 1))]


def _top_positions(block: Block, chunk: Any, k: int, axis: int) -> tuple[Any, Any]:
    xp = array_namespace(chunk)
    along = [1] * chunk.ndim
    along[axis] = -1
    numbers = xp.arange(chunk.shape[axis]).reshape(along) + block.start[axis]
    return _select_pairs(chunk, xp.broadcast_to(numbers, chunk.shape), k, axis)


def _select_pairs(values: Any, numbers: Any, k: int, axis: int) -> tuple[Any, Any]:
    xp = array_namespace(values)
    if not 0 < abs(k) < values.shape[axis]:
        span = at_axis(axis, slice(None) if k else slice(0))
        return own(values[span]), own(numbers[span])
    order = best_positions(values, k, axis)
    return xp.take_along_axis(values, order, axis), xp.take_along_axis(numbers, order, axis)


@dataclass(frozen=True)
class _Positions(_Values):
    """Select again among selected pairs of an element and its position; in the end sort them."""

    @property
    def itemsize(self) -> int:
        """Bytes that are kept of each selected element."""
        return self.width + 8

    @property
    def room(self) -> int:
        """Bytes that a selection takes for each element: for its position, and to order them."""
        return 16

    def __call__(self, parts: Sequence[Any], grid: tuple[int, ...]) -> tuple[Any, Any]:
        xp = array_namespace(parts[0][0])
        values, numbers = (
            xp.concatenate(each, axis=self.axis) for each in zip(*parts, strict=True)
        )
        return _select_pairs(values, numbers, self.k, self.axis)

    def finish(self, pair: tuple[Any, Any]) -> Any:
        values, numbers = pair
        xp = array_namespace(values)
        order = xp.argsort(values, axis=self.axis)
        order = order[at_axis(self.axis, slice(None, None, -1 if self.k > 0 else 1))]
        return xp.take_along_axis(numbers, order, self.axis)


# --- partitions ----------------------------------------------------------------------------------


def partition(
    a: Any, kth: int | Sequence[int], axis: int | None = -1, kind: str = "introselect"
) -> Array:
    """Put elements where sorting would put them, at some positions at least.

    All elements are sorted here, which is one of the arrangements that are promised.

    Parameters
    ----------
    a : array
    kth : int or sequence of int
        Positions with nothing larger before and nothing smaller behind.
    axis : int or None
        None flattens first.
    kind : str
        Accepted for NumPy's sake.

    Raises
    ------
    ValueError
        If a position does not exist.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.partition(ga.asarray([5, 1, 3], chunks=2), 1)[1].compute()
    np.int64(3)
    """
    _check_positions(a, kth, axis)
    return sort(a, axis)


def argpartition(
    a: Any, kth: int | Sequence[int], axis: int | None = -1, kind: str = "introselect"
) -> Array:
    """Positions of the elements that `partition` gives; parameters are those of `partition`."""
    _check_positions(a, kth, axis)
    return argsort(a, axis)


def _check_positions(a: Any, kth: Any, axis: int | None) -> None:
    x, axis = along_axis(a, axis)
    length = x.shape[axis]
    if 0 in x.shape:
        return  # nothing is to be moved anywhere
    for k in np.atleast_1d(kth).tolist():
        if not -length <= operator.index(k) < length:
            raise ValueError(f"kth(={k}) out of bounds ({length})")
