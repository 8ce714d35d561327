"""Clients and futures of clusters, which dask.distributed looks after; nothing here imports it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from gpuscale.collection import Collection
from gpuscale.graph.handle import Handle
from gpuscale.graph.packing import rebuilt
from gpuscale.keeping import kept_elsewhere
from gpuscale.memory.remote import check_open

__all__ = [
    "client_of_cluster",
    "function_for",
    "futures_of_clusters",
    "is_of_cluster",
    "library_of_clusters",
    "library_of_task",
]


def _distributed() -> Any:
    """The library, if anybody has loaded it: else there is no client of a cluster."""
    return sys.modules.get("distributed")


def client_of_cluster(address: Any, timeout: Any, resolve_address: bool) -> Any | None:
    """Return the cluster's client that is open, or the one of the worker that runs this task."""
    library = _distributed()
    if library is None:
        return None
    try:
        return library_of_clusters().get_client(address, timeout, resolve_address)
    except ValueError:
        return None


def library_of_clusters() -> Any:
    """The library; where clients are of ours, what knows when these are closed, or stuck."""
    return sys.modules.get("gpuscale.cluster", _distributed())


def is_of_cluster(value: Any) -> bool:
    """Whether something is a future of a cluster's client.

    Examples
    --------
    >>> is_of_cluster(3)
    False
    """
    library = _distributed()
    return library is not None and isinstance(value, library.Future)


def library_of_task() -> Any | None:
    """Return dask.distributed where a worker of a cluster runs this task, None elsewhere."""
    library = _distributed()
    if library is None:
        return None
    try:
        library.get_worker()
    except ValueError:
        return None
    return library


def futures_of_clusters(values: Any) -> list[Any]:
    """List futures of clusters' clients, in containers and behind persisted collections.

    Examples
    --------
    >>> futures_of_clusters([1, {"x": 2}])
    []
    """
    found: list[Any] = []

    def note(each: Any) -> Any:
        if is_of_cluster(each):
            found.append(each)
        elif isinstance(each, Collection | Handle):
            found.extend(kept_elsewhere(each))
        else:
            return rebuilt(each, note)
        return each

    if _distributed() is not None:
        note(values)
    return list({id(each): each for each in found}.values())


def function_for(name: str, here: Any, there: Any) -> Callable[..., Any] | None:
    """Return the function of dask.distributed that takes futures; None if ours does.

    Parameters
    ----------
    name : str
    here, there : list of futures
        Those of clients in this process, and those of a cluster's client.

    Raises
    ------
    TypeError
        Some are of a cluster, and some of this process.
    EngineError
        Their client is closed, which nobody would hear the end of them from.
    """
    if here and there:
        raise TypeError(
            "there are futures of a cluster and of this process: wait for each by themselves"
        )
    for future in there:
        check_open(future.client)
    return getattr(library_of_clusters(), name) if there else None
