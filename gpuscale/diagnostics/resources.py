"""Memory, processor time and disk traffic of this process while a computation lasts."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, TypeVar

from gpuscale.diagnostics.listening import Timed
from gpuscale.engines.events import Event, RunFinished, RunStarted

__all__ = ["ResourceData", "ResourceProfiler", "Sample", "Sampler"]

P = TypeVar("P", bound="ResourceProfiler")


class Sample(NamedTuple):
    """One look at this process; bytes and seconds, None where the system does not tell."""

    time: float  #: of `time.perf_counter`
    memory: int | None  #: resident
    cpu: float  #: seconds of all threads since the process began
    disk_read: int | None  #: since the process began, what the page cache held not counted
    disk_written: int | None

    @classmethod
    def take(cls) -> Sample:
        """Look now.

        Examples
        --------
        >>> earlier, later = Sample.take(), Sample.take()
        >>> earlier.time <= later.time and earlier.cpu <= later.cpu
        True
        """
        used = os.times()
        return cls(time.perf_counter(), _resident(), used.user + used.system, *_disk())


def _resident() -> int | None:
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # not Linux
        return None


def _disk() -> tuple[int | None, int | None]:
    try:
        with open("/proc/self/io", "rb") as file:
            fields = dict(line.split(b": ") for line in file.read().splitlines())
        return int(fields[b"read_bytes"]), int(fields[b"write_bytes"])
    except (OSError, KeyError):  # some containers keep it to themselves
        return None, None


class Sampler:
    """A thread that looks at this process from time to time.

    Parameters
    ----------
    take : callable
        Called with each `Sample`: at the start, every `dt` seconds, and at the end.
    dt : float
        Seconds from one look to the next.
    """

    def __init__(self, take: Callable[[Sample], object], dt: float) -> None:
        if not dt > 0:
            raise ValueError(f"dt is the time between two samples in seconds, so not {dt!r}")
        self._take = take
        self._dt = dt
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, unless it has begun."""
        if self._thread is None:
            self._over.clear()
            self._take(Sample.take())
            self._thread = threading.Thread(target=self._run, name="gpuscale-sampler", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Look a last time and end the thread."""
        if self._thread is not None:
            self._over.set()
            self._thread.join()
            self._thread = None
            self._take(Sample.take())

    def _run(self) -> None:
        while not self._over.wait(self._dt):
            self._take(Sample.take())


class ResourceData(NamedTuple):
    """One look at the process: seconds of `time.perf_counter`, memory in MB, percent of a core."""

    time: float
    mem: float
    cpu: float


class ResourceProfiler(Timed):
    """Record the memory and the processor time of this process, at regular intervals.

    Within a ``with`` block it records all the time; after `register`, while computations last.

    Parameters
    ----------
    dt : float
        Seconds from one look to the next.

    Attributes
    ----------
    results : list of ResourceData
        Named tuples ``(time, mem, cpu)``: memory in MB (10^6 bytes), processor time since the look
        before in percent of one core.

    Examples
    --------
    >>> with ResourceProfiler(dt=0.01) as rprof:
    ...     total = sum(range(100_000))
    >>> len(rprof.results) >= 2 and rprof.results[0].mem > 1
    True
    """

    wants = (RunStarted, RunFinished)
    results: list[ResourceData]

    def __init__(self, dt: float = 1) -> None:
        super().__init__()
        self._last: Sample | None = None
        self._sampler = Sampler(self._add, dt)
        self._lock = threading.Lock()
        self._users = 0  # the block, and the runs under way

    def __call__(self, event: Event) -> None:
        """Record while runs last."""
        if isinstance(event, RunStarted):
            self._enter()
        elif isinstance(event, RunFinished):
            self._leave()

    def _enter(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._last = None
                self._sampler.start()

    def _leave(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                self._sampler.stop()

    def _add(self, sample: Sample) -> None:
        last = self._last or sample
        seconds = sample.time - last.time
        cpu = 100 * (sample.cpu - last.cpu) / seconds if seconds > 0 else 0.0
        self.results.append(ResourceData(sample.time, (sample.memory or 0) / 1e6, cpu))
        self._last = sample

    def close(self) -> None:
        """End the thread that looks, whatever goes on."""
        with self._lock:
            self._sampler.stop()

    def __enter__(self: P) -> P:
        entered = super().__enter__()
        self._enter()
        return entered

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leave()
        super().__exit__(kind, error, traceback)
