"""Eight gigabytes that never need to be in memory at once, under a limit of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.workload import Limit, Run, Size, Workload, lazily

LIMIT = "1 GiB"


def within_limit(library: Any, size: Size) -> None:
    """Tell gpuscale its limit; dask has none to be told."""
    if library.__name__.startswith("gpuscale"):
        import gpuscale

        gpuscale.config.set({"memory-limit": LIMIT})


def centered(xp: Any, size: Size, folder: Path) -> Run:
    within_limit(xp, size)
    n, chunk = size["n"], size["chunk"]

    def run() -> Any:
        x = xp.random.default_rng(1).random((n, n), chunks=(chunk, chunk))
        return ((x - x.mean(axis=0)) ** 2).sum().compute()

    return run


def outer(xp: Any, size: Size, folder: Path) -> Run:
    within_limit(xp, size)
    n, chunk = size["n"], size["chunk"]

    def run() -> Any:
        x = xp.arange(n, chunks=chunk) / n
        return (x[:, None] * x[None, :]).sum().compute()

    return run


SIZES = {"full": {"n": 32_000, "chunk": 2_000}, "quick": {"n": 200, "chunk": 50}}

WORKLOADS = (
    Workload(
        name="centered-1gib",
        about="((x - x.mean(axis=0)) ** 2).sum(), x random {n} x {n}, memory limit 1 GiB",
        sizes=SIZES,
        implementations=lazily(centered),
        limit=lambda size: Limit(randoms=2 * size["n"] ** 2),
        same="mean",
        tolerance=1e-3,
        peak_goal=1074,
    ),
    Workload(
        name="outer-1gib",
        about="sum of the products of all pairs of {n} numbers, memory limit 1 GiB",
        sizes=SIZES,
        implementations=lazily(outer),
        goals={"dask": 1},
        peak_goal=1074,
    ),
)
