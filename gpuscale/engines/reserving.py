"""Memory of workers, which large batches reserve so that not too many of them run at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gpuscale.memory.spaces import HOST

if TYPE_CHECKING:  # workers say what they have, and send nothing
    from gpuscale.engines.sending import Parcel

__all__ = [
    "HELD",
    "LEAST_MEMORY",
    "MEMORY",
    "PROCESS",
    "has_memory",
    "reserve_memory",
    "room_for_tasks",
]

#: What workers say that they have, by the name of a resource of dask.distributed.
MEMORY = "gpuscale-memory"
#: Part of a worker's memory that a batch may hold, beside those on their way and what is kept; no
#: more than half of a thread's share of it.
HELD = 8
#: Bytes of a process that has imported and compiled what tasks of arrays and frames call.
PROCESS = 160 << 20
#: Bytes that a worker needs to begin at all: it takes about 75 MiB when it has imported what it is
#: made of, and its nanny ends it, again and again, at 95 % of its limit.
LEAST_MEMORY = 96 << 20


def room_for_tasks(limit: int) -> int:
    """Bytes of a worker that its tasks may hold: its limit, less what its process takes itself.

    A worker beyond the limit is killed. Of small ones it is a third, as some processes take less;
    one that has fewer bytes than any process is a part of another one, and all are for tasks.

    Examples
    --------
    >>> [room_for_tasks(limit << 20) >> 20 for limit in (64, 96, 300, 1024)]
    [64, 32, 140, 864]
    """
    return limit if limit < LEAST_MEMORY else max(limit - PROCESS, limit // 3)


def has_memory(worker: Any) -> None:
    """Have a worker, before it registers at its scheduler, say what its tasks may hold."""
    limit = worker.memory_manager.memory_limit
    if limit is not None:
        for resources in (worker.state.total_resources, worker.state.available_resources):
            resources[MEMORY] = room_for_tasks(limit)


def reserve_memory(parcels: Sequence[Parcel], workers: Mapping[str, Any]) -> None:
    """Have each batch reserve what it needs that takes more than the share of a thread.

    Smaller ones fit side by side, as many as there are threads, and are spared the restriction.

    Parameters
    ----------
    parcels : sequence of Parcel
    workers : mapping
        What the scheduler says of each. Where one does not say what it has, as one that another
        program has set up, nothing is reserved: what nobody has would never run.

    Examples
    --------
    >>> from gpuscale.engines.sending import pack
    >>> from gpuscale.graph.task import Task
    >>> parcels, _ = pack({"x": Task("x", int, workspace=80)}, ["x"], 2)
    >>> reserve_memory(parcels, {"a": {"nthreads": 2, "resources": {MEMORY: 100}}})
    >>> parcels[0].memory
    80
    """
    has = [(each.get("resources", {}).get(MEMORY), each["nthreads"]) for each in workers.values()]
    if not has or any(limit is None for limit, _ in has):
        return
    share, most = min(limit / threads for limit, threads in has), min(limit for limit, _ in has)
    for parcel in parcels:
        need = _most_at_once(parcel)
        if need > share:
            parcel.memory = min(need, most)


def _most_at_once(parcel: Parcel) -> int:
    """Bytes of the host that a batch takes for its own: a task, and results it makes before."""
    tasks = {task.key: task for task in parcel.tasks}
    sizes, held, most = dict[int, int](), 0, 0
    for number, step in enumerate(parcel.work.steps, len(parcel.work.places)):
        task = tasks[step.key]
        nbytes, workspace = (task.nbytes, task.workspace) if task.space == HOST else (0, 0)
        held += nbytes
        most = max(most, held + workspace)
        sizes[number] = nbytes
        held -= sum(sizes.get(value, 0) for value in step.ends)
    return most
