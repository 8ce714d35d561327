"""One measurement in a process of its own: ``python -m benchmarks.worker '<json request>'``.

Prints one line of JSON: seconds, peak memory in bytes, and a digest of the result.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.memory import forget_peak, peak_bytes

PATIENCE = 10.0  # seconds; a warm-up that took longer is itself the measurement
SAMPLE = 1000  # elements of a large result that are compared


def digest(result: Any) -> dict[str, Any]:
    """Return shape, mean and a sample of a result: small enough for a pipe."""
    import numpy as np

    array = np.asarray(result, dtype=np.float64).reshape(-1)
    step = max(1, array.size // SAMPLE)
    return {
        "shape": list(np.shape(result)),
        "mean": float(np.nanmean(array)),
        "sample": array[::step][:SAMPLE].tolist(),
    }


def timed(run: Any) -> tuple[float, Any]:
    from benchmarks.workload import Seconds

    start = time.perf_counter()
    result = run()
    elapsed = time.perf_counter() - start
    return (float(result), None) if isinstance(result, Seconds) else (elapsed, result)


def clock_of(workload: Any) -> tuple[Any, Any]:
    """Return how time and peak memory of a workload are taken: those of host or device."""
    if workload.on_device:
        from benchmarks.device import clock

        clock.watch_memory()
        return clock.timed, clock.peak_bytes
    forget_peak()
    return timed, peak_bytes


def measure(request: dict[str, Any]) -> dict[str, Any]:
    """Run one implementation of one workload, once to warm up and once for the clock."""
    from benchmarks.workload import load
    from benchmarks.workloads import WORKLOADS

    workload = WORKLOADS[request["workload"]]
    size = workload.sizes[request["size"]]
    library = load(workload, request["implementation"], request["cores"])
    timed, peak_bytes = clock_of(workload)
    before = peak_bytes()
    prepare = workload.implementations[request["implementation"]]
    run = prepare(library, size, Path(request["folder"]))
    seconds, result = timed(run)
    if seconds < PATIENCE:
        del result
        seconds, result = timed(run)
    peak = peak_bytes()
    return {
        "seconds": seconds,
        "peak": peak,
        "above_imports": peak - before,
        "digest": None if result is None else digest(result),
    }


def main() -> None:
    request = json.loads(sys.argv[1])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: request["cores"]])
    print(json.dumps(measure(request)))


if __name__ == "__main__":
    main()
