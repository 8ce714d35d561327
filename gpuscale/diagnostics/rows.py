"""The record of a run under way: a row for each attempt at a task, in the order of their ends."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from gpuscale.base.brief import name_of
from gpuscale.base.types import Key
from gpuscale.diagnostics.plan import PlanRow, owner_of
from gpuscale.diagnostics.wording import error_text
from gpuscale.engines.events import (
    Event,
    Loaded,
    Released,
    RunStarted,
    Spilled,
    TaskFailed,
    TaskFinished,
    TaskRetried,
    TasksAdded,
    TaskStarted,
    WorkerJoined,
)
from gpuscale.graph.task import Origin, Task
from gpuscale.memory.projection import count_uses
from gpuscale.memory.spaces import DEVICE, HOST

__all__ = ["FAILED", "FINISHED", "RETRIED", "UNFINISHED", "Group", "Rows", "Trouble"]

#: What became of an attempt; what was retried failed, and another attempt followed.
FINISHED, FAILED, UNFINISHED, RETRIED = range(4)

_COLUMNS = ("start", "stop", "worker", "group", "outcome", "nbytes")

MOST_TROUBLES = 1_000  # a page tells of no more, and each has a text


class Group(NamedTuple):
    """Tasks that one node of a plan, or one delayed function, became."""

    name: str  #: first part of the keys of their results
    label: str
    origin: Origin | None


class Trouble(NamedTuple):
    """Why an attempt failed; without the exception, which holds on to much."""

    origin: Origin | None
    text: str


@dataclass(slots=True)
class Rows:
    """A run under way; `gpuscale.diagnostics.record.RunRecord` says what the columns are.

    No data of tasks is kept alive: of those of a client, which may stay for long, only what the
    rows need.
    """

    started: RunStarted
    plan: dict[str, PlanRow]
    n_tasks: int = 0
    keys: list[Key] = field(default_factory=list)
    start: array[float] = field(default_factory=lambda: array("d"))
    stop: array[float] = field(default_factory=lambda: array("d"))
    worker: array[int] = field(default_factory=lambda: array("l"))
    group: array[int] = field(default_factory=lambda: array("l"))
    outcome: array[int] = field(default_factory=lambda: array("b"))
    nbytes: array[int] = field(default_factory=lambda: array("q"))
    needs: array[int] = field(default_factory=lambda: array("q"))  # reserved while it ran
    space: array[int] = field(default_factory=lambda: array("b"))  # of results
    works_in: array[int] = field(default_factory=lambda: array("b"))  # the space of what it needs
    deps: list[tuple[int, ...]] = field(default_factory=list)  # rows that each finished one needed
    freed: dict[int, float] = field(default_factory=dict)  # when the result of a row went
    # Bytes that came into a space, or left it, without a task: when, how many, and which space.
    moved: list[tuple[float, int, int]] = field(default_factory=list)
    troubles: dict[int, Trouble] = field(default_factory=dict)  # by row
    spilled: list[Spilled] = field(default_factory=list)
    loaded: list[Loaded] = field(default_factory=list)
    groups: dict[Group, int] = field(default_factory=dict)
    worker_names: dict[int, str] = field(default_factory=dict)
    _tasks: dict[Key, Task] = field(default_factory=dict)
    _uses: dict[Key, int] = field(default_factory=dict)  # how often results are still needed
    _away: dict[Key, bool] = field(default_factory=dict)  # results; whether the host has them
    _row_of: dict[Key, int] = field(default_factory=dict)  # of results that are there
    _failed: dict[Key, int] = field(default_factory=dict)  # last row of those that failed
    _numbers: dict[Any, int] = field(default_factory=dict)  # of groups, by name and label
    _running: dict[Key, TaskStarted] = field(default_factory=dict)

    def __post_init__(self) -> None:
        begun = self.started
        if not begun.grows:
            self._uses = count_uses(begun.tasks, begun.keys)
        self.n_tasks = begun.n_tasks
        self._take_tasks(begun.tasks)

    def _take_tasks(self, tasks: Sequence[Task]) -> None:
        known = map(_bare, tasks) if self.started.grows else tasks
        self._tasks.update([(task.key, task) for task in known])

    def take(self, event: Event) -> None:
        """Take note of an event."""
        if isinstance(event, TaskStarted):
            self._running[event.key] = event
        elif isinstance(event, TaskFinished):
            self._finish(event)
        elif isinstance(event, TaskFailed):
            self._fail(event)
        elif isinstance(event, TaskRetried):
            if event.key in self._failed:
                self.outcome[self._failed[event.key]] = RETRIED
        elif isinstance(event, Spilled):
            self.spilled.append(event)
            self._leave(event)
        elif isinstance(event, Loaded):
            self.loaded.append(event)
            if event.stays:
                self._return(event.key, event.stop)
        elif isinstance(event, TasksAdded):
            self.n_tasks += len(event.tasks)
            self._take_tasks(event.tasks)
        elif isinstance(event, WorkerJoined):
            self.worker_names[event.worker] = event.name
        elif isinstance(event, Released):
            self._tasks.pop(event.key, None)
            self._free(event.key, event.time)
            self._row_of.pop(event.key, None)

    def _add(self, event: TaskFinished | TaskFailed, outcome: int, nbytes: int) -> int:
        self._running.pop(event.key, None)
        task = self._tasks.get(event.key)
        self.keys.append(event.key)
        self.start.append(event.start)
        self.stop.append(event.stop)
        self.worker.append(event.worker)
        self.group.append(self._group(event.key, event.label))
        self.outcome.append(outcome)
        self.nbytes.append(nbytes)
        self.needs.append(0 if task is None else task.nbytes + task.workspace)
        self.works_in.append(HOST if task is None else task.space)
        self.space.append(getattr(event, "space", HOST))
        self.deps.append(())
        return len(self.keys) - 1

    def _finish(self, event: TaskFinished) -> None:
        row = self._add(event, FINISHED, event.nbytes)
        task, row_of, uses = self._tasks.get(event.key), self._row_of, self._uses
        needs = set(task.deps) if task is not None else ()
        self.deps[row] = tuple([row_of[dep] for dep in needs if dep in row_of])
        row_of[event.key] = row
        for dep in needs:
            if dep in uses:
                uses[dep] -= 1
                if not uses[dep]:
                    self._free(dep, event.stop)

    def _free(self, key: Key, time: float) -> None:
        if key in self._row_of:
            self._return(key, time)
            self.freed[self._row_of[key]] = time

    def _leave(self, event: Spilled) -> None:
        """Take note that a result is on disk, or on the host and no longer on the device."""
        key, row = event.key, self._row_of.get(event.key)
        if row is None:
            return
        nbytes, to_host = self.nbytes[row], event.space == DEVICE and not event.stored
        if key not in self._away:
            self.moved.append((event.stop, -nbytes, self.space[row]))
            if to_host:
                self.moved.append((event.stop, nbytes, HOST))
        elif self._away[key] and not to_host:
            self.moved.append((event.stop, -nbytes, HOST))
        self._away[key] = to_host

    def _return(self, key: Key, time: float) -> None:
        """Take note that a result is where it belongs (for a moment, if it is let go)."""
        if key in self._away:
            row = self._row_of[key]
            self.moved.append((time, self.nbytes[row], self.space[row]))
            if self._away.pop(key):
                self.moved.append((time, -self.nbytes[row], HOST))

    def _fail(self, event: TaskFailed) -> None:
        row = self._failed[event.key] = self._add(event, FAILED, 0)
        if len(self.troubles) < MOST_TROUBLES:
            task = self._tasks.get(event.key)
            origin = None if task is None else task.origin
            self.troubles[row] = Trouble(origin, error_text(event.error))

    def _group(self, key: Key, label: str) -> int:
        name = key[0] if isinstance(key, tuple) else ""
        number = self._numbers.get((name, label)) if name or label else None
        if number is None:
            number = self._numbers[name, label] = self._new_group(key, label)
        return number

    def _new_group(self, key: Key, label: str) -> int:
        task = self._tasks.get(key)
        if task is not None and not label:
            label = name_of(task.fn)
        name = str(key[0]) if isinstance(key, tuple) else label
        if owner_of(name, self.plan) is None:
            name = label or name  # keys of delayed functions may differ in all of their parts
        group = Group(name, label or name, task.origin if task is not None else None)
        return self.groups.setdefault(group, len(self.groups))

    def end(self, now: float) -> dict[str, np.ndarray]:
        """Add what still runs, and return the columns as arrays."""
        for name in (*_COLUMNS, "keys", "needs", "works_in", "space"):
            # Ctrl-C may have come in the middle of a row.
            del getattr(self, name)[len(self.deps) :]
        for each in list(self._running.values()):
            stop = max(now, each.time)
            event = TaskFinished(each.key, each.label, each.worker, each.time, stop, 0)
            self._add(event, UNFINISHED, 0)
        for key in tuple(self._away):
            self._free(key, now)
        return {name: np.asarray(getattr(self, name)) for name in _COLUMNS}


def _bare(task: Task) -> Task:
    """Copy a task without what it holds on to."""
    label = task.label or name_of(task.fn)
    needs = task.nbytes, task.workspace
    return Task(
        task.key, object, task.deps, (), *needs, label=label, origin=task.origin, space=task.space
    )
