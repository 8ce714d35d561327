"""Sums of products over shared axes, block by block: the base of all matrix products."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, ClassVar

from gpuscale.array.api.blockwise import Letters, Sizes, align_by_letter, by_number, follow
from gpuscale.array.construct import rechunk, split_every_of
from gpuscale.array.nodes.contraction import Contract
from gpuscale.array.nodes.elementwise import common_backend
from gpuscale.array.nodes.view import View
from gpuscale.array.tiles import tile_room, tiles_of
from gpuscale.backends.seams import array_namespace
from gpuscale.expr.kernels import Block
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange, TreeReduce
from gpuscale.expr.plans import ALL, GatherPlan
from gpuscale.memory.limits import budget_of

__all__ = ["contract", "contracted"]


def contract(a: Node, b: Node, letters: tuple[Letters, Letters], out: Letters, label: str) -> Node:
    """Sum the products of two nodes over the letters that ``out`` lacks.

    Both have the dtype of the result and sizes that are known. A letter that only one of them
    has must be in ``out``.

    Where there are enough blocks of the result to keep all workers busy and a row of blocks fits
    their memory, one task makes each block of the result, adding one product after the other.
    Else each product is a task, and a tree adds them. On a device without room for both operands
    a task makes a tile of several blocks, for which it reads the operands piece by piece.

    Raises
    ------
    ValueError
        If lengths along a letter differ.
    """
    (a, first), (b, second) = map(_turned_back, (a, b), letters)
    letters = first, second
    nodes, sizes = align_by_letter([a, b], letters)
    summed = tuple(x for x in letters[0] if x not in out)
    multiply = _Multiply.of(letters, out)
    chunks = tuple(sizes[letter] for letter in out)
    meta = nodes[0].meta.with_(chunks=chunks, backend=common_backend((a, b), label))
    n_products = prod(len(sizes[letter]) for letter in summed)
    axes = [follow(node, own, out, sizes) for node, own in zip(nodes, letters, strict=True)]
    if n_products == 1:
        alone = [tuple(None if axis == ALL else axis for axis in each) for each in axes]
        return by_number(_Once(multiply), nodes, alone, meta, label)
    return Contract(*nodes, letters, out, label)


def contracted(node: Contract) -> Node:
    """Choose the way for the memory there is."""
    letters, out, label = node.letters, node.out, node.label
    nodes, sizes = align_by_letter([node.a, node.b], letters)
    summed = tuple(x for x in letters[0] if x not in out)
    multiply, meta = _Multiply.of(letters, out), node.meta
    axes = [follow(each, own, out, sizes) for each, own in zip(nodes, letters, strict=True)]
    metas = [each.meta for each in nodes]
    tiles = tiles_of(metas, letters, out, sizes, meta.dtype.itemsize)
    if tiles is not None:
        return _by_tiles(multiply, nodes, letters, out, tiles, meta, label)
    if _fits_in_rows(nodes, axes, meta):
        return by_number(_Accumulate(multiply, letters, summed), nodes, axes, meta, label)
    return _by_tree(multiply, nodes, letters, out, summed, sizes, meta, label)


def _turned_back(node: Node, letters: Letters) -> tuple[Node, Letters]:
    """Return what a node is a transpose of, with the letters of its axes.

    The blocks of both would share their memory, which then leaves a device for neither.
    """
    while isinstance(node, View):
        x, axes = node.x, [axis for axis, _, _ in node.view.axes if axis is not None]
        turned = tuple(node.chunks[axis] for axis in axes)
        if sorted(axes) != list(range(node.meta.ndim)) or turned != x.meta.chunks:
            break
        if any((start, step) != (0, 1) for _, start, step in node.view.axes):
            break
        node, letters = x, tuple(letters[axis] for axis in axes)
    return node, letters


def _fits_in_rows(nodes: Sequence[Node], axes: Sequence[tuple[Any, ...]], meta: ArrayMeta) -> bool:
    """Whether tasks that read rows of blocks are many enough, and small enough."""
    from gpuscale.engines.threads import default_workers

    workers = default_workers()
    row = 0
    for node, each in zip(nodes, axes, strict=True):
        blocks = prod(n for n, axis in zip(node.meta.numblocks, each, strict=True) if axis == ALL)
        row += blocks * _largest(node.meta)
    room = budget_of(meta.backend) // 2
    return prod(meta.numblocks) >= 2 * workers and row * workers <= room


def _by_tiles(
    multiply: _Multiply,
    nodes: Sequence[Node],
    letters: tuple[Letters, Letters],
    out: Letters,
    tiles: Sizes,
    meta: ArrayMeta,
    label: str,
) -> Node:
    panels, _ = align_by_letter(nodes, letters, to=tiles)
    axes = [follow(node, own, out, tiles) for node, own in zip(panels, letters, strict=True)]
    function = _Streamed(multiply, letters, tuple(x for x in letters[0] if x not in out))
    room = tile_room(letters, out, tiles, meta.dtype.itemsize)
    plan = GatherPlan(function, tuple(axes), label, room)
    tiled = meta.with_(chunks=tuple(tiles[x] for x in out))
    return rechunk(Exchange(tuple(panels), plan, tiled), meta.chunks)


def _largest(meta: ArrayMeta) -> int:
    return prod(max(sizes, default=0) for sizes in meta.chunks) * meta.dtype.itemsize


def _by_tree(
    multiply: _Multiply,
    nodes: Sequence[Node],
    letters: Sequence[Letters],
    out: Letters,
    summed: Letters,
    sizes: Sizes,
    meta: ArrayMeta,
    label: str,
) -> Node:
    extended = (*out, *summed)
    ones = tuple((1,) * len(sizes[letter]) for letter in summed)
    partial = meta.with_(chunks=(*meta.chunks, *ones))
    axes = [follow(node, own, extended, sizes) for node, own in zip(nodes, letters, strict=True)]
    products = by_number(_Once(multiply, len(summed)), nodes, axes, partial, label)
    last = tuple(range(len(out), len(extended)))
    spans = split_every_of(None, last)
    return TreeReduce(products, _add_all, _itself, last, False, spans, label, meta)


def _itself(partial: Any) -> Any:
    return partial


def _add_all(parts: Sequence[Any], grid: tuple[int, ...]) -> Any:
    total = parts[0] + parts[1]  # "or" for booleans
    for part in parts[2:]:
        total += part
    return total


@dataclass(frozen=True)
class _Multiply:
    """Product of two blocks, summed over the letters that only the inputs have.

    Both are seen as stacks of matrices, so that BLAS does the work whatever the axes.

    Parameters
    ----------
    orders : pair of tuple of int
        Axes of each input: those of the stack, then (rows, summed) and (summed, columns).
    counts : tuple of int
        Numbers of stack, row, summed and column axes.
    back : tuple of int
        Order of the result's axes among stack, rows and columns.
    """

    orders: tuple[tuple[int, ...], tuple[int, ...]]
    counts: tuple[int, int, int, int]
    back: tuple[int, ...]

    @classmethod
    def of(cls, letters: tuple[Letters, Letters], out: Letters) -> _Multiply:
        """Find out what each letter is."""
        first, second = letters
        stack = [x for x in first if x in second and x in out]
        rows = [x for x in first if x not in second]
        summed = [x for x in first if x not in out]
        columns = [x for x in second if x not in first]
        result = [*stack, *rows, *columns]
        return cls(
            (
                tuple(first.index(x) for x in (*stack, *rows, *summed)),
                tuple(second.index(x) for x in (*stack, *summed, *columns)),
            ),
            (len(stack), len(rows), len(summed), len(columns)),
            tuple(result.index(x) for x in out),
        )

    def __call__(self, a: Any, b: Any) -> Any:
        n_stack, n_rows, n_summed, n_columns = self.counts
        a, b = a.transpose(self.orders[0]), b.transpose(self.orders[1])
        rows = a.shape[n_stack : n_stack + n_rows]
        columns = b.shape[n_stack + n_summed :]
        stack = a.shape[:n_stack]
        depth = prod(b.shape[n_stack : n_stack + n_summed])
        left = a.reshape(*stack, prod(rows), depth)
        right = b.reshape(*stack, depth, prod(columns))
        result = array_namespace(a).matmul(left, right)
        return result.reshape((*stack, *rows, *columns)).transpose(self.back)


@dataclass(frozen=True)
class _Once:
    """One product, with axes of length 1 at the end to add along."""

    multiply: _Multiply
    n_added: int = 0

    def __call__(self, block: Block, a: Any, b: Any) -> Any:
        result = self.multiply(a, b)
        return result.reshape(*result.shape, *(1,) * self.n_added) if self.n_added else result


@dataclass(frozen=True)
class _Accumulate:
    """Add the products of two rows of blocks, nested by their summed axes."""

    multiply: _Multiply
    letters: tuple[Letters, Letters]
    summed: Letters

    def __call__(self, block: Block, first: Any, second: Any) -> Any:
        total: Any = None
        for a, b in self._pairs(first, second):
            total = _added(total, self.multiply(a, b))
        return total

    def _pairs(self, first: Any, second: Any) -> Iterator[tuple[Any, Any]]:
        orders = [[x for x in own if x in self.summed] for own in self.letters]
        lengths = dict(zip(orders[0], _grid(first, len(orders[0])), strict=True))
        for place in product(*(range(lengths[x]) for x in self.summed)):
            at = dict(zip(self.summed, place, strict=True))
            yield _pick(first, orders[0], at), _pick(second, orders[1], at)


@dataclass(frozen=True)
class _Streamed(_Accumulate):
    """The same, with no more than one block of each operand in memory."""

    reads_regions: ClassVar[bool] = True

    def __call__(self, block: Block, first: Any, second: Any) -> Any:
        total: Any = None
        for a, b in self._pairs(first, second):
            total = _added(total, self.multiply(a[...], b[...]))
        return total


def _added(total: Any, product: Any) -> Any:
    if total is None:
        return product
    total += product  # "or" for booleans
    return total


def _grid(nest: Any, depth: int) -> list[int]:
    lengths = []
    for _ in range(depth):
        lengths.append(len(nest))
        nest = nest[0]
    return lengths


def _pick(nest: Any, order: Sequence[Hashable], at: dict[Hashable, int]) -> Any:
    for letter in order:
        nest = nest[at[letter]]
    return nest
