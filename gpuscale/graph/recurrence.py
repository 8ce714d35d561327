"""Tasks of a recurrence: blocks that are made of other blocks of the same result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpuscale.base.types import BlockIndex
from gpuscale.expr.kernels import Block
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import OWN, RecurrencePlan
from gpuscale.graph.build import GraphBuilder, lays_out

__all__: list[str] = []


@lays_out(RecurrencePlan)
def _lay_out_recurrence(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    plan, meta = node.plan, node.meta
    function = _BlockLast(plan.function)
    seen = set(wanted)
    pending = list(wanted)
    while pending:
        index = pending.pop()
        deps = []
        for source, read in plan.reads(index):
            deps.append(builder.want(node if source == OWN else node.inputs[source], read))
            if source == OWN and read not in seen:
                seen.add(read)
                pending.append(read)
        block = Block(index, meta.block_start(index), meta.block_shape(index), meta.backend)
        nbytes = meta.block_nbytes(index) or 0
        # Factors are made in place of a copy, beside products and rows in another order.
        room = 3 * nbytes
        builder.add(builder.key(node, index), node, function, deps, (block,), nbytes, room)


class _BlockLast:
    """Call a function whose block comes first, as tasks pass it last."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *chunks_and_block: Any) -> Any:
        *chunks, block = chunks_and_block
        return self.function(block, *chunks)
