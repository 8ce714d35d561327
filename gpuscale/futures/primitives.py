"""What tasks meet at: locks, events, semaphores, queues and variables, found by their names.

All with the name are the same thing, in the whole process. A task that waits lets another one run
in its place. Names and rules are those of dask.distributed, which makes them where the client
that is meant is that of a cluster.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Self, TypeVar
from weakref import WeakValueDictionary

from gpuscale.base.durations import Duration, parse_timeout
from gpuscale.base.interrupts import held_back
from gpuscale.engines.seats import stepped_aside
from gpuscale.futures.clusters import library_of_clusters
from gpuscale.futures.current import get_client_of_cluster
from gpuscale.futures.signs import Sign, Tokens, move
from gpuscale.graph.handle import new_key

__all__ = ["Event", "Lock", "Queue", "Semaphore", "Variable"]

T = TypeVar("T")

_guard = threading.RLock()  # of the tables below
# A core is in one of them: by a name that somebody gave it lasts, else it goes with its holders.
_nameless: WeakValueDictionary[tuple[type, str], Any] = WeakValueDictionary()
_named: dict[tuple[type, str], Any] = {}


class _Core:
    """What all objects of one name share."""

    def __init__(self, inner: Any, is_named: bool) -> None:
        self.inner, self.is_named = inner, is_named


class _Named:
    """An object that is known by its name, also when it is pickled."""

    def __new__(cls, *args: Any, **options: Any) -> Any:
        """Make one, or one of dask.distributed, which all processes of a cluster share."""
        if cls.__module__ == __name__ and get_client_of_cluster() is not None:
            return getattr(library_of_clusters(), cls.__name__)(*args, **options)
        return super().__new__(cls)

    def __init__(self, name: str | None, make: Callable[[], Any]) -> None:
        given, self.name = name, name or new_key(type(self).__name__)
        place = type(self), self.name
        with _guard:
            core = _named.get(place) or _nameless.get(place)
            if core is None:
                core = _Core(make(), given is not None)
                table: Any = _named if core.is_named else _nameless
                table[place] = core
        self._core = core

    @property
    def _inner(self) -> Any:
        return self._core.inner

    def _forget(self) -> None:
        with _guard:
            _named.pop((type(self), self.name), None)

    def _last(self, lasts: bool = True) -> None:
        """Have what is of a given name stay without holders, or go with the last of them."""
        place = type(self), self.name
        with _guard:
            if self._core.is_named:
                tables: tuple[Any, Any] = (_nameless, _named) if lasts else (_named, _nameless)
                tables[0].pop(place, None)
                tables[1][place] = self._core

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name,)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.name}>"


def _patiently(attempt: Callable[[float | None], T], timeout: Duration | None) -> T:
    """Try at once, then wait for as long as it may take; the task's place is another's meanwhile.

    `attempt` gets the seconds to wait, None for no limit; what it returns is false if it failed.
    """
    seconds = parse_timeout(timeout)
    result = attempt(0.0)
    if result or seconds == 0:
        return result
    with stepped_aside():
        return attempt(seconds)


class _Taken(_Named):
    """What ``with`` takes, and gives back at its end."""

    _give_back: Callable[..., None]  # in a single step, whatever its arguments

    def acquire(self) -> bool:
        """Wait for it, and take it."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.acquire()
        return self

    @property
    def __exit__(self) -> Callable[..., None]:
        return self._give_back  # a method would begin with a gap


class Lock(_Taken):
    """One at a time.

    Parameters
    ----------
    name : str, optional
    client, scheduler_rpc, loop : object
        Mean nothing in one process.

    Examples
    --------
    >>> import gpuscale as gs
    >>> with gs.Lock("file"):
    ...     gs.Lock("file").locked(), gs.Lock("file").acquire(timeout=0.01)
    (True, False)
    """

    def __init__(
        self,
        name: str | None = None,
        client: Any = None,
        scheduler_rpc: Any = None,
        loop: Any = None,
    ) -> None:
        super().__init__(name, threading.Lock)
        self._give_back = self._inner.__exit__

    def acquire(self, blocking: bool = True, timeout: Duration | None = None) -> bool:
        """Wait until it is free, and take it; False if it did not become so in time."""
        if not blocking and timeout is not None:
            raise ValueError("can't specify a timeout for a non-blocking call")

        taken: list[bool] = []

        def attempt(seconds: float | None) -> bool:
            # One step of the interpreter: Ctrl-C cannot come between taking it and knowing that.
            taken.extend(map(self._inner.acquire, (True,), (-1 if seconds is None else seconds,)))
            return taken[-1]

        try:
            _patiently(attempt, timeout if blocking else 0)
        except BaseException:
            if taken and taken[-1]:
                self._inner.release()
            raise
        return taken[-1]

    def release(self) -> None:
        """Give it back."""
        self._inner.release()

    def locked(self) -> bool:
        """Say whether somebody has it."""
        return bool(self._inner.locked())


class Event(_Named):
    """A sign that is waited for.

    Parameters
    ----------
    name : str, optional
    client : object
        Means nothing in one process.

    Examples
    --------
    >>> import gpuscale as gs
    >>> with gs.Client(threads_per_worker=1) as client:
    ...     waiting = client.submit(gs.Event("go").wait)
    ...     gs.Event("go").set()
    ...     waiting.result()
    True
    """

    def __init__(self, name: str | None = None, client: Any = None) -> None:
        super().__init__(name, Sign)

    def wait(self, timeout: Duration | None = None) -> bool:
        """Wait until it is set; False if it was not in time."""
        return _patiently(lambda seconds: bool(self._inner.wait(seconds)), timeout)

    def set(self) -> None:
        """Let all go on who wait."""
        self._inner.give()

    def clear(self) -> None:
        """Let those wait who come from now on."""
        self._inner.take_back()

    def is_set(self) -> bool:
        """Say whether it is set."""
        return bool(self._inner.is_given)


class Semaphore(_Taken):
    """So many at a time.

    Parameters
    ----------
    max_leases : int, optional
        How many; by default what the first of the name said, and 1 for the first.
    name : str, optional
    scheduler_rpc, loop : object
        Mean nothing in one process.

    Raises
    ------
    ValueError
        `max_leases` is no number of at least 1, or the first of the name said another one.

    Examples
    --------
    >>> import gpuscale as gs
    >>> with gs.Semaphore(2, name="database") as leases:
    ...     leases.get_value()
    1
    """

    def __init__(
        self,
        max_leases: int | None = None,
        name: str | None = None,
        scheduler_rpc: Any = None,
        loop: Any = None,
    ) -> None:
        if max_leases is not None and (not isinstance(max_leases, int) or max_leases < 1):
            raise ValueError(f"max_leases is a number of at least 1, not {max_leases!r}")
        super().__init__(name, lambda: Tokens(max_leases or 1))
        self.max_leases: int = self._inner.count
        if max_leases not in (None, self.max_leases):
            raise ValueError(
                f"semaphore {self.name!r} has {self.max_leases} leases, as the first of its name "
                f"said, not {max_leases}; close() that one before, or take another name"
            )
        self._give_back = self._inner.put_back

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.max_leases, self.name)

    def acquire(self, timeout: Duration | None = None) -> bool:
        """Wait for a lease; False if there was none in time."""
        mine: list[Any] = []
        try:
            return _patiently(lambda seconds: bool(self._inner.take(seconds, mine)), timeout)
        except BaseException:
            if mine:
                self._give_back(None)
            raise

    def release(self) -> bool:
        """Give a lease back; ValueError if none is out."""
        if not self._inner.n_out:
            raise ValueError(f"no lease of semaphore {self.name!r} is out")
        self._give_back(None)
        return True

    def get_value(self) -> int:
        """Count the leases that are out."""
        return int(self._inner.n_out)

    def close(self) -> None:
        """Forget the name; those who have it go on."""
        self._forget()


class Queue(_Named):
    """Values, or futures, first in, first out.

    Parameters
    ----------
    name : str, optional
    client : object
        Means nothing in one process.
    maxsize : int
        How many it has room for; 0 for any number. What the first of a name says holds.

    Examples
    --------
    >>> import gpuscale as gs
    >>> gs.Queue("words").put("first")
    >>> gs.Queue("words").get()
    'first'
    """

    def __init__(self, name: str | None = None, client: Any = None, maxsize: int = 0) -> None:
        super().__init__(name, lambda: _Line(maxsize))

    def put(self, value: Any, timeout: Duration | None = None) -> None:
        """Append a value; TimeoutError if there was no room in time."""
        line = self._inner
        room: list[Any] = []
        placed: list[None] = []
        try:
            if line.room is not None and not _patiently(
                lambda seconds: bool(line.room.take(seconds, room)), timeout
            ):
                raise TimeoutError(f"queue {self.name!r} had no room within {timeout!r}")
            placed.extend(map(line.values.put, (value,)))  # in one step, as above
        except BaseException:
            if room and not placed:
                line.room.put_back(None)
            raise

    def get(self, timeout: Duration | None = None, batch: bool | int = False) -> Any:
        """Take the next value; TimeoutError if none came in time.

        Parameters
        ----------
        timeout : float or str, optional
        batch : bool or int
            True for a list of all that there are, a number for a list of so many.
        """
        if batch is True:
            return [self._next(0) for _ in range(self.qsize())]
        if batch is not False:
            return [self._next(timeout) for _ in range(batch)]
        return self._next(timeout)

    def _next(self, timeout: Duration | None) -> Any:
        line = self._inner
        found: list[Any] = []
        try:
            _patiently(lambda seconds: move(line.values, seconds, found), timeout)
        finally:
            if found and line.room is not None:
                line.room.put_back(None)
        if not found:
            raise TimeoutError(f"queue {self.name!r} had nothing within {timeout!r}")
        return found[0]

    def qsize(self) -> int:
        """Count the values."""
        return int(self._inner.values.qsize())

    def close(self) -> None:
        """Forget the name and, with the last who has it, the values."""
        self._forget()


class _Line:
    """The values of a queue, and the room that is left for more."""

    def __init__(self, maxsize: int) -> None:
        self.values: SimpleQueue[Any] = SimpleQueue()
        self.room = Tokens(maxsize) if maxsize > 0 else None


class Variable(_Named):
    """One value, or future, that may be waited for.

    Deleted, it has none until somebody sets it again, whoever has the name.

    Parameters
    ----------
    name : str, optional
    client : object
        Means nothing in one process.

    Examples
    --------
    >>> import gpuscale as gs
    >>> gs.Variable("best").set(7)
    >>> gs.Variable("best").get()
    7
    """

    def __init__(self, name: str | None = None, client: Any = None) -> None:
        super().__init__(name, _Place)

    def set(self, value: Any, timeout: Duration | None = None) -> None:
        """Have a value from now on."""
        place = self._inner
        with held_back(), place.lock:
            garbage, place.value = place.value, (value,)
            self._last()
            place.is_there.give()
        del garbage  # without the lock: it may call functions of the user's

    def get(self, timeout: Duration | None = None) -> Any:
        """Return the value; wait for it if there is none yet; TimeoutError if none came in time."""
        place = self._inner

        def attempt(seconds: float | None) -> tuple[Any, ...]:
            place.is_there.wait(seconds)
            found: tuple[Any, ...] = place.value
            return found

        found = _patiently(attempt, timeout)
        if not found:
            raise TimeoutError(f"variable {self.name!r} had no value within {timeout!r}")
        return found[0]

    def delete(self) -> None:
        """Forget the value; the name goes with the last who has it, or gets another value."""
        place = self._inner
        with held_back(), place.lock:
            place.is_there.take_back()
            garbage, place.value = place.value, ()
            self._last(False)
        del garbage


class _Place:
    """Where the value of a variable lies."""

    def __init__(self) -> None:
        self.is_there = Sign()
        self.lock = threading.Lock()  # of those who change it
        self.value: tuple[Any, ...] = ()
