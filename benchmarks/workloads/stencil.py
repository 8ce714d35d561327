"""Five steps of heat conduction on a square grid: the 5-point stencil in single precision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import Limit, Run, Size, Workload, lazily

STEPS = 5
SPEED = 0.2


def plate(size: Size) -> np.ndarray:
    return np.random.default_rng(1).random((size["n"], size["n"]), dtype=np.float32)


def inner_step(u: Any) -> Any:
    """One step for all points but the border ones, which have no neighbours on all sides."""
    middle = u[1:-1, 1:-1]
    around = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
    return middle + SPEED * (around - 4 * middle)


def step(u: np.ndarray) -> np.ndarray:
    """One step with the border held fixed."""
    out = u.copy()
    out[1:-1, 1:-1] = inner_step(u)
    return out


def repeated(function: Any, u: Any) -> Any:
    for _ in range(STEPS):
        u = function(u)
    return u


def overlap_lazily(xp: Any, size: Size, folder: Path) -> Run:
    u = plate(size)

    def lazy_step(x: Any) -> Any:
        return xp.map_overlap(step, x, depth=1, boundary="none", dtype=x.dtype)

    return lambda: repeated(lazy_step, xp.from_array(u)).compute()


def overlap_with_numpy(np_: Any, size: Size, folder: Path) -> Run:
    u = plate(size)
    return lambda: repeated(step, u)


def slices_lazily(xp: Any, size: Size, folder: Path) -> Run:
    u = plate(size)
    return lambda: repeated(inner_step, xp.from_array(u)).compute()


def slices_with_numpy(np_: Any, size: Size, folder: Path) -> Run:
    u = plate(size)
    return lambda: repeated(inner_step, u)


def overlap_with_jax(jnp: Any, size: Size, folder: Path) -> Run:
    return jitted(jnp, size, lambda u: u.at[1:-1, 1:-1].set(inner_step(u)))


def slices_with_jax(jnp: Any, size: Size, folder: Path) -> Run:
    return jitted(jnp, size, inner_step)


def jitted(jnp: Any, size: Size, function: Any) -> Run:
    import jax

    u = jnp.asarray(plate(size))
    compute = jax.jit(lambda u: repeated(function, u))
    return lambda: np.asarray(compute(u))


def limit(size: Size) -> Limit:
    return Limit(bytes=2 * 4 * size["n"] ** 2)  # read once, write once: five steps fit the cache


SIZES = {"full": {"n": 8192}, "quick": {"n": 256}}

WORKLOADS = (
    Workload(
        name="stencil-overlap",
        about="5-point heat stencil, 5 steps, {n} x {n} float32, map_overlap",
        sizes=SIZES,
        implementations=lazily(overlap_lazily, jax=overlap_with_jax, numpy=overlap_with_numpy),
        limit=limit,
        tolerance=1e-5,
        goals={"dask": 2},
    ),
    Workload(
        name="stencil-slices",
        about="the same by slices; the grid loses its border at each step",
        sizes=SIZES,
        implementations=lazily(slices_lazily, jax=slices_with_jax, numpy=slices_with_numpy),
        limit=limit,
        tolerance=1e-5,
        goals={"dask": 2},
    ),
)
