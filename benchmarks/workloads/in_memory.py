"""What the workloads on one array in memory share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import Prepare, Run, Size, lazily


def matrix(size: Size) -> np.ndarray:
    return np.random.default_rng(1).random((size["n"], size["n"]))


def vector(size: Size) -> np.ndarray:
    return np.random.default_rng(1).random(size["n"])


def on_array(
    make: Callable[[Size], np.ndarray],
    lazy: Callable[[Any, Any], Any],
    plain: Callable[[np.ndarray], Any],
) -> dict[str, Prepare]:
    """Implementations of ``lazy(library, x)`` and ``plain(x)`` for x that is in memory."""

    def with_library(xp: Any, size: Size, folder: Path) -> Run:
        data = make(size)
        return lambda: lazy(xp, xp.from_array(data)).compute()

    def with_numpy(np_: Any, size: Size, folder: Path) -> Run:
        data = make(size)
        return lambda: plain(data)

    return lazily(with_library, numpy=with_numpy)
