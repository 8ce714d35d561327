"""Which nodes cost nothing to read again, under any view and any chunks."""

from __future__ import annotations

from gpuscale.array.nodes.creation import IndexFunction
from gpuscale.array.nodes.elementwise import Elementwise
from gpuscale.array.nodes.view import View
from gpuscale.codegen.ops import OPS
from gpuscale.expr.fuse import CHEAP
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Source

__all__ = ["is_free"]


def is_free(node: Node) -> bool:
    """Whether a node is made of index functions, memory and cheap arithmetic alone."""
    return _cost(node) <= CHEAP


def _cost(node: Node) -> int:
    """Cost of one element in additions; more than `CHEAP` means that it is not free."""
    known: int | None = node.__dict__.get("_free_cost")
    if known is not None:
        return known
    if isinstance(node, IndexFunction):
        cost = 0
    elif isinstance(node, Source):
        cost = 0 if node.reader.cost == "view" and node.meta.known else CHEAP + 1
    elif isinstance(node, View):
        cost = _cost(node.x)
    elif isinstance(node, Elementwise):
        cost = OPS[node.op].cost + sum(map(_cost, node.inputs))
    else:
        cost = CHEAP + 1
    cost = min(cost, CHEAP + 1)
    node.__dict__["_free_cost"] = cost
    return cost
