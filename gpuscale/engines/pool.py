"""Worker threads that are kept between runs.

A thread costs about 0.1 ms to make and far less to wake up, and a run of a small graph takes less
than that.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context

__all__ = ["ThreadPool", "in_worker"]

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
            if pool is None:
                return
            pool._idle.append(self)
            del pool


class ThreadPool:
    """Threads that make calls; as many as there are calls at the same time.

    The threads end with the pool.
    """

    def __init__(self) -> None:
        self._idle: list[_Worker] = []
        weakref.finalize(self, _end, self._idle).atexit = False
        _pools.add(self)

    def call(self, call: Callable[[], object]) -> None:
        """Make a call in a thread of its own; what it raises is lost, so it should not raise."""
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = _Worker(self)
            worker.start()
        worker.give(call)

    def close(self) -> None:
        """End all threads that make no call at the moment."""
        for worker in _end(self._idle):
            worker.join()


def _end(idle: list[_Worker]) -> list[_Worker]:
    ended = []
    with suppress(IndexError):  # until none is left: some may be given a call meanwhile
        while True:
            ended.append(idle.pop())
            ended[-1].give(None)
    return ended


def in_worker() -> bool:
    """Say whether the calling thread belongs to a pool."""
    return isinstance(threading.current_thread(), _Worker)


def _forget_threads() -> None:
    for pool in _pools:
        pool._idle.clear()


# Threads do not survive a fork: the child must not wait for those of its parent.
os.register_at_fork(after_in_child=_forget_threads)
