"""Frames that are looked at more than once, though memory does not hold them."""

from __future__ import annotations

import copy
from typing import Any

from gpuscale.base.tokens import tokenize
from gpuscale.dataframe.by_memory import by_memory
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.methods import Method, Property
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Partwise, Project
from gpuscale.dataframe.nodes.source import FromFrame, ReadPieces
from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.walk import toposort
from gpuscale.memory.limits import budget_of

__all__ = ["another_pass", "is_large"]

_IN_MEMORY = 4  # times the rows: what came in, what is made of it, and what that takes


def is_large(node: Node) -> bool:
    """Whether memory is too small to have all rows of a frame in one task."""
    return bool(_IN_MEMORY * node.meta.nbytes > budget_of(node.meta.backend))


def another_pass(node: Node) -> Node:
    """Return the same rows for a reader that comes before others, or after them.

    Who first takes a sample of some columns of files and then all rows would have all of it kept
    from then on, on disk if need be. Where single columns are read by themselves, and nothing is
    done to them that takes long, they are rather read twice.

    Parameters
    ----------
    node : Node
        Of a frame.
    """
    found: Node = _another_pass(wrap(node)).expr
    return found


@by_memory
def _another_pass(x: Any) -> Any:
    node = x.expr
    nodes = list(toposort([node]))
    if not is_large(node) or not all(map(_is_cheap, nodes)):
        return x
    done: dict[str, Node] = {}
    for each in nodes:
        with on_behalf_of(each):
            if isinstance(each, ReadPieces):
                done[each.token] = ReadPieces(_renamed(each.pieces), each.columns, each.predicate)
            else:
                done[each.token] = each.map_children(lambda child: done[child.token])
    return wrap(done[node.token])


def _renamed(pieces: Any) -> Any:
    """Return the pieces under another name, or else one task would read them for both."""
    again = copy.copy(pieces)
    again.token = tokenize("another pass", pieces.token)
    return again


def _is_cheap(node: Node) -> bool:
    if isinstance(node, ReadPieces):
        return bool(node.pieces.is_columnar)
    if isinstance(node, Partwise):
        given = (*node.args, *(value for _, value in node.kwargs))
        own = isinstance(node.function, Method | Property) or _is_operator(node.function)
        return own and not any(callable(each) for each in given)
    return isinstance(node, FromFrame | Project | Filter | Assign)


def _is_operator(function: Any) -> bool:
    return getattr(function, "__module__", None) == "_operator"
