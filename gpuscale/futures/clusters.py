"""Clients and futures of clusters, which dask.distributed looks after; nothing here imports it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from gpuscale.graph.lazy_values import lazy_in

__all__ = ["client_of_cluster", "function_for", "is_of_cluster"]


def _distributed() -> Any:
    """The library, if anybody has loaded it: else there is no client of a cluster."""
    return sys.modules.get("distributed")


def client_of_cluster(address: Any, timeout: Any, resolve_address: bool) -> Any | None:
    """Return the cluster's client that is open, or the one of the worker that runs this task."""
    library = _distributed()
    if library is None:
        return None
    try:
        return library.get_client(address, timeout, resolve_address)
    except ValueError:
        return None


def is_of_cluster(value: Any) -> bool:
    """Whether something is a future of a cluster's client.

    Examples
    --------
    >>> is_of_cluster(3)
    False
    """
    library = _distributed()
    return library is not None and isinstance(value, library.Future)


def function_for(name: str, futures: Any) -> Callable[..., Any] | None:
    """Return the function of dask.distributed that takes these futures; None if ours does.

    Parameters
    ----------
    name : str
    futures : future, or containers of futures

    Raises
    ------
    TypeError
        Some are of a cluster, and some of this process.
    """
    library = _distributed()
    if library is None:
        return None
    are_elsewhere = {is_of_cluster(each) for each in lazy_in(futures)}
    if len(are_elsewhere) > 1:
        raise TypeError(
            "there are futures of a cluster and of this process: wait for each by themselves"
        )
    return getattr(library, name) if True in are_elsewhere else None
