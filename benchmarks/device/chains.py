"""Long elementwise chains with one number out: Black and Scholes, and a mean that skips."""

from __future__ import annotations

from typing import Any

from benchmarks.device.libraries import on_data, on_random
from benchmarks.workload import Limit, Workload
from benchmarks.workloads.black_scholes import options, price
from benchmarks.workloads.nanmean import upper_half_mean


def mean_price(xp: Any, spot: Any, strike: Any, years: Any) -> Any:
    return price(xp, spot, strike, years).mean()


WORKLOADS = (
    Workload(
        name="device-black-scholes",
        about="mean price of {n} European calls, data on the device",
        sizes={"full": {"n": 100_000_000}, "quick": {"n": 20_000}},
        implementations=on_data(mean_price, options),
        limit=lambda size: Limit(bytes=3 * 8 * size["n"]),
        goals={"cupy": 3, "jax": 1},
        needs="cupy",
    ),
    Workload(
        name="device-nanmean",
        about="nanmean(where(x > 0.5, x, nan)), {n} random numbers",
        sizes={"full": {"n": 1_000_000_000}, "quick": {"n": 100_000}},
        implementations=on_random(upper_half_mean, lambda size: (size["n"],), "float64"),
        limit=lambda size: Limit(randoms=size["n"]),
        same="mean",
        tolerance=0.02,
        goals={"cupy": 3, "jax": 1},
        needs="cupy",
    ),
)
