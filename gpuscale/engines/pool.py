"""Worker threads that are kept between runs.

A thread costs about 0.1 ms to make and far less to wake up, and a run of a small graph takes less
than that.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context

__all__ = ["AT_THE_END", "ThreadPool", "in_worker", "is_over"]

#: What is said to those who want a thread when there is none any more.
AT_THE_END = "the program is at its end: no thread begins any more, so no task is run"

_pools: weakref.WeakSet[ThreadPool] = weakref.WeakSet()


class _Worker(threading.Thread):
    """A daemon that sleeps until it is given a call, makes it, and returns to its pool."""

    def __init__(self, pool: ThreadPool) -> None:
        super().__init__(name="gpuscale-worker", daemon=True)
        self._pool = weakref.ref(pool)
        self._call: Callable[[], object] | None = None
        self._context: Context | None = None
        self._wake = threading.Lock()
        self._wake.acquire()

    def give(self, call: Callable[[], object] | None) -> None:
        """Wake the thread up to make one call, or to end if there is none."""
        self._call = call
        # Tasks see the context variables of whoever asked for them, such as NumPy's errstate.
        self._context = copy_context()
        self._wake.release()

    def run(self) -> None:
        while True:
            self._wake.acquire()
            call, context = self._call, self._context
            self._call = self._context = None  # a sleeping thread must not hold on to a run
            if call is None or context is None:
                return
            context.run(call)
            del call, context
            pool = self._pool()
            if pool is None or pool._ends(self):
                return
            del pool


class ThreadPool:
    """Threads that make calls; as many as there are calls at the same time.

    The threads end with the pool.

    Parameters
    ----------
    keep : int, optional
        How many threads stay for the next calls when they have nothing to do; by default one for
        each core.
    """

    def __init__(self, keep: int | None = None) -> None:
        self.keep = len(os.sched_getaffinity(0)) if keep is None else keep
        self._idle: list[_Worker] = []
        weakref.finalize(self, _end, self._idle).atexit = False
        _pools.add(self)

    def call(self, call: Callable[[], object]) -> bool:
        """Make a call in a thread of its own; what it raises is lost, so it should not raise.

        Returns
        -------
        bool
            Whether there is a thread for it: at the end of the program none begins any more.

        Raises
        ------
        RuntimeError
            The system has no more threads.
        """
        if sys.is_finalizing():
            return False  # the idle ones are gone
        try:
            worker = self._idle.pop()
        except IndexError:
            if is_over():
                return False
            worker = _Worker(self)
            worker.start()
        worker.give(call)
        return True

    def _ends(self, worker: _Worker) -> bool:
        """Have a thread wait for its next call; say whether it ends instead, as one too many."""
        self._idle.append(worker)
        if len(self._idle) > self.keep:
            with suppress(ValueError):  # somebody has just given it a call
                self._idle.remove(worker)
                return True
        return False

    def close(self) -> None:
        """End all threads that make no call at the moment, and the others after their calls."""
        self.keep = 0
        for worker in _end(self._idle):
            worker.join()


def _end(idle: list[_Worker]) -> list[_Worker]:
    ended = []
    with suppress(IndexError):  # until none is left: some may be given a call meanwhile
        while True:
            ended.append(idle.pop())
            ended[-1].give(None)
    return ended


def is_over() -> bool:
    """Say whether the program is so near to its end that no thread can begin.

    Python 3.11 would then wait for the thread for ever, the others raise RuntimeError.
    """
    if sys.is_finalizing():
        return True
    refuses_early = (3, 12) <= sys.version_info < (3, 12, 3)
    return refuses_early and not threading.main_thread().is_alive()


def in_worker() -> bool:
    """Say whether the calling thread belongs to a pool."""
    return isinstance(threading.current_thread(), _Worker)


def _forget_threads() -> None:
    for pool in _pools:
        pool._idle.clear()


# Threads do not survive a fork: the child must not wait for those of its parent.
os.register_at_fork(after_in_child=_forget_threads)
