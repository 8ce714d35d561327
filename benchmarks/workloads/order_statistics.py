"""Histogram, percentiles and the largest elements of a vector in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workload import Limit, Workload
from benchmarks.workloads.in_memory import on_array, vector

PERCENTS = [5, 25, 50, 75, 95]
LARGEST = 100


def order_statistic(
    name: str,
    about: str,
    lazy: Callable[[Any, Any], Any],
    plain: Callable[[np.ndarray], Any],
    tolerance: float = 1e-9,
) -> Workload:
    return Workload(
        name=name,
        about=f"{about} of {{n}} doubles in memory",
        sizes={"full": {"n": 100_000_000}, "quick": {"n": 100_000}},
        implementations=on_array(vector, lazy, plain),
        limit=lambda size: Limit(bytes=8 * size["n"]),
        tolerance=tolerance,
        goals={"dask": 1, "numpy": 1},
    )


WORKLOADS = (
    order_statistic(
        "histogram",
        "histogram of 100 bins",
        lambda xp, x: xp.histogram(x, bins=100, range=(0.0, 1.0))[0],
        lambda x: np.histogram(x, bins=100, range=(0.0, 1.0))[0],
    ),
    order_statistic(
        "percentile",
        "five percentiles",
        lambda xp, x: xp.percentile(x, PERCENTS),
        lambda x: np.percentile(x, PERCENTS),
        tolerance=0.01,  # dask's are approximate
    ),
    order_statistic(
        "topk",
        f"the {LARGEST} largest",
        lambda xp, x: xp.topk(x, LARGEST),
        lambda x: np.sort(np.partition(x, -LARGEST)[-LARGEST:])[::-1],
    ),
)
