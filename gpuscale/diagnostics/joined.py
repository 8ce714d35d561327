"""The records of several runs as one: one axis of time, one numbering of workers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np

from gpuscale.base.types import Key
from gpuscale.diagnostics.curve import Curve, add_curves
from gpuscale.diagnostics.plan import PlanRow, owner_of
from gpuscale.diagnostics.record import RunRecord
from gpuscale.diagnostics.rows import FINISHED, Group, Trouble
from gpuscale.diagnostics.wording import line_of

__all__ = ["Joined", "PlanResult", "join_runs", "plan_results"]


@dataclass(slots=True)
class Joined:
    """The tasks of all runs, a row each.

    Attributes
    ----------
    keys : list of Key
    start, stop : array of float
        Seconds since a beginning.
    worker : array of int
        Runs at the same time have workers of their own.
    worker_names : dict of int to str
        Of a worker with different names in different runs, all of them.
    group : array of int
        Numbers `groups`.
    nbytes, outcome : array of int
    groups : list of Group
    critical : array of int
        Rows on the critical path of their run.
    memory, device_memory : Curve
    troubles : dict of int to Trouble
        Why attempts failed, by row.
    """

    keys: list[Key]
    start: np.ndarray
    stop: np.ndarray
    worker: np.ndarray
    worker_names: dict[int, str]
    group: np.ndarray
    nbytes: np.ndarray
    outcome: np.ndarray
    groups: list[Group]
    critical: np.ndarray
    memory: Curve
    device_memory: Curve
    troubles: dict[int, Trouble]

    @property
    def seconds(self) -> np.ndarray:
        """Duration of each task."""
        return self.stop - self.start


def join_runs(runs: Sequence[RunRecord], begin: float) -> Joined:
    """Put runs together; `begin` becomes second 0."""
    groups: dict[Group, int] = {}
    critical, offset = [np.zeros(0, dtype=np.int64)], 0
    troubles: dict[int, Trouble] = {}
    columns: dict[str, list[np.ndarray]] = {
        name: [np.zeros(0, dtype=float if name in ("start", "stop") else np.int64)]
        for name in ("start", "stop", "worker", "group", "nbytes", "outcome")
    }
    names: dict[int, dict[str, None]] = defaultdict(dict)
    for run, first_worker in zip(runs, _first_workers(runs), strict=True):
        for k in range(run.n_rows):
            names[k + first_worker][run.worker_names.get(k, str(k))] = None
        numbers = [groups.setdefault(group, len(groups)) for group in run.groups]
        columns["start"].append(run.start - begin)
        columns["stop"].append(run.stop - begin)
        columns["worker"].append(run.worker + first_worker)
        columns["group"].append(np.array(numbers, dtype=np.int64)[run.group])
        columns["nbytes"].append(run.nbytes)
        columns["outcome"].append(run.outcome)
        critical.append(np.array(run.critical, dtype=np.int64) + offset)
        troubles.update({row + offset: each for row, each in run.troubles.items()})
        offset += len(run.keys)
    memory = add_curves(run.memory for run in runs)
    on_device = add_curves(run.device_memory for run in runs)
    for curve in (memory, on_device):
        curve.time = curve.time - begin
    return Joined(
        keys=[key for run in runs for key in run.keys],
        worker_names={k: ", ".join(found) for k, found in names.items()},
        groups=list(groups),
        critical=np.concatenate(critical),
        memory=memory,
        device_memory=on_device,
        troubles=troubles,
        **{name: np.concatenate(parts) for name, parts in columns.items()},
    )


def _first_workers(runs: Sequence[RunRecord]) -> list[int]:
    """Number of each run's first worker, so that runs at the same time share none."""
    first = [0] * len(runs)
    active: list[tuple[float, int, int]] = []
    for k in sorted(range(len(runs)), key=lambda k: runs[k].begin):
        run = runs[k]
        active = [each for each in active if each[0] > run.begin]
        for _, low, high in sorted(active, key=lambda each: each[1]):
            if first[k] + run.n_rows > low:
                first[k] = max(first[k], high)
        active.append((run.end, first[k], first[k] + run.n_rows))
    return first


@dataclass(slots=True)
class PlanResult:
    """What a node of a plan was expected to do, and what it did.

    Attributes
    ----------
    plan : PlanRow
        Of all runs of it together; without tasks if nothing was planned.
    tasks, failed : int
    nbytes : int
        What the results of its tasks held.
    seconds, longest : float
    """

    plan: PlanRow
    tasks: int = 0
    failed: int = 0
    nbytes: int = 0
    seconds: float = 0.0
    longest: float = 0.0


def plan_results(runs: Sequence[RunRecord]) -> list[PlanResult]:
    """Set what was planned against what happened, a row for each physical node.

    Tasks that belong to no plan, as those of delayed functions, get a row for each function.
    """
    results: dict[str, PlanResult] = {}
    for run in runs:
        for row in run.plan:
            found = results.get(row.key)
            results[row.key] = PlanResult(row if found is None else _twice(found.plan, row))
    for run in runs:
        planned = {row.key for row in run.plan}
        _add_up(run, [_owner(results, planned, group) for group in run.groups])
    return list(results.values())


def _add_up(run: RunRecord, owners: Sequence[PlanResult]) -> None:
    """Add the tasks of each group of a run to what is known of its owner."""
    weights = (None, run.outcome != FINISHED, run.nbytes, run.seconds)
    sums = [np.bincount(run.group, weights=each, minlength=len(owners)) for each in weights]
    longest = np.zeros(len(owners))
    np.maximum.at(longest, run.group, run.seconds)
    for owner, tasks, failed, nbytes, seconds, most in zip(owners, *sums, longest, strict=True):
        owner.tasks += int(tasks)
        owner.failed += int(failed)
        owner.nbytes += int(nbytes)
        owner.seconds += float(seconds)
        owner.longest = max(owner.longest, float(most))


def _twice(one: PlanRow, other: PlanRow) -> PlanRow:
    return PlanRow(
        one.name,
        one.kind,
        one.tasks + other.tasks,
        one.read + other.read,
        one.written + other.written,
        max(one.peak, other.peak),
        one.line,
        one.key,
    )


def _owner(results: dict[str, PlanResult], planned: Container[str], group: Group) -> PlanResult:
    key = owner_of(group.name, planned)
    if key is not None:
        return results[key]
    row = PlanRow(group.label, "Task", 0, 0, 0, 0, line_of(group.origin), group.name)
    return results.setdefault(group.name, PlanResult(row))
