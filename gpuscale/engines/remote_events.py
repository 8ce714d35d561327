"""What a cluster tells of the tasks of one run, as events of this package."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

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

__all__ = ["RemoteEvents"]


class RemoteEvents:
    """Asks the scheduler from time to time what has ended, and tells listeners.

    Tasks of one batch have one start and one stop: they are told as following one another, each
    for its share of the time.

    Parameters
    ----------
    client : distributed.Client
    listeners : sequence of callables
    parcels : sequence of Parcel
    wanted : sequence of Key
    n_threads : int
    budget : float
        Bytes of all workers together.
    """

    def __init__(
        self,
        client: Any,
        listeners: Sequence[Listener],
        parcels: Sequence[Parcel],
        wanted: Sequence[Any],
        n_threads: int,
        budget: float,
    ) -> None:
        self._client, self._desk = client, EventDesk(listeners)
        self._parcels = {parcel.name: parcel for parcel in parcels}
        self._tasks = [task for parcel in parcels for task in parcel.tasks]
        self._workers: dict[tuple[str, int], int] = {}
        self._done, self._nbytes = 0, 0
        self._seen: set[Any] = set()
        self._since = time.time()
        if self._desk:
            self._ask()  # the scheduler records from the first time on that it is asked
            total = sum(task.nbytes for task in self._tasks)
            now = time.perf_counter()
            self._desk.post(
                RunStarted(len(self._tasks), total, n_threads, budget, now, self._tasks, wanted)
            )
            self._desk.deliver()

    def __bool__(self) -> bool:
        return bool(self._desk)

    def look(self) -> None:
        """Tell what has happened since the last look."""
        if not self._desk:
            return
        for record in self._ask():
            parcel = self._parcels.get(record["key"])
            if parcel is not None and parcel.name not in self._seen:
                self._tell(record, parcel)
        if self._desk.wants_progress:
            now = time.perf_counter()
            self._desk.post(Progressed(self._done, len(self._tasks), self._nbytes, 0, now))
        self._desk.deliver()

    def _ask(self) -> Sequence[Any]:
        found: Sequence[Any] = self._client.get_task_stream(start=self._since)
        return found

    def _tell(self, record: Any, parcel: Parcel) -> None:
        """Post the events of a batch."""
        spans = [each for each in record["startstops"] if each["action"] == "compute"]
        if record.get("status", "OK") != "OK" or not spans:
            return
        self._seen.add(parcel.name)
        offset = time.perf_counter() - time.time()
        start, stop = spans[0]["start"] + offset, spans[-1]["stop"] + offset
        thread = record["worker"], record.get("thread", 0)
        worker = self._workers.setdefault(thread, len(self._workers))
        share = (stop - start) / len(parcel.tasks)
        for place, task in enumerate(parcel.tasks):
            begun = start + place * share
            self._done += 1
            self._nbytes += task.nbytes
            if self._desk.wants_tasks:
                self._desk.post(TaskStarted(task.key, task.label, worker, begun))
                self._desk.post(
                    TaskFinished(task.key, task.label, worker, begun, begun + share, task.nbytes)
                )

    def end(self, error: BaseException | None, failures: Sequence[Failure] = ()) -> None:
        """Tell that the run is over."""
        if not self._desk:
            return
        now = time.perf_counter()
        for failure in failures:
            self._tell_failed(failure.key, failure.error, now)
        self._desk.post(RunFinished(self._done, self._nbytes, now, error, tuple(failures)))
        self._desk.deliver()

    def _tell_failed(self, key: Any, error: BaseException, now: float) -> None:
        if self._desk.wants_tasks:
            label = next((task.label for task in self._tasks if task.key == key), "")
            self._desk.post(TaskFailed(key, label, 0, now, now, error))
