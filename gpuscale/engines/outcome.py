"""What becomes of one task of a session: it is pending until somebody settles it, once."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any, Literal, TypeAlias

from gpuscale.base.errors import EngineError
from gpuscale.base.types import Key
from gpuscale.engines.away import Away
from gpuscale.engines.failure import traceback_of
from gpuscale.engines.pool import AT_THE_END, in_worker
from gpuscale.engines.seats import seat_here, stepped_aside
from gpuscale.graph.task import Graph, Task
from gpuscale.memory.spilled import Spilled

__all__ = ["Outcome", "Verdict"]

Verdict: TypeAlias = Literal["pending", "finished", "error", "cancelled"]

_logger = logging.getLogger("gpuscale.client")

# Guards how outcomes are settled and who is told. The collector may run a finalizer of the user's
# inside of it, which may look at outcomes, so the same thread may enter twice.
_lock = threading.RLock()


def _renew_lock() -> None:
    global _lock
    _lock = threading.RLock()


# In the child of a fork, nobody would release it.
os.register_at_fork(after_in_child=_renew_lock)


class Outcome:
    """The status, the result or the exception of one task, and those who wait for it.

    Whoever holds an outcome wants the result: a session keeps it for as long as that.

    Parameters
    ----------
    task : Task
    parents : tuple of Outcome
        Those of the tasks that it needs. Like `graph`, kept until it has succeeded, so that all of
        them can be tried again.
    graph : Graph, optional
        Tasks behind it that nobody asked for by themselves.

    Attributes
    ----------
    status : str
        "pending", "finished", "error" or "cancelled".
    reported : BaseException or None
        What the task, or one that it needs, is known to have raised, before anybody is told.

    Examples
    --------
    >>> outcome = Outcome(Task("x", int))
    >>> outcome.call_when_settled(lambda each: print(each.status, each.value))
    >>> outcome.settle("finished", 7)
    finished 7
    """

    __slots__ = (
        "__weakref__",
        "_value",
        "_waiters",
        "error",
        "graph",
        "parents",
        "reported",
        "status",
        "task",
        "traceback",
    )

    def __init__(
        self, task: Task, parents: tuple[Outcome, ...] = (), graph: Graph | None = None
    ) -> None:
        self.task, self.parents, self.graph = task, parents, graph
        self.reported: BaseException | None = None
        self._begin()

    def _begin(self) -> None:
        self.status: Verdict = "pending"
        self._value: Any = None
        self.error: BaseException | None = None
        self.traceback: Any = None
        self._waiters: list[Callable[[Outcome], object]] | None = None

    @property
    def key(self) -> Key:
        """Name of the result."""
        return self.task.key

    @property
    def value(self) -> Any:
        """The result, read back if it is on disk; None while there is none."""
        value = self._value
        return self._bring_back(value) if type(value) is Away else value

    @property
    def kind(self) -> type:
        """Type of the result, wherever that is."""
        value = self._value
        return value.kind if type(value) is Away else type(value)

    def _bring_back(self, away: Away) -> Any:
        value = away.fetch()
        with _lock:
            now = self._value
            if now is away:
                self._value = value = away.keep(value)
            elif self.status == "finished" and type(now) is not Away:
                return now  # somebody else was faster
        if now is away:
            away.tell(away)
        return value

    def send_away(self, number: int, tell: Callable[[Away], object]) -> Away | None:
        """Begin to have the result on disk; None if there is no result in memory."""
        with _lock:
            if self.status != "finished" or type(self._value) is Away:
                return None
            self._value = away = Away(self._value, number, tell)
        return away

    def has_left(self, away: Away, stored: Spilled | None) -> bool:
        """Have the result on disk alone if nobody has asked for it meanwhile; say whether."""
        with _lock:
            if self._value is not away:
                return False
            if stored is None:
                self._value = away.fetch()
                return False
            away.leave(stored)
        return True

    def settle(
        self, status: Verdict, value: Any = None, error: BaseException | None = None
    ) -> None:
        """Say what became of the task, if nobody has before, and tell those who wait.

        What is cancelled is so even if it had a result.
        """
        with _lock:
            if self.status != "pending" and status != "cancelled":
                return
            # What goes may call functions of the user's, which must not be within the lock.
            garbage = self._value, self.error, self.traceback, self.parents, self.graph
            self._value, self.error = value, error
            self.traceback = None if error is None else traceback_of(error)
            if status != "error":
                self.parents, self.graph = (), None
            self.status = status
            waiters, self._waiters = self._waiters, None
        del garbage
        for call in waiters or ():
            self._tell(call)

    def _tell(self, call: Callable[[Outcome], object]) -> None:
        """Call somebody who waits: what that raises, as `sys.exit` does, must end no worker."""
        try:
            call(self)
        except BaseException:
            if not in_worker():
                raise
            _logger.exception("who waited for %r raised", self.key)

    def begin_again(self) -> None:
        """Wait once more: the task is tried again."""
        with _lock:
            garbage = self._value, self.error, self.traceback
            self._begin()
        del garbage

    def call_when_settled(self, call: Callable[[Outcome], object]) -> None:
        """Call a function with the outcome as soon as it is settled, at once if it is already."""
        with _lock:
            if self.status == "pending":
                if self._waiters is None:
                    self._waiters = []
                self._waiters.append(call)
                return
        call(self)

    def do_not_call(self, call: Callable[[Outcome], object]) -> None:
        """Take back what was asked of `call_when_settled`."""
        with _lock:
            if self._waiters is not None and call in self._waiters:
                self._waiters.remove(call)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is settled; say whether it is. A worker that waits gives its place away."""
        if self.status != "pending":
            return True
        if sys.is_finalizing():
            raise EngineError(AT_THE_END)
        settled = threading.Lock()
        settled.acquire()

        def wake(_: Outcome) -> None:
            settled.release()

        self.call_when_settled(wake)
        seconds = -1 if timeout is None else max(0.0, timeout)
        try:
            if seat_here() is None:
                return settled.acquire(timeout=seconds)
            with stepped_aside():
                return settled.acquire(timeout=seconds)
        finally:
            if self.status == "pending":
                self.do_not_call(wake)

    def get(self) -> Any:
        """Return the result of a settled outcome, or raise what the task raised."""
        if self.status == "finished":
            return self.value
        raise self.reason()

    def reason(self) -> BaseException:
        """Return the exception that says why there is no result, as it was first raised."""
        if self.status == "cancelled":
            return CancelledError(self.key if self.error is None else str(self.error))
        assert self.error is not None
        return BaseException.with_traceback(self.error, self.traceback)
