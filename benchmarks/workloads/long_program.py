"""Loops of many small steps on little data: what building and planning a long program takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import Run, Size, Workload, lazily


def chain(xp: Any, size: Size, folder: Path) -> Run:
    def run() -> Any:
        x = xp.from_array(np.arange(100.0), chunks=50)
        for step in range(size["steps"]):
            x = x * 0.5 if step % 2 else x + step
        return x.compute()

    return run


def growing(xp: Any, size: Size, folder: Path) -> Run:
    def run() -> Any:
        x = xp.from_array(np.arange(100.0), chunks=50)
        for step in range(size["steps"]):
            x = xp.concatenate([x, xp.from_array(np.arange(100.0) + step, chunks=50)])
        return x.compute()

    return run


def assignments(xp: Any, size: Size, folder: Path) -> Run:
    def run() -> Any:
        x = xp.from_array(np.zeros(1000), chunks=50)
        for step in range(size["steps"]):
            x[step] = step
        return x.compute()

    return run


WORKLOADS = tuple(
    Workload(
        name=name,
        about=about,
        sizes={"full": {"steps": steps}, "quick": {"steps": 20}},
        implementations=lazily(prepare),
        goals={"dask": 1},
    )
    for name, about, steps, prepare in (
        ("long-program", "x = x * 0.5, x = x + k: {steps} steps on 100 numbers", 500, chain),
        ("growing-array", "x = concatenate([x, piece]), {steps} pieces of 100", 300, growing),
        ("assignments", "x[i] = i, {steps} times, 1000 numbers in chunks of 50", 500, assignments),
    )
)
