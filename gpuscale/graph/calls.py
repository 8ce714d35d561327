"""Delayed calls beside arrays: what lies behind both, in one graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from gpuscale.expr import stages
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Call
from gpuscale.expr.walk import toposort
from gpuscale.graph import layouts as _layouts  # noqa: F401 - registers the layouts of plans
from gpuscale.graph.annotations import annotate_tasks
from gpuscale.graph.build import block_keys, build
from gpuscale.graph.handle import Handle, add_tasks, whole_key
from gpuscale.graph.join import join_blocks, scalar
from gpuscale.graph.numbering import no_collection
from gpuscale.graph.task import Graph, Task

__all__ = ["Calls", "build_with_calls", "calls_behind"]


@dataclass
class Calls:
    """The delayed calls of one computation.

    Attributes
    ----------
    tasks : Graph
    arguments : dict of str to collection
        Collections whose whole values are arguments, by the key of that value.
    """

    tasks: Graph = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def nodes(self) -> list[Node]:
        """Expressions of the arguments."""
        return [collection.expr for collection in self.arguments.values()]

    def optimize(self, roots: Sequence[Node], until: str = "fuse") -> tuple[list[Node], list[Node]]:
        """Optimize nodes and those of the arguments together; return both apart."""
        every = stages.optimize([*roots, *self.nodes], until)
        return every[: len(roots)], every[len(roots) :]

    def build(self, roots: Sequence[Node], arguments: Sequence[Node]) -> Graph:
        """Make all tasks: of physical roots, of the calls, and of their arguments' nodes."""
        graph = build([*roots, *arguments])
        graph.update({task.key: task for task in self._joins(arguments)})
        annotate_tasks(graph.values())
        graph.update(self.tasks)  # these were annotated when they were made
        return graph

    def _joins(self, nodes: Sequence[Node]) -> Iterator[Task]:
        for (key, collection), node in zip(self.arguments.items(), nodes, strict=True):
            nbytes = node.meta.projected_nbytes
            join = _Join(collection, node.meta.numblocks)
            yield Task(key, join, tuple(block_keys(node)), (), nbytes, 0, 0, "join", node.origin)


class _Join:
    """Make one value of all blocks, in the form that users get from `compute`."""

    __slots__ = ("collection", "grid")

    def __init__(self, collection: Any, grid: tuple[int, ...]) -> None:
        self.collection, self.grid = collection, grid

    def __call__(self, *blocks: Any) -> Any:
        return self.collection._present(scalar(join_blocks(blocks, self.grid)))


def calls_behind(handles: Iterable[Handle], nodes: Iterable[Node]) -> Calls:
    """Collect the tasks behind delayed values, and behind nodes that are made of some."""
    calls = Calls()
    waiting = [*handles, *_awaited(nodes)]
    while waiting:
        with no_collection():
            found = list(add_tasks(calls.tasks, waiting))
        new = [each for each in found if whole_key(each) not in calls.arguments]
        calls.arguments.update({whole_key(each): each for each in new})
        waiting = list(_awaited(each.expr for each in new))
    return calls


def build_with_calls(roots: Sequence[Node]) -> Graph:
    """Make the tasks of physical nodes, and of the delayed values that they are made of."""
    calls = calls_behind((), roots)
    return calls.build(roots, calls.optimize(())[1])


def _awaited(nodes: Iterable[Node]) -> Iterator[Handle]:
    """Find the delayed values that expressions are made of."""
    for node in toposort(list(nodes)):
        if isinstance(node, Call):
            handle = getattr(node.function, "handle", None)
            if handle is not None:
                yield handle
