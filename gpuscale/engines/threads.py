"""The threads engine: a few threads that take tasks from the state of a run themselves.

A worker reports what it has finished and takes what it does next under one lock, so a task that
has become ready by the report usually runs at once in the thread whose cache holds its input. No
thread is in charge of the others: a worker that leaves tasks behind wakes one more worker, one that
finds nothing to do goes back to the pool.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import Context
from typing import Any, ClassVar

from gpuscale.base import config
from gpuscale.base.resources import check_resources
from gpuscale.base.types import Key
from gpuscale.engines import blas
from gpuscale.engines.base import Engine, OnError
from gpuscale.engines.events import PERIOD, Listener
from gpuscale.engines.job import Job
from gpuscale.engines.pool import ThreadPool, in_worker, is_over
from gpuscale.engines.session import Session
from gpuscale.engines.sharing import fill_batch, next_most
from gpuscale.engines.sync import run_here
from gpuscale.engines.tokens import Tokens
from gpuscale.graph.task import Task
from gpuscale.memory.limits import limited_to, memory_limit

__all__ = ["ThreadsEngine", "default_workers"]

# A graph this small runs in the calling thread, which saves waking another one up ...
TINY_TASKS = 3
# ... unless it moves as many bytes as take longer than that.
TINY_BYTES = 1 << 20

# Seconds that Ctrl-C waits for running tasks to end before it leaves them to themselves.
GRACE = 0.5


class ThreadsEngine(Engine):
    """Runs tasks in threads of this process, within a budget of bytes.

    Parameters
    ----------
    num_workers : int, optional
        Threads that run tasks at the same time; by default the option ``num-workers``, where 0
        is one for each core that the process may use.
    memory_limit : int, optional
        Bytes that results and running tasks may take together; by default the option
        ``memory-limit``. All runs of the engine share it.
    device_memory_limit : int, float or str, optional
        The same of the device; by default the option ``device-memory-limit``.
    resources : mapping of str to float, optional
        How much there is of what is scarce; by default the option ``resources``. All runs of the
        engine for which it is the same share it.

    Examples
    --------
    >>> graph = {i: Task(i, pow, (), (i, 2)) for i in range(5)}
    >>> graph["sum"] = Task("sum", lambda *x: sum(x), tuple(range(5)))
    >>> ThreadsEngine(num_workers=2).run(graph, ["sum"])
    [30]
    """

    name: ClassVar[str] = "threads"

    def __init__(
        self,
        num_workers: int | None = None,
        memory_limit: int | None = None,
        resources: Mapping[str, float] | None = None,
        device_memory_limit: float | str | None = None,
    ) -> None:
        self._num_workers = num_workers
        self._memory_limit, self._device_limit = memory_limit, device_memory_limit
        self._resources = None if resources is None else check_resources(resources)
        self._tokens: dict[frozenset[tuple[str, float]], Tokens] = {}
        self._pool = ThreadPool()
        self._runs: set[_Run | Session] = set()

    def planning(self) -> AbstractContextManager[Any]:
        """Plan for the engine's own limits, where it has some."""
        if self._memory_limit is None and self._device_limit is None:
            return nullcontext()
        return limited_to(self._memory_limit, self._device_limit)

    def run(
        self,
        graph: Mapping[Key, Task],
        keys: Sequence[Key],
        *,
        listeners: Sequence[Listener] = (),
        on_error: OnError = "raise",
    ) -> list[Any]:
        """Run the tasks that `keys` need and return the results of `keys`, in their order.

        A run inside a task runs in that task's thread: waiting for other workers could wait
        for ever, as they may all be waiting too. It shares no scarce things with others either:
        the task that it is part of has them already.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C. Nothing starts any more; tasks that do not end within half a second go on
            in the background until they are done, and what they return is dropped.
        """
        return self._run(self._job(graph, keys, listeners, on_error))

    def persist(
        self,
        graph: Mapping[Key, Task],
        keys: Sequence[Key],
        *,
        listeners: Sequence[Listener] = (),
    ) -> dict[Key, Any]:
        """Run the tasks that `keys` need; what memory has no room for stays on disk."""
        job = self._job(graph, keys, listeners, keeps=True)
        return dict(zip(keys, self._run(job), strict=True))

    def _job(
        self,
        graph: Mapping[Key, Task],
        keys: Sequence[Key],
        listeners: Sequence[Listener],
        on_error: OnError = "raise",
        keeps: bool = False,
    ) -> Job:
        limit = memory_limit() if self._memory_limit is None else self._memory_limit
        tokens = self._find_tokens()
        return Job(graph, keys, listeners, limit, tokens, on_error, keeps, self._device_limit)

    def _run(self, job: Job) -> list[Any]:
        if in_worker() or _is_tiny(job) or is_over():
            return run_here(job)
        run = _Run(job, self._pool, self._num_workers or default_workers(), self._runs)
        self._runs.add(run)
        try:
            return run.wait()
        finally:
            self._runs.discard(run)

    def open_session(
        self,
        n_workers: int,
        budget: float,
        resources: Mapping[str, float] | None,
        context: Context,
        device_budget: float | str | None = None,
    ) -> Session:
        """Open a run without end, to which tasks are added; it shares the budget with others.

        Parameters
        ----------
        n_workers : int
        budget : float
            Bytes of the host.
        resources : mapping of str to float, optional
            How much there is of what is scarce; by default as for the engine.
        context : Context
            Of context variables; tasks see a copy.
        device_budget : float or str, optional
            Bytes of the device; by default as for the engine.
        """
        tokens = self._find_tokens(resources)
        device_budget = self._device_limit if device_budget is None else device_budget
        return Session(n_workers, budget, tokens, context, self._runs, device_budget)

    def _find_tokens(self, there: Mapping[str, float] | None = None) -> Tokens:
        if there is None:
            there = config.get("resources") if self._resources is None else self._resources
            if in_worker():
                return Tokens(there)
        return self._tokens.setdefault(frozenset(there.items()), Tokens(there))

    def close(self) -> None:
        """End the threads that have nothing to do."""
        self._pool.close()


def default_workers() -> int:
    """Return the option ``num-workers``, or the number of cores that this process may use."""
    return config.get("num-workers") or len(os.sched_getaffinity(0))


def _is_tiny(job: Job) -> bool:
    tasks = job.graph.tasks
    if job.state.has_scarce:
        return False  # it may have to wait for another run
    return len(tasks) <= TINY_TASKS and sum(t.nbytes + t.workspace for t in tasks) <= TINY_BYTES


class _Run:
    """One job on the threads of a pool."""

    def __init__(self, job: Job, pool: ThreadPool, n_workers: int, siblings: set[Any]) -> None:
        self.job = job
        self.n_workers = pool.keep = n_workers
        self.error: BaseException | None = None
        self._siblings: set[_Run | Session] = siblings
        self._pool = pool
        self._lock = job.lock  # guards the state and everything below
        self._free = list(range(n_workers - 1, -1, -1))  # numbers of workers that do nothing
        self._batches: list[deque[int]] = [deque() for _ in range(n_workers)]
        self._to_write: dict[int, int] = {}  # results to be written to disk, by worker
        self._ended = job.state.done
        self._news = threading.Lock()  # released to wake the caller
        self._news.acquire()

    # in the calling thread

    def wait(self) -> list[Any]:
        """Start the run, wait for its end, and return the requested results."""
        job = self.job
        try:
            job.announce_start(self.n_workers)
            with self._lock:
                self._wake_another()
            while not self._ended:
                self._news.acquire(timeout=self._wake_sleepers())
                if job.desk:
                    job.announce_progress()
        except BaseException as error:  # Ctrl-C, or a listener
            with self._lock:
                self._cancel(error)
                self._end_if_done()
            self._poke_others()
            deadline = time.perf_counter() + GRACE
            while not self._ended and (left := deadline - time.perf_counter()) > 0:
                self._news.acquire(timeout=left)
            job.announce_end(error)
            raise
        requested = job.requested() if self.error is None else []
        job.announce_end(self.error)
        if self.error is not None:
            try:
                raise self.error
            finally:
                self.error = None  # its traceback holds this frame: no circle, no kept inputs
        return requested

    def _wake_sleepers(self) -> float:
        """Let tasks be tried again whose time has come; say how long to wait for the next."""
        longest = PERIOD if self.job.desk else -1
        with self._lock:
            state, now = self.job.state, time.perf_counter()
            if state.sleeping and state.due(now):
                self._wake_another()
            due = state.next_due
        if due is None:
            return longest
        return max(0.0, due - now) if longest < 0 else min(longest, max(0.0, due - now))

    def _cancel(self, error: BaseException) -> None:
        """Start nothing more because of an error (with the lock held)."""
        if self.error is None:
            self.error = error
        job = self.job
        job.drop(job.state.cancel())
        for batch in self._batches:
            while batch:
                try:
                    task = batch.popleft()
                except IndexError:  # its worker was faster
                    break
                job.state.withdraw(task)

    def _end_if_done(self) -> None:
        if self.job.state.done:
            self._ended = True
            self._wake_caller()

    def _wake_caller(self) -> None:
        if self._news.locked():
            self._news.release()

    def _poke_others(self) -> None:
        """Let runs go on that wait for what is scarce (without the lock)."""
        if self.job.state.has_scarce:
            for run in tuple(self._siblings):
                if run is not self:
                    run.poke()

    def poke(self) -> None:
        """Go on if there is something to do: others gave back what is scarce."""
        with self._lock:
            self._wake_another()

    def _wake_another(self) -> None:
        """Put one more worker to work if it would find something to do (with the lock held)."""
        if self._free and self.job.state.has_work:
            worker = self._free.pop()
            self._pool.call(lambda: self._work(worker))

    # in worker threads

    def _work(self, worker: int) -> None:
        """Take and run batches of tasks until there is nothing to do."""
        finished: list[tuple[int, int]] = []
        most = 1
        blas.enter()
        try:
            while self._report(worker, finished, most):
                begin = time.perf_counter()
                self._perform_batch(worker, finished)
                most = next_most(most, time.perf_counter() - begin)
        except BaseException as error:  # a defect of the engine must not leave the caller waiting
            blas.leave()
            with self._lock:
                self.error = error
                self._ended = True
                self._wake_caller()

    def _perform_batch(self, worker: int, finished: list[tuple[int, int]]) -> None:
        job, batch = self.job, self._batches[worker]
        if worker in self._to_write:
            self._write(worker)
        while batch:
            try:
                task = batch.popleft()
            except IndexError:  # another worker took the rest
                return
            try:
                nbytes = job.perform(task, worker)
            except BaseException as error:
                if self._is_end(task, worker, error):
                    return
            else:
                finished.append((task, nbytes))

    def _is_end(self, task: int, worker: int, error: BaseException) -> bool:
        """Take note that a task raised; say whether that ends the run."""
        with self._lock:
            self.job.fail(task, worker, error)
            is_end = self.job.state.cancelled
            if is_end:
                self._cancel(error)
            elif self.job.state.sleeping:
                self._wake_caller()  # who counts the seconds
        self._poke_others()
        return is_end

    def _report(self, worker: int, finished: list[tuple[int, int]], most: int) -> bool:
        """Take note of finished tasks and fill the worker's batch; say whether it got any."""
        goes_on = self._report_locked(worker, finished, most)
        self._poke_others()
        return goes_on

    def _report_locked(self, worker: int, finished: list[tuple[int, int]], most: int) -> bool:
        state = self.job.state
        with self._lock:
            if finished:
                self.job.finish(finished)
                finished.clear()
            if state.sleeping:
                state.due(time.perf_counter())
            self.job.look_for_room(self._siblings, self)
            if fill_batch(state, self._batches, worker, most):
                self._wake_another()
                return True
            victim = state.spill()
            if victim is not None:
                self._to_write[worker] = victim
                return True
            if state.is_stuck:
                self._cancel(self.job.no_room())
            self._free.append(worker)
            blas.leave()  # before the caller goes on, whose products may want all threads
            self._end_if_done()
            return False

    def _write(self, worker: int) -> None:
        """Write a result away to make room."""
        task = self._to_write.pop(worker)
        written = self.job.write(task, worker)
        with self._lock:
            self.job.take_written(task, written)
