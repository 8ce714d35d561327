"""How long a new chain of operations takes at its first call, and at a later one."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.device.libraries import to_numpy
from benchmarks.workload import OURS, Run, Seconds, Size, Workload

STEPS: tuple[Callable[[Any, Any], Any], ...] = (
    lambda xp, x: xp.sqrt(xp.abs(x)),
    lambda xp, x: xp.exp(-x),
    lambda xp, x: xp.sin(x),
    lambda xp, x: xp.cos(x) + 1.0,
    lambda xp, x: x * x - 0.5,
    lambda xp, x: 1.0 / (1.0 + xp.abs(x)),
    lambda xp, x: xp.where(x > 0.5, x, -x),
)


def chain(xp: Any, order: tuple[int, ...], x: Any) -> Any:
    """Apply the steps in some order, which makes a kernel of its own."""
    for step in order:
        x = STEPS[step](xp, x)
    return x


def seconds_of(call: Callable[[tuple[int, ...]], Any], is_cached: bool) -> Run:
    """Time a call, or the call after it, of a chain in an order that no run had before."""
    rng = np.random.default_rng()

    def run() -> Seconds:
        order = tuple(map(int, rng.permutation(len(STEPS))))
        if is_cached:
            call(order)
        start = time.perf_counter()
        call(order)
        return Seconds(time.perf_counter() - start)

    return run


def numbers(size: Size) -> np.ndarray:
    return np.random.default_rng(1).random(size["n"])


def ours(is_cached: bool, ga: Any, size: Size, folder: Path) -> Run:
    import gpuscale

    kernels = tempfile.mkdtemp(prefix="kernels-", dir=folder)
    gpuscale.config.set({"codegen.cache-dir": kernels})
    x = ga.asarray(numbers(size)).persist()
    return seconds_of(lambda order: chain(ga, order, x).sum().compute(), is_cached)


def cupy(is_cached: bool, cp: Any, size: Size, folder: Path) -> Run:
    x = cp.asarray(numbers(size))
    fused = {}

    def call(order: tuple[int, ...]) -> Any:
        if order not in fused:
            fused[order] = cp.fuse(partial(chain, cp, order))
        return to_numpy(fused[order](x).sum())

    return seconds_of(call, is_cached)


def jax(is_cached: bool, jnp: Any, size: Size, folder: Path) -> Run:
    import jax

    x = jnp.asarray(numbers(size))
    compute = jax.jit(lambda x, order: chain(jnp, order, x).sum(), static_argnums=1)
    return seconds_of(lambda order: to_numpy(compute(x, order)), is_cached)


WORKLOADS = tuple(
    Workload(
        name=f"device-{name}-call",
        about=about,
        sizes={"full": {"n": 1_000_000}, "quick": {"n": 10_000}},
        implementations={
            OURS: partial(ours, is_cached),
            "cupy": partial(cupy, is_cached),
            "jax": partial(jax, is_cached),
        },
        same="",
        seconds_goal=goal,
        needs="cupy",
    )
    for name, about, is_cached, goal in (
        ("first", "first call of a new chain over {n} numbers", False, 0.5),
        ("cached", "another call of the same chain over {n} numbers", True, 0.02),
    )
)
