"""Columns to rows: change the chunks from tall to wide, transpose, and hold the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import Limit, Run, Size, Workload, lazily
from benchmarks.workloads.in_memory import matrix

PIECES = 16


def with_library(xp: Any, size: Size, folder: Path) -> Run:
    data, n = matrix(size), size["n"]
    piece = n // PIECES

    def run() -> Any:
        x = xp.from_array(data, chunks=(n, piece)) + 1.0
        return x.rechunk((piece, n)).T.compute()

    return run


def with_numpy(np_: Any, size: Size, folder: Path) -> Run:
    data = matrix(size)
    return lambda: np.ascontiguousarray((data + 1.0).T)


WORKLOADS = (
    Workload(
        name="rechunk-transpose",
        about="(x + 1).rechunk(tall to wide).T of {n} x {n} in memory",
        sizes={"full": {"n": 10_000}, "quick": {"n": 320}},
        implementations=lazily(with_library, numpy=with_numpy),
        limit=lambda size: Limit(bytes=2 * 8 * size["n"] ** 2),
        goals={"dask": 1, "numpy": 1},
    ),
)
