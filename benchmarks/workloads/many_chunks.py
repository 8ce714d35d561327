"""Ten thousand small chunks: what a task costs beyond its work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.workload import Limit, Run, Size, Workload, lazily
from benchmarks.workloads.in_memory import matrix


def with_library(xp: Any, size: Size, folder: Path) -> Run:
    data = matrix(size)
    return lambda: ((xp.from_array(data, chunks=size["chunk"]) + 1) * 2).sum().compute()


def with_numpy(np_: Any, size: Size, folder: Path) -> Run:
    data = matrix(size)
    return lambda: ((data + 1) * 2).sum()


WORKLOADS = (
    Workload(
        name="many-chunks",
        about="((x + 1) * 2).sum(), {n} x {n} in chunks of {chunk} x {chunk}",
        sizes={"full": {"n": 10_000, "chunk": 100}, "quick": {"n": 200, "chunk": 20}},
        implementations=lazily(with_library, numpy=with_numpy),
        limit=lambda size: Limit(bytes=8 * size["n"] ** 2),
        goals={"dask": 4},
    ),
)
