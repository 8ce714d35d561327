"""Rewrite rules as tables of (node type, named function), and the loop that applies them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.walk import toposort

__all__ = ["Rules"]

Rule = Callable[..., "Node | None"]
R = TypeVar("R", bound=Rule)
Pass = Callable[[list[Node]], list[Node]]
P = TypeVar("P", bound=Pass)


class Rules:
    """A table of rewrites; each rule returns a replacement or None.

    Rules see a node whose inputs are rewritten already and never ask who reads it. A replacement
    is rewritten again, with whatever new nodes it brought, until no rule applies.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._table: dict[type[Node], list[Rule]] = {}
        self._first: list[Pass] = []

    def first(self, function: P) -> P:
        """Register a function that rewrites all roots at once, before any rule is applied.

        It is for what rules cannot see: long runs of nodes, and who reads them.
        """
        self._first.append(function)
        return function

    def rule(self, *types: type[Node]) -> Callable[[R], R]:
        """Register a function for some node types; its docstring says what it rewrites."""

        def register(function: R) -> R:
            for each in types:
                self._table.setdefault(each, []).append(function)
            return function

        return register

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for each, functions in self._table.items():
            for function in functions:
                yield each.__name__, function.__name__

    def _step(self, node: Node) -> Node | None:
        for function in self._table.get(type(node), ()):
            with on_behalf_of(node):
                new = function(node)
            if new is not None and new is not node:
                return new
        return None

    def apply(self, roots: Iterable[Node]) -> list[Node]:
        """Rewrite everything below the roots."""
        roots = list(roots)
        for function in self._first:
            roots = function(roots)
        done: dict[str, Node] = {}
        for node in toposort(roots):
            self._rewrite(node, done)
        return [done[root.token] for root in roots]

    def _rewrite(self, node: Node, done: dict[str, Node]) -> Node:
        if node.token in done:
            return done[node.token]
        # A replacement is shallow: the recursion below follows only nodes that a rule made.
        current = node.map_children(lambda child: self._rewrite(child, done))
        if current is not node and current.token in done:
            done[node.token] = done[current.token]
            return done[node.token]
        new = self._step(current)
        result = current if new is None else self._rewrite(new, done)
        done[node.token] = done[current.token] = done[result.token] = result
        return result
