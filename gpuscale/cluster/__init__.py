"""Clusters: many processes, many GPUs, many machines, by way of dask.distributed.

================ ===================================================================
May import: every lower floor. The engine itself is `gpuscale.engines.distributed`. Names are loaded
at their first use; those of dask.distributed that work on a cluster as they are (`Lock`, `Queue`,
`as_completed`, ...) are handed on. Needs the extra ``cluster``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpuscale.cluster.client import Client as Client
    from gpuscale.cluster.local import LocalCluster as LocalCluster

_OWN = {
    "Client": "gpuscale.cluster.client",
    "LocalCluster": "gpuscale.cluster.local",
}

# Names of dask.distributed that need nothing of ours.
_HANDED_ON = (
    "Actor", "ActorFuture", "Adaptive", "BaseActorFuture", "CancelledError", "Event", "Future",
    "KilledWorker", "Lock", "MultiLock", "Nanny", "NannyPlugin", "Queue", "Reschedule",
    "Scheduler", "SchedulerPlugin", "Security", "Semaphore", "SpecCluster", "Status",
    "TimeoutError", "UploadDirectory", "UploadFile", "Variable", "Worker", "WorkerPlugin",
    "as_completed", "default_client", "fire_and_forget", "futures_of", "get_client",
    "get_task_metadata", "get_task_stream", "get_worker", "performance_report", "print",
    "progress", "rejoin", "secede", "span", "wait", "warn", "worker_client",
)  # fmt: skip

__all__ = sorted([*_OWN, *_HANDED_ON])  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name in _OWN:
        value = getattr(importlib.import_module(_OWN[name]), name)
    elif name in _HANDED_ON:
        value = getattr(_distributed(), name)
    else:
        raise AttributeError(f"module 'gpuscale.cluster' has no attribute {name!r}")
    globals()[name] = value
    return value


def _distributed() -> Any:
    try:
        return importlib.import_module("distributed")
    except ModuleNotFoundError as error:
        raise ImportError(
            "clusters need dask.distributed: pip install 'gpuscale[cluster]'"
        ) from error


def __dir__() -> list[str]:
    return list(__all__)
