"""``x.vindex``, ``x.flat`` and ``x.blocks``: other meanings of what stands between the brackets."""

from __future__ import annotations

from collections.abc import Iterator
from operator import index as as_int
from typing import Any

import numpy as np

from gpuscale.array.api.getitem import getitem
from gpuscale.array.api.tiling import resize
from gpuscale.array.collection import Array
from gpuscale.array.construct import view
from gpuscale.array.convert import beside
from gpuscale.chunks.blocks import offsets
from gpuscale.chunks.slicing import expand_index, slice_view
from gpuscale.chunks.take import normalize_take
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import PickPlan

__all__ = ["BlockIndexer", "FlatIndexer", "PointIndexer"]


class PointIndexer:
    """Index by points: index arrays broadcast together, and their axes come first.

    Parameters
    ----------
    x : Array

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.arange(12, chunks=5).reshape((3, 4))
    >>> x.vindex[[0, 2], [1, 3]].compute()
    array([ 1, 11])
    """

    def __init__(self, x: Array) -> None:
        self._x = x

    def __getitem__(self, index: Any) -> Array:
        return getitem(self._x, index, points_first=True)


class FlatIndexer:
    """Index, and go through, the elements in C order.

    Parameters
    ----------
    x : Array

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.arange(12, chunks=5).reshape((3, 4)).flat[[5, -1]].compute()
    array([ 5, 11])
    """

    def __init__(self, x: Array) -> None:
        self._x = x
        self._flat: Array = x.ravel()
        self._rest = iter(self._flat)

    def __getitem__(self, index: Any) -> Array:
        return getitem(self._flat, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, tuple) and len(index) > 1:
            raise IndexError("too many indices: all elements in C order have one axis")
        values = beside(value, self._x, "flat").ravel()
        selected = getitem(self._flat, index)
        if values.size and selected.size:  # values repeat, or are left over, as in NumPy
            self._flat[index] = resize(values, selected.shape)
            self._x[...] = self._flat.reshape(self._x.shape)

    def __len__(self) -> int:
        return len(self._flat)

    def __iter__(self) -> Iterator[Array]:
        return self

    def __next__(self) -> Array:
        return next(self._rest)


class BlockIndexer:
    """Index whole blocks; every axis stays.

    Parameters
    ----------
    x : Array

    Raises
    ------
    IndexError
        If there is no such block, or there are too many indices.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.arange(7, chunks=3).blocks[[2, 0]].compute()
    array([6, 0, 1, 2])
    """

    def __init__(self, x: Array) -> None:
        self._x = x

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of blocks along each axis."""
        return self._x.numblocks

    @property
    def size(self) -> int:
        """Number of blocks."""
        return self._x.npartitions

    def ravel(self) -> list[Array]:
        """All blocks in C order, one array each."""
        return [self[index] for index in np.ndindex(self.shape)]

    def __getitem__(self, index: Any) -> Array:
        items = tuple(_as_array(i) for i in (index if isinstance(index, tuple) else (index,)))
        if any(item is None for item in items):
            raise IndexError("blocks[...] cannot add axes; use None on the array itself")
        node = self._x.expr
        numbers = tuple(
            _numbers(item, count, axis)
            for axis, (item, count) in enumerate(
                zip(expand_index(items, node.meta.ndim), node.meta.numblocks, strict=True)
            )
        )
        if not all(numbers):  # an axis without blocks has one empty block
            node = self._x[tuple(slice(None) if n else slice(0) for n in numbers)].expr
            numbers = tuple(n or (0,) for n in numbers)
        if node.meta.known and all(map(_is_run, numbers)):
            starts = [offsets(sizes) for sizes in node.meta.chunks]
            region = tuple(
                slice(at[n[0]], at[n[-1] + 1]) for n, at in zip(numbers, starts, strict=True)
            )
            return Array(view(node, slice_view(region, node.meta.shape)))
        chunks = tuple(
            tuple(sizes[k] for k in n) for n, sizes in zip(numbers, node.meta.chunks, strict=True)
        )
        return Array(Exchange((node,), PickPlan(numbers), node.meta.with_(chunks=chunks)))


def _as_array(item: Any) -> Any:
    return np.asarray(item) if isinstance(item, list | tuple | Array) else item


def _numbers(item: Any, count: int, axis: int) -> tuple[int, ...]:
    """Numbers of the blocks that one item of an index means."""
    if isinstance(item, slice):
        return tuple(range(count)[item])
    if not isinstance(item, np.ndarray):
        item = np.asarray([as_int(item)])
    if item.dtype.kind == "b":
        if item.shape != (count,):
            raise IndexError(
                f"boolean index did not match blocks along axis {axis}; there are {count} blocks "
                f"but the index has shape {item.shape}"
            )
        item = np.flatnonzero(item)
    return tuple(normalize_take(item.reshape(-1), count, axis).tolist())


def _is_run(numbers: tuple[int, ...]) -> bool:
    return numbers == tuple(range(numbers[0], numbers[-1] + 1))
