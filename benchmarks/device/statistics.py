"""Reductions, a histogram, the largest elements and a sort of data on the device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.device.libraries import kept, on_data
from benchmarks.workload import Limit, Size, Workload
from benchmarks.workloads.in_memory import matrix, vector
from benchmarks.workloads.order_statistics import LARGEST

GOALS = {"cupy": 1, "jax": 1}


def reduction(name: str, call: str, function: Callable[[Any], Any]) -> Workload:
    return Workload(
        name=f"device-{name}",
        about=f"{call} of {{n}} x {{n}} on the device",
        sizes={"full": {"n": 30_000}, "quick": {"n": 300}},
        implementations=on_data(lambda xp, x: function(x), lambda size: [matrix(size)]),
        limit=lambda size: Limit(bytes=8 * size["n"] ** 2),
        goals=GOALS,
        needs="cupy",
    )


def histogram(xp: Any, x: Any) -> Any:
    return xp.histogram(x, bins=100, range=(0.0, 1.0))[0]


def largest(xp: Any, x: Any) -> Any:
    if xp.__name__.startswith("gpuscale"):
        return xp.topk(x, LARGEST)
    if xp.__name__.startswith("jax"):
        import jax

        return jax.lax.top_k(x, LARGEST)[0]
    return xp.sort(xp.partition(x, len(x) - LARGEST)[-LARGEST:])[::-1]


def numbers(size: Size) -> list[Any]:
    return [vector(size)]


def of_vector(name: str, about: str, implementations: dict, passes: int = 1) -> Workload:
    return Workload(
        name=f"device-{name}",
        about=f"{about} of {{n}} doubles on the device",
        sizes={"full": {"n": 1_000_000_000}, "quick": {"n": 100_000}},
        implementations=implementations,
        limit=lambda size: Limit(bytes=passes * 8 * size["n"]),
        goals=GOALS,
        needs="cupy",
    )


def ordered(xp: Any, x: Any) -> Any:
    return xp.sort(x)


WORKLOADS = (
    reduction("sum-axis0", "x.sum(axis=0)", lambda x: x.sum(axis=0)),
    reduction("sum-axis1", "x.sum(axis=1)", lambda x: x.sum(axis=1)),
    reduction("std", "x.std()", lambda x: x.std()),
    of_vector("histogram", "histogram of 100 bins", on_data(histogram, numbers)),
    of_vector("topk", f"the {LARGEST} largest", on_data(largest, numbers)),
    of_vector("sort", "a sort", kept(ordered, numbers), passes=2),
)
