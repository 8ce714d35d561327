"""What runs say through `logging`: loggers under "gpuscale", silent until someone asks."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from gpuscale.base.sizes import format_bytes
from gpuscale.diagnostics.listening import Runs
from gpuscale.diagnostics.wording import of_device
from gpuscale.engines.events import (
    Event,
    Listener,
    RunFinished,
    RunStarted,
    Spilled,
    TaskFailed,
    TaskFinished,
    TaskRetried,
    TaskStarted,
    WorkerJoined,
)
from gpuscale.memory.spaces import HOST

__all__ = ["RunLog", "run_log"]

# A library does not print: without a handler of the user's, Python would send warnings to stderr.
logging.getLogger("gpuscale").addHandler(logging.NullHandler())

_logger = logging.getLogger("gpuscale.run")


@dataclass(slots=True)
class _Run:
    began: float
    names: dict[int, str] = field(default_factory=dict)  # of workers that have any


class RunLog:
    """A listener that logs: runs at INFO, tasks at DEBUG, failures of tasks at WARNING.

    Parameters
    ----------
    level : int
        The least important messages that will be read.
    """

    def __init__(self, level: int) -> None:
        tasks = (TaskStarted, TaskFinished, Spilled) if level <= logging.DEBUG else ()
        self.wants: tuple[type, ...] = (
            RunStarted,
            WorkerJoined,
            RunFinished,
            TaskFailed,
            TaskRetried,
            *tasks,
        )
        self._runs: Runs[_Run] = Runs()

    def __call__(self, event: Event) -> None:
        """Log an event."""
        if isinstance(event, RunStarted):
            self._runs.open(_Run(event.time))
            _logger.info(
                "run of %d tasks starts on %d workers, memory limit %s%s",
                event.n_tasks, event.n_workers, format_bytes(event.budget),
                of_device(event.device_budget),
            )  # fmt: skip
        elif isinstance(event, RunFinished):
            self._finish(event)
        elif isinstance(event, WorkerJoined):
            if (run := self._runs.current) is not None:
                run.names[event.worker] = event.name
        elif isinstance(event, TaskStarted):
            _logger.debug("worker %s starts %r (%s)", self._worker(event), event.key, event.label)
        elif isinstance(event, Spilled):
            _logger.debug(
                "worker %s wrote %s of %r (%s) to %s",
                self._worker(event), format_bytes(event.nbytes), event.key, event.label,
                "disk" if event.stored or event.space == HOST else "the host",
            )  # fmt: skip
        elif isinstance(event, TaskFinished | TaskFailed):
            self._task(event)
        elif isinstance(event, TaskRetried):
            _logger.info(
                "%r (%s) is tried again %.3f s after attempt %d",
                event.key, event.label, event.delay, event.attempt,
            )  # fmt: skip

    def _finish(self, event: RunFinished) -> None:
        run = self._runs.close()
        seconds = event.time - run.began if run is not None else 0.0
        how = "is over" if event.error is None else f"ended with {event.error!r}"
        _logger.info(
            "run %s after %.3f s: %d tasks, %s",
            how, seconds, event.n_finished, format_bytes(event.nbytes),
        )  # fmt: skip
        if event.failures:
            listed = "; ".join(map(repr, event.failures))
            _logger.warning("%d tasks failed: %s", len(event.failures), listed)

    def _task(self, event: TaskFinished | TaskFailed) -> None:
        lasted = event.stop - event.start
        what: tuple[Any, ...] = self._worker(event), event.key, event.label, lasted
        if isinstance(event, TaskFailed):
            _logger.warning("worker %s failed at %r (%s) after %.3f s: %r", *what, event.error)
        else:
            _logger.debug("worker %s finished %r (%s) after %.3f s", *what)

    def _worker(self, event: TaskStarted | TaskFinished | TaskFailed | Spilled) -> str:
        run = self._runs.current
        return str(event.worker) if run is None else run.names.get(event.worker, str(event.worker))


def run_log() -> list[Listener]:
    """List the listener that logs, if anybody reads what it would say."""
    level = _logger.getEffectiveLevel()
    return [RunLog(level)] if level <= logging.INFO else []
