"""The distributed engine: tasks on the workers of a dask.distributed cluster."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from gpuscale.base import config
from gpuscale.base.blocks import block
from gpuscale.base.errors import EngineError
from gpuscale.base.types import Key
from gpuscale.engines.base import Engine, OnError
from gpuscale.engines.events import Listener
from gpuscale.engines.failure import Failure, annotate, task_name
from gpuscale.engines.remote_events import RemoteEvents
from gpuscale.engines.reserving import MEMORY, reserve_memory, room_for_tasks
from gpuscale.engines.sending import pack
from gpuscale.engines.sent import LOST, Sent
from gpuscale.expr.physical import Sink
from gpuscale.expr.reads import planned_for_elsewhere
from gpuscale.graph.numbering import number
from gpuscale.graph.task import Task
from gpuscale.memory.limits import memory_limit, within_workers

__all__ = ["DistributedEngine"]

#: How often results are computed that are lost with their workers.
ATTEMPTS = 4


class DistributedEngine(Engine):
    """Runs tasks on the workers of a cluster of dask.distributed.

    What is written into memory of this process, as the results of `gpuscale.compute` are, comes
    here as soon as it is there, a few chunks at a time.

    A plan keeps to what tasks may hold of the smallest worker's memory, and to the option
    ``memory-limit`` where that says less. Options of ``codegen`` and ``array`` that are not at
    their defaults here hold in the workers' tasks.

    Parameters
    ----------
    client : distributed.Client, optional
        By default the one that is open when something is computed.
    """

    name: ClassVar[str] = "distributed"
    shares_memory: ClassVar[bool] = False

    def __init__(self, client: Any = None) -> None:
        self._client = client
        self._limits: WeakKeyDictionary[Any, list[tuple[int, int]]] = WeakKeyDictionary()

    @property
    def client(self) -> Any:
        """The client that tasks are given to.

        Raises
        ------
        EngineError
            None is open, or it has lost its cluster.
        """
        client = _open_client() if self._client is None else self._client
        begins = client.asynchronous and client.status in ("connecting", "newly-created")
        if client.status != "running" and not begins:
            raise EngineError(
                f"the client of the cluster is {_in_words(client.status)}; open another one, "
                "or say engine='threads'"
            )
        return client

    def planning(self) -> AbstractContextManager[Any]:
        """Plan for tasks that see no memory of this process, and fit into a worker's."""
        return _planned(*self._limit())

    def _limit(self) -> tuple[int, int]:
        """Bytes that tasks of the smallest worker may hold, and threads that share these."""
        limits = [
            (room_for_tasks(each["memory_limit"]), each["nthreads"])
            for each in self._workers().values()
            if each["memory_limit"]
        ]
        # All of them may just be beginning again.
        limits = self._limits[self.client] = limits or self._limits.get(self.client, [])
        limit = min((most for most, _ in limits), default=memory_limit())
        if config.get("memory-limit") != "auto":
            limit = min(limit, memory_limit())
        share = min((most / n_threads for most, n_threads in limits), default=limit)
        return limit, max(1, round(limit / share))

    def _workers(self) -> dict[str, Any]:
        client = self.client
        if client.asynchronous:  # which cannot be waited for, and knows of no worker
            return {}
        try:
            found = client.sync(client.scheduler.identity, n_workers=-1)
        except OSError:  # it has ended meanwhile
            raise EngineError(f"the client of the cluster is {_in_words('connecting')}") from None
        workers: dict[str, Any] = found["workers"]
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
        if self.client.asynchronous:
            raise EngineError(
                "nobody can wait for an asynchronous client: say await client.compute(x), or "
                "client.persist(x)"
            )
        return _Run(self, graph, keys, listeners, on_error).results()

    def persist(
        self,
        graph: Mapping[Key, Task],
        keys: Sequence[Key],
        *,
        listeners: Sequence[Listener] = (),
    ) -> dict[Key, Any]:
        """Start the tasks that `keys` need, and return handles on results that stay there."""
        return dict(zip(keys, self._sent(graph, keys).handles(), strict=True))

    def futures(self, graph: Mapping[Key, Task], keys: Sequence[Key]) -> list[Any]:
        """Start the tasks that `keys` need, and return the client's futures of their results."""
        return [each.as_future() for each in self._sent(graph, keys).handles()]

    def _sent(self, graph: Mapping[Key, Task], keys: Sequence[Key]) -> Sent:
        workers = self._workers()
        check_resources(graph.values(), workers)
        parcels, wanted = pack(graph, keys, n_threads_of(workers))
        reserve_memory(parcels, workers)
        return Sent(self.client, parcels, keys, wanted)


class _Run:
    """One computation: what the cluster does of it, and what happens here."""

    def __init__(
        self,
        engine: DistributedEngine,
        graph: Mapping[Key, Task],
        keys: Sequence[Key],
        listeners: Sequence[Listener],
        on_error: OnError,
    ) -> None:
        self._client, self._graph, self._keys = engine.client, graph, keys
        self._goes_on = on_error == "continue"
        self._workers = workers = engine._workers()
        check_resources(graph.values(), workers)
        self._n_threads = n_threads_of(workers)
        self._here = {key: graph[key] for key in keys if key in graph and _is_local(graph[key])}
        self._readers: dict[Key, list[Task]] = defaultdict(list)
        for task in self._here.values():
            self._readers[task.deps[0]].append(task)
        self._found: dict[Key, Any] = {}
        self._failures: dict[Key, Failure] = {}
        self._events = RemoteEvents(self._client, listeners, workers)

    def results(self) -> list[Any]:
        """Run all of it; what failed stands in the place of its results, or is raised."""
        if self._events:
            tasks = number(self._graph, self._keys).tasks
            self._events.begin(tasks, self._keys, self._n_threads)
        try:
            for key, result in self._arrivals():
                self._take(key, result)
            self._events.look()
        except BaseException as error:
            self._events.end(error, tuple(self._failures.values()))
            raise
        self._events.end(None, tuple(self._failures.values()))
        return [self._found[key] for key in self._keys]

    def _take(self, key: Key, result: Any) -> None:
        """Do here what a result is for, and keep it if it is wanted."""
        if isinstance(result, Failure):
            self._failures[result.key] = result
            if not self._goes_on:
                raise result.error
        for task in self._readers.get(key, ()):
            failed = isinstance(result, Failure)
            self._found[task.key] = result if failed else self._run_here(task, result)
        if key in self._wanted:
            self._found[key] = result

    def _run_here(self, task: Task, result: Any) -> Any:
        try:
            start = time.perf_counter()
            made = task.fn(result, *task.args)
            self._events.ran_here(task, start)
            return made
        except Exception as error:
            annotate(error, task, (result,))
            if not self._goes_on:
                raise
            failure = Failure(task.key, error, task_name(task))
            self._failures[task.key] = failure
            return failure

    def _arrivals(self) -> Iterator[tuple[Key, Any]]:
        """Results of the cluster; those that go with their workers are computed again."""
        self._wanted = dict.fromkeys(key for key in self._keys if key not in self._here)
        left = list(dict.fromkeys([*self._wanted, *self._readers]))
        for _ in range(ATTEMPTS):
            parcels, wanted = pack(
                self._graph, left, self._n_threads, self._goes_on, bool(self._events)
            )
            reserve_memory(parcels, self._workers)
            self._events.sent(parcels)
            sent, lost = Sent(self._client, parcels, left, wanted), []
            for key, result in sent.arrivals(self._events.look):
                if result is LOST:
                    lost.append(key)
                else:
                    yield key, result
            if not lost:
                return
            left = lost
        names = ", ".join(task_name(self._graph[key]) for key in left[:3])
        raise EngineError(
            f"the cluster has lost the results of {len(left)} tasks {ATTEMPTS} times ({names}"
            f"{', ...' * (len(left) > 3)}): its workers end, or somebody cancels them"
        )


def _is_local(task: Task) -> bool:
    """Whether a task writes what only this process can write."""
    node = getattr(task.fn, "__self__", None)
    return isinstance(node, Sink) and bool(node.writer.is_local)


def n_threads_of(workers: Mapping[str, Any]) -> int:
    """Count the threads of a cluster's workers; one where there is none yet."""
    return max(1, sum(each["nthreads"] for each in workers.values()))


def check_resources(tasks: Any, workers: Mapping[str, Any]) -> None:
    """Refuse tasks that no worker can ever run.

    Raises
    ------
    EngineError
        Names the task, and what the workers have.
    """
    asking = (task for task in tasks if task.options is not None and task.options.resources)
    for task in asking if workers else ():
        wanted = task.options.resources
        there = [each.get("resources", {}) for each in workers.values()]
        if any(all(has.get(name, 0) >= n for name, n in wanted.items()) for has in there):
            continue
        one = {name: n for name, n in there[0].items() if name != MEMORY}
        error = EngineError(
            f"the task {task_name(task)} needs the resources {dict(wanted)}, which no worker of "
            f"the cluster has (one has {one or 'none'}); start workers with them, as by "
            "LocalCluster(resources=...) or the worker's option --resources"
        )
        annotate(error, task, ())
        raise error


@block
def _planned(limit: int, n_threads: int) -> Generator[None, None, None]:
    with within_workers(limit, n_threads), planned_for_elsewhere():
        yield


def _in_words(status: str) -> str:
    """Say what has become of a client that is not running."""
    if status == "connecting":
        return "without a scheduler: that has ended, and no other answers there"
    return f"{status}: its scheduler has ended, or it was closed"


def _open_client() -> Any:
    import distributed

    try:
        return distributed.default_client()
    except ValueError as error:
        raise EngineError(
            "the engine 'distributed' needs an open client: "
            "with gpuscale.cluster.Client(cluster_or_address): ...; one whose cluster has ended is "
            "closed"
        ) from error
