"""Functions of the user's that are called as a computation goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from gpuscale.base.types import Key
from gpuscale.diagnostics.listening import Runs, Watcher
from gpuscale.engines.events import (
    Event,
    Released,
    RunFinished,
    RunStarted,
    TaskFailed,
    TaskFinished,
    TasksAdded,
    TaskStarted,
)
from gpuscale.graph.task import Task

__all__ = ["Callback"]

Hook: TypeAlias = Callable[..., object]


@dataclass(slots=True)
class _Run:
    """What the hooks of one run are shown."""

    tasks: dict[Key, Task]
    state: dict[str, set[Key]]


class Callback(Watcher):
    """Call functions when a computation starts, at each task, and when it ends.

    Give functions, or derive a class with methods ``_start``, ``_start_state``, ``_pretask``,
    ``_posttask``, ``_finish``. On between ``with``, or `register`, and `unregister`.

    Parameters
    ----------
    start : callable, optional
        Called as ``start(graph)``; the graph is a dictionary of `Task`. What a client runs while
        this is on is one computation, to whose graph tasks are added as they are submitted, and
        which they leave when their results are let go.
    start_state : callable, optional
        Called as ``start_state(graph, state)``. The state holds sets of keys: ``waiting``,
        ``ready``, ``running``, ``finished``. Engines do not tell when a task becomes ready, so it
        is in ``waiting`` until it starts.
    pretask : callable, optional
        Called as ``pretask(key, graph, state)`` for each task that starts.
    posttask : callable, optional
        Called as ``posttask(key, result, graph, state, worker)`` for each task that ends without
        an error.
    finish : callable, optional
        Called as ``finish(graph, state, errored)``, also after an error or Ctrl-C.

    Notes
    -----
    Functions are called in the thread that asked for the computation, in the order in which
    things happened, and up to a tenth of a second after them; what they raise ends the
    computation. For the tasks of a client they are called in another thread, and what they raise
    is raised at the end of the block. With `posttask`, results stay in memory for so long.

    A function may compute something itself, or submit it to a client: it is not called for that,
    nor are the others of this callback, but those of other callbacks are.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> def show(key, result, graph, state, worker):
    ...     print(graph[key].label, "done,", len(state["waiting"]), "to go")
    >>> with Callback(posttask=show):
    ...     total = ga.arange(4, chunks=4).sum().persist()
    arange+sum done, 1 to go
    sum done, 0 to go
    """

    _start: Hook | None = None
    _start_state: Hook | None = None
    _pretask: Hook | None = None
    _posttask: Hook | None = None
    _finish: Hook | None = None

    def __init__(
        self,
        start: Hook | None = None,
        start_state: Hook | None = None,
        pretask: Hook | None = None,
        posttask: Hook | None = None,
        finish: Hook | None = None,
    ) -> None:
        given = {
            "_start": start,
            "_start_state": start_state,
            "_pretask": pretask,
            "_posttask": posttask,
            "_finish": finish,
        }
        self.__dict__.update({name: hook for name, hook in given.items() if hook is not None})

    @property
    def wants(self) -> tuple[type, ...]:
        """The events that the given functions need."""
        watched = self._pretask or self._posttask or self._finish or self._start_state
        tasks = (TasksAdded, TaskStarted, TaskFinished, TaskFailed, Released) if watched else ()
        return (RunStarted, RunFinished, *tasks)

    @property
    def wants_results(self) -> bool:
        """Whether results of tasks are needed."""
        return self._posttask is not None

    @property
    def _runs(self) -> Runs[_Run]:
        # Made at first use: a subclass need not call __init__, and instances must not share it.
        runs: Runs[_Run] = self.__dict__.setdefault("_runs_under_way", Runs())
        return runs

    def __call__(self, event: Event) -> None:
        """Call what the user gave for an event."""
        if isinstance(event, RunStarted):
            self._begin({task.key: task for task in event.tasks})
        elif (run := self._runs.current) is not None:
            self._tell(event, run)

    def _begin(self, tasks: dict[Key, Task]) -> None:
        state: dict[str, set[Key]] = {name: set() for name in ("ready", "running", "finished")}
        state["waiting"] = set(tasks)
        self._runs.open(_Run(tasks, state))
        _call(self._start, tasks)
        _call(self._start_state, tasks, state)

    def _tell(self, event: Event, run: _Run) -> None:
        state = run.state
        if isinstance(event, TaskStarted):
            _call(self._pretask, event.key, run.tasks, state)
            state["waiting"].discard(event.key)
            state["running"].add(event.key)
        elif isinstance(event, TaskFinished):
            _leave(state, event.key)
            state["finished"].add(event.key)
            _call(self._posttask, event.key, event.result, run.tasks, state, event.worker)
        elif isinstance(event, TaskFailed):
            _leave(state, event.key)
        elif isinstance(event, TasksAdded):
            run.tasks.update([(task.key, task) for task in event.tasks])
            state["waiting"].update(task.key for task in event.tasks)
        elif isinstance(event, Released):
            run.tasks.pop(event.key, None)
            for keys in state.values():
                keys.discard(event.key)
        elif isinstance(event, RunFinished):
            self._runs.close()
            _call(self._finish, run.tasks, state, event.error is not None)


def _leave(state: dict[str, set[Key]], key: Key) -> None:
    """Take note that a task has ended; of one that began before anybody watched, nobody told."""
    state["waiting"].discard(key)
    state["running"].discard(key)


def _call(hook: Hook | None, *args: Any) -> None:
    if hook is not None:
        hook(*args)
