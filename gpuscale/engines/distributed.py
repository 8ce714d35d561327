"""The distributed engine: tasks on the workers of a dask.distributed cluster."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from gpuscale.base import config
from gpuscale.base.blocks import block
from gpuscale.base.errors import EngineError
from gpuscale.base.types import Key
from gpuscale.engines.base import Engine, OnError
from gpuscale.engines.events import PERIOD, Listener
from gpuscale.engines.failure import Failure, annotate, task_name
from gpuscale.engines.remote import BLAMED, perform
from gpuscale.engines.remote_events import RemoteEvents
from gpuscale.engines.sending import Parcel, Result, pack
from gpuscale.expr.reads import planned_for_elsewhere
from gpuscale.graph.task import Task
from gpuscale.memory.remote import RemoteValue

__all__ = ["DistributedEngine"]


class DistributedEngine(Engine):
    """Runs tasks on the workers of a cluster of dask.distributed.

    Parameters
    ----------
    client : distributed.Client, optional
        By default the one that is open when something is computed.
    """

    name: ClassVar[str] = "distributed"
    shares_memory: ClassVar[bool] = False

    def __init__(self, client: Any = None) -> None:
        self._client = client

    @property
    def client(self) -> Any:
        """The client that tasks are given to."""
        return _open_client() if self._client is None else self._client

    def planning(self) -> AbstractContextManager[Any]:
        """Plan for tasks that see no memory of this process, and fit into a worker's."""
        return _planned(self._limit())

    def _limit(self) -> int | None:
        """Bytes that the smallest worker has."""
        limits = [each["memory_limit"] for each in self._workers().values()]
        return min((limit for limit in limits if limit), default=None)

    def _workers(self) -> dict[str, Any]:
        workers: dict[str, Any] = self.client.scheduler_info(n_workers=-1)["workers"]
        return workers

    def run(
        self,
        graph: Mapping[Key, Task],
        keys: Sequence[Key],
        *,
        listeners: Sequence[Listener] = (),
        on_error: OnError = "raise",
    ) -> list[Any]:
        """Run the tasks that `keys` need and return the results of `keys`, in their order."""
        n_threads, limit = self._n_threads(), self._limit() or float("inf")
        parcels, wanted = pack(graph, keys, n_threads)
        events = RemoteEvents(self.client, listeners, parcels, keys, n_threads, limit)
        failures: list[Failure] = []
        try:
            sent = _Sent(self.client, parcels, wanted)
            sent.wait(on_error, events.look)
            events.look()
            found = sent.results(failures)
            if failures and on_error == "raise":
                raise failures[0].error
        except BaseException as error:
            events.end(error, failures)
            raise
        events.end(None, failures)
        return found

    def persist(
        self,
        graph: Mapping[Key, Task],
        keys: Sequence[Key],
        *,
        listeners: Sequence[Listener] = (),
    ) -> dict[Key, Any]:
        """Start the tasks that `keys` need, and return handles on results that stay there."""
        sent = _Sent(self.client, *pack(graph, keys, self._n_threads()))
        return dict(zip(keys, sent.handles(), strict=True))

    def futures(self, graph: Mapping[Key, Task], keys: Sequence[Key]) -> list[Any]:
        """Start the tasks that `keys` need, and return the client's futures of their results."""
        sent = _Sent(self.client, *pack(graph, keys, self._n_threads()))
        return [each.as_future() for each in sent.handles()]

    def _n_threads(self) -> int:
        return max(1, sum(each["nthreads"] for each in self._workers().values()))


@block
def _planned(limit: int | None) -> Generator[None, None, None]:
    options = {} if limit is None else {"memory-limit": limit}
    with config.set(options), planned_for_elsewhere():
        yield


def _open_client() -> Any:
    import distributed

    try:
        return distributed.default_client()
    except ValueError as error:
        raise EngineError(
            "the engine 'distributed' needs an open client: "
            "with gpuscale.cluster.Client(cluster_or_address): ..."
        ) from error


class _Sent:
    """Batches that a cluster has been given.

    Parameters
    ----------
    client : distributed.Client
    parcels : list of Parcel
    wanted : list of Result
    """

    def __init__(self, client: Any, parcels: list[Parcel], wanted: list[Result]) -> None:
        self._client, self._wanted = client, wanted
        self._parcels = {parcel.name: parcel for parcel in parcels}
        self._data = _scatter(client, parcels)
        names = list(dict.fromkeys(result.batch for result in wanted))
        futures = client.get(_graph(parcels, self._data), names, sync=False)
        self._futures: dict[Key, Any] = dict(zip(names, futures, strict=True))

    def handles(self) -> list[RemoteValue]:
        """Return what stands for the results that workers hold."""
        return [RemoteValue(self._futures[batch], place) for batch, place in self._wanted]

    def wait(self, on_error: OnError, look: Callable[[], None]) -> None:
        """Wait until all results are there, or one is an error; look around meanwhile."""
        over, left, lock = threading.Event(), [len(self._futures)], threading.Lock()

        def note(future: Any) -> None:
            with lock:
                left[0] -= 1
                if not left[0] or (on_error == "raise" and future.status != "finished"):
                    over.set()

        for future in self._futures.values():
            future.add_done_callback(note)
        try:
            while self._futures and not over.wait(PERIOD):
                look()
        except BaseException:  # Ctrl-C, or a listener
            self._client.cancel(list(self._futures.values()), force=True)
            raise

    def results(self, failures: list[Failure]) -> list[Any]:
        """Fetch the results; a `Failure` stands in the place of those that there are not."""
        failed = {}
        for name, future in self._futures.items():
            if future.status in ("error", "lost", "cancelled"):
                failed[name] = self._failure(name, future)
        failures += {id(each.error): each for each in failed.values()}.values()
        good = {name: future for name, future in self._futures.items() if name not in failed}
        found = dict(zip(good, self._client.gather(list(good.values())), strict=True))
        return [
            failed[batch] if batch in failed else found[batch] if at is None else found[batch][at]
            for batch, at in self._wanted
        ]

    def _failure(self, name: Key, future: Any) -> Failure:
        error = future.exception() if future.status == "error" else None
        if error is None:
            error = EngineError(f"the cluster has lost {self._named(name)}: its client was closed?")
        elif type(error).__name__ == "KilledWorker":
            died = getattr(error, "task", name)
            error = EngineError(
                f"{self._named(died)} was given to {error.allowed_failures + 1} workers, and each "
                "died of it: too little memory, a crash in compiled code, or a machine that is "
                "gone; the workers' logs say more"
            )
            task = self._task(died)
            if task is not None:
                annotate(error, task, ())
        key, label = getattr(error, BLAMED, (name, self._named(name)))
        return Failure(key, error, label)

    def _task(self, name: Key) -> Task | None:
        parcel = self._parcels.get(name)
        return None if parcel is None else parcel.tasks[0]

    def _named(self, name: Key) -> str:
        parcel = self._parcels.get(name)
        if parcel is None:
            return f"a task ({name!r})"
        first = task_name(parcel.tasks[0])
        more = len(parcel.tasks) - 1
        return f"the task {first}" + (f" with {more} others" if more else "")


def _scatter(client: Any, parcels: list[Parcel]) -> dict[Key, Any]:
    """Send data of this process to workers; return a future for each batch that reads some."""
    data = {parcel.name: parcel.data for parcel in parcels if parcel.data}
    if not data:
        return {}
    pieces = client.scatter(list(data.values()), hash=False)
    return dict(zip(data, pieces, strict=True))


def _graph(parcels: list[Parcel], data: dict[Key, Any]) -> dict[Key, Any]:
    """Write batches down as the cluster wants them."""
    from dask._task_spec import Task as RemoteTask
    from dask._task_spec import TaskRef

    graph = {}
    for parcel in parcels:
        needs = [each.future.key if _is_there(each) else each for each in parcel.needs]
        if parcel.data:
            needs += [data[parcel.name].key] * len(parcel.data)
        graph[parcel.name] = RemoteTask(parcel.name, perform, parcel.work, *map(TaskRef, needs))
    return graph


def _is_there(need: Any) -> bool:
    return isinstance(need, RemoteValue)
