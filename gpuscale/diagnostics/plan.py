"""The plan of a computation as rows: what each physical node reads, writes and needs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gpuscale.diagnostics.wording import line_of
from gpuscale.engines.events import Listener
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Blockwise, Sink, Source
from gpuscale.expr.walk import toposort
from gpuscale.graph.build import task_name
from gpuscale.graph.task import Graph

__all__ = ["PlanRow", "announce_plan", "plan_rows"]


@dataclass(frozen=True)
class PlanRow:
    """One physical node of a plan.

    Attributes
    ----------
    name : str
        Operations inside.
    kind : str
        Which of the six physical nodes.
    tasks : int
    read : int
        Bytes that its tasks read from memory or files outside the graph.
    written : int
        Bytes of its results; what a sink writes to files or into the result.
    peak : int
        Bytes of its largest task: inputs, result and workspace.
    line : str
        The user's file and line.
    key : str
        First part of the keys of its results; steps inside the node add to it.
    """

    name: str
    kind: str
    tasks: int
    read: int
    written: int
    peak: int
    line: str
    key: str = ""

    def owns(self, name: str) -> bool:
        """Whether a task whose key begins with `name` belongs to this node."""
        return name == self.key or name.startswith(self.key + "-")


def plan_rows(physical: Sequence[Node], graph: Graph) -> list[PlanRow]:
    """One row for each physical node that has tasks, sources first."""
    by_name: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    labels: dict[str, str] = {}
    for key, task in graph.items():
        name = key[0] if isinstance(key, tuple) else key
        row = by_name[name]
        labels.setdefault(name, task.label)
        inputs = sum(graph[dep].nbytes for dep in set(task.deps))
        row[0] += 1
        row[1] += task.nbytes
        row[2] = max(row[2], inputs + task.nbytes + task.workspace)
    rows = []
    for node in toposort(physical):
        own = task_name(node)
        found = [row for name, row in by_name.items() if name == own or name.startswith(own + "-")]
        if found:
            tasks, written = (sum(row[k] for row in found) for k in (0, 1))
            peak = max(row[2] for row in found)
            source: Node = node
            if isinstance(node, Sink):
                source = node if task_name(node.x) in by_name else node.x
                written = node.x.meta.nbytes if node.x.meta.known else 0
            rows.append(
                PlanRow(
                    labels.get(own) or node.name,
                    type(node).__name__,
                    tasks,
                    _read_bytes(source),
                    written,
                    peak,
                    line_of(node.origin),
                    own,
                )
            )
    return rows


def _read_bytes(node: Node) -> int:
    """Bytes that the tasks of a node read from sources."""
    if isinstance(node, Source):
        return node.meta.nbytes if node.meta.known else 0
    if not isinstance(node, Blockwise) or not node.space.known:
        return 0
    total = 0
    for each in node.inputs:
        if each.inline and isinstance(each.node, Source):
            axes = each.axes if each.view is None else [axis for axis, _, _ in each.view.axes]
            used = {axis for axis in axes or () if axis is not None}
            total += each.node.meta.dtype.itemsize * math.prod(
                sum(sizes) if axis in used else len(sizes) for axis, sizes in enumerate(node.domain)
            )
        elif each.inline:
            total += _read_bytes(each.node)
    return total


def announce_plan(listeners: Iterable[Listener], physical: Sequence[Node], graph: Graph) -> None:
    """Show the plan of a run that is about to begin to listeners with a method ``take_plan``."""
    takers = [getattr(each, "take_plan", None) for each in listeners]
    if any(takers):
        rows = plan_rows(physical, graph)
        for take in filter(None, takers):
            take(rows)
