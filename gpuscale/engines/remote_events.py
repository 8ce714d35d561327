"""What the workers of a cluster tell of the tasks of one run, as events of this package."""

from __future__ import annotations

import pickle
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any
from weakref import WeakKeyDictionary

from gpuscale.base.errors import EngineError
from gpuscale.base.types import Key
from gpuscale.engines.events import (
    EventDesk,
    Listener,
    Progressed,
    RunFinished,
    RunStarted,
    TaskFailed,
    TaskFinished,
    TaskRetried,
    TaskStarted,
    WorkerJoined,
)
from gpuscale.engines.failure import Failure
from gpuscale.engines.sending import Parcel
from gpuscale.engines.telling import TOPIC, Attempt, Told
from gpuscale.graph.task import Task

__all__ = ["RemoteEvents"]

HERE = "this program"


class RemoteEvents:
    """Hears what workers tell of the batches of one run, and tells listeners.

    Parameters
    ----------
    client : distributed.Client
    listeners : sequence of callables
    workers : mapping
        What the scheduler says of each worker that is there.
    """

    def __init__(
        self, client: Any, listeners: Sequence[Listener], workers: Mapping[str, Any]
    ) -> None:
        self._client, self._desk, self._known = client, EventDesk(listeners), workers
        self._told: SimpleQueue[bytes] = SimpleQueue()
        self._parcels: dict[Key, Parcel] = {}
        self._tasks: Mapping[Key, Task] = {}
        self._numbers: dict[tuple[str, int], int] = {}
        self._threads: dict[str, dict[int, int]] = defaultdict(dict)
        self._done: set[Key] = set()
        self._failed: set[Key] = set()
        self._nbytes = 0

    def begin(self, tasks: Sequence[Task], wanted: Sequence[Key], n_threads: int) -> None:
        """Tell that a run begins."""
        _subscribe(self._client, self._told)
        self._tasks = {task.key: task for task in tasks}
        nbytes, now = sum(task.nbytes for task in tasks), time.perf_counter()
        budget = sum(each["memory_limit"] or float("inf") for each in self._known.values())
        self._desk.post(RunStarted(len(tasks), nbytes, n_threads, budget, now, tasks, wanted))
        for name, count in _threads_of(self._known):
            for place in range(count):
                self._number(name, place)
        self._desk.deliver()

    def sent(self, parcels: Sequence[Parcel]) -> None:
        """Take batches that the cluster has been given."""
        if self._desk:
            self._parcels.update({parcel.name: parcel for parcel in parcels})

    def __bool__(self) -> bool:
        return bool(self._desk)

    def look(self) -> None:
        """Tell what has happened since the last look."""
        if not self._desk:
            return
        with suppress(Empty):
            while True:
                told: Told = pickle.loads(self._told.get_nowait())
                parcel = self._parcels.pop(told.batch, None)
                if parcel is not None:  # of this run, and for the first time
                    self._tell(told, parcel)
        if self._desk.wants_progress:
            now = time.perf_counter()
            done = len(self._done)
            self._desk.post(Progressed(done, len(self._tasks), self._nbytes, 0, now))
        self._desk.deliver()

    def _tell(self, told: Told, parcel: Parcel) -> None:
        """Post the events of a batch."""
        threads = self._threads[told.process]
        worker = self._number(told.worker, threads.setdefault(told.thread, len(threads)))
        offset = time.perf_counter() - time.time()
        steps = parcel.work.steps
        attempts = [a._replace(start=a.start + offset, stop=a.stop + offset) for a in told.attempts]
        run = {step.key for step in steps}
        begun = attempts[0].start if attempts else time.perf_counter()
        for task in parcel.tasks:
            if task.key not in run:  # its value was there
                self._finished(task, worker, Attempt(-1, begun, begun, -1))
        for each in attempts:
            task = self._tasks[steps[each.step].key]
            (self._finished if each.error is None else self._tell_failed)(task, worker, each)
        if parcel.work.goes_on:  # without those that failed, and those that need these
            self._done.update(task.key for task in parcel.tasks)

    def _number(self, worker: str, place: int) -> int:
        """Number of a thread of a worker, also of another process of its name."""
        number = self._numbers.get((worker, place))
        if number is None:
            number = self._numbers[worker, place] = len(self._numbers)
            name = f"{worker}, thread {place + 1}" if place else worker
            self._desk.post(WorkerJoined(number, name, time.perf_counter()))
        return number

    def _finished(self, task: Task, worker: int, attempt: Attempt) -> None:
        if task.key in self._done:  # before, on a worker that died
            return
        self._done.add(task.key)
        self._nbytes += task.nbytes
        if self._desk.wants_tasks:
            key, label, nbytes = task.key, task.label, attempt.nbytes
            self._desk.post(TaskStarted(key, label, worker, attempt.start))
            nbytes = task.nbytes if nbytes < 0 else nbytes
            self._desk.post(TaskFinished(key, label, worker, attempt.start, attempt.stop, nbytes))

    def _tell_failed(self, task: Task, worker: int, attempt: Attempt) -> None:
        """Tell of an attempt that failed, and of the next one if there is one."""
        self._failed.add(task.key)
        if not self._desk.wants_tasks:
            return
        key, label, (_, start, stop, _, raised, n_failed) = task.key, task.label, attempt
        error = _loaded(raised)
        self._desk.post(TaskStarted(key, label, worker, start))
        self._desk.post(TaskFailed(key, label, worker, start, stop, error))
        if n_failed and task.options is not None:
            delay = task.options.delay(n_failed)
            self._desk.post(TaskRetried(key, label, worker, stop, n_failed, delay, error))

    def ran_here(self, task: Task, start: float) -> None:
        """Take a task that this process has run."""
        if self._desk:
            attempt = Attempt(-1, start, time.perf_counter(), -1)
            self._finished(task, self._number(HERE, 0), attempt)

    def end(self, error: BaseException | None, failures: Sequence[Failure] = ()) -> None:
        """Tell that the run is over."""
        if not self._desk:
            return
        with suppress(Exception):  # the cluster may be what has failed
            _unsubscribe(self._client, self._told)
        now = time.perf_counter()
        for failure in failures:
            if failure.key not in self._failed and self._desk.wants_tasks:  # nobody could tell
                task = self._tasks.get(failure.key)
                label = "" if task is None else task.label
                self._desk.post(TaskFailed(failure.key, label, 0, now, now, failure.error))
        self._desk.post(RunFinished(len(self._done), self._nbytes, now, error, tuple(failures)))
        self._desk.deliver()


def _threads_of(workers: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Names of workers and how many threads they have, in order."""
    named = [(each["name"], each["nthreads"]) for each in workers.values()]
    named.sort(key=lambda each: (isinstance(each[0], str), each[0]))  # clusters give numbers
    return [(str(name), count) for name, count in named]


def _loaded(raised: bytes | None) -> BaseException:
    try:
        error: BaseException = pickle.loads(raised or b"")
    except Exception as wrong:
        return EngineError(f"an exception that cannot be read here: {wrong!r}")
    return error


# ------------------------------------------------------------------ who hears what workers tell

_lock = threading.Lock()
_heard_by: WeakKeyDictionary[Any, list[SimpleQueue[bytes]]] = WeakKeyDictionary()  # by client


def _subscribe(client: Any, queue: SimpleQueue[bytes]) -> None:
    """Have a queue hear what workers tell from now on."""
    with _lock:
        queues = _heard_by.setdefault(client, [])
        queues.append(queue)
        if len(queues) == 1:
            client.subscribe_topic(TOPIC, partial(_hear, queues))


def _unsubscribe(client: Any, queue: SimpleQueue[bytes]) -> None:
    with _lock:
        queues = _heard_by[client]
        queues.remove(queue)
        if not queues:
            client.unsubscribe_topic(TOPIC)


def _hear(queues: list[SimpleQueue[bytes]], event: tuple[float, bytes]) -> None:
    for queue in tuple(queues):
        queue.put(event[1])
