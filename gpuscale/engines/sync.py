"""The sync engine: one task after the other, in the calling thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, ClassVar

from gpuscale.base import config
from gpuscale.base.types import Key
from gpuscale.engines.base import Engine, OnError
from gpuscale.engines.events import Listener
from gpuscale.engines.job import Job
from gpuscale.engines.tokens import Tokens
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
        on_error: OnError = "raise",
    ) -> list[Any]:
        """Run the tasks that `keys` need and return the results of `keys`, in their order."""
        tokens = Tokens(config.get("resources"))
        return run_here(Job(graph, keys, listeners, memory_limit(), tokens, on_error))

    def persist(
        self,
        graph: Mapping[Key, Task],
        keys: Sequence[Key],
        *,
        listeners: Sequence[Listener] = (),
    ) -> dict[Key, Any]:
        """Run the tasks that `keys` need; what memory has no room for stays on disk."""
        tokens = Tokens(config.get("resources"))
        job = Job(graph, keys, listeners, memory_limit(), tokens, keeps=True)
        return dict(zip(keys, run_here(job), strict=True))


def run_here(job: Job) -> list[Any]:
    """Run a job to its end in the calling thread."""
    state, watched = job.state, bool(job.desk)
    job.announce_start(n_workers=1)
    job.look_for_room()
    try:
        while (batch := state.start()) or job.make_room(0) or job.nap():
            for task in batch:
                try:
                    nbytes = job.perform(task, worker=0)
                except BaseException as error:
                    job.fail(task, 0, error)
                    if state.cancelled:
                        raise
                else:
                    job.finish(((task, nbytes),))
            job.look_for_room()
            if state.sleeping:
                state.due(perf_counter())
            if watched:
                job.announce_progress()
    except BaseException as error:
        job.announce_end(error)
        raise
    requested = job.requested()
    job.announce_end()
    return requested
