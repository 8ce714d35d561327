"""One run of one graph: what drivers with and without threads share."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from gpuscale.base.types import Key
from gpuscale.engines.events import (
    EventDesk,
    Listener,
    Progressed,
    RunFinished,
    RunStarted,
    TaskFailed,
    TaskFinished,
    TaskStarted,
)
from gpuscale.engines.failure import annotate
from gpuscale.engines.state import State
from gpuscale.graph.numbering import number
from gpuscale.graph.order import depth_first
from gpuscale.graph.task import Task
from gpuscale.memory.freed import keep_freed_memory
from gpuscale.memory.measure import held_bytes

__all__ = ["Job"]


class Job:
    """State, results and events of one run.

    Parameters
    ----------
    graph : mapping of Key to Task
    keys : sequence of Key
    listeners : sequence of callables
    budget : float
        Bytes that results and running tasks may take together.
    """

    __slots__ = ("_deps", "_results", "desk", "graph", "state")

    def __init__(
        self,
        graph: Mapping[Key, Task],
        keys: Sequence[Key],
        listeners: Sequence[Listener],
        budget: float,
    ) -> None:
        keep_freed_memory()
        self.graph = number(graph, keys)
        self.state = State(self.graph, depth_first(self.graph), budget)
        self.desk = EventDesk(listeners)
        self._deps = self.graph.deps
        self._results: list[Any] = [None] * len(self.graph)

    def perform(self, i: int, worker: int) -> int:
        """Run a task, keep its result, and return the bytes that the result holds."""
        task = self.graph.tasks[i]
        if self.desk.wants_tasks:
            return self._perform_watched(i, task, worker)
        results = self._results
        results[i] = result = task.fn(*[results[dep] for dep in self._deps[i]], *task.args)
        return held_bytes(result, task.nbytes)

    def _perform_watched(self, i: int, task: Task, worker: int) -> int:
        key, label, results = task.key, task.label, self._results
        start = time.perf_counter()
        self.desk.post(TaskStarted(key, label, worker, start))
        try:
            result = task.fn(*[results[dep] for dep in self._deps[i]], *task.args)
        except BaseException as error:
            stop = time.perf_counter()
            self.desk.post(TaskFailed(key, label, worker, start, stop, error))
            raise
        stop = time.perf_counter()
        results[i] = result
        nbytes = held_bytes(result, task.nbytes)
        shown = result if self.desk.wants_results else None
        self.desk.post(TaskFinished(key, label, worker, start, stop, nbytes, shown))
        return nbytes

    def finish(self, finished: Sequence[tuple[int, int]]) -> None:
        """Report tasks and the bytes of their results; let go what nobody needs any more."""
        results = self._results
        for i in self.state.finish_all(finished):
            results[i] = None

    def drop(self, released: Sequence[int]) -> None:
        """Let results go."""
        for i in released:
            self._results[i] = None

    def blame(self, error: BaseException, i: int) -> None:
        """Note on an exception which task raised it. Ctrl-C is nobody's fault."""
        if not isinstance(error, KeyboardInterrupt):
            annotate(error, self.graph.tasks[i], [self._results[dep] for dep in self._deps[i]])

    def requested(self) -> list[Any]:
        """Return the requested results, in the order of the request."""
        return [self._results[i] for i in self.graph.kept]

    def announce_start(self, n_workers: int) -> None:
        """Tell listeners that the run begins."""
        if self.desk:
            tasks, kept = self.graph.tasks, self.graph.kept
            total, budget = sum(task.nbytes for task in tasks), self.state.budget
            keys, now = [tasks[i].key for i in kept], time.perf_counter()
            self.desk.post(RunStarted(len(tasks), total, n_workers, budget, now, tasks, keys))
            self.desk.deliver()

    def announce_progress(self) -> None:
        """Deliver waiting events, and tell how far the run is if it is time for that."""
        if self.desk.due():
            if self.desk.wants_progress:
                state, n_tasks = self.state, len(self.graph)
                done = n_tasks - state.unfinished
                now = time.perf_counter()
                self.desk.post(Progressed(done, n_tasks, state.processed, state.alive, now))
            self.desk.deliver()

    def announce_end(self, error: BaseException | None = None) -> None:
        """Tell listeners that the run is over, also those that run after one that raises."""
        if self.desk:
            try:
                self.desk.deliver()
            except BaseException as raised:
                self._tell_end(raised)
                raise
            self._tell_end(error)

    def _tell_end(self, error: BaseException | None) -> None:
        done = len(self.graph) - self.state.unfinished
        self.desk.post(RunFinished(done, self.state.processed, time.perf_counter(), error))
        self.desk.deliver()
