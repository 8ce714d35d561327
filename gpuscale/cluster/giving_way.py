"""Tasks that wait for other tasks leave them their thread, and take it again afterwards."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import distributed
from distributed import threadpoolexecutor, worker

__all__ = ["get_client", "giving_way", "waits"]

_WAITING = frozenset({"_gather", "_result", "_exception", "_scatter", "_traceback", "_wait"})


def waits(function: Any, options: dict[str, Any]) -> bool:
    """Say whether a method of clients and futures waits for tasks, in the thread that calls it.

    Examples
    --------
    >>> waits(distributed.Client._gather, {}), waits(distributed.Client._restart, {})
    (True, False)
    """
    return getattr(function, "__name__", "") in _WAITING and not options.get("asynchronous")


@contextmanager
def giving_way(is_waiting: bool = True) -> Generator[None, None, None]:
    """Leave the thread of a worker, if this is one, to other tasks.

    Without that, tasks that wait for tasks hold all threads, and those never begin. Nothing happens
    where the task has left it already, by ``secede()`` or ``worker_client()``.

    Examples
    --------
    >>> with giving_way():
    ...     pass
    """
    has_place = getattr(threadpoolexecutor.thread_state, "proceed", False)
    if not (is_waiting and has_place and _is_task()):
        yield
        return
    distributed.secede()
    try:
        yield
    finally:
        distributed.rejoin()


def get_client(*args: Any, **options: Any) -> Any:
    """Return the client that is open, or the one of the worker that runs this task.

    Waiting for futures of it, tasks leave their thread to others, to any depth.

    Parameters
    ----------
    *args, **options
        What ``distributed.get_client`` takes: ``address``, ``timeout``, ``resolve_address``.

    Raises
    ------
    ValueError
        There is none.
    """
    client = distributed.get_client(*args, **options)
    if _is_task() and _is_of_worker(client) and not isinstance(client.sync, _Sync):
        client.sync = _Sync(client.sync)  # type: ignore[method-assign, assignment]
    return client


def _is_of_worker(client: Any) -> bool:
    """Whether it is dask.distributed's own, of which workers make one for all their tasks."""
    return type(client) is distributed.Client


def _is_task() -> bool:
    """Whether a worker runs a task in this thread."""
    return hasattr(worker.thread_state, "key")


class _Sync:
    """`Client.sync`, giving way meanwhile."""

    def __init__(self, sync: Callable[..., Any]) -> None:
        self.sync = sync

    def __call__(self, function: Any, *args: Any, **options: Any) -> Any:
        with giving_way(waits(function, options)):
            return self.sync(function, *args, **options)
