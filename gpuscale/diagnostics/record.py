"""What happened in runs, in columns: few bytes a task, and no task's data is kept alive."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from gpuscale.base.types import Key
from gpuscale.diagnostics.critical import longest_path
from gpuscale.diagnostics.curve import Curve, memory_curve
from gpuscale.diagnostics.listening import Runs, Watcher
from gpuscale.diagnostics.plan import PlanRow, owner_of
from gpuscale.engines.events import (
    Event,
    Loaded,
    RunFinished,
    RunStarted,
    Spilled,
    TaskFailed,
    TaskFinished,
    TaskStarted,
)
from gpuscale.graph.numbering import no_collection
from gpuscale.graph.task import Origin, Task
from gpuscale.memory.projection import count_uses

__all__ = ["FAILED", "FINISHED", "UNFINISHED", "Group", "Recorder", "RunRecord"]

FINISHED, FAILED, UNFINISHED = range(3)


class Group(NamedTuple):
    """Tasks that one node of a plan, or one delayed function, became."""

    name: str  #: first part of the keys of their results
    label: str
    origin: Origin | None


@dataclass(slots=True)
class RunRecord:
    """One run: a row for each task that began, in the order in which they ended.

    Attributes
    ----------
    begin, end : float
        Seconds of `time.perf_counter`.
    keys : list of Key
    start, stop : array of float
    worker, group, outcome : array of int
        `group` numbers `groups`; an outcome is `FINISHED`, `FAILED` or `UNFINISHED`.
    nbytes : array of int
        What the results hold.
    groups : list of Group
    critical : list of int
        Rows of the chain of tasks, each needing the one before, that took longest.
    memory : Curve
    spilled, loaded : list of event
        Results that were written to disk to make room, and that were read back as a whole.
    error : BaseException or None
    plan : list of PlanRow
        What was expected of it; empty for runs of something else than expressions.
    """

    n_tasks: int
    n_workers: int
    budget: float
    begin: float
    end: float
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
    spilled: list[Spilled]
    loaded: list[Loaded]
    error: BaseException | None
    plan: list[PlanRow]

    @property
    def seconds(self) -> np.ndarray:
        """Duration of each task."""
        return self.stop - self.start


@dataclass(slots=True)
class _Growing:
    """A run under way."""

    started: RunStarted
    tasks: dict[Key, Task]
    plan: dict[str, PlanRow]
    keys: list[Key] = field(default_factory=list)
    start: array[float] = field(default_factory=lambda: array("d"))
    stop: array[float] = field(default_factory=lambda: array("d"))
    worker: array[int] = field(default_factory=lambda: array("l"))
    group: array[int] = field(default_factory=lambda: array("l"))
    outcome: array[int] = field(default_factory=lambda: array("b"))
    nbytes: array[int] = field(default_factory=lambda: array("q"))
    groups: dict[Group, int] = field(default_factory=dict)
    numbers: dict[Any, int] = field(default_factory=dict)  # of groups, by name and label
    running: dict[Key, TaskStarted] = field(default_factory=dict)
    spilled: list[Spilled] = field(default_factory=list)
    loaded: list[Loaded] = field(default_factory=list)

    def add(self, event: TaskFinished | TaskFailed, outcome: int, nbytes: int) -> None:
        self.running.pop(event.key, None)
        self.keys.append(event.key)
        self.start.append(event.start)
        self.stop.append(event.stop)
        self.worker.append(event.worker)
        self.group.append(self._group(event.key, event.label))
        self.outcome.append(outcome)
        self.nbytes.append(nbytes)

    def _group(self, key: Key, label: str) -> int:
        name = key[0] if isinstance(key, tuple) else ""
        number = self.numbers.get((name, label)) if name or label else None
        if number is None:
            number = self.numbers[name, label] = self._new_group(key, label)
        return number

    def _new_group(self, key: Key, label: str) -> int:
        task = self.tasks.get(key)
        if task is not None and not label:
            label = getattr(task.fn, "__name__", None) or type(task.fn).__name__
        name = str(key[0]) if isinstance(key, tuple) else label
        if owner_of(name, self.plan) is None:
            name = label or name  # keys of delayed functions may differ in all of their parts
        group = Group(name, label or name, task.origin if task is not None else None)
        return self.groups.setdefault(group, len(self.groups))

    def finish(self, end: float, error: BaseException | None) -> RunRecord:
        """Work out what needs the graph, and let go of it."""
        for each in list(self.running.values()):
            stop = max(end, each.time)
            event = TaskFinished(each.key, each.label, each.worker, each.time, stop, 0)
            self.add(event, UNFINISHED, 0)
        begun = self.started
        columns: dict[str, np.ndarray] = {
            name: np.asarray(getattr(self, name))
            for name in ("start", "stop", "worker", "group", "outcome", "nbytes")
        }
        finished = np.flatnonzero(columns["outcome"] == FINISHED)
        seconds = columns["stop"] - columns["start"]
        deps = self._deps(finished.tolist())
        path = longest_path(deps, seconds[finished].tolist())
        freed = self._freed(finished.tolist(), deps, end)
        return RunRecord(
            n_tasks=max(begun.n_tasks, len(finished)),
            n_workers=begun.n_workers,
            budget=begun.budget,
            begin=begun.time,
            end=end,
            keys=self.keys,
            groups=list(self.groups),
            critical=finished[path].tolist(),
            memory=memory_curve(columns, self._needs(), freed),
            spilled=self.spilled,
            loaded=self.loaded,
            error=error,
            plan=list(self.plan.values()),
            **columns,
        )

    def _deps(self, rows: Sequence[int]) -> list[list[int]]:
        """Places in `rows` of what each of them needs."""
        place = {self.keys[row]: k for k, row in enumerate(rows)}
        found = []
        for row in rows:
            task = self.tasks.get(self.keys[row])
            needs = set(task.deps) if task is not None else ()
            found.append([place[dep] for dep in needs if dep in place])
        return found

    def _needs(self) -> np.ndarray:
        tasks = (self.tasks.get(key) for key in self.keys)
        return np.array([0 if t is None else t.nbytes + t.workspace for t in tasks], dtype=np.int64)

    def _freed(self, rows: Sequence[int], deps: list[list[int]], end: float) -> np.ndarray:
        """When the result of each row of the record was let go."""
        uses = count_uses(self.tasks.values(), self.started.keys)
        left = [uses.get(self.keys[row], 1) for row in rows]
        freed = np.full(len(self.keys), end)
        for row, needs in zip(rows, deps, strict=True):
            for place in needs:
                left[place] -= 1
                if not left[place]:
                    freed[rows[place]] = self.stop[row]
        row_of = {self.keys[row]: row for row in rows} if self.spilled else {}
        for event in self.spilled:
            freed[row_of[event.key]] = event.stop
        return freed


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

    wants = (RunStarted, TaskStarted, TaskFinished, TaskFailed, Spilled, Loaded, RunFinished)

    def __init__(self) -> None:
        self.runs: list[RunRecord] = []
        self._under_way: Runs[_Growing] = Runs()
        self._plans: dict[int, list[PlanRow]] = {}  # by thread, of the run about to begin

    def take_plan(self, rows: list[PlanRow]) -> None:
        """Take note of the plan of the run that begins next in this thread."""
        self._plans[threading.get_ident()] = rows

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        run = self._under_way.current
        if run is not None and isinstance(event, TaskStarted):
            run.running[event.key] = event
        elif run is not None and isinstance(event, TaskFinished):
            run.add(event, FINISHED, event.nbytes)
        elif isinstance(event, RunStarted):
            plan = {row.key: row for row in self._plans.pop(threading.get_ident(), ())}
            tasks = {task.key: task for task in event.tasks}
            self._under_way.open(_Growing(event, tasks, plan))
        elif run is None:
            return
        elif isinstance(event, TaskFailed):
            run.add(event, FAILED, 0)
        elif isinstance(event, Spilled):
            run.spilled.append(event)
        elif isinstance(event, Loaded):
            run.loaded.append(event)
        elif isinstance(event, RunFinished):
            self._under_way.close()
            with no_collection():
                self.runs.append(run.finish(event.time, event.error))

    def close(self, now: float, error: BaseException | None = None) -> None:
        """End the records of runs that nobody says have ended."""
        self.runs += [run.finish(now, error) for run in self._under_way.close_all()]
