"""The plan of a computation as rows: what each physical node reads, writes and needs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from gpuscale.base.types import Key
from gpuscale.diagnostics.wording import line_of
from gpuscale.engines.events import Listener
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, Sink, Source
from gpuscale.expr.walk import toposort
from gpuscale.graph.build import block_keys
from gpuscale.graph.calls import build_with_calls
from gpuscale.graph.task import Graph, Task
from gpuscale.memory.projection import task_bytes

__all__ = ["PlanRow", "announce_plan", "call_rows", "owner_of", "plan_rows", "plan_tasks"]


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
    key: str


def owner_of(name: str, nodes: Container[str]) -> str | None:
    """Find the node that a task belongs to whose key begins with `name`.

    Examples
    --------
    >>> nodes = {"sum-2ab0", "sort-77f1"}
    >>> owner_of("sort-77f1", nodes), owner_of("sort-77f1-cut-0", nodes), owner_of("f-1", nodes)
    ('sort-77f1', 'sort-77f1', None)
    """
    while name not in nodes:
        name, dash, _ = name.rpartition("-")
        if not dash:
            return None
    return name


def plan_tasks(physical: Sequence[Node]) -> tuple[Graph, list[Key]]:
    """Lay a plan out as tasks; return the keys of its results as well."""
    keys = [key for node in physical for key in block_keys(node)]
    return build_with_calls(physical), keys


def plan_rows(physical: Sequence[Node], graph: Graph) -> list[PlanRow]:
    """One row for each physical node that has tasks, sources first."""
    by_name: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    labels: dict[str, str] = {}
    for key, task in graph.items():
        name = key[0] if isinstance(key, tuple) else key
        row = by_name[name]
        labels.setdefault(name, task.label)
        row[0] += 1
        row[1] += task.nbytes
        row[2] = max(row[2], task_bytes(graph, task))
    nodes = {node.task_prefix: node for node in toposort(physical)}
    by_node: dict[str | None, list[list[int]]] = defaultdict(list)
    for name, row in by_name.items():
        by_node[owner_of(name, nodes)].append(row)
    rows = []
    for own, node in nodes.items():
        if found := by_node.get(own):
            tasks, written = (sum(row[k] for row in found) for k in (0, 1))
            peak = max(row[2] for row in found)
            source: Node = node
            if isinstance(node, Sink):
                source = node if node.x.task_prefix in by_name else node.x
                written = node.x.meta.projected_nbytes
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


def call_rows(calls: Sequence[Task], graph: Graph) -> list[PlanRow]:
    """One row for each function of delayed calls, in the order of the tasks.

    Examples
    --------
    >>> from gpuscale.graph.task import Task
    >>> calls = [Task(f"abs-{k}", abs, (), (k,), 8, 0, 0, "abs", ("a.py", k)) for k in (1, 2)]
    >>> [(row.name, row.tasks, row.written, row.line) for row in call_rows(calls, {})]
    [('abs', 2, 16, 'a.py:1 and others')]
    """
    by_label: dict[str, list[Task]] = defaultdict(list)
    for task in calls:
        by_label[task.label].append(task)
    rows = []
    for label, tasks in by_label.items():
        lines = list(dict.fromkeys(line_of(task.origin) for task in tasks))
        line = lines[0] + " and others" * (len(lines) > 1)
        written = sum(task.nbytes for task in tasks)
        peak = max(task_bytes(graph, task) for task in tasks)
        rows.append(PlanRow(label, "Task", len(tasks), 0, written, peak, line, label))
    return rows


def _read_bytes(node: Node) -> int:
    """Bytes that the tasks of a node read from sources."""
    if isinstance(node, Source):
        return node.meta.projected_nbytes
    if not isinstance(node, Blockwise):
        return 0
    return sum(
        _read_of(node, each) if isinstance(each.node, Source) else _read_bytes(each.node)
        for each in node.inputs
        if each.inline
    )


def _read_of(node: Blockwise, each: BlockInput) -> int:
    """Bytes that the tasks of a node read of one source."""
    meta = each.node.meta
    if each.axes == tuple(range(meta.ndim)) and meta.numblocks == node.space.numblocks:
        return meta.projected_nbytes  # each block once
    if not node.space.known:
        return 0
    axes = each.axes if each.view is None else [axis for axis, _, _ in each.view.axes]
    used = {axis for axis in axes or () if axis is not None}
    return meta.dtype.itemsize * math.prod(
        sum(sizes) if axis in used else len(sizes) for axis, sizes in enumerate(node.domain)
    )


def announce_plan(listeners: Iterable[Listener], physical: Sequence[Node], graph: Graph) -> None:
    """Show the plan of a run that is about to begin to listeners with a method ``take_plan``."""
    takers = [getattr(each, "take_plan", None) for each in listeners]
    if any(takers):
        rows = plan_rows(physical, graph)
        for take in filter(None, takers):
            take(rows)
