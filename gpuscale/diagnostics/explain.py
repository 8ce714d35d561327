"""What will happen when an expression is computed: stages as trees, the plan as a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from gpuscale.base import config
from gpuscale.base.errors import MemoryBudgetError
from gpuscale.base.sizes import format_bytes
from gpuscale.base.types import Key
from gpuscale.diagnostics.analysis import analysis
from gpuscale.diagnostics.plan import PlanRow, call_rows, plan_rows, plan_tasks
from gpuscale.diagnostics.wording import aligned, bracketed, line_of, of_device
from gpuscale.engines.base import planned_for_default
from gpuscale.expr import stages
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Physical, Source
from gpuscale.expr.walk import toposort
from gpuscale.graph.calls import calls_behind
from gpuscale.graph.handle import Handle
from gpuscale.graph.order import order
from gpuscale.graph.task import Graph
from gpuscale.memory.kept import kept_bytes
from gpuscale.memory.limits import is_for_workers, limits_for, process_limit
from gpuscale.memory.projection import check_fits, check_results, peak_bytes
from gpuscale.memory.spaces import DEVICE, HOST, SPACES

__all__ = ["Explanation", "explain", "explain_calls"]


class Explanation(str):
    """Text that shows itself with its line breaks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def explain(nodes: Sequence[Node], stage: str = "plan", analyze: bool = False) -> Explanation:
    """Say what computing the expressions would do, without doing it.

    Parameters
    ----------
    nodes : sequence of Node
    stage : {"plan", "expression", "simplify", "lower", "fuse", "all"}
        The table of the plan, the tree after one stage, or everything.
    analyze : bool
        Do it, without keeping the results, and say what it took beside what was planned.

    Raises
    ------
    ValueError
        If there is no such stage, or one that cannot be run.
    """
    if analyze and stage != "plan":
        raise ValueError(f"only stage='plan' can be analyzed, not {stage!r}")
    with planned_for_default():
        return Explanation(_explained(nodes, stage, analyze))


def _explained(nodes: Sequence[Node], stage: str, analyze: bool) -> str:
    if stage == "plan":
        physical = stages.optimize(nodes)
        graph, keys = plan_tasks(physical)
        rows = plan_rows(physical, graph)
        if analyze:
            return analysis(graph, keys, rows)
        plan = _plan(graph, keys, rows, [node.meta for node in physical])
        return "\n".join([plan, *_parts_of_files(physical)])
    if stage != "all":
        return _tree(stages.optimize(nodes, stage))
    parts = [f"--- {s} ---\n{_tree(stages.optimize(nodes, s))}" for s in _STAGES]
    return "\n\n".join([*parts, f"--- plan ---\n{_explained(nodes, 'plan', False)}"])


def explain_calls(handles: Sequence[Handle], analyze: bool = False) -> Explanation:
    """Say what computing delayed values would do, a row for each function.

    Parameters
    ----------
    handles : sequence of Handle
    analyze : bool
        Do it, without keeping the results, and say what it took as well.
    """
    with planned_for_default():
        calls = calls_behind(handles, ())
        _, physical = calls.optimize(())
        graph = calls.build((), physical)
        sources_first = [*calls.arguments, *reversed(calls.tasks)]
        rows = [
            *plan_rows(physical, graph),
            *call_rows([graph[key] for key in sources_first], graph),
        ]
        tell = analysis if analyze else _plan
        return Explanation(tell(graph, [handle.key for handle in handles], rows))


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
            beside = " (see above)" if again else f"; reads {node.note}" if node.note else ""
            lines.append("  " * depth + _describe(node) + beside)
            if not again:
                stack.extend((child, depth + 1) for child in reversed(node.children))
    return "\n".join(lines)


def _describe(node: Node) -> str:
    meta = node.meta
    kind = type(node).__name__ if isinstance(node, Physical) else ""
    name = f"{kind} {node.name}".strip()
    blocks = math.prod(meta.numblocks)
    what = f"{name} {meta.kind}".strip()
    size = f"{blocks} block{'s' * (blocks != 1)}, {format_bytes(meta.projected_nbytes)}"
    return f"{what} {bracketed(meta.shape)}, {size}"


def _plan(
    graph: Graph, keys: Sequence[Key], rows: Sequence[PlanRow], results: Sequence[ArrayMeta] = ()
) -> str:
    header = ("operations", "node", "tasks", "reads", "writes", "largest task", "line")
    table = [
        (r.name, r.kind, f"{r.tasks:,}", *map(format_bytes, (r.read, r.written, r.peak)), r.line)
        for r in rows
    ]
    limits, places = limits_for(graph.values()), order(graph, keys)
    peaks = [peak_bytes(graph, places, keys, 2, space) for space in SPACES]
    refused = _refusal(graph, limits, results)
    kept = kept_bytes()
    spills = [
        not refused and config.get("spill") and peaks[space] + kept[space] > limits[space]
        for space in SPACES
    ]
    beside = [f", beside {format_bytes(n)} that persist keeps" * (n > 0) for n in kept]
    on_host, on_device = (
        f"{format_bytes(peaks[space])}{' with two workers' * (space == HOST)}{beside[space]}"
        for space in SPACES
    )
    on_host += f", memory limit {format_bytes(limits[HOST])}"
    on_host += " of a worker's tasks" * is_for_workers()
    on_host += "; the rest goes to disk" * spills[HOST]
    on_device += of_device(limits[DEVICE]) + "; the rest goes to the host" * spills[DEVICE]
    return "\n".join(
        [
            *aligned(header, table),
            f"{len(graph):,} tasks; projected peak {on_host}"
            f"{f'; on the device {on_device}' * (peaks[DEVICE] > 0)}",
            *([f"compute() refuses this: {refused}"] if refused else []),
        ]
    )


def _parts_of_files(physical: Sequence[Node]) -> Iterable[str]:
    """Say what is read of files, by the lines that opened them."""
    for node in toposort(physical):
        if isinstance(node, Source) and node.note:
            yield f"{line_of(node.origin)} reads {node.note}".strip()


def _refusal(graph: Graph, limits: Sequence[float], results: Sequence[ArrayMeta]) -> str:
    """Say why computing would be refused, or nothing."""
    try:
        check_results(results, process_limit())
        check_fits(graph, limits)
    except MemoryBudgetError as error:
        return str(error)
    return ""
