"""What engines tell those who watch: events, and the desk through which they pass.

A listener is a callable that takes one event. Its attribute ``wants``, a tuple of event types,
says what it needs to see (without it: everything); events of single tasks cost about as much as a
tiny task, so engines make them only if some listener wants them. An attribute ``wants_results``
that is true asks for the tasks' results as well, which then stay in memory until the event has been
delivered. Listeners are called in the thread that called ``run``; what they raise ends the run and
reaches its caller. Those of a session are called in a thread of its own: `engines.watching`.

A listener may compute something itself; that is not told to it (`is_being_told`), or it would have
to compute the same again, and again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias

from gpuscale.base.types import Key
from gpuscale.engines.failure import Failure
from gpuscale.graph.task import Task
from gpuscale.memory.spaces import HOST

__all__ = [
    "Event",
    "EventDesk",
    "Listener",
    "Loaded",
    "Progressed",
    "Released",
    "RunFinished",
    "RunStarted",
    "Spilled",
    "TaskFailed",
    "TaskFinished",
    "TaskRetried",
    "TaskStarted",
    "TasksAdded",
    "WorkerJoined",
    "is_being_told",
    "tell",
]

# Seconds between two `Progressed` events, and between two deliveries of task events.
PERIOD = 0.1


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins: `time` in seconds of `time.perf_counter`, `nbytes` projected in all.

    `budget` and `device_budget` are the bytes that it may take of the host and of the device.

    `tasks` are those that will run as far as they are known by now, `keys` the requested ones. A
    run that `grows` is the work of a client: more tasks may come (`TasksAdded`), and results stay
    until nobody holds a future of them (`Released`).
    """

    n_tasks: int
    nbytes: int
    n_workers: int
    budget: float
    time: float
    tasks: Sequence[Task] = ()
    keys: Sequence[Key] = ()
    grows: bool = False
    device_budget: float = float("inf")


@dataclass(frozen=True, slots=True)
class WorkerJoined:
    """A worker has a name: events of tasks name it by its number."""

    worker: int
    name: str
    time: float


@dataclass(frozen=True, slots=True)
class TasksAdded:
    """More tasks came to a run that grows."""

    tasks: Sequence[Task]
    time: float


@dataclass(frozen=True, slots=True)
class Released:
    """The result of a task of a run that grows was let go, or will never be there."""

    key: Key
    time: float


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """A worker begins a task."""

    key: Key
    label: str
    worker: int
    time: float


@dataclass(frozen=True, slots=True)
class TaskFinished:
    """A task returned a result that keeps `nbytes` bytes alive; times in seconds.

    `result` is there only if some listener asked for it by ``wants_results``. `space` is where the
    bytes are (`gpuscale.memory.spaces`).
    """

    key: Key
    label: str
    worker: int
    start: float
    stop: float
    nbytes: int
    result: Any = None
    space: int = HOST


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """A task raised `error` in one of its attempts; times in seconds."""

    key: Key
    label: str
    worker: int
    start: float
    stop: float
    error: BaseException


@dataclass(frozen=True, slots=True)
class TaskRetried:
    """A task that raised `error`, as `TaskFailed` has told, will be tried again.

    `attempt` counts the attempts that failed; the next one begins `delay` seconds after `time`.
    """

    key: Key
    label: str
    worker: int
    time: float
    attempt: int
    delay: float
    error: BaseException


@dataclass(frozen=True, slots=True)
class Spilled:
    """A worker wrote a result of `nbytes` bytes to disk, where it takes `stored`; times in seconds.

    The memory, of the host or of the device by `space`, is free from then on, as far as the run is
    concerned. With no bytes stored, a result of the device takes as many of the host instead.
    """

    key: Key
    label: str
    worker: int
    start: float
    stop: float
    nbytes: int
    stored: int
    space: int = HOST


@dataclass(frozen=True, slots=True)
class Loaded:
    """A worker brought back a result of `nbytes` bytes, for one task; times in seconds.

    `space` is where it belongs, and where it is now.

    Tasks that read regions of it do so while they run, and nothing is told. A result that `stays`
    is in memory again for all: whoever holds a future of it has asked for it.
    """

    key: Key
    label: str
    worker: int
    start: float
    stop: float
    nbytes: int
    stays: bool = False
    space: int = HOST


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far a run has come; comes ten times a second at most.

    `nbytes` counts the projected bytes of finished tasks, `alive` and `device_alive` the bytes of
    results in the memory of the host and of the device.
    """

    n_finished: int
    n_tasks: int
    nbytes: int
    alive: int
    time: float
    device_alive: int = 0


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run ended: all `n_finished` tasks done, or an `error` (of a task, or Ctrl-C).

    `failures` are those of a run that goes on without the tasks that fail.
    """

    n_finished: int
    nbytes: int
    time: float
    error: BaseException | None = None
    failures: Sequence[Failure] = ()


Event: TypeAlias = (
    RunStarted
    | WorkerJoined
    | TasksAdded
    | TaskStarted
    | TaskFinished
    | TaskFailed
    | TaskRetried
    | Spilled
    | Loaded
    | Released
    | Progressed
    | RunFinished
)
Listener: TypeAlias = Callable[[Event], object]


# Listeners whose calls have not returned. Tasks that they start see it, too, as any context.
_told: ContextVar[tuple[Listener, ...]] = ContextVar("gpuscale-told", default=())


def tell(listener: Listener, event: Event) -> None:
    """Call a listener."""
    token = _told.set((*_told.get(), listener))
    try:
        listener(event)
    finally:
        _told.reset(token)


def is_being_told(listener: Listener) -> bool:
    """Say whether what runs here was started by a listener, in answer to an event.

    Examples
    --------
    >>> def listener(event):
    ...     print(is_being_told(listener))
    >>> tell(listener, Released("x", 0.0)), is_being_told(listener)
    True
    (None, False)
    """
    return any(each is listener for each in _told.get())


class EventDesk:
    """Takes events from any thread and hands them to listeners in the caller's thread.

    Parameters
    ----------
    listeners : sequence of callables

    Attributes
    ----------
    wants_tasks : bool
        Whether some listener wants events of single tasks.
    since : float
        From when on some listener does.
    wants_results : bool
        Whether some listener wants the results of tasks.
    wants_spills : bool
        Whether some listener wants to know of results on disk.
    wants_releases : bool
        Whether some listener wants `Released`.
    wants_progress : bool
        Whether some listener wants `Progressed`.
    """

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._waiting: deque[Event] = deque()
        self._next = time.perf_counter() + PERIOD
        self.wants_tasks = False
        self._see_wishes(listeners)

    def _see_wishes(self, listeners: Sequence[Listener]) -> None:
        self._listeners = [(each, getattr(each, "wants", None)) for each in listeners]
        if not self.wants_tasks:
            self.since = time.perf_counter()
        self.wants_tasks = self._wanted(TaskStarted, TaskFinished, TaskFailed, TaskRetried)
        self.wants_spills = self._wanted(Spilled, Loaded)
        self.wants_results = any(getattr(each, "wants_results", False) for each in listeners)
        self.wants_releases = self._wanted(Released)
        self.wants_progress = self._wanted(Progressed)

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def _wanted(self, *types: type) -> bool:
        return any(wants is None or set(types) & set(wants) for _, wants in self._listeners)

    def post(self, event: Event) -> None:
        """Take an event; safe in any thread."""
        self._waiting.append(event)

    def deliver(self) -> None:
        """Hand all events taken so far to the listeners, in order.

        A listener that raises, and so ends the run, hears of nothing but the end any more.
        """
        while self._waiting:
            event = self._waiting.popleft()
            for k, (listener, wants) in enumerate(self._listeners):
                if wants is None or isinstance(event, wants):
                    try:
                        tell(listener, event)
                    except BaseException:
                        self._listeners[k] = listener, (RunFinished,)
                        raise

    def due(self) -> bool:
        """Say, once in `PERIOD` seconds, that it is time to deliver."""
        now = time.perf_counter()
        if now < self._next:
            return False
        self._next = now + PERIOD
        return True
