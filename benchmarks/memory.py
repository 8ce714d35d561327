"""How much memory a process takes, and took at most."""

from __future__ import annotations

import resource
import sys
import threading
from pathlib import Path
from types import TracebackType

LINUX = sys.platform == "linux"
INTERVAL = 0.01  # seconds between looks


def status(field: str) -> int:
    """Return a size in bytes from this process's status file (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"/proc/self/status has no field {field}")


def forget_peak() -> None:
    """Make the present memory use the highest so far, where the system can (Linux)."""
    if LINUX:
        Path("/proc/self/clear_refs").write_text("5")


def peak_bytes() -> int:
    """Return the highest resident memory since the start, or since `forget_peak`."""
    if LINUX:
        return status("VmHWM")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def resident() -> int:
    """Return the memory of this process without pages of files (Linux), else its peak."""
    return status("RssAnon") if LINUX else peak_bytes()


class PeakMemory:
    """Context manager that watches the memory of this process; `before` and `peak` in bytes.

    Pages of mapped files are left out where the system tells them apart (Linux): they lie in the
    page cache in any case, and the system drops them when it needs room.
    """

    def __init__(self) -> None:
        self.before = self.peak = resident()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._done.wait(INTERVAL):
            self._look()

    def _look(self) -> None:
        self.peak = max(self.peak, resident())

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()
        self._look()
