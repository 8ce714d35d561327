"""The headline on a device: ``y = (X + X.T) - X.mean(axis=0)`` for X that is never stored."""

from __future__ import annotations

from typing import Any

from benchmarks.device.libraries import on_random
from benchmarks.workload import Limit, Size, Workload
from benchmarks.workloads.headline import expression


def total(xp: Any, x: Any) -> Any:
    return expression(x).sum()


def deviations(xp: Any, x: Any) -> Any:
    y = expression(x)
    return y.std(axis=0, correction=0) if xp.__name__ == "torch" else y.std(axis=0)


def shape(size: Size) -> tuple[int, int]:
    return size["n"], size["n"]


# Each element once for the mean, and once more for what is done with y.
def limit(size: Size) -> Limit:
    return Limit(randoms=2 * size["n"] ** 2)


WORKLOADS = tuple(
    Workload(
        name=f"device-headline-{name}-{dtype}",
        about=f"y = (X + X.T) - X.mean(axis=0), X random {{n}} x {{n}} {dtype}: {call}",
        sizes={"full": {"n": 60_000}, "quick": {"n": 300}},
        implementations=on_random(function, shape, dtype),
        limit=limit,
        same="mean",
        tolerance=0.05,
        goals={"cupy": 10, "jax": 2},
        needs="cupy",
    )
    for dtype in ("float64", "float32")
    for name, call, function in (
        ("sum", "y.sum()", total),
        ("std", "y.std(axis=0)", deviations),
    )
)
