"""Futures behind collections that workers hold: waiting for them, watching and publishing them."""

from __future__ import annotations

from typing import Any

import dask
import distributed

from gpuscale.engines.stuck import Watch
from gpuscale.keeping import kept_elsewhere
from gpuscale.memory.remote import check_open
from gpuscale.nested import find, replace

__all__ = ["futures_of", "held", "progress", "wait"]


class Held:
    """Stands for a collection where dask.distributed looks for the futures of its own.

    Pickles of it are of the collection.

    Parameters
    ----------
    collection : collection or delayed value
    """

    def __init__(self, collection: Any) -> None:
        self._collection = collection

    def __dask_graph__(self) -> dict[Any, Any]:
        return {future.key: future for future in kept_elsewhere(self._collection)}

    def __reduce__(self) -> tuple[Any, ...]:
        return _itself, (self._collection,)


def _itself(value: Any) -> Any:
    return value


def held(value: Any) -> Any:
    """Put `Held` in the place of each collection of this package."""
    return replace(value, Held)


def futures_of(*values: Any, client: Any = None) -> list[Any]:
    """List the futures behind persisted collections.

    Parameters
    ----------
    *values : object
        Persisted collections of this package or of dask, futures, and lists of these.
    client : distributed.Client, optional
        To which the futures must belong.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> from gpuscale.cluster import Client, futures_of
    >>> with Client(n_workers=1, threads_per_worker=1) as client:
    ...     len(futures_of(client.persist(ga.ones(10, chunks=5))))
    2
    """
    found: list[Any] = distributed.futures_of(held(list(values)), client=client)
    return found


def _checked(*values: Any) -> list[Any]:
    """List the futures that are to be waited for.

    Raises
    ------
    TypeError
        A value is nothing that could have any.
    EngineError
        The client of some is closed.
    """
    for each in values:
        if not (isinstance(each, _KINDS) or find(each) or dask.is_dask_collection(each)):
            raise TypeError(
                "wait and progress take persisted collections, futures, and lists of these, not "
                f"{type(each).__name__}"
            )
    found = futures_of(*values)
    for future in found:
        check_open(future.client)
    return found


_KINDS = (distributed.Future, list, tuple, set, frozenset, dict)


def wait(values: Any, timeout: Any = None, return_when: str = "ALL_COMPLETED") -> Any:
    """Wait until persisted collections, or futures, are there.

    Parameters
    ----------
    values : object
        As for `futures_of`.
    timeout : float or str, optional
        Seconds, or a text such as ``"10s"``; without one, as long as it takes.
    return_when : {"ALL_COMPLETED", "FIRST_COMPLETED"}

    Returns
    -------
    (set of Future, set of Future)
        ``done`` and ``not_done``.
    """
    return distributed.wait(_checked(values), timeout, return_when)


def progress(*values: Any, **options: Any) -> Any:
    """Show how far persisted collections, or futures, have come.

    Parameters
    ----------
    *values : object
        As for `futures_of`.
    **options
        What ``distributed.progress`` takes, such as ``notebook=False``.
    """
    if not values:
        raise TypeError(
            "progress(futures) shows how far these are; for a bar of what a block computes, say "
            "with gpuscale.diagnostics.ProgressBar(): ..."
        )
    futures = _checked(*values)
    for client in {each.client for each in futures}:
        if not client.asynchronous:
            Watch(client).look()  # a bar would wait for workers that nobody has asked for
    return distributed.progress(*futures, **options)
