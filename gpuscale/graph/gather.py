"""Tasks of a gather: each new block is a function of rows of blocks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from gpuscale.base.types import BlockIndex
from gpuscale.expr.kernels import Block
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import ALL, GatherPlan
from gpuscale.graph.build import GraphBuilder, lays_out

__all__: list[str] = []

Follow = tuple[int | None, ...]


@lays_out(GatherPlan)
def _lay_out_gather(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    plan, meta = node.plan, node.meta
    grids = [
        tuple(n for n, axis in zip(x.meta.numblocks, axes, strict=True) if axis == ALL)
        for x, axes in zip(node.inputs, plan.axes, strict=True)
    ]
    function = _Nest(plan.function, grids)
    for index in wanted:
        deps = [
            builder.want(x, block)
            for x, axes in zip(node.inputs, plan.axes, strict=True)
            for block in _row(x, axes, index)
        ]
        start = meta.block_start(index) if meta.known else (0,) * len(index)
        block = Block(index, start, meta.block_shape(index), meta.backend)
        nbytes = meta.block_nbytes(index) or 0
        room = nbytes if plan.room is None else plan.room
        builder.add(builder.key(node, index), node, function, deps, (block,), nbytes, room)


def _row(x: Node, axes: Follow, index: BlockIndex) -> Iterator[BlockIndex]:
    """Blocks of an input that a new block needs, in C order."""
    return product(
        *(
            range(n) if axis == ALL else (0 if axis is None else index[axis],)
            for n, axis in zip(x.meta.numblocks, axes, strict=True)
        )
    )


class _Nest:
    """Hand a function its blocks, nested by the axes that are gathered."""

    __slots__ = ("function", "grids")

    def __init__(self, function: Any, grids: list[tuple[int, ...]]) -> None:
        self.function, self.grids = function, grids

    @property
    def reads_regions(self) -> bool:
        """Whether the function reads the blocks in regions."""
        return getattr(self.function, "reads_regions", False)

    def __call__(self, *blocks_and_block: Any) -> Any:
        *blocks, block = blocks_and_block
        rest = iter(blocks)
        return self.function(block, *(_nested(rest, grid) for grid in self.grids))


def _nested(blocks: Iterator[Any], grid: tuple[int, ...]) -> Any:
    if not grid:
        return next(blocks)
    return [_nested(blocks, grid[1:]) for _ in range(grid[0])]
