"""Waiting for several futures: until all are done (`wait`), or for one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Container, Iterable, Iterator
from concurrent.futures import CancelledError
from queue import SimpleQueue
from typing import Any, NamedTuple

from gpuscale.base.durations import Duration, parse_timeout
from gpuscale.collection import Collection
from gpuscale.engines.outcome import Outcome
from gpuscale.engines.seats import stepped_aside
from gpuscale.futures.clusters import function_for, futures_of_clusters, is_of_cluster
from gpuscale.futures.future import Future, futures_here, refuse_strangers
from gpuscale.futures.signs import move
from gpuscale.graph.handle import Handle
from gpuscale.nested import listed

__all__ = ["DoneAndNotDoneFutures", "as_completed", "wait"]


class DoneAndNotDoneFutures(NamedTuple):
    """What `wait` returns."""

    done: set[Future]
    not_done: set[Future]


def wait(
    fs: Any, timeout: Duration | None = None, return_when: str = "ALL_COMPLETED"
) -> DoneAndNotDoneFutures:
    """Wait until futures are done.

    Parameters
    ----------
    fs : Future or containers of futures
        Of a cluster's client are handed on to ``distributed.wait``, as are those behind
        collections that its workers keep.
    timeout : float or str, optional
        Seconds to wait at most, or a text such as "10s".
    return_when : {"ALL_COMPLETED", "FIRST_COMPLETED", "FIRST_EXCEPTION"}

    Returns
    -------
    (done, not_done)
        Two sets.

    Raises
    ------
    TypeError
        There are futures of `concurrent.futures`, or it is nothing that could hold futures.
    TimeoutError
        As in dask.distributed, and other than in `concurrent.futures`.
    CancelledError
        One that is done was cancelled.

    Examples
    --------
    >>> import gpuscale as gs
    >>> with gs.Client() as client:
    ...     done, not_done = gs.wait(client.map(abs, range(3)))
    ...     len(done), len(not_done)
    (3, 0)
    """
    enough = _ENOUGH.get(return_when)
    if enough is None:
        raise ValueError(f"return_when is one of {', '.join(_ENOUGH)}, not {return_when!r}")
    (fs,) = listed((fs,))
    futures, there = futures_here(fs), futures_of_clusters(fs)
    elsewhere = function_for("wait", futures, there)
    if elsewhere is not None:
        found: DoneAndNotDoneFutures = elsewhere(there, timeout, return_when)
        return found
    refuse_strangers(fs, "gpuscale.wait")
    if not (futures or isinstance(fs, Container) and not isinstance(fs, str | Handle)):
        raise TypeError(f"gpuscale.wait takes futures of clients, not {type(fs).__name__}")
    pending = {id(future._outcome) for future in futures}
    queue = as_completed(futures)
    until = _deadline(timeout)
    while pending:
        future = queue._take(None if until is None else max(0.0, until - time.monotonic()))
        if future is None:
            after = parse_timeout(timeout)
            raise TimeoutError(f"{len(pending)} futures are not done after {after:g} seconds")
        pending.discard(id(future._outcome))
        if enough(future):
            break
    done = {future for future in futures if future.done()}
    cancelled = [future.key for future in done if future.cancelled()]
    if cancelled:
        raise CancelledError(cancelled)
    return DoneAndNotDoneFutures(done, set(futures) - done)


def _deadline(timeout: Duration | None) -> float | None:
    seconds = parse_timeout(timeout)
    return None if seconds is None else time.monotonic() + seconds


_ENOUGH = {
    "ALL_COMPLETED": lambda future: False,
    "FIRST_COMPLETED": lambda future: True,
    "FIRST_EXCEPTION": lambda future: future.status == "error",
}


class as_completed:  # noqa: N801 - the name of dask.distributed and of concurrent.futures
    """Iterate over futures in the order in which they get done; more may be added meanwhile.

    Parameters
    ----------
    futures : iterable of Future, optional
        One that is given twice comes twice, as in dask.distributed, which does it for futures of
        a cluster's client.
    loop : object
        Means nothing here.
    with_results : bool
        Whether to yield pairs of a future and its result.
    raise_errors : bool
        With results: whether to raise what a task raised; otherwise its type, the exception and
        the traceback are in the place of the result.
    timeout : float or str, optional
        Seconds, or a text such as "10s", after which the iteration raises TimeoutError.

    Examples
    --------
    >>> import gpuscale as gs
    >>> with gs.Client() as client:
    ...     sorted(future.result() for future in gs.as_completed(client.map(abs, [-2, 1])))
    ...     sum(result for _, result in gs.as_completed(client.map(abs, [-3]), with_results=True))
    [1, 2]
    3
    """

    _given: list[Any]  # on the way from `__new__` to `__init__`

    def __new__(cls, futures: Any = None, *args: Any, **options: Any) -> Any:
        """Make one, or one of dask.distributed where these are futures of a cluster."""
        if isinstance(futures, Collection):
            raise TypeError(
                f"as_completed takes futures, not {type(futures).__name__}; those behind a "
                "collection that workers keep are as_completed(gpuscale.futures_of(collection))"
            )
        given = list(futures or ())  # an iterator can be read only once
        there = futures_of_clusters(given)
        elsewhere = function_for("as_completed", there and futures_here(given), there)
        if elsewhere is not None:
            return elsewhere(given, *args, **options)
        made = super().__new__(cls)
        made._given = given
        return made

    def __init__(
        self,
        futures: Iterable[Future] | None = None,
        loop: Any = None,
        with_results: bool = False,
        raise_errors: bool = True,
        *,
        timeout: Duration | None = None,
    ) -> None:
        self.with_results, self.raise_errors = with_results, raise_errors
        self._until = _deadline(timeout)
        self._lock = threading.Lock()
        self._waiting: dict[Outcome, list[Future]] = {}
        self._done: SimpleQueue[Future] = SimpleQueue()
        self.update(self._given)
        del self._given

    # more, fewer, how many

    def add(self, future: Future) -> None:
        """Add one more future, even one that has been here before."""
        self.update([future])

    def update(self, futures: Iterable[Future]) -> None:
        """Add more futures."""
        for future in futures:
            if is_of_cluster(future):
                raise TypeError(
                    "futures of a cluster cannot be added to those of this process: give them to "
                    "as_completed(futures) alone"
                )
            if not isinstance(future, Future):
                raise TypeError(f"as_completed takes futures, not {type(future).__name__}")
            outcome = future._outcome
            with self._lock:
                first = outcome not in self._waiting
                self._waiting.setdefault(outcome, []).append(future)
            if first:
                outcome.call_when_settled(self._settled)

    def _settled(self, outcome: Outcome) -> None:
        with self._lock:
            for future in self._waiting.pop(outcome, []):
                self._done.put(future)

    def clear(self) -> None:
        """Forget all futures."""
        with self._lock:
            waiting = list(self._waiting)
            self._waiting.clear()
            self._ready()
        for outcome in waiting:
            outcome.do_not_call(self._settled)

    def count(self) -> int:
        """Count the futures that have not been returned yet."""
        with self._lock:
            return self._done.qsize() + sum(map(len, self._waiting.values()))

    def is_empty(self) -> bool:
        """Say whether all futures have been returned."""
        return self.count() == 0

    def has_ready(self) -> bool:
        """Say whether a future is done that has not been returned."""
        return not self._done.empty()

    # one after the other

    def _take(self, timeout: float | None) -> Future | None:
        """Wait for the next future that is done; None if there was none in time."""
        found: list[Future] = []
        if not move(self._done, 0.0, found):
            with stepped_aside():
                move(self._done, timeout, found)
        return found[0] if found else None

    def _ready(self) -> list[Future]:
        """Take all that are done by now."""
        found: list[Future] = []
        while move(self._done, 0.0, found):
            continue
        return found

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self.is_empty():
            raise StopIteration
        left = None if self._until is None else max(0.0, self._until - time.monotonic())
        future = self._take(left)
        if future is None:
            raise TimeoutError(f"{self.count()} futures are not done in time")
        return self._shown(future)

    def next(self) -> Any:
        """Return the next future that is done."""
        return next(self)

    def next_batch(self, block: bool = True) -> list[Any]:
        """Return all futures that are done; wait for one if there is none and `block` says so."""
        first = [next(self)] if block else []
        return first + [self._shown(future) for future in self._ready()]

    def batches(self) -> Iterator[list[Any]]:
        """Iterate over lists of all futures that have become done since the last one."""
        while not self.is_empty():
            yield self.next_batch()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        import asyncio

        if self.is_empty():
            raise StopAsyncIteration
        return await asyncio.to_thread(self.__next__)

    def _shown(self, future: Future) -> Any:
        if not self.with_results:
            return future
        outcome = future._outcome
        if outcome.status == "finished":
            return future, outcome.value
        error = outcome.reason()
        if outcome.status == "error":
            if self.raise_errors:
                if isinstance(error, StopIteration | StopAsyncIteration):  # as in generators
                    raise RuntimeError(f"a task raised {type(error).__name__}") from error
                raise error
            return future, (type(error), error, outcome.traceback)
        return future, error
