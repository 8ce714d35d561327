"""The time to import each library, on top of NumPy, in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.workload import OURS, Prepare, Run, Seconds, Size, Workload

PROBE = """
import time, numpy
start = time.perf_counter()
import {module}
print(time.perf_counter() - start)
"""


def importing(module: str) -> Prepare:
    def prepare(library: Any, size: Size, folder: Path) -> Run:
        command = [sys.executable, "-c", PROBE.format(module=module)]

        def run() -> Seconds:
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            return Seconds(done.stdout)

        return run

    return prepare


WORKLOADS = (
    Workload(
        name="import",
        about="import the array module, NumPy being there",
        sizes={"full": {}, "quick": {}},
        implementations={
            OURS: importing("gpuscale.array"),
            "dask": importing("dask.array"),
            "dask-array": importing("dask_array"),
            "jax": importing("jax.numpy"),
        },
        same="",
        goals={"dask": 1},
        seconds_goal=0.15,
    ),
)
