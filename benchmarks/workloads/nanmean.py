"""``nanmean(where(x > 0.5, x, nan))`` of random numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import Limit, Run, Size, Workload, lazily


def upper_half_mean(xp: Any, x: Any) -> Any:
    return xp.nanmean(xp.where(x > 0.5, x, xp.nan))


def with_library(xp: Any, size: Size, folder: Path) -> Run:
    return lambda: upper_half_mean(xp, xp.random.random((size["n"],))).compute()


def with_numpy(np_: Any, size: Size, folder: Path) -> Run:
    return lambda: upper_half_mean(np, np.random.default_rng().random(size["n"]))


def with_jax(jnp: Any, size: Size, folder: Path) -> Run:
    import jax

    @jax.jit
    def compute(key: Any) -> Any:
        return upper_half_mean(jnp, jax.random.uniform(key, (size["n"],), dtype=jnp.float64))

    return lambda: float(compute(jax.random.key(0)))


WORKLOADS = (
    Workload(
        name="nanmean",
        about="nanmean(where(x > 0.5, x, nan)), {n} random numbers",
        sizes={"full": {"n": 200_000_000}, "quick": {"n": 100_000}},
        implementations=lazily(with_library, jax=with_jax, numpy=with_numpy),
        limit=lambda size: Limit(randoms=size["n"]),
        same="mean",
        tolerance=0.02,
        goals={"dask": 8, "jax": 1},
    ),
)
