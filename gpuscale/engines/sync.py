"""The sync engine: one task after the other, in the calling thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from gpuscale.base.types import Key
from gpuscale.engines.base import Engine
from gpuscale.engines.events import Listener
from gpuscale.engines.job import Job
from gpuscale.graph.task import Task
from gpuscale.memory.limits import memory_limit

__all__ = ["SyncEngine", "run_here"]


class SyncEngine(Engine):
    """Runs tasks in the calling thread, in the order that keeps few results alive.

    For debuggers, profilers and as the oracle of other engines.

    Examples
    --------
    >>> graph = {"x": Task("x", int), "y": Task("y", max, ("x",), (3,))}
    >>> SyncEngine().run(graph, ["y", "x"])
    [3, 0]
    """

    name: ClassVar[str] = "sync"

    def run(
        self,
        graph: Mapping[Key, Task],
        keys: Sequence[Key],
        *,
        listeners: Sequence[Listener] = (),
    ) -> list[Any]:
        """Run the tasks that `keys` need and return the results of `keys`, in their order."""
        return run_here(Job(graph, keys, listeners, memory_limit()))


def run_here(job: Job) -> list[Any]:
    """Run a job to its end in the calling thread."""
    state, watched = job.state, bool(job.desk)
    job.announce_start(n_workers=1)
    task: int | None = None
    try:
        while batch := state.start():
            task = batch[0]
            job.finish(((task, job.perform(task, worker=0)),))
            if watched:
                task = None  # what a listener raises is not the task's fault
                job.announce_progress()
    except BaseException as error:
        if task is not None:
            job.blame(error, task)
        job.announce_end(error)
        raise
    job.announce_end()
    return job.requested()
