"""A closed client says so, by whichever way it is asked for something."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

import distributed

from gpuscale.base.errors import EngineError
from gpuscale.cluster.giving_way import giving_way
from gpuscale.engines.events import PERIOD
from gpuscale.engines.stuck import Watch
from gpuscale.memory.remote import CLOSED, check_open

__all__ = ["NoScheduler", "as_completed"]


class NoScheduler:
    """In the place of the scheduler of a closed client: refuses all that one could be asked.

    Examples
    --------
    >>> NoScheduler().ncores
    Traceback (most recent call last):
    gpuscale.base.errors.EngineError: the client of the cluster was closed, and ...
    """

    address = "none, it is closed"

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):  # what nobody has
            raise AttributeError(name)
        raise EngineError(CLOSED)


class as_completed(distributed.as_completed):  # type: ignore[misc]  # noqa: N801 - the name there
    """Iterate over a cluster's futures in the order in which they get done.

    Futures of a closed client, whose thread may have ended, are refused, as nothing comes of them.

    Parameters
    ----------
    futures : iterable of Future, optional
    *args, **options
        What ``distributed.as_completed`` takes: ``with_results``, ``raise_errors``, ``timeout``.

    Raises
    ------
    EngineError
        Their client is closed.
    """

    def __init__(self, futures: Iterable[Any] | None = None, *args: Any, **options: Any) -> None:
        given = list(futures or ())
        _check_all(given)  # before a client is looked for that is open
        super().__init__(given, *args, **options)

    def update(self, futures: Iterable[Any]) -> None:
        """Add more futures."""
        given = list(futures)
        _check_all(given)
        super().update(given)

    def __next__(self) -> Any:
        if self.queue.empty():
            waited_for = list(self.futures)
            _check_all(waited_for)
            with giving_way():
                self._watch(waited_for)
                return super().__next__()
        return super().__next__()

    def _watch(self, futures: list[Any]) -> None:
        """Look at the workers until one of some futures is there, or nobody waits any longer."""
        client = next((each.client for each in futures if hasattr(each, "client")), None)
        if client is None:
            return
        watch = Watch(client)
        while self.queue.empty() and not self.is_empty() and not self._deadline.expired:
            watch.look()
            with self.thread_condition:
                self.thread_condition.wait(PERIOD)


def _check_all(futures: Iterable[Any]) -> None:
    for future in futures:
        check_open(getattr(future, "client", None))
