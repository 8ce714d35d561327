"""How many bytes of results a worker keeps in memory before it writes others to disk."""

from __future__ import annotations

from typing import Any

from gpuscale.engines.reserving import HELD, PROCESS

__all__ = ["lower_target", "spill_target"]

#: The target of dask.distributed; one that the user has set stays.
_DEFAULT = 0.6
# Part of the memory limit beyond which a worker of dask.distributed takes no tasks.
_PAUSE = 0.8


def spill_target(limit: int, fraction: float) -> int:
    """Return the bytes of results in memory that leave room for tasks.

    A part of the limit alone does not: in small workers the process itself takes a large part of
    the rest, and beside a batch that runs are the results of the one before, on their way to disk.
    A worker beyond the limit is killed.

    Parameters
    ----------
    limit : int
        Bytes of the worker.
    fraction : float
        That the configuration of dask.distributed says.

    Examples
    --------
    >>> spill_target(1 << 30, 0.6) >> 20, spill_target(64 << 30, 0.6) >> 30
    (403, 35)
    >>> spill_target(1 << 30, 0.9) >> 20
    921
    """
    said = int(limit * fraction)
    if fraction != _DEFAULT:
        return said
    room = int(_PAUSE * limit) - PROCESS - 2 * limit // HELD
    return min(said, max(room, limit // HELD))


def lower_target(manager: Any) -> None:
    """Have a worker that keeps its results as dask.distributed does leave room for tasks.

    Parameters
    ----------
    manager : distributed.worker_memory.WorkerMemoryManager
    """
    from distributed.spill import SpillBuffer

    if isinstance(manager.data, SpillBuffer) and manager.memory_target_fraction:
        manager.data.n = spill_target(manager.memory_limit, manager.memory_target_fraction)
