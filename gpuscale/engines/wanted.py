"""A batch on a worker ends between two of its tasks when nobody waits for it any more."""

from __future__ import annotations

import sys
from collections.abc import Callable

__all__ = ["leaving"]


def leaving() -> Callable[[], None]:
    """Return what raises when the task that this thread runs for a worker has been cancelled.

    A thread cannot be interrupted, and a batch may be a large part of a computation: after Ctrl-C,
    the next one would wait for all of it. What is raised is no error: should somebody ask for the
    batch again meanwhile, it is run again.

    Examples
    --------
    >>> leaving()()  # in no worker
    """
    library = sys.modules.get("distributed")
    if library is None:
        return _stay
    try:
        worker, key = library.get_worker(), library.worker.thread_state.key
    except (AttributeError, ValueError):
        return _stay

    def leave() -> None:
        task = worker.state.tasks.get(key)
        if task is not None and task.state == "cancelled":
            raise library.Reschedule

    return leave


def _stay() -> None:
    """Nobody runs this for somebody else."""
