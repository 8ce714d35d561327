"""A client as an executor of `concurrent.futures`."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from gpuscale.engines.outcome import Outcome
from gpuscale.engines.seats import seat_here, stepped_aside
from gpuscale.futures.future import keep_until_settled
from gpuscale.graph.packing import ONCE

if TYPE_CHECKING:
    from gpuscale.futures.client import Client

__all__ = ["ClientExecutor"]


class ClientExecutor(concurrent.futures.Executor):
    """What `Client.get_executor` returns: the tasks run in the client, the rules are Python's.

    The end of the program waits for its calls, unless the client was closed before.

    Parameters
    ----------
    client : Client
    **options
        ``priority``, ``resources`` and ``retries`` of all tasks, as in `Client.submit`.

    Examples
    --------
    >>> import gpuscale as gs
    >>> with gs.Client() as client, client.get_executor() as executor:
    ...     list(executor.map(pow, [2, 3], [5, 2]))
    [32, 9]
    """

    def __init__(self, client: Client, **options: Any) -> None:
        unknown = set(options) - {"priority", "resources", "retries", "workers", "pure"}
        if unknown:
            raise TypeError(f"get_executor takes no {', '.join(sorted(unknown))}")
        for name in ("workers", "pure"):
            options.pop(name, None)
        self._client = client
        self._options = options
        self._lock = threading.RLock()  # what goes meanwhile may submit from its finalizer
        self._shut = False
        self._open: dict[concurrent.futures.Future[Any], Outcome] = {}

    def submit(
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> concurrent.futures.Future[Any]:
        """Start a call and return a future of `concurrent.futures`."""
        if not callable(fn):
            raise TypeError(f"the first argument is what to call, not {fn!r}")
        work = _Work(fn)
        with self._lock:
            if self._shut:
                raise RuntimeError("cannot schedule new futures after shutdown")
            kwargs = {name: _wrapped(value) for name, value in kwargs.items()}
            (args,), kwargs = self._client._begun([tuple(map(_wrapped, args))], kwargs)
            outcome = self._client._maker(work, pure=False).make(args, kwargs)
            (outcome,) = self._client._start([outcome], **self._options)
            self._open[work.result] = outcome
        work.result.add_done_callback(self._give_up)
        outcome.call_when_settled(partial(self._report, work))
        keep_until_settled(outcome, self._client)
        return work.result

    def _give_up(self, result: concurrent.futures.Future[Any]) -> None:
        """Take a task back whose future was cancelled."""
        outcome = self._open.get(result)
        if outcome is not None and result.cancelled():
            self._client._cancel([outcome])

    def _report(self, work: _Work, outcome: Outcome) -> None:
        """Tell the future of `concurrent.futures` what became of the task."""
        result = work.result
        try:
            if outcome.status == "cancelled":
                result.cancel()
            if work.begins():
                if outcome.status == "finished":
                    result.set_result(outcome.value)
                else:
                    result.set_exception(outcome.reason())
        finally:
            self._open.pop(result, None)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; wait for those that there are; the client stays open."""
        with self._lock:
            self._shut = True
        results = dict(self._open)
        if cancel_futures:
            for result in results:
                result.cancel()
        if wait:
            concurrent.futures.wait(results)


class _Result(concurrent.futures.Future[Any]):
    """A future of Python's; a task that waits for it lets another task run meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._waiters = _Waiters()  # of `concurrent.futures.wait` and `as_completed`

    def result(self, timeout: float | None = None) -> Any:
        try:
            with nullcontext() if self.done() else stepped_aside():
                return super().result(timeout)
        finally:
            del self  # as in `Future.result`

    def exception(self, timeout: float | None = None) -> BaseException | None:
        with nullcontext() if self.done() else stepped_aside():
            return super().exception(timeout)


class _Waiters(list[Any]):
    """Who waits for several futures: by an event, which is nobody else's yet when it comes here."""

    def append(self, waiter: Any) -> None:
        if seat_here() is not None and type(waiter.event) is threading.Event:
            waiter.event = _EventOfTask()
        super().append(waiter)


class _EventOfTask(threading.Event):
    def wait(self, timeout: float | None = None) -> bool:
        with nullcontext() if self.is_set() else stepped_aside():
            return super().wait(timeout)


class _Work:
    """A call that tells when it begins, since from then on it cannot be cancelled."""

    __slots__ = ("__name__", "_begins", "_lock", "fn", "result")

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.fn, self.result = fn, _Result()
        self.__name__: str = getattr(fn, "__name__", type(fn).__name__)
        self._lock = threading.Lock()
        self._begins: bool | None = None

    def begins(self) -> bool:
        """Say that the call begins, or has begun; False if it was cancelled before."""
        with self._lock:
            if self._begins is None:
                self._begins = self.result.set_running_or_notify_cancel()
            return self._begins

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if not self.begins():
            return None
        return self.fn(*map(_unwrapped, args), **{k: _unwrapped(v) for k, v in kwargs.items()})


class _AsItIs:
    """Stands for an iterator, which is handed over as it is: as Python's executors do."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _wrapped(value: Any) -> Any:
    return _AsItIs(value) if isinstance(value, ONCE) else value


def _unwrapped(value: Any) -> Any:
    return value.value if type(value) is _AsItIs else value
