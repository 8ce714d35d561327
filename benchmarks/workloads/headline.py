"""The headline: ``y = (X + X.T) - X.mean(axis=0)`` for uniform random X that is never stored."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import OURS, Limit, Prepare, Run, Size, Workload, lazily


def expression(x: Any) -> Any:
    return (x + x.T) - x.mean(axis=0)


def statistic(y: Any, name: str) -> Any:
    return y.sum() if name == "sum" else y.std(axis=0)


def with_library(name: str, xp: Any, size: Size, folder: Path) -> Run:
    n = size["n"]
    return lambda: statistic(expression(xp.random.random((n, n))), name).compute()


def with_numpy(name: str, np_: Any, size: Size, folder: Path) -> Run:
    n = size["n"]
    return lambda: statistic(expression(np.random.default_rng().random((n, n))), name)


def with_jax(name: str, jnp: Any, size: Size, folder: Path) -> Run:
    import jax

    n = size["n"]

    @jax.jit
    def compute(key: Any) -> Any:
        return statistic(expression(jax.random.uniform(key, (n, n), dtype=jnp.float64)), name)

    return lambda: np.asarray(compute(jax.random.key(0)))


def by_hand(name: str, paired: bool, hand: Any, size: Size, folder: Path) -> Run:
    compute = hand.total if name == "sum" else hand.deviations
    compute(2 * hand.TILE, seed=1, paired=paired)  # compiles
    return lambda: compute(size["n"], seed=1, paired=paired)


def implementations(name: str) -> dict[str, Prepare]:
    return lazily(
        partial(with_library, name),
        jax=partial(with_jax, name),
        numpy=partial(with_numpy, name),
    ) | {
        "hand-fused": partial(by_hand, name, False),
        "hand-fused pairs": partial(by_hand, name, True),
    }


def huge(ga: Any, size: Size, folder: Path) -> Run:
    n = size["n"]

    def run() -> Any:
        x = ga.random.random((n, n), chunks="1 GiB")
        return expression(x).std(axis=0).compute()

    return run


# Each element once for the mean, once more for what is done with y: tiles (i, j) and (j, i)
# need the same elements.
def limit(size: Size) -> Limit:
    return Limit(randoms=2 * size["n"] ** 2)


GOALS = {"dask": 10, "dask-array": 8, "hand-fused": 1 / 1.2}

WORKLOADS = (
    *(
        Workload(
            name=f"headline-{name}",
            about=f"y = (X + X.T) - X.mean(axis=0), X random {{n}} x {{n}}: {call}",
            sizes={"full": {"n": 20_000}, "quick": {"n": 960}},
            implementations=implementations(name),
            limit=limit,
            same="mean",
            tolerance=0.02,
            goals=GOALS,
            peak_goal=400,
        )
        for name, call in (("sum", "y.sum()"), ("std", "y.std(axis=0)"))
    ),
    Workload(
        name="headline-huge",
        about="the same at {n} x {n}, 80 GB that never exist: y.std(axis=0)",
        sizes={"full": {"n": 100_000}, "quick": {"n": 960}},
        implementations={OURS: huge},
        limit=limit,
        same="",
        peak_goal=1073,
        on_request=True,
    ),
)
