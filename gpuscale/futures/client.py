"""`Client`: where tasks are submitted and their futures come from."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager
from contextvars import copy_context
from typing import Any

from gpuscale.base import config
from gpuscale.base.blocks import block
from gpuscale.base.durations import Duration, parse_timeout
from gpuscale.base.resources import check_resources
from gpuscale.base.types import Key
from gpuscale.diagnostics.listening import follow
from gpuscale.diagnostics.logs import run_log
from gpuscale.engines.base import get_engine
from gpuscale.engines.failure import task_name
from gpuscale.engines.outcome import Outcome
from gpuscale.engines.pool import is_over
from gpuscale.engines.session import Session
from gpuscale.engines.threads import ThreadsEngine, default_workers
from gpuscale.futures.current import find_client, forget_client, named, open_client
from gpuscale.futures.executor import ClientExecutor
from gpuscale.futures.future import Future, futures_here, futures_of, refuse_strangers
from gpuscale.futures.manners import check_options, where_instead
from gpuscale.futures.tasks import Starter
from gpuscale.futures.telling import NO_LIMIT, Teller
from gpuscale.graph.annotations import without_annotations
from gpuscale.graph.handle import new_key
from gpuscale.memory.limits import memory_limit as option_memory_limit
from gpuscale.memory.limits import parse_bytes

__all__ = ["Client"]


class Client(Starter, Teller):
    """Runs tasks from when they are submitted, in threads of this process.

    Names and behaviour are those of ``dask.distributed.Client``, so that code moves to a
    cluster by `gpuscale.cluster.Client`. While a client is open, `compute` and `persist` use as
    many threads and as much memory as it does, and share the memory with its tasks.

    Parameters
    ----------
    address : None or "inproc"
        `gpuscale.cluster.Client` takes those of clusters.
    n_workers, threads_per_worker : int, optional
        Their product is how many tasks run at the same time; by default one for each core, or
        what the option ``num-workers`` says.
    memory_limit : int, float or str, optional
        For each of the workers; by default the option ``memory-limit`` for all of them. 0 is no
        limit.
    device_memory_limit : int, float or str, optional
        Memory of the device for all of the workers: bytes, "20 GiB", or a fraction of the
        device's; by default the option ``device-memory-limit``. 0 is no limit.
    resources : dict of str to float, optional
        What tasks may ask for with ``submit(..., resources=...)``, such as ``{"GPU": 1}``; by
        default the option ``resources``.
    processes : bool
        Only False: all workers are threads of this process.
    set_as_default : bool
        Whether `get_client` finds it, and `compute` takes over its threads and memory. Such a
        client stays until it is closed, even if nobody holds it.
    name : str, optional
        For messages.
    **options
        Others that dask.distributed has: ``timeout``, ``dashboard_address``, ``silence_logs`` and
        their like mean nothing in one process.

    Raises
    ------
    NotSupportedError
        What is asked for needs other processes.
    ConfigError
        A limit cannot be read as a size.

    Examples
    --------
    >>> import gpuscale as gs
    >>> with gs.Client(threads_per_worker=2, memory_limit="1 GiB") as client:
    ...     parts = client.map(lambda n: n * n, range(10))
    ...     total = client.submit(sum, parts)
    ...     print(client)
    ...     total.result()
    <Client: 2 threads, memory limit 1.0 GiB>
    285
    """

    #: For code that asks dask.distributed's clients.
    asynchronous = False

    def __init__(
        self,
        address: str | None = None,
        *,
        n_workers: int | None = None,
        threads_per_worker: int | None = None,
        memory_limit: float | str | None = None,
        device_memory_limit: float | str | None = None,
        resources: Mapping[str, float] | None = None,
        processes: bool | None = False,
        set_as_default: bool = True,
        name: str | None = None,
        **options: Any,
    ) -> None:
        address = None if address == "inproc" else address
        check_options({"address": address, "processes": processes, **options}, _OPTIONS)
        if resources is not None:
            resources = check_resources(resources)
        n_workers = 1 if n_workers is None else n_workers
        threads = _threads(n_workers, threads_per_worker)
        limit = option_memory_limit()
        if memory_limit is not None:
            size = parse_bytes(config.check("memory-limit", memory_limit))
            limit = n_workers * size or NO_LIMIT
        self.name = name or new_key("client")
        self._started = time.time()
        self._threads, self._limit = threads, limit
        if device_memory_limit is not None:
            config.check("device-memory-limit", device_memory_limit)
            if not parse_bytes(device_memory_limit, NO_LIMIT):
                device_memory_limit = NO_LIMIT
        self._device_limit = device_memory_limit
        with without_annotations():  # which are for the tasks that a block makes itself
            self._context = copy_context()
        self._context.run(named.set, weakref.ref(self))
        engine = get_engine("threads")
        assert isinstance(engine, ThreadsEngine)
        self._session = engine.open_session(
            threads, limit, resources, self._context, self._device_limit
        )
        follow(self._session, run_log())
        self._settings: AbstractContextManager[Any] | None = None
        if set_as_default:
            self._take_over(resources)
        self._forsaken = weakref.finalize(self, _close_aside, self._session, self._settings)
        self._forsaken.atexit = False

    def _take_over(self, resources: Mapping[str, float] | None) -> None:
        options: dict[str, Any] = {"num-workers": self._threads, "memory-limit": self._limit}
        if not get_engine().shares_memory:  # a client of a cluster is open around this one
            options["engine"] = "threads"
        if self._device_limit is not None:
            options["device-memory-limit"] = self._device_limit
        if resources is not None:
            options["resources"] = dict(resources)
        self._settings = config.set(options)
        self._settings.__enter__()
        open_client(self)

    # who

    @classmethod
    def current(cls, allow_global: bool = True) -> Client:
        """Return the client that is open; see `get_client`."""
        client, ref = find_client(), named.get()
        if not allow_global:
            client = None if ref is None else ref()
        if client is None:
            raise ValueError("there is no open client")
        return client

    @block
    def as_current(self) -> Generator[Client, None, None]:
        """Be the client that is meant where none is named, in this thread and block."""
        token = named.set(weakref.ref(self))
        try:
            yield self
        finally:
            named.reset(token)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *error: object) -> None:
        import asyncio

        await asyncio.to_thread(self.close)

    def __getattr__(self, name: str) -> Any:
        kind = type(self).__name__
        raise AttributeError(f"{kind!r} object has no attribute {name!r}{where_instead(name)}")

    def close(self, timeout: Duration | None = 10.0) -> None:
        """End the client.

        Tasks that have not begun are cancelled. Futures that are done keep their results, and so
        do those of tasks that run and end in time. Called by a task of the client, it waits for
        none.

        Parameters
        ----------
        timeout : float or str, optional
            Seconds, or a text such as "10s", to wait for tasks that run; what does not end until
            then goes on in the background, and its future is cancelled.
        """
        seconds = parse_timeout(timeout)
        settings, self._settings = self._settings, None
        if settings is not None:
            settings.__exit__(None, None, None)
        forget_client(self)
        self._forsaken.detach()
        self._session.close(seconds)

    shutdown = close

    def restart(self) -> Client:
        """Cancel all tasks; results that are there stay."""
        self._cancel(self._session.pending())
        return self

    # what becomes of tasks

    def cancel(
        self,
        futures: Any,
        asynchronous: Any = None,
        force: bool = False,
        reason: str | None = None,
        msg: str | None = None,
    ) -> None:
        """Cancel tasks and all that need them.

        A task that runs goes on, and its result is dropped. So is the result of one that is done.

        Parameters
        ----------
        futures : Future or containers of futures
        asynchronous, force, reason, msg
            Mean nothing in one process.
        """
        self._cancel([future._outcome for future in self._own(futures)])

    def _cancel(self, outcomes: list[Outcome]) -> None:
        self._session.cancel(outcomes)

    def retry(self, futures: Any, asynchronous: Any = None) -> None:
        """Run tasks that raised once more, and those of what they need that raised.

        Parameters
        ----------
        futures : Future or containers of futures

        Examples
        --------
        >>> import gpuscale as gs
        >>> answers = iter([ZeroDivisionError("once"), 7])
        >>> def flaky():
        ...     answer = next(answers)
        ...     if isinstance(answer, Exception):
        ...         raise answer
        ...     return answer
        >>> with gs.Client() as client:
        ...     future = client.submit(flaky)
        ...     print(repr(future.exception()))
        ...     future.retry()
        ...     future.result()
        ZeroDivisionError('once')
        7
        """
        again: dict[Key, Outcome] = {}
        stack = [future._outcome for future in self._own(futures)]
        while stack:
            outcome = stack.pop()
            if outcome.status == "error" and outcome.task.key not in again:
                again[outcome.task.key] = outcome
                stack += outcome.parents
        self._session.try_again(list(again.values()))

    def _own(self, futures: Any) -> list[Future]:
        refuse_strangers(futures, "a client")
        found = futures_here(futures)
        for future in found:
            if future.client is not self:
                raise ValueError(
                    f"future {task_name(future._outcome.task)} belongs to another client"
                )
        return found

    def futures_of(self, *values: Any) -> list[Any]:
        """List the futures inside of containers; see `gpuscale.futures_of`."""
        return futures_of(*values)

    # the same client in other clothes

    def get_executor(self, **options: Any) -> ClientExecutor:
        """Return an executor of `concurrent.futures` whose calls are tasks of this client.

        Parameters
        ----------
        **options
            ``priority``, ``resources`` and ``retries`` of all its tasks.
        """
        return ClientExecutor(self, **options)

    def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Call a function once in each process that has workers: in this one."""
        return {"inproc": function(*args, **kwargs)}


_OPTIONS = (
    "n_workers",
    "threads_per_worker",
    "memory_limit",
    "device_memory_limit",
    "resources",
    "processes",
    "name",
)


def _threads(n_workers: int, threads_per_worker: int | None) -> int:
    for name, value in (("n_workers", n_workers), ("threads_per_worker", threads_per_worker)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f"{name} is a number of at least 1, not {value!r}")
    if threads_per_worker is None:
        return max(n_workers, default_workers())
    return n_workers * threads_per_worker


def _close_aside(session: Session, settings: AbstractContextManager[Any] | None) -> None:
    """Close what a client held that went without being closed.

    The collector found it, in any thread, maybe in one that holds a lock which this needs.
    """

    def close() -> None:
        if settings is not None:
            settings.__exit__(None, None, None)
        session.close()

    if not is_over():
        threading.Thread(target=close, name="gpuscale-close", daemon=True).start()
