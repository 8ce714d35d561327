"""Layouts of exchanges in which every new block is one old block: concatenate and reshape."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import Any

import numpy as np

from gpuscale.base.types import BlockIndex
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import ConcatenatePlan, ReshapePlan
from gpuscale.graph.build import GraphBuilder, lays_out

__all__: list[str] = []


@lays_out(ConcatenatePlan)
def _lay_out_concatenate(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    axis = node.plan.axis
    firsts = list(accumulate((x.meta.numblocks[axis] for x in node.inputs), initial=0))
    for index in wanted:
        number = bisect_right(firsts, index[axis]) - 1
        inner = (*index[:axis], index[axis] - firsts[number], *index[axis + 1 :])
        source = builder.want(node.inputs[number], inner)
        builder.hand_on(builder.key(node, index), node, source)


@lays_out(ReshapePlan)
def _lay_out_reshape(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    (x,) = node.inputs
    for index in wanted:
        order = np.ravel_multi_index(index, node.meta.numblocks) if index else 0
        source = tuple(map(int, np.unravel_index(order, x.meta.numblocks))) if x.meta.ndim else ()
        dep = builder.want(x, source)
        shape = node.meta.block_shape(index)
        builder.add(builder.key(node, index), node, _reshape, (dep,), (shape,))


def _reshape(chunk: Any, shape: tuple[Any, ...]) -> Any:
    known = tuple(n if isinstance(n, int) else -1 for n in shape)
    return chunk.reshape(known)


_reshape.hands_on = True  # type: ignore[attr-defined]
