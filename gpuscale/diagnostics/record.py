"""What happened in runs, in columns: few bytes a task, and no task's data is kept alive."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from gpuscale.base.types import Key
from gpuscale.diagnostics.critical import longest_path
from gpuscale.diagnostics.curve import Curve, memory_curve
from gpuscale.diagnostics.listening import Runs, Watcher
from gpuscale.diagnostics.plan import PlanRow
from gpuscale.diagnostics.rows import FINISHED, Group, Rows, Trouble
from gpuscale.engines.events import (
    Event,
    Loaded,
    Released,
    RunFinished,
    RunStarted,
    Spilled,
    TaskFailed,
    TaskFinished,
    TaskRetried,
    TasksAdded,
    TaskStarted,
    WorkerJoined,
)
from gpuscale.graph.numbering import no_collection
from gpuscale.memory.spaces import DEVICE, HOST

__all__ = ["Recorder", "RunRecord"]


@dataclass(slots=True)
class RunRecord:
    """One run: a row for each attempt at a task, in the order in which they ended.

    Attributes
    ----------
    begin, end : float
        Seconds of `time.perf_counter`.
    grows : bool
        Whether it is the work of a client.
    keys : list of Key
    start, stop : array of float
    worker_names : dict of int to str
        Of workers that have names, as those of a cluster.
    worker, group, outcome : array of int
        `group` numbers `groups`; an outcome is one of `gpuscale.diagnostics.rows`.
    nbytes : array of int
        What the results hold.
    groups : list of Group
    critical : list of int
        Rows of the chain of tasks, each needing the one before, that took longest.
    memory, device_memory : Curve
    troubles : dict of int to Trouble
        Why attempts failed, by row.
    spilled, loaded : list of event
        Results that were written away to make room, and that were read back as a whole.
    error : BaseException or None
    plan : list of PlanRow
        What was expected of it; empty for runs of something else than expressions.
    """

    n_tasks: int
    n_workers: int
    budget: float
    device_budget: float
    begin: float
    end: float
    grows: bool
    worker_names: dict[int, str]
    keys: list[Key]
    start: np.ndarray
    stop: np.ndarray
    worker: np.ndarray
    group: np.ndarray
    outcome: np.ndarray
    nbytes: np.ndarray
    groups: list[Group]
    critical: list[int]
    memory: Curve
    device_memory: Curve
    troubles: dict[int, Trouble]
    spilled: list[Spilled]
    loaded: list[Loaded]
    error: BaseException | None
    plan: list[PlanRow]

    @property
    def n_rows(self) -> int:
        """Number of workers with those that came later."""
        return max(self.n_workers, 1 + int(self.worker.max(initial=-1)))

    @property
    def seconds(self) -> np.ndarray:
        """Duration of each task."""
        return self.stop - self.start


def _ended(rows: Rows, end: float, error: BaseException | None) -> RunRecord:
    """Make the record of a run that is over, which lets go of its graph."""
    columns, begun = rows.end(end), rows.started
    finished = np.flatnonzero(columns["outcome"] == FINISHED)
    seconds = (columns["stop"] - columns["start"])[finished]
    place = {row: k for k, row in enumerate(finished.tolist())}
    path = longest_path([[place[dep] for dep in rows.deps[row]] for row in place], seconds.tolist())
    freed = np.full(len(rows.keys), end)
    freed[list(rows.freed)] = list(rows.freed.values())
    return RunRecord(
        n_tasks=max(rows.n_tasks, len(finished)),
        n_workers=begun.n_workers,
        budget=begun.budget,
        device_budget=begun.device_budget,
        begin=begun.time,
        end=end,
        grows=begun.grows,
        worker_names=rows.worker_names,
        keys=rows.keys,
        groups=list(rows.groups),
        critical=finished[path].tolist(),
        memory=_curve(rows, columns, freed, HOST),
        device_memory=_curve(rows, columns, freed, DEVICE),
        troubles=rows.troubles,
        spilled=rows.spilled,
        loaded=rows.loaded,
        error=error,
        plan=list(rows.plan.values()),
        **columns,
    )


def _curve(rows: Rows, columns: dict[str, np.ndarray], freed: np.ndarray, space: int) -> Curve:
    """Add up what is in one space."""
    nbytes = np.where(np.asarray(rows.space) == space, columns["nbytes"], 0)
    needs = np.where(np.asarray(rows.works_in) == space, np.asarray(rows.needs), 0)
    moved = [(time, change) for time, change, at in rows.moved if at == space]
    return memory_curve({**columns, "nbytes": nbytes}, needs, freed, moved)


class Recorder(Watcher):
    """Record every run while it is on.

    Attributes
    ----------
    runs : list of RunRecord
        Runs that are over.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> with Recorder() as recorder:
    ...     total = ga.arange(4, chunks=2).sum().persist()
    >>> (run,) = recorder.runs
    >>> [group.label for group in run.groups], len(run.keys), len(run.critical)
    (['arange+sum', 'sum'], 2, 2)
    """

    wants = (
        RunStarted, WorkerJoined, TasksAdded, TaskStarted, TaskFinished, TaskFailed, TaskRetried,
        Spilled, Loaded, Released, RunFinished,
    )  # fmt: skip

    def __init__(self) -> None:
        self.runs: list[RunRecord] = []
        self._under_way: Runs[Rows] = Runs()
        self._plans: dict[int, list[PlanRow]] = {}  # by thread, of the run about to begin

    def take_plan(self, rows: list[PlanRow]) -> None:
        """Take note of the plan of the run that begins next in this thread."""
        self._plans[threading.get_ident()] = rows

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        if isinstance(event, RunStarted):
            plan = {row.key: row for row in self._plans.pop(threading.get_ident(), ())}
            self._under_way.open(Rows(event, plan))
        elif (run := self._under_way.current) is None:
            return
        elif isinstance(event, RunFinished):
            with no_collection():
                self.runs.append(_ended(run, event.time, event.error))
            self._under_way.close()  # after that: on Ctrl-C meanwhile, `close` ends the record
        else:
            run.take(event)

    def close(self, now: float, error: BaseException | None = None) -> None:
        """End the records of runs that nobody says have ended."""
        self.runs += [_ended(run, now, error) for run in self._under_way.close_all()]
