"""Blocks of Numba's simulator, whose threads wait for each other instead of being asked.

The simulator asks all threads of a block again and again whether they wait, and takes most of the
processor from them meanwhile. Here the last thread to arrive lets the others go on.
"""

from __future__ import annotations

import threading
from typing import Any

import numba_cuda  # noqa: F401  Numba's own numba.cuda is another, older one
import numpy as np
from numba.cuda.simulator import kernel

__all__ = ["wait_in_blocks"]


def wait_in_blocks() -> None:
    """Have the simulator run blocks like this."""
    kernel.BlockManager = Block


class Thread(kernel.BlockThread):  # type: ignore[misc]
    """A thread that tells its block when it waits and when it ends."""

    def run(self) -> None:
        super().run()
        self._manager.leave(self)

    def syncthreads(self) -> None:
        self._manager.arrive(self)
        self.syncthreads_event.wait()
        self.syncthreads_event.clear()
        if self.abort:
            raise RuntimeError("another thread of the block failed")


class Block(kernel.BlockManager):  # type: ignore[misc]
    """Threads that meet: those that have ended are not waited for, as on a device."""

    def run(self, grid_point: tuple[int, ...], *args: Any) -> None:
        self.lock = threading.Lock()
        self.waiting: list[Thread] = []
        places = np.ndindex(*self._block_dim)
        threads = [
            Thread(lambda: self._f(*args), self, grid_point, place, self._debug) for place in places
        ]
        self.running, self.failed = len(threads), False
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        errors = [thread.exception for thread in threads if thread.exception and not thread.abort]
        for error, traceback in errors:
            raise error.with_traceback(traceback)

    def arrive(self, thread: Thread) -> None:
        with self.lock:
            self.waiting.append(thread)
            self._go_on()

    def leave(self, thread: Thread) -> None:
        with self.lock:
            self.running -= 1
            self.failed |= thread.exception is not None
            self._go_on()

    def _go_on(self) -> None:
        if self.failed or len(self.waiting) == self.running:
            met, self.waiting = self.waiting, []
            for thread in met:
                thread.abort = self.failed
                thread.syncthreads_event.set()
