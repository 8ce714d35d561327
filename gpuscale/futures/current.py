"""Which client is meant where none is named, and a task's place among the workers."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Generator
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from gpuscale.base import config
from gpuscale.base.blocks import block
from gpuscale.base.errors import EngineError
from gpuscale.engines.seats import Seat, seat_here
from gpuscale.futures.clusters import client_of_cluster, library_of_task

if TYPE_CHECKING:
    from gpuscale.futures.client import Client

__all__ = [
    "default_client",
    "find_client",
    "forget_client",
    "get_client",
    "get_client_of_cluster",
    "named",
    "open_client",
    "rejoin",
    "secede",
    "worker_client",
]

# Of a block `with client.as_current()`, and of a client's own tasks.
named: ContextVar[weakref.ref[Client] | None] = ContextVar("gpuscale-client", default=None)

# Those that are open and were not told to stay in the background, the newest last.
open_clients: list[weakref.ref[Client]] = []
# They stay even if nobody else holds them, as those of dask.distributed: the newest, and the one
# that was it before, for when the newest is closed. Not more: who drops clients leaves no heap.
_held: deque[Client] = deque(maxlen=2)


def open_client(client: Client) -> None:
    """Have a client be the one that is meant where none is named, until it is closed."""
    open_clients[:] = [*(ref for ref in open_clients if ref() is not None), weakref.ref(client)]
    _held.append(client)


def forget_client(client: Client) -> None:
    """Take note that a client is closed."""
    open_clients[:] = [ref for ref in open_clients if ref() not in (client, None)]
    with suppress(ValueError):
        _held.remove(client)


def find_client() -> Client | None:
    """Return the client that is meant where none is named; None if there is none."""
    for ref in (named.get(), *reversed(open_clients)):
        client = None if ref is None else ref()
        if client is not None and client.status == "running":
            return client
    return None


def get_client(address: Any = None, timeout: Any = None, resolve_address: bool = True) -> Client:
    """Return the client that is open; inside of a task, the one that runs the task.

    Where there is none of this process, that of a cluster, or of the worker that runs the task.

    Parameters
    ----------
    address, timeout, resolve_address
        As of ``distributed.get_client``; they mean nothing in one process.

    Raises
    ------
    ValueError
        There is none.

    Examples
    --------
    >>> import gpuscale as gs
    >>> def total(n):
    ...     client = gs.get_client()
    ...     return sum(client.gather(client.map(abs, range(n))))
    >>> with gs.Client() as client:
    ...     assert gs.get_client() is client
    ...     client.submit(total, 10).result()
    45
    """
    client = find_client()
    if client is None or _is_outside(client):
        client = client_of_cluster(address, timeout, resolve_address) or client
    if client is None:
        raise _NoClientError("there is no open client; make one: client = gpuscale.Client()")
    return client


def get_client_of_cluster() -> Any | None:
    """Return the client that is meant where that is of a cluster, None elsewhere."""
    client = find_client()
    is_meant = client is None or _is_outside(client)
    return client_of_cluster(None, None, True) if is_meant else None


def _is_outside(client: Client) -> bool:
    """Whether the client of a cluster was opened after one of this process, and is the engine."""
    ref = named.get()
    return config.get("engine") == "distributed" and (ref is None or ref() is not client)


def default_client(client: Client | None = None) -> Client:
    """Return the client given, or else the one that is open.

    Raises
    ------
    ValueError
        There is none.

    Examples
    --------
    >>> import gpuscale as gs
    >>> with gs.Client() as client:
    ...     assert gs.default_client() is client
    """
    return get_client() if client is None else client


class _NoClientError(EngineError, ValueError):
    """dask.distributed raises ValueError here."""


def secede() -> None:
    """Give the place of this task to another one, for good or until `rejoin`.

    Waiting for futures does so by itself; this is for tasks that wait for something else. In a
    task on a worker of a cluster it is ``distributed.secede``.

    Raises
    ------
    ValueError
        It is not called in a task of a client.
    """
    library = _library_of_task()
    if library is not None:
        library.secede()
    else:
        _seat("secede").leave()


def rejoin() -> None:
    """Wait until there is a place for this task, which gave its own away with `secede`."""
    library = _library_of_task()
    if library is not None:
        library.rejoin()
    else:
        _seat("rejoin").take()


def _library_of_task() -> Any | None:
    """Return dask.distributed in a task that a cluster's worker runs, and no client in there."""
    return library_of_task() if seat_here() is None else None


def _seat(what: str) -> Seat:
    seat = seat_here()
    if seat is None:
        raise ValueError(f"{what}() makes sense in a task of a client only")
    return seat


@block
def worker_client(
    timeout: Any = None, separate_thread: bool = True
) -> Generator[Client, None, None]:
    """Return the client that runs this task, and give the task's place away meanwhile.

    Parameters
    ----------
    timeout : object
        Means nothing in one process.
    separate_thread : bool
        Whether to give the place away.

    Examples
    --------
    >>> import gpuscale as gs
    >>> def total(n):
    ...     with gs.worker_client() as client:
    ...         return sum(client.gather(client.map(abs, range(n))))
    >>> with gs.Client() as client:
    ...     client.submit(total, 10).result()
    45
    """
    library = _library_of_task()
    if library is not None:
        with library.worker_client(timeout, separate_thread) as client:
            yield client
        return
    client = get_client()
    if separate_thread:
        secede()
    try:
        yield client
    finally:
        if separate_thread:
            rejoin()
