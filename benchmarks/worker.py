"""One measurement in a process of its own: ``python -m benchmarks.worker '<json request>'``.

Prints one line of JSON: seconds, peak memory in bytes, and a digest of the result.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

PATIENCE = 20.0  # seconds; a warm-up that took longer is itself the measurement
SAMPLE = 1000  # elements of a large result that are compared


def status(field: str) -> int:
    """Read a size in bytes from this process's status file (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"/proc/self/status has no field {field}")


def forget_peak() -> None:
    """Make the highest memory use so far the present one, so that imports do not count."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_bytes() -> int:
    """Return the highest resident memory since the last `forget_peak`."""
    if sys.platform == "linux":
        return status("VmHWM")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


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


def measure(request: dict[str, Any]) -> dict[str, Any]:
    """Run one implementation of one workload, once to warm up and once for the clock."""
    from benchmarks.workload import load
    from benchmarks.workloads import WORKLOADS

    workload = WORKLOADS[request["workload"]]
    size = workload.sizes[request["size"]]
    library = load(request["implementation"], request["cores"])
    if sys.platform == "linux":
        forget_peak()
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
