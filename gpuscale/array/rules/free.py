"""Which nodes cost nothing to read again, under any view and any chunks."""

from __future__ import annotations

from gpuscale.array.nodes.creation import IndexFunction
from gpuscale.array.nodes.elementwise import Elementwise
from gpuscale.array.nodes.view import View
from gpuscale.codegen.ops import OPS
from gpuscale.expr.merge import CHEAP
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Source
from gpuscale.expr.reads import is_free_to_read, is_planned_elsewhere

__all__ = ["is_free"]


def is_free(node: Node) -> bool:
    """Whether a node is made of index functions, memory and cheap arithmetic alone."""
    return _cost(node) <= CHEAP


def _cost(node: Node) -> int:
    """Cost of one element in additions; more than `CHEAP` means that it is not free."""
    name = "_cost_elsewhere" if is_planned_elsewhere() else "_free_cost"
    stack = [node]  # not recursion: expressions may be deeper than Python's stack
    while stack:
        current = stack[-1]
        pending = [c for c in _transparent(current, name) if name not in c.__dict__]
        if pending:
            stack.extend(pending)
        else:
            stack.pop()
            current.__dict__[name] = _own_cost(current, name)
    cost: int = node.__dict__[name]
    return cost


def _transparent(node: Node, name: str) -> tuple[Node, ...]:
    """Inputs whose cost counts towards that of the node."""
    if name in node.__dict__:
        return ()
    return node.children if isinstance(node, View | Elementwise) else ()


def _own_cost(node: Node, name: str) -> int:
    if isinstance(node, IndexFunction):
        cost = 0
    elif isinstance(node, Source):
        cost = 0 if is_free_to_read(node) and node.meta.known else CHEAP + 1
    elif isinstance(node, View):
        cost = node.x.__dict__[name]
    elif isinstance(node, Elementwise):
        cost = OPS[node.op].cost + sum(x.__dict__[name] for x in node.inputs)
    else:
        cost = CHEAP + 1
    return min(cost, CHEAP + 1)
