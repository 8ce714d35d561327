"""What every collection has in common: it holds an expression and can compute it."""

from __future__ import annotations

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, TypeVar

from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.walk import landings

if TYPE_CHECKING:
    from gpuscale.diagnostics.drawing import Drawing
    from gpuscale.diagnostics.explain import Explanation

__all__ = ["Collection", "held"]

C = TypeVar("C", bound="Collection")


class Collection:
    """A handle on an immutable expression; the base of `Array` and its siblings.

    Parameters
    ----------
    expr : Node
        What this collection stands for.
    """

    __slots__ = ("__weakref__", "_expr")

    _expr: Node

    def __init__(self, expr: Node) -> None:
        self._expr = expr

    @property
    def expr(self) -> Node:
        """The expression, as the user wrote it."""
        return self._expr

    @property
    def name(self) -> str:
        """Readable and unique name of the expression."""
        return self._expr.task_prefix

    def _wrap(self: C, expr: Node) -> C:
        return type(self)(expr)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), landings(self._expr), self._expr)

    def __gpuscale_tokenize__(self) -> str:
        return self._expr.token

    def __gpuscale_steady__(self, known: Mapping[Any, str]) -> str:
        return known[self._expr.token]

    def _present(self, result: Any) -> Any:
        """Give a result of `compute` the form that users know, where engines have another."""
        return result

    def compute(self, **options: Any) -> Any:
        """Compute this collection; see `gpuscale.compute`."""
        from gpuscale.run import compute

        return compute(self, **options)[0]

    def persist(self: C, **options: Any) -> C:
        """Compute the chunks and keep them in memory, or on disk; see `gpuscale.persist`."""
        from gpuscale.keeping import persist

        result: C = persist(self, **options)[0]
        return result

    def optimize(self: C, until: str = "fuse") -> C:
        """Return the collection with its expression optimized; see `gpuscale.optimize`."""
        from gpuscale.run import optimize

        result: C = optimize(self, until=until)[0]
        return result

    def explain(self, stage: str = "plan", analyze: bool = False) -> Explanation:
        """Say what `compute` would do: tasks, bytes and projected peak of every physical node.

        Of files of tables it says how many columns, pieces and bytes are read, and of how many.

        Parameters
        ----------
        stage : {"plan", "expression", "simplify", "lower", "fuse", "all"}
            The table of the plan, the tree after one stage of optimization, or everything.
        analyze : bool
            Compute it as well, without keeping the result, and say beside the plan what each node
            wrote, how long its tasks took together, and how long the longest of them took.

        Raises
        ------
        ValueError
            If there is no such stage, or one that cannot be analyzed.

        Examples
        --------
        >>> import gpuscale.array as ga
        >>> (ga.ones((4, 4), chunks=2) + 1).explain("fuse")
        Blockwise full+add float64 (4, 4), 4 blocks, 128 B
        """
        from gpuscale.diagnostics.explain import explain

        return explain([self._expr], stage, analyze)

    def visualize(self, filename: Any = None, **options: Any) -> Drawing:
        """Draw the tasks or the expression of this collection; see `gpuscale.visualize`."""
        from gpuscale.run import visualize

        return visualize(self, filename=filename, **options)


_HELD: dict[type, str] = {ArrayMeta: "gpuscale.array.collection:Array"}
"""What users hold of results of a kind, by name: loaded when the first is made elsewhere."""


def held(node: Node) -> Any:
    """Return the collection of a node whose result is of another kind than those of the caller.

    So frames give arrays, though neither package imports the other.
    """
    return resolve_name(_HELD[type(node.meta)])(node)


def _restored(kind: type[C], landings: list[Node], expr: Node) -> C:
    """Unpickle; the landings have done their work, which was to be pickled before."""
    return kind(expr)
