"""What will happen when an expression is computed: stages as trees, the plan as a table."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gpuscale.base.errors import format_bytes
from gpuscale.expr import stages
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Blockwise, Physical, Source
from gpuscale.expr.walk import toposort
from gpuscale.graph import layouts as _layouts  # noqa: F401 - registers the layouts of plans
from gpuscale.graph.build import block_keys, build, task_name
from gpuscale.graph.order import order
from gpuscale.graph.task import Graph
from gpuscale.memory.limits import memory_limit
from gpuscale.memory.projection import peak_bytes

__all__ = ["Explanation", "PlanRow", "explain", "plan_rows"]


class Explanation(str):
    """Text that shows itself with its line breaks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


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
        Bytes of its results.
    peak : int
        Bytes of its largest task: inputs, result and workspace.
    line : str
        The user's file and line.
    """

    name: str
    kind: str
    tasks: int
    read: int
    written: int
    peak: int
    line: str


def explain(nodes: Sequence[Node], stage: str = "plan") -> Explanation:
    """Say what computing the expressions would do, without doing it.

    Parameters
    ----------
    nodes : sequence of Node
    stage : {"plan", "expression", "simplify", "lower", "fuse", "all"}
        The table of the plan, the tree after one stage, or everything.

    Raises
    ------
    ValueError
        If there is no such stage.
    """
    if stage == "plan":
        return Explanation(_plan(stages.optimize(nodes)))
    if stage != "all":
        return Explanation(_tree(stages.optimize(nodes, stage)))
    parts = [f"--- {s} ---\n{_tree(stages.optimize(nodes, s))}" for s in _STAGES]
    return Explanation("\n\n".join([*parts, f"--- plan ---\n{explain(nodes)}"]))


_STAGES = ("expression", *stages.STAGES)


def _tree(roots: Iterable[Node]) -> str:
    lines: list[str] = []
    seen: set[str] = set()
    for root in roots:
        stack = [(root, 0)]
        while stack:
            node, depth = stack.pop()
            again = node.token in seen
            seen.add(node.token)
            lines.append("  " * depth + _describe(node) + (" (see above)" * again))
            if not again:
                stack.extend((child, depth + 1) for child in reversed(node.children))
    return "\n".join(lines)


def _describe(node: Node) -> str:
    meta = node.meta
    kind = type(node).__name__ if isinstance(node, Physical) else ""
    name = f"{kind} {node.name}".strip()
    dtype = "" if meta.dtype.names else f" {meta.dtype}"
    blocks = math.prod(meta.numblocks)
    return f"{name}{dtype} {_shape(meta.shape)}, {blocks} block{'s' * (blocks != 1)}"


def _shape(shape: tuple[object, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def plan_rows(physical: Sequence[Node], graph: Graph) -> list[PlanRow]:
    """One row for each physical node that has tasks, sources first."""
    by_name: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for key, task in graph.items():
        name = key[0] if isinstance(key, tuple) else key
        row = by_name[name]
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
            rows.append(
                PlanRow(
                    node.name,
                    type(node).__name__,
                    tasks,
                    _read_bytes(node),
                    written,
                    peak,
                    "" if node.origin is None else f"{_file(node.origin[0])}:{node.origin[1]}",
                )
            )
    return rows


def _file(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]


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


def _plan(physical: Sequence[Node]) -> str:
    graph = build(physical)
    keys = [key for node in physical for key in block_keys(node)]
    rows = plan_rows(physical, graph)
    header = ("operations", "node", "tasks", "reads", "writes", "largest task", "line")
    table = [
        (r.name, r.kind, f"{r.tasks:,}", *map(format_bytes, (r.read, r.written, r.peak)), r.line)
        for r in rows
    ]
    priorities = order(graph, keys)
    peak = peak_bytes(graph, sorted(graph, key=priorities.__getitem__), keys, n_workers=2)
    return "\n".join(
        [
            *_columns(header, table),
            f"{len(graph):,} tasks; projected peak {format_bytes(peak)} with two workers, "
            f"memory limit {format_bytes(memory_limit())}",
        ]
    )


def _columns(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]
    left = {0, 1, len(header) - 1}
    return [
        "  ".join(
            cell.ljust(width) if k in left else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [header, tuple("-" * w for w in widths), *rows]
    ]
