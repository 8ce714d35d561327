"""Reductions along each axis of a matrix in memory: bandwidth and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.workload import Limit, Workload
from benchmarks.workloads.in_memory import matrix, on_array


def reduction(name: str, call: str, function: Callable[[Any], Any], passes: int) -> Workload:
    return Workload(
        name=name,
        about=f"{call} of {{n}} x {{n}} in memory",
        sizes={"full": {"n": 10_000}, "quick": {"n": 300}},
        implementations=on_array(matrix, lambda xp, x: function(x), function),
        limit=lambda size: Limit(bytes=passes * 8 * size["n"] ** 2),
        goals={"dask": 1, "numpy": 1},
    )


WORKLOADS = (
    reduction("sum-axis0", "x.sum(axis=0)", lambda x: x.sum(axis=0), 1),
    reduction("sum-axis1", "x.sum(axis=1)", lambda x: x.sum(axis=1), 1),
    reduction("std", "x.std()", lambda x: x.std(), 1),
)
