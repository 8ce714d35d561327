"""A run of threads without end: tasks come at any time, and results stay while someone wants them.

What clients ask of it is here, what its workers do in `gpuscale.engines.working`, and what the end
of a task means for those who want results in a `Book`.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from contextvars import Context
from functools import partial
from typing import Any

from gpuscale.base.errors import EngineError
from gpuscale.base.interrupts import held_back, press_again
from gpuscale.base.types import Key
from gpuscale.engines.away import Away
from gpuscale.engines.book import After, Book
from gpuscale.engines.events import Listener
from gpuscale.engines.outcome import Outcome
from gpuscale.engines.pool import AT_THE_END, ThreadPool
from gpuscale.engines.seats import seat_here
from gpuscale.engines.tokens import Tokens
from gpuscale.engines.working import Workers
from gpuscale.graph.task import Graph

__all__ = ["Session"]


class Session(Workers):
    """Tasks that run in threads of a pool from when they are added.

    Parameters
    ----------
    n_workers : int
        How many tasks run at the same time.
    budget : float
        Bytes of the host that results and running tasks may take together.
    tokens : Tokens
        What is scarce.
    context : Context
        Of context variables: each worker sees a copy.
    siblings : set
        Runs and sessions that share the budget; this one is among them until it is closed.
    device_budget : float or str, optional
        Bytes of the device, as for a `Job`.
    """

    def __init__(
        self,
        n_workers: int,
        budget: float,
        tokens: Tokens,
        context: Context,
        siblings: set[Any],
        device_budget: float | str | None = None,
    ) -> None:
        self.closed = False
        self.n_workers = n_workers
        self.resources: Mapping[str, float] = tokens.capacity
        self.job = Book(budget, tokens, self._lose, self._take_back, device_budget)
        self._context = context
        self._pool = ThreadPool(n_workers)
        self._begin(n_workers)
        self._siblings = siblings
        siblings.add(self)
        _sessions.add(self)

    # for clients

    def add(self, graph: Graph, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Take tasks.

        Parameters
        ----------
        graph : Graph
            A task whose key is here already is not taken again.
        outcomes : sequence of Outcome
            Of the results that are wanted.

        Returns
        -------
        list of Outcome
            For each wanted key its outcome: the one given, or the one that there was.

        Raises
        ------
        EngineError
            It is closed, or a task asks for more of something scarce than there is.
        """
        if sys.is_finalizing():
            raise EngineError(AT_THE_END)
        if self._is_mine():
            self._late.append(partial(self._add_late, graph, outcomes))
            return list(outcomes)
        after = After()
        if len(outcomes) == 1 == len(graph):
            with self._lock:
                is_taken = not self.closed and self.job.add_at_once(outcomes[0])
                self._wake_another()
            if is_taken:
                self._then(after)
                return list(outcomes)
        with held_back():
            with self._lock:
                if self.closed:
                    raise EngineError("the client is closed; make another one: gpuscale.Client()")
                chosen = self.job.add(graph, outcomes, after)
                self._wake_another()
            self._then(after)
        return chosen

    def _add_late(self, graph: Graph, outcomes: Sequence[Outcome]) -> None:
        """Take tasks of a signal handler, whose futures are out already."""
        try:
            chosen = self.add(graph, outcomes)
        except Exception as error:
            for outcome in outcomes:
                outcome.settle("error", error=error)
            return
        for outcome, there in zip(outcomes, chosen, strict=True):
            if there is not outcome:  # it was here before: two outcomes, of which one follows
                weakref.finalize(outcome, _let_go_of, there).atexit = False
                there.call_when_settled(partial(_follow, outcome))

    def cancel(self, outcomes: Sequence[Outcome]) -> None:
        """Give tasks up, and all that need them; drop the results that there are."""
        if sys.is_finalizing():
            return
        if self._is_mine():
            self._late.append(partial(self.cancel, outcomes))
            return
        after = After()
        with held_back():
            with self._lock:
                for outcome in outcomes:
                    self.job.cancel(outcome, after)
                self._wake_another()
            self._then(after)

    def try_again(self, outcomes: Sequence[Outcome]) -> None:
        """Run tasks that failed once more."""
        self._check_not_within("retry")
        after = After()
        with held_back():
            with self._lock:
                if self.closed:
                    raise EngineError("the client is closed")
                self.job.try_again(outcomes, after)
                self._wake_another()
            self._then(after)

    def pending(self) -> list[Outcome]:
        """List the outcomes of tasks that have not ended."""
        self._check_not_within("looking for tasks")
        after = After()
        with held_back():
            with self._lock:
                found = self.job.pending(after)
            self._then(after)
        return found

    def held(self) -> dict[Key, int]:
        """Bytes of the results that are held, by key."""
        self._check_not_within("looking for results")
        after = After()
        with held_back():
            with self._lock:
                self.job.let_go(after)
                self._wake_another()
                found = self.job.held()
            self._then(after)
        return found

    def _check_not_within(self, what: str) -> None:
        if sys.is_finalizing():
            raise EngineError(AT_THE_END)
        if self._is_mine():
            raise EngineError(
                f"{what} in a signal handler or finalizer that interrupts the client itself; have "
                "it set a flag, or start a thread"
            )

    def watch(self, listener: Listener) -> None:
        """Tell a listener what happens from now on, in a thread of its own, until `unwatch`."""
        self._check_not_within("watching")
        after = After()
        with held_back(), self._lock:
            if not self.closed:
                self.job.absorb(after)
                ahead = self.job.growing.ahead()
                self.job.watching.attach(listener, ahead, self.n_workers, self.job.limits)
        self._then(after)

    def unwatch(self, listener: Listener) -> BaseException | None:
        """Tell a listener that it is over; return the exception that it raised, if any."""
        return self.job.watching.detach(listener)

    def close(self, timeout: float | None = None) -> bool:
        """Cancel what has not begun, and wait for the tasks that run; say whether they ended.

        Results of tasks that end later are dropped.
        """
        if sys.is_finalizing():  # threads that are gone may have the lock
            self.closed = True
            return True
        if self._is_mine():
            self._late.append(partial(self.close, timeout))
            return False
        after = After()
        with held_back():
            with self._lock:
                self.closed = True
                self._siblings.discard(self)
                if not self._is_broken:
                    self.job.close(after)
                    for batch in self._batches:
                        self._give_back(batch, after)
                self._news.notify_all()
            self._then(after)
        seat = seat_here()
        own = seat is not None and seat.session is self  # a task cannot wait for itself
        with self._lock:
            ended = own or self._news.wait_for(lambda: not self._seats, timeout)
            if not ended:
                self.job.give_up_running(after)
            elif not (own or self._is_broken):
                self.job.end(after)
        self._then(after)
        self._pool.close()
        error = self.job.watching.detach()
        if error is not None:
            raise error
        return ended

    def _give_back(self, batch: deque[int], after: After) -> None:
        """Take from a worker what it has not begun (with the lock held)."""
        while batch:
            try:
                task = batch.popleft()
            except IndexError:  # its worker was faster
                return
            self.job.withdraw(task, after)

    def _lose(self, ref: weakref.ref[Outcome]) -> None:
        """Let a result go that nobody holds any more; called at any time, in any thread."""
        try:
            self.job.lost.append(ref)
            self._let_go(After())
        except KeyboardInterrupt:  # which would not leave a callback
            press_again()

    def _take_back(self, away: Away) -> None:
        """Hold a result in memory again; called at any time, in any thread."""
        self.job.back.append(away)
        self._let_go(After())

    def _abandon(self) -> None:
        """Be closed in the child of a fork, where no thread of the pool is alive."""
        self.closed = True
        self.job.watching.abandon()
        self._begin(0)
        for outcome in self.job.pending(After()):
            outcome.settle("cancelled")


def _follow(outcome: Outcome, there: Outcome) -> None:
    outcome.settle(there.status, there.value, there.error)


def _let_go_of(there: Outcome) -> None:
    """Have held an outcome for as long as another one that follows it."""


_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


def _abandon_all() -> None:
    for session in list(_sessions):
        session._abandon()


# Threads do not survive a fork.
os.register_at_fork(after_in_child=_abandon_all)
