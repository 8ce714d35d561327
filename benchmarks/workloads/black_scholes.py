"""The mean price of European calls by Black and Scholes: a long elementwise chain, one number out.

The normal distribution function is the five-term polynomial of Abramowitz and Stegun (26.2.17),
which every library can spell.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import Limit, Run, Size, Workload, lazily

RATE, VOLATILITY = 0.02, 0.3
TERMS = (1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.319381530)


def options(size: Size) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spot prices, strikes and years to maturity."""
    rng = np.random.default_rng(1)
    spans = ((10.0, 50.0), (10.0, 50.0), (0.5, 2.0))
    spot, strike, years = (rng.uniform(low, high, size["n"]) for low, high in spans)
    return spot, strike, years


def normal_cdf(xp: Any, x: Any) -> Any:
    k = 1.0 / (1.0 + 0.2316419 * xp.abs(x))
    polynomial = k * 0.0
    for term in TERMS:
        polynomial = (polynomial + term) * k
    tail = polynomial * xp.exp(-0.5 * x * x) * 0.3989422804014327
    return xp.where(x > 0.0, 1.0 - tail, tail)


def price(xp: Any, spot: Any, strike: Any, years: Any) -> Any:
    spread = VOLATILITY * xp.sqrt(years)
    d1 = (xp.log(spot / strike) + (RATE + 0.5 * VOLATILITY**2) * years) / spread
    discounted = strike * xp.exp(-RATE * years)
    return spot * normal_cdf(xp, d1) - discounted * normal_cdf(xp, d1 - spread)


def with_library(xp: Any, size: Size, folder: Path) -> Run:
    data = options(size)
    return lambda: price(xp, *map(xp.from_array, data)).mean().compute()


def with_numpy(np_: Any, size: Size, folder: Path) -> Run:
    data = options(size)
    return lambda: price(np, *data).mean()


def with_jax(jnp: Any, size: Size, folder: Path) -> Run:
    import jax

    data = [jnp.asarray(column) for column in options(size)]
    compute = jax.jit(lambda *columns: price(jnp, *columns).mean())
    return lambda: float(compute(*data))


def with_numexpr(numexpr: Any, size: Size, folder: Path) -> Run:
    """The same chain as text, in the two steps that numexpr can hold."""
    spot, strike, years = options(size)
    text = "(((({}*k+{})*k+{})*k+{})*k+{})*k".format(*TERMS)
    cdf = f"where(x > 0, 1 - {text}*e, {text}*e)"

    def normal(x: np.ndarray) -> np.ndarray:
        k = numexpr.evaluate("1 / (1 + 0.2316419 * abs(x))")
        e = numexpr.evaluate("exp(-0.5 * x * x) * 0.3989422804014327")
        return numexpr.evaluate(cdf, {"x": x, "k": k, "e": e})

    def run() -> float:
        names = {"s": spot, "k": strike, "t": years, "r": RATE, "v": VOLATILITY}
        d1 = numexpr.evaluate("(log(s / k) + (r + 0.5 * v**2) * t) / (v * sqrt(t))", names)
        names |= {
            "a": normal(d1),
            "b": normal(numexpr.evaluate("d1 - v * sqrt(t)", names | {"d1": d1})),
        }
        return float(numexpr.evaluate("sum(s * a - k * exp(-r * t) * b)", names)) / len(spot)

    return run


WORKLOADS = (
    Workload(
        name="black-scholes",
        about="mean price of {n} European calls (Black and Scholes)",
        sizes={"full": {"n": 50_000_000}, "quick": {"n": 20_000}},
        implementations=lazily(with_library, jax=with_jax, numexpr=with_numexpr, numpy=with_numpy),
        limit=lambda size: Limit(bytes=3 * 8 * size["n"]),
        goals={"numpy": 4, "jax": 1},
    ),
)
