"""Time and memory on a device: CUDA events around the work, and what the driver says is taken."""

from __future__ import annotations

import threading
from typing import Any

from benchmarks.workload import Seconds

INTERVAL = 0.005  # seconds between looks at the memory

_peak = [0]


def timed(run: Any) -> tuple[float, Any]:
    """Return seconds between two events, all streams of the device waited for, and the result."""
    import cupy

    device, start, stop = cupy.cuda.Device(), cupy.cuda.Event(), cupy.cuda.Event()
    device.synchronize()
    start.record()
    result = run()
    device.synchronize()  # work on other streams than the events' counts as well
    stop.record()
    stop.synchronize()
    if isinstance(result, Seconds):
        return float(result), None
    return cupy.cuda.get_elapsed_time(start, stop) / 1e3, result


def watch_memory() -> None:
    """Look at the device's memory from now on, in a thread of its own."""
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    while True:
        _look()
        threading.Event().wait(INTERVAL)


def _look() -> None:
    import cupy

    free, total = cupy.cuda.runtime.memGetInfo()
    _peak[0] = max(_peak[0], total - free)


def peak_bytes() -> int:
    """Return the most bytes of the device that were taken so far, by whomever."""
    _look()
    return _peak[0]
