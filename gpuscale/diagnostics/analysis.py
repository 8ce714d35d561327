"""A plan and what came of it, as a table: bytes and time of every physical node."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gpuscale.base.sizes import format_bytes
from gpuscale.base.types import Key
from gpuscale.diagnostics.joined import PlanResult, plan_results
from gpuscale.diagnostics.plan import PlanRow
from gpuscale.diagnostics.record import RunRecord
from gpuscale.diagnostics.rows import RETRIED
from gpuscale.diagnostics.trial import DROP, trial_run
from gpuscale.diagnostics.wording import aligned, duration, of_device, percent
from gpuscale.graph.order import order
from gpuscale.graph.task import Graph
from gpuscale.memory.limits import limits_for
from gpuscale.memory.projection import peak_bytes

__all__ = ["analysis"]

HEADER = (
    "operations", "node", "tasks", "reads", "writes", "wrote", "largest task", "time", "longest",
    "line",
)  # fmt: skip


def analysis(graph: Graph, keys: Sequence[Key], plan: Sequence[PlanRow]) -> str:
    """Run a plan, let go of its results, and set what it took beside what was planned."""
    record = trial_run(graph, keys, plan)
    rows = [_row(each) for each in plan_results([record]) if each.plan.key != DROP]
    projected = peak_bytes(graph, order(graph, keys), n_workers=record.n_workers)
    limit, _ = limits_for(graph.values())  # of a cluster: of its smallest worker
    return "\n".join([*aligned(HEADER, rows), _total(record, len(graph), projected, limit)])


def _row(result: PlanResult) -> tuple[str, ...]:
    plan = result.plan
    planned = map(format_bytes, (plan.read, plan.written, result.nbytes, plan.peak))
    took = duration(result.seconds), duration(result.longest)
    return plan.name, plan.kind, f"{result.tasks:,}", *planned, *took, plan.line


def _on_device(record: RunRecord) -> str:
    peak = int(record.device_memory.used.max(initial=0))
    said = f"; peak on the device {format_bytes(peak)}{of_device(record.device_budget)}"
    return said if peak else ""


def _total(record: RunRecord, tasks: int, projected: int, limit: float) -> str:
    wall, work = record.end - record.begin, float(record.seconds.sum())
    peak = int(record.memory.used.max(initial=0))
    path = float(np.sum(record.seconds[record.critical]))
    workers = f"{record.n_workers} worker{'s' * (record.n_workers != 1)}"
    busy = percent(work, wall * record.n_workers)
    on_disk = sum(each.nbytes for each in record.spilled)
    spilled = f"; spilled {format_bytes(on_disk)}" if on_disk else ""
    again = int((record.outcome == RETRIED).sum())
    repeated = f"; {again:,} attempts failed and were repeated" if again else ""
    return (
        f"{tasks:,} tasks in {duration(wall)} with {workers}, {busy} of their time at work; "
        f"critical path {duration(path)}; peak {format_bytes(peak)}, "
        f"projected {format_bytes(projected)}, memory limit {format_bytes(limit)}"
        f"{_on_device(record)}{spilled}"
        f"{repeated}"
    )
