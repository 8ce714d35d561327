"""Room on a device for a task of a run that found none: who gives way, one after the other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gpuscale.engines.states import Status
from gpuscale.memory.kept import let_kept_leave
from gpuscale.memory.spaces import DEVICE

if TYPE_CHECKING:
    from gpuscale.engines.job import Job

__all__ = ["find_room", "relieve"]

_SOON = 0.001  # seconds between looks at what others do
_PATIENCE = 10.0  # seconds: a task that others wait for may itself wait for this one


def find_room(job: Job, i: int, worker: int, nbytes: int) -> bool:
    """Make room for a task that has failed, or wait for it; say whether there is more now.

    Results that nothing uses leave first, and those on their way are waited for; then other tasks
    of the run end, and none that needs more than there was begins beside this one; then chunks
    leave that persist keeps.
    """
    return (
        relieve(job, nbytes, worker) > 0
        or _awaits_written(job)
        or _awaits_others(job, i)
        or let_kept_leave(nbytes) > 0
    )


def relieve(job: Job, nbytes: int, worker: int = 0) -> int:
    """Make room now, whatever the budget: write away what nothing uses.

    What running tasks read stays. May be called in any thread that does not hold the lock.

    Parameters
    ----------
    job : Job
    nbytes : int
        How many bytes are wanted.
    worker : int

    Returns
    -------
    int
        How many are free now; fewer than wanted if no more results may go.
    """
    state, freed = job.state, 0
    while freed < nbytes:
        with job.lock:
            victim = state.spill_from(DEVICE)
        if victim is None:
            break
        written = job.write(victim, worker)
        with job.lock:
            size = state.bytes_of(victim)
            job.take_written(victim, written)
            freed += size if state.status(victim) == Status.SPILLED else 0
    return freed


def _awaits_written(job: Job) -> bool:
    with job.lock:
        under_way = frozenset(job.state.being_written)
    while under_way & job.state.being_written:
        time.sleep(_SOON)
    return bool(under_way)


def _awaits_others(job: Job, i: int) -> bool:
    """Wait until another task ends; of those that all wait here the first one goes on."""
    state, starved, deadline = job.state, job.starved, time.perf_counter() + _PATIENCE
    with job.lock:
        unfinished = state.unfinished
        starved.add(i)
        if state.running > 1:
            _lower_limit(job, i)
    try:
        while time.perf_counter() < deadline:
            with job.lock:
                if state.cancelled or state.unfinished < unfinished:
                    return not state.cancelled
                if len(starved) >= state.running and i == min(starved):
                    return False
            time.sleep(_SOON)
        return False
    finally:
        with job.lock:
            starved.discard(i)


def _lower_limit(job: Job, i: int) -> None:
    """Have no more in use than there was beside a task that did not fit."""
    state = job.state
    proven = state.alive[DEVICE] + state.reserved[DEVICE] - state.bytes_needed(i, DEVICE)
    job.limits[DEVICE] = min(job.limits[DEVICE], proven + state.kept[DEVICE])
    state.budget[DEVICE] = min(state.budget[DEVICE], proven)
