"""A task that each worker which had it has died of: which it may be, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gpuscale.base.errors import EngineError
from gpuscale.base.sizes import format_bytes
from gpuscale.engines.failure import annotate, task_name
from gpuscale.engines.sending import Parcel
from gpuscale.expr.inside import operations
from gpuscale.expr.node import Node
from gpuscale.graph.task import Origin, Task

__all__ = ["deadly", "died", "parcel_name"]

#: Under which nannies tell the scheduler that they end a worker for the memory that it takes.
OVER_LIMIT = "worker-restart-memory"
#: Operations of one batch that are named: which of them it was, nobody knows.
NAMED = 3


def parcel_name(parcel: Parcel) -> str:
    """Name a batch by its first task, for people."""
    more = len(parcel.tasks) - 1
    return f"the task {task_name(parcel.tasks[0])}" + (f" with {more} others" if more else "")


def deadly(client: Any, error: Any, parcel: Parcel) -> EngineError:
    """Return what there is to say about a batch that its workers have died of.

    Parameters
    ----------
    client : distributed.Client
    error : distributed.KilledWorker
    parcel : Parcel
    """
    told = died(client, error, parcel_name(parcel))
    named = {each: task for task in parcel.tasks for each in _operations(task)}
    for (name, origin), task in list(named.items())[:NAMED]:
        function = getattr(task.fn, "__func__", task.fn)  # not the node's, which names itself
        annotate(told, Task(task.key, function, (), task.args, label=name, origin=origin), ())
    return told


def died(client: Any, error: Any, name: str) -> EngineError:
    """Return what there is to say about a task of some name that its workers have died of."""
    times = error.allowed_failures + 1
    workers = f"{times} workers, and each" if times > 1 else "a worker, which"
    return EngineError(
        f"{name} was given to {workers} died of it: {_reason(client, error.last_worker)}"
    )


def _operations(task: Task) -> Iterator[tuple[str, Origin | None]]:
    """Names and lines of what a task does, what runs inside of it first."""
    node = getattr(task.fn, "__self__", None)
    if isinstance(node, Node):
        yield from operations(node)
    else:
        yield task.label, task.origin


def _reason(client: Any, worker: Any) -> str:
    """Say why the last worker died, as far as its nanny has told."""
    limit = format_bytes(worker.memory_limit) if worker.memory_limit else "no limit"
    for _, event in client.get_events(OVER_LIMIT):
        if event["worker"] == worker.address:
            return (
                f"{worker.address} had {format_bytes(event['rss'])} of the {limit} of memory that "
                "a worker may take; make chunks smaller, or give workers more memory "
                "(memory_limit=) or fewer threads"
            )
    return (
        "a crash in compiled code, a machine that has no memory left or is gone; the logs of the "
        f"workers say more (memory_limit of a worker: {limit})"
    )
