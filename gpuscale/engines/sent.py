"""Batches that a cluster has been given, and what comes back of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from gpuscale.base.errors import EngineError
from gpuscale.base.types import Key
from gpuscale.engines.deadly import deadly, parcel_name
from gpuscale.engines.events import PERIOD
from gpuscale.engines.failure import Failure, annotate
from gpuscale.engines.remote import BLAMED
from gpuscale.engines.scattering import scatter
from gpuscale.engines.sending import Parcel, Result, unsendable
from gpuscale.engines.stuck import Watch
from gpuscale.memory.remote import RemoteValue, check_reaches

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
        names = list(self._readers)
        check_reaches(client, (need.future for each in parcels for need in _kept_for(each)))
        try:
            self._data = scatter(client, parcels)
            graph = graph_of(parcels, self._data)
            futures = client.get(graph, names, sync=False) if names else []
        except TypeError as error:  # of what dask cannot serialize
            raise unsendable(parcels) or error from None
        self._futures: dict[Key, Any] = dict(zip(names, futures, strict=True))
        self._done: SimpleQueue[Key] = SimpleQueue()

    def handles(self) -> list[RemoteValue]:
        """Return what stands for the results that workers hold."""
        return [RemoteValue(self._futures[batch], place) for batch, place in self._wanted]

    def arrivals(self, look: Callable[[], None]) -> Iterator[tuple[Key, Any]]:
        """Fetch results as they come to be, and let the workers forget them.

        Whoever leaves before the end lets go of what has not begun.

        Parameters
        ----------
        look : callable
            Called again and again meanwhile.

        Yields
        ------
        Key, object
            A result, a `Failure` or `LOST`.

        Raises
        ------
        EngineError
            Nothing more will come: the cluster has ended, is stuck, or has lost what workers kept.
        """
        watch = Watch(self._client)

        def looks() -> None:
            look()
            watch.look()

        for name in self._futures:
            self._expect(name)
        try:
            while self._futures:
                names = self._together()
                looks()
                for name, result in self._fetched(names, looks):
                    watch.restart()
                    # Not left to `__del__`, where Ctrl-C would be ignored.
                    self._futures.pop(name).release()
                    yield from self._each(name, result)
        finally:
            # Not `cancel`, for which the scheduler drops a client if others need what it cancels.
            for future in (*self._futures.values(), *self._data.values()):
                future.release()

    def _expect(self, name: Key) -> None:
        """Have a batch queued as soon as it is over, at once if it is."""
        self._futures[name].add_done_callback(lambda _: self._done.put(name))

    def _together(self) -> list[Key]:
        """Batches that have ended, as many as are fetched at once; none after a while."""
        names: list[Key] = []
        nbytes = 0
        with suppress(Empty):
            while nbytes < TOGETHER:
                names.append(self._done.get(block=not names, timeout=PERIOD))
                tasks = {task.key: task.nbytes for task in self._parcels[names[-1]].tasks}
                nbytes += sum(tasks.get(key, 0) for key, _ in self._readers[names[-1]])
        return names

    def _fetched(self, names: list[Key], looks: Callable[[], None]) -> Iterator[tuple[Key, Any]]:
        """Fetch the results of batches that have ended."""
        good = [name for name in names if self._futures[name].status == "finished"]
        results, error = self._gathered(good, looks)
        if error is not None and len(names) > 1:
            for name in names:  # one went with its worker since, which the error does not tell
                yield from self._fetched([name], looks)
            return
        if error is None:
            yield from zip(good, results, strict=True)
            there = set(good)
            names = [name for name in names if name not in there]
        for name in names:
            yield from self._not_fetched(name, error)

    def _gathered(
        self, names: list[Key], looks: Callable[[], None]
    ) -> tuple[list[Any], Exception | None]:
        """Fetch results that are there; what there is instead if one is not, after all."""
        client, futures = self._client, [self._futures[name] for name in names]
        if not futures:
            return [], None
        coming = asyncio.run_coroutine_threadsafe(
            client.gather(futures, asynchronous=True), client.loop.asyncio_loop
        )
        try:
            while not wait([coming], timeout=PERIOD).done:
                looks()
        finally:
            coming.cancel()
        try:
            return coming.result(), None
        except Exception as error:
            return [], error

    def _not_fetched(self, name: Key, error: Exception | None) -> Iterator[tuple[Key, Any]]:
        """Say what has become of a batch that has ended and is not there."""
        future = self._futures[name]
        if future.status == "error":
            yield name, self._failure(name, future.exception(), future.traceback())
        elif future.status == "cancelled":
            self._check_alive()
            self._check_needs()
            yield name, LOST
        elif error is not None and future.status == "finished" and not isinstance(error, OSError):
            annotate(error, self._parcels[name].tasks[0], ())  # it cannot be read here
            yield name, self._failure(name, error, error.__traceback__)
        else:
            self._expect(name)  # the cluster computes it again

    def _check_alive(self) -> None:
        if self._client.status != "running":
            raise EngineError(
                "the scheduler of the cluster has ended, or its client was closed (it is "
                f"{self._client.status}); what it held is lost"
            )

    def _check_needs(self) -> None:
        """Refuse to try again what needs something that is gone for good."""
        for parcel in self._parcels.values():
            for need in _kept_for(parcel):
                if need.is_lost:
                    error = need.lost()
                    annotate(error, parcel.tasks[0], ())
                    raise error

    def _each(self, name: Key, result: Any) -> Iterator[tuple[Key, Any]]:
        whole = result is LOST or isinstance(result, Failure)
        for key, place in self._readers[name]:
            yield key, result if whole or place is None else result[place]

    def _failure(self, name: Key, error: Any, traceback: Any) -> Failure:
        parcel = self._parcels[name]
        if type(error).__name__ == "KilledWorker":
            # It may be one that is kept from before, and that this one only needs.
            error = deadly(self._client, error, self._parcels.get(error.task, parcel))
        elif not isinstance(error, Exception):  # Ctrl-C of a task, say
            error = EngineError(f"{parcel_name(parcel)} raised {error!r}")
        key, label = getattr(error, BLAMED, (name, parcel_name(parcel)))
        with suppress(Exception):  # its class may refuse
            error.__traceback__ = traceback
        return Failure(key, error, label)


def _kept_for(parcel: Parcel) -> Iterator[RemoteValue]:
    """What a batch needs that workers hold from before."""
    return (need for need in parcel.needs if isinstance(need, RemoteValue))
