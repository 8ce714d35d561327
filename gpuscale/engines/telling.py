"""What a worker of a cluster tells of the tasks that it runs, to clients that watch them."""

from __future__ import annotations

import pickle
import threading
import time
from typing import Any, NamedTuple

import cloudpickle

from gpuscale.base.types import Key
from gpuscale.memory.measure import held_bytes

__all__ = ["TOPIC", "Attempt", "Told", "Telling"]

#: Under which the cluster hands on what is told, in its order and before it says of a batch that it
#: has ended.
TOPIC = "gpuscale-tasks"


class Attempt(NamedTuple):
    """One attempt at one task; times in seconds of `time.time` of the worker.

    Parameters
    ----------
    step : int
        Which step of the batch.
    start, stop : float
    nbytes : int
        What its result holds; -1 for what the plan says.
    error : bytes or None
        Pickle of what it raised.
    n_failed : int
        How many have failed by then, if another one follows; else 0.
    """

    step: int
    start: float
    stop: float
    nbytes: int = 0
    error: bytes | None = None
    n_failed: int = 0


class Told(NamedTuple):
    """What became of a batch.

    Parameters
    ----------
    batch : Key
    worker : str
        Name of the worker.
    process : str
        Its address, which another process has after a restart.
    thread : int
    attempts : list of Attempt
    """

    batch: Key
    worker: str
    process: str
    thread: int
    attempts: list[Attempt]


class Telling:
    """Takes note of the attempts of one batch, and tells of them when it has ended.

    Parameters
    ----------
    batch : Key or None
        None where nobody watches.
    """

    def __init__(self, batch: Key | None) -> None:
        self._batch = batch
        self._attempts: list[Attempt] = []
        self._step, self._start = -1, 0.0

    @property
    def is_on(self) -> bool:
        """Whether somebody watches."""
        return self._batch is not None

    def begin(self, step: int | None = None) -> None:
        """Begin a step, or another attempt at the same."""
        if self.is_on:
            self._step = self._step if step is None else step
            self._start = time.time()

    def finished(self, result: Any) -> None:
        """End an attempt with a result."""
        if self.is_on:
            self._end(held_bytes(result, -1))

    def failed(self, error: BaseException, n_failed: int = 0) -> None:
        """End an attempt with what it raised, which can be pickled."""
        if self.is_on:
            self._end(0, cloudpickle.dumps(error), n_failed)

    def _end(self, nbytes: int, error: bytes | None = None, n_failed: int = 0) -> None:
        attempt = Attempt(self._step, self._start, time.time(), nbytes, error, n_failed)
        self._attempts.append(attempt)

    def tell(self) -> None:
        """Hand it on."""
        if self._batch is None:
            return
        from distributed import get_worker

        worker = get_worker()
        thread = threading.get_ident()
        told = Told(self._batch, str(worker.name), worker.address, thread, self._attempts)
        worker.log_event(TOPIC, pickle.dumps(told))
