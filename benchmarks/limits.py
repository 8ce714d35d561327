"""What this machine can do at most: memory bandwidth, random numbers, multiply-adds."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.workload import Limit

TRIALS = 5


@dataclass(frozen=True)
class Rates:
    """Per second, over all cores that the benchmark uses."""

    bytes: float
    randoms: float
    flops: float
    link: float = 0  # nothing to cross

    def seconds(self, limit: Limit) -> float:
        """Return the least time for a limit, 0 where it demands nothing."""
        rates = asdict(self)
        amounts = asdict(limit).items()
        return max((amount / rates[what] for what, amount in amounts if amount), default=0.0)


def best_time(work: Callable[[int], None], cores: int) -> float:
    """Return the least time of a few trials in which every core does ``work(core)``."""

    def trial(pool: ThreadPoolExecutor) -> float:
        start = time.perf_counter()
        list(pool.map(work, range(cores)))
        return time.perf_counter() - start

    with ThreadPoolExecutor(cores) as pool:
        return min(trial(pool) for _ in range(TRIALS))


def bandwidth(cores: int, n: int = 16_000_000) -> float:
    """Bytes per second of ``c = a + b`` on arrays far larger than the caches, as STREAM's add.

    Counts two reads and one write an element (McCalpin 1995, STREAM).
    """
    arrays = [[np.ones(n) for _ in range(3)] for _ in range(cores)]
    seconds = best_time(lambda core: np.add(*arrays[core][:2], out=arrays[core][2]), cores)
    return cores * 3 * 8 * n / seconds


def generator_rate(cores: int, tiles: int = 200) -> float:
    """Uniform doubles per second made by the hand-written kernel, into a tile in cache."""
    from benchmarks.hand_fused import TILE, U, fill_tile

    buffers = np.empty((cores, TILE, TILE))
    key = (U(1), U(2))
    fill_tile(buffers[0], U(0), U(0), U(TILE), key)

    def work(core: int) -> None:
        for k in range(tiles):
            fill_tile(buffers[core], U(k * TILE), U(0), U(TILE), key)

    return cores * tiles * TILE**2 / best_time(work, cores)


def flop_rate(n: int = 1500) -> float:
    """Floating-point operations per second of NumPy's matrix product."""
    a = np.ones((n, n))
    return 2 * n**3 / best_time(lambda core: np.matmul(a, a), 1)


def measure_rates(cores: int) -> Rates:
    return Rates(bandwidth(cores), generator_rate(cores), flop_rate())
