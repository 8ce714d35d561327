"""`Client`: connects to a cluster, and makes it the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from os.path import exists
from typing import Any

import dask
import distributed
from dask.tokenize import TokenizationError
from dask.utils import parse_timedelta

from gpuscale.base import config
from gpuscale.base.errors import EngineError, add_note
from gpuscale.cluster.calls import name_of, not_fetched, not_scattered, sent
from gpuscale.cluster.closed import NoScheduler
from gpuscale.cluster.gathering import gather_in_messages
from gpuscale.cluster.giving_way import giving_way, waits
from gpuscale.cluster.holding import held
from gpuscale.cluster.local import LocalCluster
from gpuscale.cluster.reaching import (
    answers_told,
    check_address,
    scheduler_of,
    silence,
    why_refused,
)
from gpuscale.cluster.scaling import as_many_workers
from gpuscale.cluster.scattered import check_room, largest, named_items, scatter_in_messages
from gpuscale.cluster.security import read_scheduler_file
from gpuscale.cluster.short_logs import cannot_be_sent, shorten_logs
from gpuscale.engines.deadly import died
from gpuscale.engines.distributed import DistributedEngine
from gpuscale.engines.scattering import MESSAGE
from gpuscale.engines.stuck import said_after_a_while, watched
from gpuscale.expr.node import user_line
from gpuscale.keeping import persist
from gpuscale.memory.remote import check_open, check_reaches
from gpuscale.nested import find, replace
from gpuscale.run import asked, whole_values

__all__ = ["Client"]


class Client(distributed.Client):
    """A connection to a cluster, on whose workers arrays and delayed values are computed.

    While it is open, `compute` and `persist` of every collection run there. Everything else is
    what ``distributed.Client`` does: `submit map gather scatter`, `run`, `upload_file`,
    `publish_dataset`, and so on.

    Parameters
    ----------
    address : str or cluster or distributed.Client, optional
        Of a scheduler, as "tcp://host:8786", a cluster such as `LocalCluster`, or a client of
        dask's own, on whose cluster another one is opened. By default a `LocalCluster` is
        started, and closed with the client; ``options`` are its options then.
    set_as_default : bool
        Whether it is the engine, and what `get_client` finds.
    scheduler_file : str or path, optional
        A file in which a scheduler has written how it is reached, with the credentials of its
        cluster; one that is not there yet is waited for, at most ``timeout``.
    **options
        What ``distributed.Client`` takes beside these, such as ``timeout`` and ``security``.

    Raises
    ------
    OSError
        No scheduler answers there.

    Examples
    --------
    >>> import gpuscale as gs, gpuscale.array as ga
    >>> from gpuscale.cluster import Client
    >>> with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
    ...     x = ga.arange(10, chunks=5)
    ...     kept, = gs.persist(x * x)          # stays on the workers
    ...     int(kept.sum().compute()), client.submit(sum, [1, 2]).result()
    (285, 3)
    """

    _settings: AbstractContextManager[Any] | None = None
    _own_cluster: Any = None

    def __init__(
        self,
        address: Any = None,
        *,
        set_as_default: bool = True,
        scheduler_file: Any = None,
        **options: Any,
    ) -> None:
        shorten_logs()
        self._calls: dict[Any, tuple[str, tuple[str, int] | None]] = {}
        ours: dict[str, Any] = {}
        others: dict[str, Any] = {}
        for name, value in options.items():
            (others if name in _OF_CLIENT else ours)[name] = value
        if isinstance(address, distributed.Client) and not isinstance(address, Client):
            others.setdefault("security", address.security)
            address = scheduler_of(address)
        waits = not others.get("asynchronous")
        if scheduler_file and not others.get("security") and (waits or exists(scheduler_file)):
            wait = parse_timedelta(others.get("timeout") or "30s") if waits else 0
            found = read_scheduler_file(scheduler_file, wait)
            address, others["security"], scheduler_file = found.address, found.security, None
        check_address(address, others.get("security"))
        is_said = address or scheduler_file or dask.config.get("scheduler-address", None)
        if not is_said and not options.get("asynchronous"):
            address = self._own_cluster = LocalCluster(**ours)
            ours = {}
        try:
            super().__init__(
                address,
                set_as_default=set_as_default,
                scheduler_file=scheduler_file,
                **others,
                **ours,
            )
        except OSError as error:  # it is said what may be the matter; how it came about is long
            self._give_up()
            raise error.with_traceback(None) from None
        except BaseException:
            self._give_up()
            raise
        if set_as_default:
            self._settings = config.set(engine="distributed")
            self._settings.__enter__()

    def _give_up(self) -> None:
        """Close what has not come to be, with its thread and its cluster."""
        runner = getattr(self, "_loop_runner", None)
        if runner is not None and not self.asynchronous:
            with suppress(Exception):
                super().close()
            self.status = "closed"  # not to be closed again when it is collected
            runner.stop()
        if self._own_cluster is not None:
            self._own_cluster.close()

    async def _start(self, *args: Any, **options: Any) -> Any:
        try:
            return await super()._start(*args, **options)
        except BaseException as error:
            self._leave()  # an asynchronous client is the engine before it is connected
            is_encrypted = self.security.get_tls_config_for_role("client")["ca_file"]
            note = why_refused(error, is_encrypted)
            if note:
                error.add_note(note)
            raise

    async def _ensure_connected(self, timeout: Any = None) -> None:
        address = getattr(self.scheduler, "address", None)
        with answers_told(address):
            await asyncio.wait_for(super()._ensure_connected(timeout), silence(timeout))

    def _leave(self) -> None:
        """Put back the engine that there was before."""
        settings, self._settings = self._settings, None
        if settings is not None:
            settings.__exit__(None, None, None)

    def __enter__(self) -> Any:
        check_open(self)
        return super().__enter__()

    async def __aexit__(self, *error: object) -> None:
        self._leave()
        await super().__aexit__(*error)

    def close(self, *args: Any, **kwargs: Any) -> Any:
        """Close the connection, and the cluster if the client has started it."""
        self._leave()
        closing = super().close(*args, **kwargs)
        own, self._own_cluster = self._own_cluster, None
        if own is not None:
            own.close()
        return closing

    async def _close(self, *args: Any, **options: Any) -> None:
        await super()._close(*args, **options)
        self.scheduler = NoScheduler()  # type: ignore[assignment]

    async def _ask_for_workers(self) -> Any:
        scheduler: Any = self.scheduler
        return (await scheduler.identity(n_workers=-1))["workers"]

    def wait_for_workers(self, *args: Any, **options: Any) -> Any:
        """Wait until there are so many workers; see ``distributed.Client.wait_for_workers``."""
        check_open(self)
        return super().wait_for_workers(*args, **options)

    async def _wait_for_workers(self, n_workers: int, timeout: Any = None) -> None:
        waiting = super()._wait_for_workers(n_workers, timeout)
        await said_after_a_while(waiting, self, n_workers)

    async def _restart(self, timeout: Any, wait_for_workers: bool) -> None:
        if wait_for_workers:
            workers = await self._ask_for_workers()
            alone = sum(not each["nanny"] for each in workers.values())
            if alone:
                raise EngineError(
                    f"{alone} workers of the cluster have no nanny, as with processes=False or "
                    "--no-nanny, which would start them again: make another cluster, or say "
                    "restart(wait_for_workers=False) to end them"
                )
        async with as_many_workers(self.cluster):
            await super()._restart(timeout, wait_for_workers)

    def _graph_to_futures(self, *args: Any, **options: Any) -> Any:
        check_open(self)  # before there are futures, which nobody would let go
        return super()._graph_to_futures(*args, **options)

    def _send_to_scheduler(self, message: Any) -> None:
        check_open(self)
        super()._send_to_scheduler(message)

    def sync(self, func: Any, *args: Any, **options: Any) -> Any:
        """Wait for what is to be done in the client's thread, and raise errors in words of ours."""
        if not self.asynchronous:
            check_open(self)
        is_waiting = waits(func, options)
        if is_waiting:
            func = watched(func, self)
        try:
            with giving_way(is_waiting):
                return super().sync(func, *args, **options)
        except distributed.KilledWorker as error:
            name, origin = self._calls.get(error.task, (None, None))
            told = died(self, error, f"the task {name or error.task}")
            raise add_note(told, operation=name, origin=origin) from None
        except Exception as error:
            self._annotate(error)
            raise

    def _annotate(self, error: Exception) -> None:
        """Say which call an exception is of, if a future has it, or why a future has nothing."""
        if isinstance(error, distributed.CancelledError):
            note = _GONE if self.status == "running" else _ENDED
            if note not in _notes(error):
                error.add_note(note)
        for key, (name, origin) in self._calls.copy().items():
            state = self.futures.get(key)
            if state is not None and getattr(state, "exception", None) is error:
                add_note(error, operation=name, origin=origin)

    async def _gather(self, futures: Any, *args: Any, **options: Any) -> Any:
        async def gather(some: Any) -> Any:
            return await super(Client, self)._gather(some, *args, **options)

        try:
            skips = options.get("errors") == "skip"
            return await gather_in_messages(gather, futures, self.scheduler, skips)
        except TypeError as error:
            if not cannot_be_sent(error):
                raise
            keys = [each.key for each in distributed.futures_of(futures, client=self)]
            calls = {self._calls[key] for key in keys if key in self._calls}
            told = not_fetched([name for name, _ in calls], error)
            if len(calls) == 1:
                [(name, origin)] = calls
                add_note(told, operation=name, origin=origin)
            raise told from None

    async def _scatter(self, data: Any, *args: Any, **options: Any) -> Any:
        async def send(some: Any) -> Any:
            return await super(Client, self)._scatter(some, *args, **options)

        try:
            await check_room(named_items(data), self._ask_for_workers)
            return await scatter_in_messages(send, data)
        except (TypeError, TokenizationError) as error:
            is_ours = isinstance(error, TokenizationError) or cannot_be_sent(error)
            told = not_scattered(data) if is_ours else None
            if told is None:
                raise
            raise told from None

    def _release_key(self, key: Any) -> None:
        self._calls.pop(key, None)
        super()._release_key(key)

    def _note_call(self, func: Any, futures: Sequence[Any]) -> None:
        """Keep what is called, and in which line, for as long as there are futures of it."""
        call = name_of(func), user_line()
        self._calls.update({future.key: call for future in futures})

    def compute(  # type: ignore[override]
        self, collections: Any, sync: bool = False, **options: Any
    ) -> Any:
        """Compute in the background: a future for each collection, with its whole value.

        Parameters
        ----------
        collections : collection, or list, tuple or dictionary with some
            Of this package, or of dask. What else is in there is handed back as it is.
        sync : bool
            Whether to wait, and return values.
        **options
            For collections of dask, what ``distributed.Client.compute`` takes.

        Examples
        --------
        >>> import gpuscale.array as ga
        >>> from gpuscale.cluster import Client
        >>> with Client(n_workers=1, threads_per_worker=1, dashboard_address=None) as client:
        ...     client.compute(ga.arange(10, chunks=5).sum()).result()
        np.int64(45)
        """
        if not find(collections):
            return super().compute(collections, sync=sync, **options)
        many = isinstance(collections, list | tuple | set | frozenset)
        asked_for = list(collections) if many else collections
        lazy = list({id(each): each for each in find(asked_for)}.values())
        engine = DistributedEngine(self)
        with asked(engine, {}):
            futures = engine.futures(*whole_values(*lazy))
        results = self.gather(futures) if sync else futures
        by_id = {id(each): result for each, result in zip(lazy, results, strict=True)}
        return replace(asked_for, lambda each: by_id[id(each)])

    def persist(self, collections: Any, **options: Any) -> Any:  # type: ignore[override]
        """Compute in the background, and return collections whose chunks stay on the workers.

        Parameters
        ----------
        collections : collection, or list, tuple or dictionary with some
            Of this package, or of dask. What else is in there is handed back as it is.
        **options
            For collections of dask, what ``distributed.Client.persist`` takes.
        """
        if not find(collections):
            return super().persist(collections, **options)
        many = isinstance(collections, list | tuple | set | frozenset)
        kept = persist(*(collections if many else [collections]), engine=DistributedEngine(self))
        return list(kept) if many else kept[0]

    def submit(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a function on a worker; the future of what it returns.

        Parameters
        ----------
        func : callable
        *args
            Collections of this package among them, also in lists and dictionaries, are computed
            on the workers, and the function gets their whole values.
        **kwargs
            Of the function, and what ``distributed.Client.submit`` takes.

        Examples
        --------
        >>> import numpy as np, gpuscale.array as ga
        >>> from gpuscale.cluster import Client
        >>> with Client(n_workers=1, threads_per_worker=1) as client:
        ...     client.submit(np.linalg.norm, ga.ones(16, chunks=4)).result()
        np.float64(4.0)
        """
        args, kwargs = self._with_futures((args, kwargs))
        self._check_room(func, [*enumerate(args), *kwargs.items()])
        future = sent(super().submit, func, args, kwargs)
        self._note_call(func, [future])
        return future

    def map(self, func: Any, *iterables: Any, **kwargs: Any) -> Any:
        """Call a function on each of some arguments; a list of futures.

        Parameters
        ----------
        func : callable
        *iterables : list or tuple
            Collections in them are computed, as for `submit`.
        **kwargs
            Of the function, and what ``distributed.Client.map`` takes.
        """
        iterables, kwargs = self._with_futures((iterables, kwargs))
        many = [(k, each) for k, each in enumerate(iterables) if isinstance(each, list | tuple)]
        each = [(k, one) for k, several in many for one in several]
        self._check_room(func, [*each, *kwargs.items()])
        futures = sent(super().map, func, iterables, kwargs)
        self._note_call(func, futures)
        return futures

    def _check_room(self, func: Any, arguments: Sequence[tuple[Any, Any]]) -> None:
        """Refuse a call of which no worker has room for an argument: it would kill some."""
        named = [(f"argument {name} of {name_of(func)}", value) for name, value in arguments]
        if self.asynchronous or largest(named)[0] <= MESSAGE:
            return
        try:
            self.sync(check_room, named, self._ask_for_workers)
        except ValueError as error:
            raise add_note(error, operation=name_of(func), origin=user_line()) from None

    def _with_futures(self, value: Any) -> Any:
        """Put futures of their whole values in the place of collections."""
        check_open(self)
        check_reaches(self, distributed.futures_of(value))
        return self.compute([value])[0] if find(value) else value

    def publish_dataset(self, *args: Any, **kwargs: Any) -> Any:
        """Give collections names under which all clients of the cluster find them.

        Parameters
        ----------
        *args, **kwargs
            As of ``distributed.Client.publish_dataset``: ``publish_dataset(name=collection)``, or
            ``publish_dataset(collection, name=...)``.

        Examples
        --------
        >>> import gpuscale.array as ga
        >>> from gpuscale.cluster import Client
        >>> with Client(n_workers=1, threads_per_worker=1) as client:
        ...     client.publish_dataset(squares=client.persist(ga.arange(5, chunks=2) ** 2))
        ...     client.get_dataset("squares").sum().compute()
        np.int64(30)
        """
        return super().publish_dataset(*held(list(args)), **held(kwargs))


_GONE = (
    "somebody has cancelled it or restarted the cluster, or it was scattered, and the last worker "
    "that held it has gone: submit or scatter it again"
)


_ENDED = (
    "the scheduler of the cluster has ended, and no other answers there; what it held is lost: "
    "submit it again with a client of another cluster"
)


def _notes(error: BaseException) -> list[str]:
    return getattr(error, "__notes__", [])


_OF_CLIENT = frozenset(
    {
        "loop", "timeout", "security", "asynchronous", "name", "heartbeat_interval",
        "serializers", "deserializers", "extensions", "direct_to_workers", "connection_limit",
    }
)  # fmt: skip
