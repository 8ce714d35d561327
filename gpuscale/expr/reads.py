"""Who reads a node, and whether reading it again costs anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextvars import ContextVar

from gpuscale.base.blocks import block
from gpuscale.base.tokens import is_by_identity
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Blockwise, Sink, Source
from gpuscale.expr.walk import toposort
from gpuscale.memory.limits import budget_of

__all__ = [
    "count_reads",
    "is_free_to_read",
    "is_out_of_reach",
    "is_planned_elsewhere",
    "is_read_in_place",
    "planned_for_elsewhere",
    "reads_what_may_change",
]

_elsewhere: ContextVar[bool] = ContextVar("gpuscale-elsewhere", default=False)


@block
def planned_for_elsewhere() -> Generator[None, None, None]:
    """Plan for tasks of other processes, which do not see the memory of this one.

    What a source has there is sent as it is, a block at a time, so nobody reads it in place.
    """
    token = _elsewhere.set(True)
    try:
        yield
    finally:
        _elsewhere.reset(token)


def is_planned_elsewhere() -> bool:
    """Whether a plan is made for tasks of other processes."""
    return _elsewhere.get()


def is_out_of_reach(node: Node) -> bool:
    """Whether a node reads or fills memory of this process that the tasks of a plan do not see."""
    if not is_planned_elsewhere():
        return False
    if isinstance(node, Sink):
        return bool(node.writer.is_local)
    return isinstance(node, Source) and bool(node.reader.is_memory)


def count_reads(roots: list[Node]) -> Counter[str]:
    """Count reads of each node; one reader with two views reads twice."""
    reads: Counter[str] = Counter(root.token for root in roots)
    for node in toposort(roots):
        if isinstance(node, Blockwise):
            reads.update(each.node.token for each in node.inputs)
        else:
            reads.update(child.token for child in node.children)
    return reads


def is_free_to_read(node: Node) -> bool:
    """Whether a piece of a node is a view of memory or of a file that is mapped."""
    if is_out_of_reach(node):
        return False
    return isinstance(node, Source) and node.reader.cost == "view"


def reads_what_may_change(roots: list[Node]) -> bool:
    """Whether results may be others next time, though the tokens of some nodes are the same.

    That is so where they read memory of the program, or were given objects that are known by their
    identity alone.
    """
    return any(
        node.reader.may_change if isinstance(node, Source) else is_by_identity(*node.operands)
        for node in toposort(roots)
    )


def is_read_in_place(source: Source, readers: Counter[str]) -> bool:
    """Whether those who read a source do it inside their own tasks."""
    if is_out_of_reach(source):
        return False
    if source.reader.cost == "view" or readers[source.token] == 1:
        return True
    # Decoding twice is cheaper than running out of memory, dearer than keeping a small array.
    return source.meta.projected_nbytes > budget_of(source.meta.backend) // 4
