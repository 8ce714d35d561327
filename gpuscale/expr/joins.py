"""Joins of joins: arrays that a loop puts together piece by piece are joined once."""

from __future__ import annotations

from collections.abc import Iterator

from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import ConcatenatePlan
from gpuscale.expr.walk import toposort

__all__ = ["join_once"]


def join_once(roots: list[Node]) -> list[Node]:
    """Make every concatenation one of pieces that are none along the same axis.

    Those inside of others, which nobody else reads, vanish, from the outside in: made flat one by
    one, from the inside out, n of them would take n * n / 2 pieces.
    """
    nodes = list(toposort(roots))
    inner = {child.token for node in nodes for child in node.children if _continues(node, child)}
    inner.difference_update(root.token for root in roots)
    for node in nodes:
        inner.difference_update(c.token for c in node.children if not _continues(node, c))
    done: dict[str, Node] = {}
    for node in nodes:
        if node.token in inner:
            continue
        if any(_continues(node, child) for child in node.children):
            assert isinstance(node, Exchange)
            pieces = tuple(done[piece.token] for piece in _pieces(node))
            done[node.token] = node.rebuilt(pieces, node.plan, node.out)
        else:
            done[node.token] = node.map_children(lambda child: done[child.token])
    return [done[root.token] for root in roots]


def _continues(node: Node, child: Node) -> bool:
    """Whether both put arrays in one row."""
    return (
        isinstance(child, Exchange)
        and isinstance(child.plan, ConcatenatePlan)
        and isinstance(node, Exchange)
        and node.plan == child.plan
    )


def _pieces(node: Exchange) -> Iterator[Node]:
    stack = list(reversed(node.inputs))
    while stack:
        piece = stack.pop()
        if _continues(node, piece):
            assert isinstance(piece, Exchange)
            stack.extend(reversed(piece.inputs))
        else:
            yield piece
