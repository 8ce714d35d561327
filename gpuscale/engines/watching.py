"""The desk of a `Session`: listeners come and go, and hear what happens in a thread of its own.

To each of them a `Session` is a run of its own: it begins with the first tasks that are there while
the listener is on, and ends when the listener goes, or the `Session`.
"""

from __future__ import annotations

import atexit
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Collection, Sequence
from itertools import chain

from gpuscale.base.types import Key
from gpuscale.engines.events import (
    PERIOD,
    Event,
    EventDesk,
    Listener,
    Progressed,
    Released,
    RunFinished,
    RunStarted,
    TasksAdded,
    is_being_told,
    tell,
)
from gpuscale.engines.growing import GrowingState
from gpuscale.engines.pool import is_over
from gpuscale.graph.task import Task

__all__ = ["Watching"]


class _Follower:
    """One listener, and what it has not heard yet."""

    def __init__(
        self, listener: Listener, n_workers: int, limits: Sequence[float], before: tuple[int, int]
    ) -> None:
        self.listener = listener
        self.wants: tuple[type, ...] | None = getattr(listener, "wants", None)
        self.waiting: deque[Event] = deque()
        self.started = False
        self.n_tasks = 0  # that came while it listens, or were ahead when it came
        self.before = before  # tasks finished and bytes made before it came
        self.error: BaseException | None = None  # that it raised
        self.is_gone = threading.Event()
        self.hidden: set[Key] = set()  # of tasks that it submitted itself while it was told
        self._n_workers, self._limits = n_workers, limits

    def put(self, event: Event) -> None:
        if self.hidden and (key := getattr(event, "key", None)) in self.hidden:
            if isinstance(event, Released):
                self.hidden.discard(key)
            return
        if self.wants is None or isinstance(event, self.wants):
            self.waiting.append(event)

    def add(self, tasks: Sequence[Task], now: float) -> None:
        self.n_tasks += len(tasks)
        if self.hidden:
            tasks = [task for task in tasks if task.key not in self.hidden]
        if not tasks:
            return
        if self.started:
            self.put(TasksAdded(tasks, now))
        else:
            nbytes = sum(task.nbytes for task in tasks)
            n_workers, (budget, on_device) = self._n_workers, self._limits
            self.started = True
            self.put(
                RunStarted(
                    len(tasks), nbytes, n_workers, budget, now, tasks,
                    grows=True, device_budget=on_device,
                )
            )  # fmt: skip

    def deliver(self) -> None:
        """Hand over what waits; one that raises hears of nothing but the end any more."""
        while self.waiting:
            event = self.waiting.popleft()
            if self.error is None or isinstance(event, RunFinished):
                try:
                    tell(self.listener, event)
                except BaseException as error:
                    self.error = self.error or error


class Watching(EventDesk):
    """Takes events of a session from any thread and hands them to listeners in one of its own.

    Parameters
    ----------
    state : GrowingState
        Of the `Session`.

    Attributes
    ----------
    n_finished : int
        How many tasks have returned a result since the `Session` began.
    """

    def __init__(self, state: GrowingState) -> None:
        super().__init__(())
        self.n_finished = 0
        self._state = state
        self.abandon()
        _desks.add(self)

    def abandon(self) -> None:
        """Forget all listeners: in the child of a fork, the thread is not there."""
        self._followers: tuple[_Follower, ...] = ()
        self._leaving: list[_Follower] = []
        self._thread: threading.Thread | None = None
        self._news = threading.Condition()  # guards these three
        self._see_wishes([])

    def __bool__(self) -> bool:
        return bool(self._followers)

    # in any thread

    def post(self, event: Event) -> None:
        """Take an event; safe in any thread."""
        for follower in self._followers:
            follower.put(event)

    def see_who_submits(self, keys: Collection[Key]) -> None:
        """Do not tell of new tasks those who submit them here in answer to an event.

        Else they would hear of what they submit for that again, and again.
        """
        for follower in self._followers:
            if is_being_told(follower.listener):
                follower.hidden.update(keys)
            else:
                follower.hidden.difference_update(keys)

    def add(self, tasks: Sequence[Task]) -> None:
        """Take note that tasks came, with the lock of the `Session` held, before any begins."""
        now = time.perf_counter()
        for follower in self._followers:
            follower.add(tasks, now)

    def attach(
        self, listener: Listener, ahead: Sequence[Task], n_workers: int, limits: Sequence[float]
    ) -> None:
        """Let a listener hear from now on; `ahead` are the tasks that have not ended.

        The `limits` of each space may change later.
        """
        before = self.n_finished, self._state.processed
        follower = _Follower(listener, n_workers, limits, before)
        if ahead:
            follower.add(ahead, time.perf_counter())
        with self._news:
            if any(each.listener is listener for each in self._followers):
                return
            if self._thread is None and not is_over():
                # It sees the follower as soon as it has the lock.
                thread = threading.Thread(target=self._run, name="gpuscale-watching", daemon=True)
                thread.start()
                self._thread = thread
            self._set_followers((*self._followers, follower))

    def detach(self, listener: Listener | None = None) -> BaseException | None:
        """Tell a listener, or all, what happened until now and that it is over.

        Returns
        -------
        BaseException or None
            The first that they raised, now or before.
        """
        if sys.is_finalizing():
            return None  # the thread has ended
        with self._news:
            kept = [f for f in self._followers if listener not in (None, f.listener)]
            gone = [f for f in self._followers if f not in kept]
            self._set_followers(tuple(kept))
            self._leaving += gone
            self._news.notify()
            own = threading.current_thread() is self._thread  # it cannot wait for itself
        for follower in () if own else gone:
            follower.is_gone.wait()
        return next((f.error for f in gone if f.error is not None), None)

    def _set_followers(self, followers: tuple[_Follower, ...]) -> None:
        self._followers = followers
        self._see_wishes([each.listener for each in followers])

    # in the thread of the desk

    def _run(self) -> None:
        while True:
            with self._news:
                if not self._leaving:
                    self._news.wait(PERIOD)
                leaving, self._leaving = self._leaving, []
                followers = self._followers
                if not followers and not leaving:
                    self._thread = None
                    return
            for follower in chain(followers, leaving):
                self._tell(follower, is_over=follower in leaving)
            for follower in leaving:
                follower.is_gone.set()

    def _tell(self, follower: _Follower, is_over: bool) -> None:
        if follower.started:
            state, now = self._state, time.perf_counter()
            n_finished, nbytes = self.n_finished, state.processed
            n_finished, nbytes = n_finished - follower.before[0], nbytes - follower.before[1]
            n_tasks = follower.n_tasks
            ended = max(0, n_tasks - state.unfinished)
            alive, on_device = state.alive
            follower.put(Progressed(ended, n_tasks, nbytes, alive, now, on_device))
            if is_over:
                follower.put(RunFinished(n_finished, nbytes, now))
        follower.deliver()


_desks: weakref.WeakSet[Watching] = weakref.WeakSet()


def _end_all() -> None:
    for desk in list(_desks):
        desk.detach()


# Listeners hear the end of what the program does not close, and no thread draws while Python ends.
atexit.register(_end_all)
