"""A matrix product, where the libraries differ in what they add to BLAS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import Limit, Run, Size, Workload, lazily
from benchmarks.workloads.in_memory import matrix


def with_library(xp: Any, size: Size, folder: Path) -> Run:
    data = matrix(size)

    def run() -> Any:
        x = xp.from_array(data)
        return xp.matmul(x, x).compute()

    return run


def with_numpy(np_: Any, size: Size, folder: Path) -> Run:
    data = matrix(size)
    return lambda: np.matmul(data, data)


def with_jax(jnp: Any, size: Size, folder: Path) -> Run:
    import jax

    data = jnp.asarray(matrix(size))
    compute = jax.jit(jnp.matmul)
    return lambda: np.asarray(compute(data, data))


WORKLOADS = (
    Workload(
        name="matmul",
        about="x @ x, {n} x {n} in memory",
        sizes={"full": {"n": 6000}, "quick": {"n": 200}},
        implementations=lazily(with_library, jax=with_jax, numpy=with_numpy),
        limit=lambda size: Limit(flops=2 * size["n"] ** 3),
        goals={"dask": 1, "numpy": 1},
    ),
)
