"""The workers of a session: what they do in their threads, and who is woken up when.

Workers take tasks themselves, as in a run of the threads engine. A worker that finds nothing to do
ends its call; whoever changes what there is to do wakes another one up.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from functools import partial
from typing import Any

from gpuscale.base.errors import EngineError
from gpuscale.base.interrupts import held_back
from gpuscale.engines import blas
from gpuscale.engines.book import After, Book
from gpuscale.engines.failure import leave_engine_out
from gpuscale.engines.overlimit import OverLimit
from gpuscale.engines.pool import AT_THE_END, ThreadPool, is_over
from gpuscale.engines.seats import WorkerSeat, sit_down
from gpuscale.engines.sharing import fill_batch, next_most

__all__ = ["Workers"]

# Seconds from one look to the next at whether results in use have been let go: twice as many each
# time up to the last, since they may be in use for long.
FIRST_LOOK, LAST_LOOK = 0.05, 1.0

_logger = logging.getLogger("gpuscale.client")


class Workers:
    """The part of a `Session` that runs tasks.

    Attributes
    ----------
    closed : bool
        Whether nothing starts any more.
    n_workers : int
        How many tasks run at the same time.
    job : Book
    """

    closed: bool
    n_workers: int
    job: Book
    _context: Context
    _pool: ThreadPool
    _siblings: set[Any]

    def _begin(self, n_workers: int) -> None:
        # Guards the book and everything below. Signal handlers and finalizers come while their
        # thread has it; they find that out, and what they want is done afterwards.
        self._lock = self.job.lock = threading.RLock()
        self._late: deque[Callable[[], object]] = deque()
        self._news = threading.Condition(self._lock)
        self._free = list(range(n_workers - 1, -1, -1))  # numbers of workers that do nothing
        self._batches: list[deque[int]] = [deque() for _ in range(n_workers)]
        self._returning: deque[WorkerSeat] = deque()  # who wait for a place
        self._seats: set[Any] = set()  # of calls in threads of the pool
        self._has_alarm = self._watches_holders = self._is_broken = False
        self._over_limit = OverLimit()

    def poke(self) -> None:
        """Go on if there is something to do: others gave back what is scarce."""
        if self._is_mine():  # who has the lock wakes them up
            return
        with self._lock:
            self._wake_another()
        self._let_go(After())

    def _is_mine(self) -> bool:
        """Say whether this thread has the lock: then this is a signal handler, or a finalizer."""
        return self._lock._is_owned()  # type: ignore[attr-defined, no-any-return]

    def _then(self, after: After) -> None:
        """Do what is to be done after the lock was released."""
        if self.job.state.has_scarce:
            for each in tuple(self._siblings):
                if each is not self:
                    each.poke()
        after.do()
        if self.job.lost or self.job.back:
            self._let_go(after)
        while self._late and not self._is_mine():
            try:
                call = self._late.popleft()
            except IndexError:  # another thread was faster
                break
            call()

    def _let_go(self, after: After) -> None:
        """Release what nobody holds any more; who has the lock meanwhile does it afterwards."""
        if sys.is_finalizing():
            return
        job = self.job
        while job.lost or job.back:
            with held_back():
                if self._is_mine() or not self._lock.acquire(blocking=False):
                    return
                try:
                    job.let_go(after)
                    self._wake_another()
                finally:
                    self._lock.release()
                after.do()

    # in worker threads

    def _wake_another(self) -> None:
        """Put one more worker to work if it would find something to do (with the lock held)."""
        job = self.job
        if self._free and not self._is_broken and (job.inbox or job.state.has_work):
            with held_back():  # else a worker may be neither free nor at work
                worker = self._free.pop()
                try:
                    self._call(worker)
                except RuntimeError:  # those at work will come to it
                    self._free.append(worker)
                    if not (self._seats or is_over()):
                        raise

    def _call(self, worker: int) -> None:
        """Have a thread work in a place; RuntimeError if no more threads begin."""
        seat = WorkerSeat(self, worker)
        self._seats.add(seat)
        try:
            if not self._context.copy().run(self._pool.call, partial(self._work, seat)):
                raise EngineError(AT_THE_END)
        except RuntimeError:
            self._seats.discard(seat)
            raise

    def _work(self, seat: WorkerSeat) -> None:
        """Take and run batches of tasks until there is nothing to do."""
        sit_down(seat)
        blas.enter()
        most = 1
        try:
            while self._report(seat, most):
                begin = time.perf_counter()
                self._perform_batch(seat)
                most = next_most(most, time.perf_counter() - begin)
        except BaseException as error:  # a defect of the engine must not leave anybody waiting
            self._break(error)
            with self._lock:
                if not seat.left:
                    self._pass_on(seat.worker)
        finally:
            sit_down(None)
            self._end_call(seat)

    def _break(self, defect: BaseException) -> None:
        """Close a session whose book may be wrong, and say so to all who wait."""
        _logger.error("the engine of a client failed", exc_info=defect)
        error = EngineError(f"the engine failed, and the client is closed: {defect!r}")
        error.__cause__ = defect
        with self._lock:
            self.closed = self._is_broken = True
            self._siblings.discard(self)
            unsettled = self.job.wanted()
        for outcome in unsettled:
            outcome.settle("error", error=error)

    def _end_call(self, seat: Any) -> None:
        self._seats.discard(seat)
        if self.closed:
            with self._lock:
                self._news.notify_all()

    def _perform_batch(self, seat: WorkerSeat) -> None:
        job = self.job
        if seat.to_write is not None:
            self._write(seat.to_write, seat)
        while not seat.left:
            try:
                task = self._batches[seat.worker].popleft()
            except IndexError:
                return
            if not job.is_needed(task) and self._decline(task):
                continue
            seat.task = task
            try:
                nbytes = job.perform(task, seat.worker)
            except BaseException as error:
                self._note_failure(seat, task, error)
            else:
                seat.finished.append((task, nbytes))
                if seat.left:  # it is paused
                    with self._lock:
                        job.growing.go_on(task)
            seat.task = None

    def _write(self, task: int, seat: WorkerSeat) -> None:
        """Write a result away to make room."""
        written = self.job.write(task, seat.worker)
        seat.to_write = None
        with self._lock:
            self.job.take_written(task, written)

    def _decline(self, task: int) -> bool:
        after = After()
        with self._lock:
            declined = not self.closed and not self.job.is_needed(task)
            if declined:
                self.job.decline(task, after)
                self._wake_another()
        self._then(after)
        return declined

    def _note_failure(self, seat: WorkerSeat, task: int, error: BaseException) -> None:
        job, after = self.job, After()
        job.blame(error, task)
        leave_engine_out(error)
        with self._lock:
            if seat.left:  # it is paused
                job.growing.go_on(task)
            self._note(seat, after)
            job.note_failure(task, seat.worker, error, time.monotonic(), after)
            if job.state.next_due is not None:
                self._set_alarm()
            self._wake_another()
        self._then(after)

    def _note(self, seat: WorkerSeat, after: After) -> None:
        """Take note of finished tasks (with the lock held)."""
        if seat.finished:
            self.job.note_finished(seat.finished, after)
            seat.finished.clear()

    def _report(self, seat: WorkerSeat, most: int) -> bool:
        """Take note of finished tasks and fill the worker's batch; say whether it got any."""
        after = After()
        with self._lock:
            self._note(seat, after)
            self.job.let_go(after)
            goes_on = not seat.left and self._fill(seat, most)
        # Who waits for a result goes on at once, so this comes last.
        self._then(after)
        return goes_on

    def _fill(self, seat: WorkerSeat, most: int) -> bool:
        if self._returning or self._is_broken:
            seat.left = 1
            self._pass_on(seat.worker)
            return False
        state = self.job.state
        self.job.look_for_room(self._siblings, self)
        if fill_batch(state, self._batches, seat.worker, most):
            self._wake_another()
            return True
        if not state.spills:
            self.job.try_disk_again()
        seat.to_write = state.spill()
        if seat.to_write is not None:
            return True
        self._over_limit.look(self.job)
        self._watch_holders()
        self._free.append(seat.worker)
        blas.leave()  # before somebody goes on, whose products may want all threads
        return False

    # tasks that wait

    def _leave(self, seat: WorkerSeat) -> None:
        """Go on in another thread while the task of this one waits."""
        after = After()
        with self._lock:
            self._note(seat, after)
            if seat.task is not None:
                self.job.growing.pause(seat.task)
            try:
                self._pass_on(seat.worker)
            except RuntimeError:  # nobody can go on in its place
                self._sit(seat)
                raise
        self._then(after)

    def _pass_on(self, worker: int) -> None:
        """Give a place to a thread that waits for one, else to a new one if there is work."""
        blas.leave()
        if self._returning:
            other = self._returning.popleft()
            other.worker = worker
            self._sit(other)
            other.granted.release()
        elif self._is_broken:
            self._free.append(worker)
        elif self._batches[worker] or self.job.inbox or self.job.state.has_work:
            self._call(worker)
        else:
            self._free.append(worker)

    def _take(self, seat: WorkerSeat) -> None:
        with self._lock:
            if self._free:
                seat.worker = self._free.pop()
                self._sit(seat)
                return
            self._returning.append(seat)
        seat.granted.acquire()

    def _sit(self, seat: WorkerSeat) -> None:
        if seat.task is not None:
            self.job.growing.go_on(seat.task)
        blas.enter()

    # tasks that are tried again

    def _set_alarm(self) -> None:
        """See to it that the tasks that wait for their next attempt get it (with the lock held)."""
        if self._has_alarm:
            self._news.notify_all()
        else:
            self._has_alarm = self._pool.call(self._ring)
            if self._has_alarm:
                self._seats.add(self._ring)

    def _ring(self) -> None:
        try:
            with self._lock:
                self._wake_sleepers()
                self._has_alarm = False
        except BaseException as error:  # else no task would ever be tried again
            self._break(error)
        finally:
            self._end_call(self._ring)
            self._let_go(After())

    def _wake_sleepers(self) -> None:
        """Let tasks be tried again as their time comes, until none waits for that."""
        state = self.job.state
        while not self.closed and (due := state.next_due) is not None:
            left = due - time.monotonic()
            if left > 0:
                self._news.wait(left)
            else:
                state.due(time.monotonic())
                self._wake_another()

    # results that go to disk once nobody uses them

    def _watch_holders(self) -> None:
        """See to it that what is in use goes to disk afterwards if room is lacking (locked)."""
        if not self._watches_holders and self.job.growing.waits_for_holders:
            self._watches_holders = self._pool.call(self._look_again)

    def _look_again(self) -> None:
        """Look from time to time: nobody is told when the last one lets go of an object."""
        try:
            with self._lock:
                self._look_until_there_is_room()
                self._watches_holders = False
        except BaseException as error:  # else nothing held would ever go
            self._break(error)
        finally:
            self._let_go(After())

    def _look_until_there_is_room(self) -> None:
        growing, pause = self.job.growing, FIRST_LOOK
        while not self.closed and growing.waits_for_holders:
            self._news.wait(pause)
            pause = min(2 * pause, LAST_LOOK)
            if self.job.reconsider():
                pause = FIRST_LOOK
                self._wake_another()
