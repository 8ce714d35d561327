"""Batches that a cluster has been given, and what comes back of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from gpuscale.base.errors import EngineError
from gpuscale.base.types import Key
from gpuscale.engines.events import PERIOD
from gpuscale.engines.failure import Failure, annotate, task_name
from gpuscale.engines.remote import BLAMED
from gpuscale.engines.sending import Parcel, Result
from gpuscale.graph.task import Task
from gpuscale.memory.remote import RemoteValue

__all__ = ["LOST", "Sent"]

#: In the place of a result that was there, and is gone with its worker.
LOST: Any = object()
#: Bytes of results that are fetched together; more only where a single batch has them.
TOGETHER = 64 << 20


class Sent:
    """Batches that a cluster has been given.

    Parameters
    ----------
    client : distributed.Client
    parcels : list of Parcel
    keys : sequence of Key
        Tasks whose results are wanted.
    wanted : list of Result
        Where these are.
    """

    def __init__(
        self, client: Any, parcels: list[Parcel], keys: Sequence[Key], wanted: list[Result]
    ) -> None:
        from gpuscale.engines.remote_graph import graph_of  # which needs dask

        self._client, self._wanted = client, wanted
        self._parcels = {parcel.name: parcel for parcel in parcels}
        self._readers: dict[Key, list[tuple[Key, int | None]]] = defaultdict(list)
        for key, (batch, place) in zip(keys, wanted, strict=True):
            self._readers[batch].append((key, place))
        self._data = _scatter(client, parcels)
        names = list(self._readers)
        graph = graph_of(parcels, self._data)
        futures = client.get(graph, names, sync=False) if names else []
        self._futures: dict[Key, Any] = dict(zip(names, futures, strict=True))

    def handles(self) -> list[RemoteValue]:
        """Return what stands for the results that workers hold."""
        return [RemoteValue(self._futures[batch], place) for batch, place in self._wanted]

    def arrivals(self, look: Callable[[], None]) -> Iterator[tuple[Key, Any]]:
        """Fetch results as they come to be, and let the workers forget them.

        Whoever leaves before the end cancels what has not begun.

        Parameters
        ----------
        look : callable
            Called again and again meanwhile.

        Yields
        ------
        Key, object
            A result, a `Failure` or `LOST`.
        """
        done: SimpleQueue[Key] = SimpleQueue()
        for name, future in self._futures.items():
            future.add_done_callback(lambda _, name=name: done.put(name))
        try:
            while self._futures:
                names = self._together(done)
                look()
                for name, result in self._fetched(names):
                    del self._futures[name]
                    yield from self._each(name, result)
        finally:
            if self._futures:
                with suppress(Exception):  # the cluster may be what has failed
                    self._client.cancel(list(self._futures.values()), force=True)

    def _together(self, done: SimpleQueue[Key]) -> list[Key]:
        """Batches that have ended, as many as are fetched at once; none after a while."""
        names: list[Key] = []
        nbytes = 0
        with suppress(Empty):
            while nbytes < TOGETHER:
                names.append(done.get(timeout=PERIOD) if not names else done.get_nowait())
                tasks = {task.key: task.nbytes for task in self._parcels[names[-1]].tasks}
                nbytes += sum(tasks.get(key, 0) for key, _ in self._readers[names[-1]])
        return names

    def _fetched(self, names: list[Key]) -> Iterator[tuple[Key, Any]]:
        """Fetch the results of batches that have ended."""
        good = [name for name in names if self._futures[name].status == "finished"]
        try:
            results = self._client.gather([self._futures[name] for name in good])
        except Exception:  # one went with its worker since, which the others do not tell
            results, good = [], []
        yield from zip(good, results, strict=True)
        for name in names:
            if name not in good:
                yield name, self._last_try(name, self._futures[name])

    def _last_try(self, name: Key, future: Any) -> Any:
        """Wait for a batch that is not there; a `Failure` or `LOST` if it never will be."""
        with suppress(Exception):  # told from the future's state
            return future.result()
        if future.status != "error":
            self._check_alive()
            return LOST
        return self._failure(name, future.exception(), future.traceback())

    def _check_alive(self) -> None:
        if self._client.status != "running":
            raise EngineError(
                f"the connection to the cluster is {self._client.status}: its scheduler has ended, "
                "or its client was closed; what it held is lost"
            )

    def _each(self, name: Key, result: Any) -> Iterator[tuple[Key, Any]]:
        whole = result is LOST or isinstance(result, Failure)
        for key, place in self._readers[name]:
            yield key, result if whole or place is None else result[place]

    def _failure(self, name: Key, error: Any, traceback: Any) -> Failure:
        if type(error).__name__ == "KilledWorker":
            error = self._killed(getattr(error, "task", name), error.allowed_failures + 1)
        elif not isinstance(error, Exception):  # Ctrl-C of a task, say
            error = EngineError(f"{self._named(name)} raised {error!r}")
        key, label = getattr(error, BLAMED, (name, self._named(name)))
        with suppress(Exception):  # its class may refuse
            error.__traceback__ = traceback
        return Failure(key, error, label)

    def _killed(self, name: Key, times: int) -> EngineError:
        error = EngineError(
            f"{self._named(name)} was given to {times} workers, and each died of it: too little "
            "memory, a crash in compiled code, or a machine that is gone; the workers' logs say "
            "more"
        )
        parcel = self._parcels.get(name)
        if parcel is not None:
            annotate(error, parcel.tasks[0], ())
        return error

    def _named(self, name: Key) -> str:
        parcel = self._parcels.get(name)
        if parcel is None:
            return f"a task ({name!r})"
        more = len(parcel.tasks) - 1
        first: Task = parcel.tasks[0]
        return f"the task {task_name(first)}" + (f" with {more} others" if more else "")


def _scatter(client: Any, parcels: list[Parcel]) -> dict[Key, Any]:
    """Send data of this process to workers; return a future for each batch that reads some.

    Where nothing may wait for that, no worker is there yet, or one dies meanwhile, data go with the
    tasks.
    """
    data = {parcel.name: parcel.data for parcel in parcels if parcel.data}
    if not data or client.asynchronous or not client.scheduler_info()["workers"]:
        return {}
    try:
        pieces = client.scatter(list(data.values()), hash=False)
    except OSError:
        return {}
    return dict(zip(data, pieces, strict=True))
