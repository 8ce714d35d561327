"""`Future`: the result of a task that may not have run yet."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from html import escape
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from gpuscale.base.durations import Duration, parse_timeout
from gpuscale.base.types import Key
from gpuscale.collection import Collection
from gpuscale.engines.failure import task_name
from gpuscale.engines.outcome import Outcome
from gpuscale.engines.seats import stepped_aside
from gpuscale.futures.clusters import function_for, futures_of_clusters, is_of_cluster
from gpuscale.graph.handle import Handle
from gpuscale.graph.packing import rebuilt
from gpuscale.graph.task import Task
from gpuscale.nested import find, listed

if TYPE_CHECKING:
    from gpuscale.futures.client import Client

__all__ = [
    "Future",
    "fire_and_forget",
    "futures_here",
    "futures_of",
    "keep_until_settled",
    "refuse_strangers",
]


class Future(Handle):
    """The result of a task that may not have run yet.

    `Client` makes them. Arguments of other tasks may be futures, also of `delayed` calls and of
    `from_delayed`. A result is kept as long as a future of its key exists; a task whose last
    future goes before it has begun does not run, unless another task needs it
    (`fire_and_forget` says otherwise).

    Examples
    --------
    >>> import gpuscale as gs
    >>> with gs.Client() as client:
    ...     seven = client.submit(int, "7")
    ...     client.submit(pow, seven, 2).result()
    49
    """

    __slots__ = ("_client", "_outcome")
    __array_ufunc__ = None  # arrays leave operators to this class, which has none
    _gives = "result() gives"

    def __init__(self, outcome: Outcome, client: Any) -> None:
        self._outcome = outcome
        self._client = client

    # as a lazy value among others (see `Handle`)

    @property
    def _task(self) -> Task:  # type: ignore[override]
        return Task(self.key, _settled, (), (self._outcome,), label="future")

    @property
    def _parents(self) -> tuple[Any, ...]:  # type: ignore[override]
        return ()

    def _kept(self, value: Any) -> Future:  # by `persist`: it has its value, and keeps it
        return self

    def __gpuscale_tokenize__(self) -> Key:
        return self.key

    @property
    def _condition(self) -> NoReturn:  # which those of `concurrent.futures` look for
        raise TypeError(
            "concurrent.futures waits for its own futures: say gpuscale.wait, "
            "gpuscale.as_completed, or submit to client.get_executor()"
        )

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Future lives in the process of its client and cannot be pickled")

    # what people ask

    @property
    def key(self) -> Key:
        """Name of the result."""
        return self._outcome.task.key

    @property
    def client(self) -> Client:
        """The client that made it."""
        found: Client = self._client
        return found

    @property
    def status(self) -> str:
        """What is known of the task: "pending", "finished", "error" or "cancelled"."""
        return self._outcome.status

    @property
    def type(self) -> type | None:
        """Type of the result, None while there is none."""
        return self._outcome.kind if self._outcome.status == "finished" else None

    def done(self) -> bool:
        """Say whether the task has returned or raised, or was cancelled."""
        return self._outcome.status != "pending"

    def cancelled(self) -> bool:
        """Say whether the task was cancelled."""
        return self._outcome.status == "cancelled"

    def result(self, timeout: Duration | None = None) -> Any:
        """Wait for the result.

        Parameters
        ----------
        timeout : float or str, optional
            Seconds to wait at most, or a text such as "10s".

        Raises
        ------
        TimeoutError
            It is not there yet.
        CancelledError
            The task, or one that it needs, was cancelled.
        Exception
            What the task, or one that it needs, raised.

        Examples
        --------
        >>> import gpuscale as gs
        >>> with gs.Client() as client:
        ...     future = client.submit(divmod, 7, 0)
        ...     try:
        ...         future.result()
        ...     except ZeroDivisionError as error:
        ...         print(error)
        integer division or modulo by zero
        """
        try:
            self._wait(timeout)
            return self._outcome.get()
        finally:
            del self  # the traceback of what is raised holds this frame

    def exception(self, timeout: Duration | None = None) -> BaseException | None:
        """Wait for the end of the task, and return what it raised, None if it returned."""
        self._wait(timeout)
        if self._outcome.status == "cancelled":
            raise self._outcome.reason()
        return self._outcome.error

    def traceback(self, timeout: Duration | None = None) -> TracebackType | None:
        """Wait for the end of the task, and return the traceback of what it raised, if it did."""
        self.exception(timeout)
        found: TracebackType | None = self._outcome.traceback
        return found

    def _wait(self, timeout: Duration | None) -> None:
        seconds = parse_timeout(timeout)
        if not self._outcome.wait(seconds):
            name = task_name(self._outcome.task)
            raise TimeoutError(f"{name} has not finished within {seconds} seconds")

    def add_done_callback(self, fn: Callable[[Future], object]) -> None:
        """Call a function with the future when it is done, in the thread that finds it done.

        If it is done already, the function is called now; otherwise the future is kept until
        then. What the function raises is logged.
        """
        keep_until_settled(self._outcome, self._client)
        self._outcome.call_when_settled(_Callback(fn, self))

    def cancel(
        self, reason: str | None = None, msg: str | None = None, force: bool = False
    ) -> None:
        """Cancel the task, and all that need it; see `Client.cancel`."""
        self._client.cancel([self])

    def retry(self) -> None:
        """Run a task that raised once more; see `Client.retry`."""
        self._client.retry([self])

    def release(self) -> None:
        """Let go of the result before the future itself goes; it counts as cancelled from now."""
        released = Outcome(Task(self.key, _settled))
        released.settle("cancelled")
        self._outcome = released

    def __await__(self) -> Generator[Any, None, Any]:
        return self._when_done().__await__()

    async def _when_done(self) -> Any:
        import asyncio

        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def wake(_: Outcome) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(done.set)

        if self._outcome.status == "pending":
            self._outcome.call_when_settled(wake)
            try:
                with stepped_aside():  # a coroutine that is a task lets another task run meanwhile
                    await done.wait()
            finally:
                self._outcome.do_not_call(wake)
        return self._outcome.get()

    def __repr__(self) -> str:
        kind = f", type: {self.type.__name__}" if self.type is not None else ""
        return f"<Future: {self.status}{kind}, key: {self.key}>"

    def _repr_html_(self) -> str:
        kind = f", <b>type:</b> {escape(self.type.__name__)}" if self.type is not None else ""
        return (
            f"<b>Future</b> <b>status:</b> {self.status}{kind}, <b>key:</b> "
            f"<code>{escape(str(self.key))}</code>"
        )


def _refuse(self: Future, *others: Any) -> NoReturn:
    raise TypeError(
        "a Future has no operators and no items: result() waits for its value, and "
        "gpuscale.delayed(future) is a lazy value that has them"
    )


_BINARY = "add sub mul matmul truediv floordiv mod pow lshift rshift and or xor"
for _name in [*_BINARY.split(), *(f"r{each}" for each in _BINARY.split())]:
    setattr(Future, f"__{_name}__", _refuse)
for _name in ("neg", "pos", "abs", "invert", "lt", "le", "gt", "ge", "getitem"):
    setattr(Future, f"__{_name}__", _refuse)


def _settled(outcome: Outcome) -> Any:
    """Wait for a result: the function of the task that stands for a future in other graphs."""
    outcome.wait()
    return outcome.get()


class _Callback:
    """Calls a function of the user's; its exceptions are no concern of the worker's."""

    __slots__ = ("fn", "future")

    def __init__(self, fn: Callable[[Future], object], future: Future) -> None:
        self.fn, self.future = fn, future

    def __call__(self, _: Outcome) -> None:
        try:
            self.fn(self.future)
        except Exception:
            import logging

            name = getattr(self.fn, "__qualname__", self.fn)
            logging.getLogger("gpuscale").exception(
                "callback %s of future %s raised", name, self.future.key
            )


def futures_here(values: Any) -> list[Future]:
    """List the futures of clients in this process inside of containers."""
    found = {id(each): each for each in find(values) if isinstance(each, Future)}
    return list(found.values())


def futures_of(*values: Any) -> list[Any]:
    """List the futures inside of lists, tuples, dictionaries, sets, slices and dataclasses.

    Those of a cluster's client too, and the ones behind collections that its workers keep.

    Examples
    --------
    >>> import gpuscale as gs
    >>> with gs.Client() as client:
    ...     x, y = client.map(abs, [-1, -2])
    ...     gs.futures_of([x, {"y": (y, x)}]) == [x, y]
    True
    """
    values = listed(values)
    return [*futures_here(values), *futures_of_clusters(values)]


def refuse_strangers(values: Any, what: str) -> None:
    """Refuse futures that are not those of clients in this process.

    Raises
    ------
    TypeError
        Says what takes them.
    """
    if isinstance(values, concurrent.futures.Future):
        raise TypeError(
            f"{what} takes futures of clients; for those of concurrent.futures, which "
            "get_executor() makes, say concurrent.futures.wait(futures) and result()"
        )
    if is_of_cluster(values):
        raise TypeError(
            f"{what} takes futures of clients in this process; for those of a cluster take its own "
            "client, or gpuscale.compute(futures)"
        )
    if not isinstance(values, Handle | Collection):

        def look(each: Any) -> Any:
            refuse_strangers(each, what)
            return each

        rebuilt(values, look)


def fire_and_forget(obj: Any) -> None:
    """Run the tasks of futures to their end even if nobody keeps a future of them.

    The end of the program waits for them, unless their client was closed before.

    Parameters
    ----------
    obj : Future or containers of futures
        Of a cluster's client are handed on to ``distributed.fire_and_forget``.

    Examples
    --------
    >>> import gpuscale as gs
    >>> done = []
    >>> with gs.Client(threads_per_worker=1) as client:
    ...     gs.fire_and_forget(client.submit(done.append, "it"))
    ...     client.submit(str, "next").result()
    'next'
    >>> done
    ['it']
    """
    here, there = futures_here(obj), futures_of_clusters(obj)
    elsewhere = function_for("fire_and_forget", here, there)
    if elsewhere is not None:
        elsewhere(there)
    for future in here:
        keep_until_settled(future._outcome, future._client)


# With their clients, which would cancel them when they go.
_kept: dict[Outcome, Client] = {}


def keep_until_settled(outcome: Outcome, client: Client) -> None:
    """Run a task in any case: even if nobody holds its outcome, and the program is at its end."""
    if outcome.status == "pending" and outcome not in _kept:
        _kept[outcome] = client
        outcome.call_when_settled(_let_go)


def _let_go(outcome: Outcome) -> None:
    _kept.pop(outcome, None)


def _wait_for_kept() -> None:
    while found := list(_kept.items()):
        for outcome, _ in found:
            outcome.wait()


# As `concurrent.futures` does: functions of `atexit` would come when what the tasks need, such as
# results on disk, is gone.
threading._register_atexit(_wait_for_kept)  # type: ignore[attr-defined]
