"""Tasks of a scan across blocks: totals of blocks, carried from block to block, then scans."""

from __future__ import annotations

from typing import Any

from gpuscale.backends.seams import accumulate, array_namespace, fold
from gpuscale.base.types import BlockIndex, Key
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import ScanPlan
from gpuscale.graph.build import GraphBuilder, lays_out

__all__: list[str] = []


@lays_out(ScanPlan)
def _lay_out_scan(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    """Only the carries form a chain, and they are one element thick."""
    (x,) = node.inputs
    name = builder.key(node, ())[0]
    ufunc, axis = node.plan.ufunc, node.plan.axis
    lines: dict[BlockIndex, int] = {}
    for index in wanted:
        line = (*index[:axis], 0, *index[axis + 1 :])
        lines[line] = max(lines.get(line, 0), index[axis])
    for line, last in lines.items():
        carry: Key | None = None
        for number in range(last):
            index = (*line[:axis], number, *line[axis + 1 :])
            thin = (node.meta.block_nbytes(index) or 0) // max(node.meta.chunks[axis][number], 1)
            total = (f"{name}-total", *index)
            builder.add(total, node, _total, (builder.want(x, index),), (ufunc, axis), thin)
            deps = (total,) if carry is None else (carry, total)
            carry = (f"{name}-carry", *index)
            builder.add(carry, node, _add, deps, (ufunc,), thin)
    for index in wanted:
        nbytes = node.meta.block_nbytes(index) or 0
        reads: list[Key] = [builder.want(x, index)]
        if index[axis]:
            reads.append((f"{name}-carry", *index[:axis], index[axis] - 1, *index[axis + 1 :]))
        builder.add(builder.key(node, index), node, _scan, reads, (ufunc, axis), nbytes)


def _total(chunk: Any, ufunc: str, axis: int) -> Any:
    return fold(chunk, ufunc, (axis,), chunk.dtype)


def _add(first: Any, *rest: Any) -> Any:
    *others, ufunc = rest
    function = getattr(array_namespace(first), ufunc)
    for other in others:
        first = function(first, other)
    return first


def _scan(chunk: Any, *rest: Any) -> Any:
    """Scan a block; begin with what is carried over, so that no second pass over it is needed."""
    *carry, ufunc, axis = rest
    result = accumulate(chunk, ufunc, axis)
    function = getattr(array_namespace(chunk), ufunc)
    return function(carry[0], result, out=result) if carry else result
