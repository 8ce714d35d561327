"""What is to be computed together: arrays, values of delayed calls, and what lies behind both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from gpuscale.collection import Collection
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Call
from gpuscale.expr.walk import toposort
from gpuscale.graph.build import block_keys
from gpuscale.graph.handle import Handle, add_tasks, whole_key
from gpuscale.graph.join import join_blocks
from gpuscale.graph.packing import rebuilt
from gpuscale.graph.task import Graph, Task

__all__ = ["Calls", "find", "gather", "replace"]


@dataclass
class Calls:
    """The delayed calls of one computation.

    Attributes
    ----------
    graph : Graph
        Their tasks.
    arguments : dict of str to Collection
        Collections whose whole values are arguments, by the key of that value.
    """

    graph: Graph = field(default_factory=dict)
    arguments: dict[str, Collection] = field(default_factory=dict)

    def joins(self, roots: Sequence[Node]) -> Iterator[Task]:
        """Make the tasks that put the arguments together; `roots` are their physical nodes."""
        for (key, collection), root in zip(self.arguments.items(), roots, strict=True):
            nbytes = root.meta.nbytes if root.meta.known else 0
            join = _Join(collection, root.meta.numblocks)
            yield Task(key, join, tuple(block_keys(root)), (), nbytes, 0, 0, "join", root.origin)


class _Join:
    """Make one value of all blocks, in the form that `compute` returns it."""

    __slots__ = ("collection", "grid")

    def __init__(self, collection: Collection, grid: tuple[int, ...]) -> None:
        self.collection, self.grid = collection, grid

    def __call__(self, *blocks: Any) -> Any:
        return self.collection._present(join_blocks(blocks, self.grid))


def find(value: Any) -> list[Any]:
    """List collections and delayed values, nested in containers and dataclasses."""
    found: list[Any] = []

    def note(each: Any) -> Any:
        found.append(each)
        return each

    replace(value, note)
    return found


def replace(value: Any, function: Callable[[Any], Any]) -> Any:
    """Replace collections and delayed values where `find` finds them."""
    if isinstance(value, Collection | Handle):
        return function(value)
    return rebuilt(value, lambda item: replace(item, function))


def gather(handles: Iterable[Handle], nodes: Iterable[Node]) -> Calls:
    """Collect the tasks behind delayed values, and behind arrays that are made of some."""
    calls = Calls()
    waiting = [*handles, *_awaited(nodes)]
    while waiting:
        new = [c for c in add_tasks(calls.graph, waiting) if whole_key(c) not in calls.arguments]
        calls.arguments.update({whole_key(c): c for c in new})
        waiting = list(_awaited(c.expr for c in new))
    return calls


def _awaited(nodes: Iterable[Node]) -> Iterator[Handle]:
    """Find the delayed values that expressions are made of."""
    for node in toposort(list(nodes)):
        if isinstance(node, Call):
            handle = getattr(node.function, "handle", None)
            if handle is not None:
                yield handle
