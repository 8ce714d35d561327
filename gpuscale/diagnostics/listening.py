"""Listeners that are on for a while: ``with ProgressBar(): ...``."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gpuscale.engines.events import Event, Listener, is_being_told

if TYPE_CHECKING:
    from gpuscale.engines.session import Session

__all__ = ["Runs", "Timed", "Watcher", "active_listeners", "follow"]

W = TypeVar("W", bound="Watcher")
T = TypeVar("T", bound="Timed")
R = TypeVar("R")

_active: list[Listener] = []
_sessions: weakref.WeakSet[Session] = weakref.WeakSet()  # of clients


class Watcher:
    """A listener that is on within a ``with`` block, or between `register` and `unregister`.

    It hears of what is computed meanwhile, in the thread that asked for it, and of what clients
    run, in a thread of each client; what it raises there, `unregister` raises.

    Examples
    --------
    >>> class Count(Watcher):
    ...     n = 0
    ...     def __call__(self, event):
    ...         self.n += 1
    >>> with Count() as count:
    ...     count in active_listeners()
    True
    >>> count in active_listeners()
    False
    """

    @property
    def wants(self) -> tuple[type, ...] | None:
        """The events that it needs to see; the fewer, the less an engine has to do."""
        return None

    def __call__(self, event: Event) -> None:
        """Take one event."""
        raise NotImplementedError

    def register(self) -> None:
        """Watch every computation from now on, and the tasks of all clients."""
        _active.append(self)
        for session in tuple(_sessions):
            session.watch(self)

    def unregister(self) -> None:
        """Stop watching."""
        if self not in _active:
            raise ValueError(f"this {type(self).__name__} is not registered, or no longer")
        _active.remove(self)
        if self in _active:  # it was registered twice
            return
        errors = [session.unwatch(self) for session in tuple(_sessions)]
        for error in filter(None, errors):
            raise error

    def __enter__(self: W) -> W:
        self.register()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.unregister()


class Timed(Watcher):
    """A watcher with results that notes when its block begins and ends, and starts each afresh.

    Attributes
    ----------
    results : list
    start_time, end_time : float or None
        Of the block, in seconds of `time.perf_counter`.
    """

    def __init__(self) -> None:
        self.results: list[Any] = []
        self.start_time: float | None = None
        self.end_time: float | None = None

    def clear(self) -> None:
        """Forget the results, and the tasks and data that they hold on to."""
        self.results.clear()
        self.start_time = self.end_time = None

    def visualize(self, **options: Any) -> Any:
        """Draw the results with bokeh; see `gpuscale.diagnostics.visualize`."""
        from gpuscale.diagnostics.plots import visualize

        return visualize(self, **options)

    def __enter__(self: T) -> T:
        self.clear()
        self.start_time = time.perf_counter()
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end_time = time.perf_counter()
        super().__exit__(kind, error, traceback)


class Runs(Generic[R]):
    """What a listener knows of the runs under way.

    Events do not say which run they belong to, and need not: an engine delivers them in the thread
    that asked for the run, a client in a thread of its own, and runs of one thread are nested.

    Examples
    --------
    >>> runs = Runs()
    >>> runs.open("outer"), runs.open("inner")
    ('outer', 'inner')
    >>> runs.close(), runs.current, runs.close(), runs.close()
    ('inner', 'outer', 'outer', None)
    """

    def __init__(self) -> None:
        self._of_thread: dict[int, list[R]] = {}

    def open(self, run: R) -> R:
        """Take note that a run begins in this thread."""
        self._of_thread.setdefault(threading.get_ident(), []).append(run)
        return run

    @property
    def current(self) -> R | None:
        """The innermost run of this thread."""
        runs = self._of_thread.get(threading.get_ident())
        return runs[-1] if runs else None

    def close(self) -> R | None:
        """Take note that the innermost run of this thread is over, and return it."""
        runs = self._of_thread.get(threading.get_ident())
        if not runs:
            return None
        run = runs.pop()
        if not runs:
            del self._of_thread[threading.get_ident()]
        return run

    def close_all(self) -> list[R]:
        """Forget all runs, of whichever thread, and return them."""
        threads = list(self._of_thread.values())
        self._of_thread = {}
        return [run for runs in threads for run in runs]


def active_listeners() -> list[Listener]:
    """List the listeners that are on, but for those that are just being told something."""
    return [each for each in _active if not is_being_told(each)]


def follow(session: Session, others: Iterable[Listener] = ()) -> None:
    """Let those who are on, now or later, hear what a client runs, and some others."""
    _sessions.add(session)
    for listener in (*active_listeners(), *others):
        session.watch(listener)
