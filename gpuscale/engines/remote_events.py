"""What a cluster tells of the tasks of one run, as events of this package."""

from __future__ import annotations

import time
from collections.abc import Sequence
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
from gpuscale.engines.failure import Failure
from gpuscale.engines.sending import Parcel
from gpuscale.graph.task import Task

__all__ = ["RemoteEvents"]

#: Seconds that clocks of the workers may differ by.
CLOCKS = 5.0


class RemoteEvents:
    """Asks the scheduler from time to time what has ended, and tells listeners.

    Tasks of one batch have one start and one stop: they are told as following one another, each
    for its share of the time.

    Parameters
    ----------
    client : distributed.Client
    listeners : sequence of callables
    n_threads : int
        Of the cluster.
    budget : float
        Bytes of all workers together.
    """

    def __init__(
        self, client: Any, listeners: Sequence[Listener], n_threads: int, budget: float
    ) -> None:
        self._client, self._desk = client, EventDesk(listeners)
        self._n_threads, self._budget = n_threads, budget
        self._parcels: dict[Any, Parcel] = {}
        self._tasks: Sequence[Task] = ()
        self._workers: dict[tuple[str, int], int] = {}
        self._done: set[Any] = set()
        self._nbytes = 0
        self._since = time.time()

    def begin(self, tasks: Sequence[Task], wanted: Sequence[Key]) -> None:
        """Tell that a run begins."""
        self._ask()  # the scheduler records from the first time on that it is asked
        self._tasks, total = tasks, sum(task.nbytes for task in tasks)
        now = time.perf_counter()
        self._desk.post(
            RunStarted(len(tasks), total, self._n_threads, self._budget, now, tasks, wanted)
        )
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
        for record in self._ask():
            parcel = self._parcels.pop(record["key"], None)
            if parcel is not None:
                self._tell(record, parcel)
        if self._desk.wants_progress:
            now = time.perf_counter()
            done = len(self._done)
            self._desk.post(Progressed(done, len(self._tasks), self._nbytes, 0, now))
        self._desk.deliver()

    def _ask(self) -> Sequence[Any]:
        found: Sequence[Any] = self._client.get_task_stream(start=self._since)
        stops = [each["startstops"][-1]["stop"] for each in found if each["startstops"]]
        self._since = max([self._since, *(stop - CLOCKS for stop in stops)])
        return found

    def _tell(self, record: Any, parcel: Parcel) -> None:
        """Post the events of a batch."""
        spans = [each for each in record["startstops"] if each["action"] == "compute"]
        if record.get("status", "OK") != "OK" or not spans:
            return
        offset = time.perf_counter() - time.time()
        start, stop = spans[0]["start"] + offset, spans[-1]["stop"] + offset
        worker = self._number(record["worker"], record.get("thread", 0))
        share = (stop - start) / len(parcel.tasks)
        for place, task in enumerate(parcel.tasks):
            begun = start + place * share
            self._finished(task, worker, begun, begun + share)

    def _number(self, worker: str, thread: int) -> int:
        return self._workers.setdefault((worker, thread), len(self._workers))

    def _finished(self, task: Task, worker: int, start: float, stop: float) -> None:
        if task.key in self._done:  # before, on a worker that died
            return
        self._done.add(task.key)
        self._nbytes += task.nbytes
        if self._desk.wants_tasks:
            key, label = task.key, task.label
            self._desk.post(TaskStarted(key, label, worker, start))
            self._desk.post(TaskFinished(key, label, worker, start, stop, task.nbytes))

    def ran_here(self, task: Task, start: float) -> None:
        """Take a task that this process has run."""
        if self._desk:
            self._finished(task, self._number("here", 0), start, time.perf_counter())

    def end(self, error: BaseException | None, failures: Sequence[Failure] = ()) -> None:
        """Tell that the run is over."""
        if not self._desk:
            return
        now = time.perf_counter()
        for failure in failures:
            self._tell_failed(failure.key, failure.error, now)
        self._desk.post(RunFinished(len(self._done), self._nbytes, now, error, tuple(failures)))
        self._desk.deliver()

    def _tell_failed(self, key: Any, error: BaseException, now: float) -> None:
        if self._desk.wants_tasks:
            label = next((task.label for task in self._tasks if task.key == key), "")
            self._desk.post(TaskFailed(key, label, 0, now, now, error))
