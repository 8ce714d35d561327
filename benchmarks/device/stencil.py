"""Five steps of heat conduction by slices, on the device."""

from __future__ import annotations

from typing import Any

from benchmarks.device.libraries import kept
from benchmarks.workload import Workload
from benchmarks.workloads.stencil import inner_step, limit, plate, repeated


def steps(xp: Any, u: Any) -> Any:
    return repeated(inner_step, u)


WORKLOADS = (
    Workload(
        name="device-stencil",
        about="5-point heat stencil, 5 steps by slices, {n} x {n} float32 on the device",
        sizes={"full": {"n": 32_768}, "quick": {"n": 256}},
        implementations=kept(steps, lambda size: [plate(size)]),
        limit=limit,
        tolerance=1e-5,
        goals={"cupy": 3, "jax": 1},
        needs="cupy",
    ),
)
