"""A sort of data three times what the device may hold: chunks go to the host and come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import OURS, Limit, Run, Size, Workload
from benchmarks.workloads.in_memory import vector

TIMES = 3  # as much data as fits
EVERY = 1000  # so many numbers apart are those that are looked at


def device_limit(size: Size) -> int:
    return 8 * size["n"] // TIMES


def ours(ga: Any, size: Size, folder: Path) -> Run:
    import gpuscale

    gpuscale.config.set({"device-memory-limit": device_limit(size)})
    data = vector(size)
    return lambda: ga.sort(ga.asarray(data))[::EVERY].compute()


def managed(cp: Any, size: Size, folder: Path) -> Run:
    """CuPy with memory that the driver moves, while a ballast leaves as much as we may use."""
    data = vector(size)
    ballast = cp.cuda.alloc(cp.cuda.runtime.memGetInfo()[0] - device_limit(size))
    cp.cuda.set_allocator(cp.cuda.MemoryPool(cp.cuda.malloc_managed).malloc)

    def run() -> Any:
        assert ballast.ptr
        return np.asarray(cp.sort(cp.asarray(data))[::EVERY].get())

    return run


# Once to the device; what does not fit goes back, and comes again.
def limit(size: Size) -> Limit:
    nbytes = 8 * size["n"]
    away = nbytes * (TIMES - 1) // TIMES
    return Limit(link=nbytes + 2 * away)


WORKLOADS = (
    Workload(
        name="device-larger",
        about="a sort of {n} doubles from the host on a device that may hold a third of them",
        sizes={"full": {"n": 2_000_000_000}, "quick": {"n": 8_000_000}},
        implementations={OURS: ours, "cupy managed": managed},
        limit=limit,
        goals={"cupy managed": 1},
        limit_goal=1.5,
        needs="cupy",
    ),
)
