"""The stages of optimization, in order; the order lives here alone.

``simplify`` rewrites what users wrote, ``lower`` turns it into the six physical nodes, ``fuse``
merges what one task can do in one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from gpuscale.base.errors import NotSupportedError
from gpuscale.expr.check import check
from gpuscale.expr.fuse import fuse
from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.physical import Physical
from gpuscale.expr.rules import Rules
from gpuscale.expr.walk import toposort

__all__ = ["STAGES", "before_lowering", "check_stage", "lowers", "optimize", "simplify_rules"]

F = TypeVar("F", bound=Callable[..., Node])
P = TypeVar("P", bound=Callable[[list[Node]], list[Node]])

simplify_rules = Rules("simplify")
_lowering: dict[type[Node], Callable[..., Node]] = {}
_before_lowering: list[Callable[[list[Node]], list[Node]]] = []


def lowers(node_type: type[Node]) -> Callable[[F], F]:
    """Register how a logical node becomes physical ones; its inputs are physical already."""

    def register(function: F) -> F:
        _lowering[node_type] = function
        return function

    return register


def before_lowering(function: P) -> P:
    """Register a function that rewrites all roots, without which results would be wrong."""
    _before_lowering.append(function)
    return function


def lower(roots: Iterable[Node]) -> list[Node]:
    """Turn every logical node into physical ones."""
    roots = list(roots)
    for function in _before_lowering:
        roots = function(roots)
    new: dict[str, Node] = {}
    for node in toposort(roots):
        new[node.token] = _lower_one(node, lambda child: new[child.token])
    return [new[root.token] for root in roots]


def _lower_one(node: Node, lowered: Callable[[Node], Node]) -> Node:
    if isinstance(node, Physical):
        return node.map_children(lowered)
    function = _lowering.get(type(node))
    if function is None:
        raise NotSupportedError(f"{type(node).__name__} has no lowering; register one with @lowers")
    with on_behalf_of(node):
        return function(node.glimpse(lowered))


STAGES: dict[str, Callable[[Iterable[Node]], list[Node]]] = {
    "simplify": simplify_rules.apply,
    "lower": lower,
    "fuse": fuse,
}


def check_stage(until: str) -> None:
    """Raise ValueError if there is no such stage."""
    if until != "expression" and until not in STAGES:
        raise ValueError(f"no stage {until!r}; stages are expression, {', '.join(STAGES)}")


def optimize(roots: Iterable[Node], until: str = "fuse") -> list[Node]:
    """Run the stages up to and with ``until``.

    Parameters
    ----------
    roots : iterable of Node
    until : {"expression", "simplify", "lower", "fuse"}
        "expression" stops before the first stage.

    Raises
    ------
    ValueError
        If there is no such stage.
    """
    roots = list(roots)
    check_stage(until)
    if until == "expression":
        return roots
    for name, stage in STAGES.items():
        roots = stage(roots)
        check(roots, name)
        if name == until:
            break
    return roots
