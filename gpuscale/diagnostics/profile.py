"""Profilers: what ran when and where, and which results were in memory for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gpuscale.base.types import Key
from gpuscale.diagnostics.listening import Runs, Timed
from gpuscale.diagnostics.wording import error_text
from gpuscale.engines.events import (
    Event,
    Released,
    RunFinished,
    RunStarted,
    TaskFailed,
    TaskFinished,
    TaskRetried,
    TasksAdded,
)
from gpuscale.graph.task import Task
from gpuscale.memory.projection import count_uses

__all__ = ["CacheData", "CacheProfiler", "FailureData", "Profiler", "TaskData"]


class TaskData(NamedTuple):
    """One task that ran; times in seconds of `time.perf_counter`."""

    key: Key
    task: Task | None
    start_time: float
    end_time: float
    worker_id: int


class FailureData(NamedTuple):
    """One attempt at a task that failed; times in seconds of `time.perf_counter`."""

    key: Key
    task: Task | None
    start_time: float
    end_time: float
    worker_id: int
    attempt: int  #: 1 for the first
    error: str  #: type and message of what was raised
    is_retried: bool  #: whether there was to be another attempt


class CacheData(NamedTuple):
    """One result that was in memory from `cache_time` to `free_time`."""

    key: Key
    task: Task | None
    metric: Any
    cache_time: float
    free_time: float


class Profiler(Timed):
    """Record each task that ends without an error, when it ran, and in which worker; and failures.

    Attributes
    ----------
    results : list of TaskData
        Named tuples ``(key, task, start_time, end_time, worker_id)``, in the order in which tasks
        ended. A task holds on to the data that it reads or writes; `clear` lets go of it.
    failures : list of FailureData
        Likewise, for each attempt that failed, with ``attempt``, ``error`` (type and message) and
        ``is_retried`` behind these.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> with Profiler() as prof:
    ...     total = ga.arange(4, chunks=2).sum().persist()
    >>> [data.task.label for data in prof.results]
    ['arange+sum', 'sum']
    >>> all(data.start_time <= data.end_time for data in prof.results)
    True
    """

    wants = (RunStarted, TasksAdded, TaskFinished, TaskFailed, TaskRetried, Released)
    results: list[TaskData]

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[FailureData] = []
        self._tasks: dict[Key, Task] = {}
        self._failed: dict[Key, int] = {}  # place of the last failure of tasks that go on

    def clear(self) -> None:
        """Forget the results, and the tasks and data that they hold on to."""
        super().clear()
        self.failures.clear()
        self._tasks.clear()
        self._failed.clear()

    def __call__(self, event: Event) -> None:
        """Take note of tasks."""
        if isinstance(event, RunStarted | TasksAdded):
            self._tasks.update([(task.key, task) for task in event.tasks])
        elif isinstance(event, Released):
            self._tasks.pop(event.key, None)
        elif isinstance(event, TaskFinished):
            key = event.key
            found = TaskData(key, self._tasks.get(key), event.start, event.stop, event.worker)
            self.results.append(found)
        elif isinstance(event, TaskFailed):
            self._fail(event)
        elif isinstance(event, TaskRetried) and event.key in self._failed:
            place = self._failed[event.key]
            self.failures[place] = self.failures[place]._replace(is_retried=True)

    def _fail(self, event: TaskFailed) -> None:
        before = self._failed.get(event.key)
        last = None if before is None else self.failures[before]
        attempt = last.attempt + 1 if last is not None and last.is_retried else 1
        task, text = self._tasks.get(event.key), error_text(event.error)
        when = event.start, event.stop, event.worker
        self._failed[event.key] = len(self.failures)
        self.failures.append(FailureData(event.key, task, *when, attempt, text, False))


@dataclass(slots=True)
class _Results:
    """The results of one run: those in memory, and how often each is still needed.

    Uses are not counted in a run that grows, which tells when it lets go of a result.
    """

    tasks: dict[Key, Task]
    uses: dict[Key, int]
    cached: dict[Key, tuple[Any, float]] = field(default_factory=dict)


class CacheProfiler(Timed):
    """Record for how long each result was in memory, and how large it was by some measure.

    Parameters
    ----------
    metric : callable, optional
        Called with each result; by default each counts 1. Results stay in memory up to a tenth of
        a second longer for it.
    metric_name : str, optional
        What it measures; the name of the function by default.

    Attributes
    ----------
    results : list of CacheData
        Named tuples ``(key, task, metric, cache_time, free_time)``, in the order in which results
        were let go.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> with CacheProfiler() as cprof:
    ...     total = ga.arange(4, chunks=2).sum().persist()
    >>> [(data.task.label, data.metric) for data in cprof.results]
    [('arange+sum', 1), ('sum', 1)]
    """

    wants = (RunStarted, TasksAdded, TaskFinished, Released, RunFinished)
    results: list[CacheData]

    def __init__(
        self, metric: Callable[[Any], Any] | None = None, metric_name: str | None = None
    ) -> None:
        super().__init__()
        self.wants_results = metric is not None
        self._metric = metric or _one
        self.metric_name = metric_name or ("count" if metric is None else _name(metric))
        self._runs: Runs[_Results] = Runs()

    def __call__(self, event: Event) -> None:
        """Take note of results that come and go."""
        if isinstance(event, RunStarted):
            tasks = {task.key: task for task in event.tasks}
            uses = {} if event.grows else count_uses(event.tasks, event.keys)
            self._runs.open(_Results(tasks, uses))
        elif (run := self._runs.current) is None:
            return
        elif isinstance(event, TaskFinished):
            self._finish(event, run)
        elif isinstance(event, TasksAdded):
            run.tasks.update([(task.key, task) for task in event.tasks])
        elif isinstance(event, Released):
            self._free(event.key, event.time, run)
            run.tasks.pop(event.key, None)
        elif isinstance(event, RunFinished):
            self._runs.close()
            for key in list(run.cached):
                self._free(key, event.time, run)

    def _finish(self, event: TaskFinished, run: _Results) -> None:
        run.cached[event.key] = self._metric(event.result), event.stop
        task = run.tasks.get(event.key)
        for dep in set(task.deps) if task is not None else ():
            if dep in run.uses:
                run.uses[dep] -= 1
                if not run.uses[dep]:
                    self._free(dep, event.stop, run)

    def _free(self, key: Key, now: float, run: _Results) -> None:
        if key in run.cached:  # else it failed, or nobody told
            metric, since = run.cached.pop(key)
            self.results.append(CacheData(key, run.tasks.get(key), metric, since, now))


def _one(result: Any) -> int:
    return 1


def _name(function: Callable[[Any], Any]) -> str:
    return getattr(function, "__name__", None) or type(function).__name__
