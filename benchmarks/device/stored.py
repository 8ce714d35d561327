"""``(X + X.T) - X.mean(axis=0)`` of X in device memory, written out: bandwidth alone."""

from __future__ import annotations

from typing import Any

from benchmarks.device.libraries import kept
from benchmarks.workload import Limit, Size, Workload
from benchmarks.workloads.headline import expression
from benchmarks.workloads.in_memory import matrix


def written(xp: Any, x: Any) -> Any:
    return expression(x)


# X is read for the mean, and read again for the sum: a transposed tile with its mirror image.
def limit(size: Size) -> Limit:
    return Limit(bytes=3 * 8 * size["n"] ** 2)


WORKLOADS = (
    Workload(
        name="device-stored",
        about="(X + X.T) - X.mean(axis=0) written out, X {n} x {n} on the device",
        sizes={"full": {"n": 30_000}, "quick": {"n": 300}},
        implementations=kept(written, lambda size: [matrix(size)]),
        limit=limit,
        goals={"cupy": 1, "jax": 1},
        limit_goal=1 / 0.8,
        needs="cupy",
    ),
)
