"""A run of threads without end: tasks come at any time, and results stay while someone wants them.

What clients ask of it is here, what its workers do in `gpuscale.engines.working`, and what the end
of a task means for those who want results in a `Book`.
"""

from __future__ import annotations

import os
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from contextvars import Context
from typing import Any

from gpuscale.base.errors import EngineError
from gpuscale.base.types import Key
from gpuscale.engines.away import Away
from gpuscale.engines.book import After, Book
from gpuscale.engines.events import Listener
from gpuscale.engines.outcome import Outcome
from gpuscale.engines.pool import ThreadPool
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
        Bytes that results and running tasks may take together.
    tokens : Tokens
        What is scarce.
    context : Context
        Of context variables: each worker sees a copy.
    siblings : set
        Runs and sessions that share the budget; this one is among them until it is closed.
    """

    def __init__(
        self,
        n_workers: int,
        budget: float,
        tokens: Tokens,
        context: Context,
        siblings: set[Any],
    ) -> None:
        self.closed = False
        self.n_workers = n_workers
        self.resources: Mapping[str, float] = tokens.capacity
        self.job = Book(budget, tokens, self._lose, self._take_back)
        self._budget, self._context = budget, context
        self._pool = ThreadPool()
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
        after = After()
        with self._lock:
            if self.closed:
                raise EngineError("the client is closed; make another one: gpuscale.Client()")
            chosen = self.job.add(graph, outcomes, after)
            self._wake_another()
        self._then(after)
        return chosen

    def cancel(self, outcomes: Sequence[Outcome]) -> None:
        """Give tasks up, and all that need them; drop the results that there are."""
        after = After()
        with self._lock:
            for outcome in outcomes:
                self.job.cancel(outcome, after)
            self._wake_another()
        self._then(after)

    def try_again(self, outcomes: Sequence[Outcome]) -> None:
        """Run tasks that failed once more."""
        after = After()
        with self._lock:
            if self.closed:
                raise EngineError("the client is closed")
            self.job.try_again(outcomes, after)
            self._wake_another()
        self._then(after)

    def pending(self) -> list[Outcome]:
        """List the outcomes of tasks that have not ended."""
        after = After()
        with self._lock:
            found = self.job.pending(after)
        self._then(after)
        return found

    def held(self) -> dict[Key, int]:
        """Bytes of the results that are held, by key."""
        after = After()
        with self._lock:
            self.job.let_go(after)
            self._wake_another()
            found = self.job.held()
        self._then(after)
        return found

    def watch(self, listener: Listener) -> None:
        """Tell a listener what happens from now on, in a thread of its own, until `unwatch`."""
        after = After()
        with self._lock:
            if not self.closed:
                self.job.absorb(after)
                ahead = self.job.growing.ahead()
                self.job.watching.attach(listener, ahead, self.n_workers, self._budget)
        self._then(after)

    def unwatch(self, listener: Listener) -> BaseException | None:
        """Tell a listener that it is over; return the exception that it raised, if any."""
        return self.job.watching.detach(listener)

    def close(self, timeout: float | None = None) -> bool:
        """Cancel what has not begun, and wait for the tasks that run; say whether they ended.

        Results of tasks that end later are dropped.
        """
        after = After()
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
        self.job.lost.append(ref)
        self._let_go(After())

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


_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


def _abandon_all() -> None:
    for session in list(_sessions):
        session._abandon()


# Threads do not survive a fork.
os.register_at_fork(after_in_child=_abandon_all)
