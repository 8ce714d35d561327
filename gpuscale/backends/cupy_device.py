"""The device of CuPy: streams, copies and the pool of its memory."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from gpuscale.backends.devices import MemoryFigures
from gpuscale.backends.pinned import stager_of

__all__ = ["CupyDevice"]


class CupyDevice:
    """See `devices.Device`.

    Parameters
    ----------
    cupy : module
        CuPy, or what stands for it.
    """

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        # The one that the program chose; threads of an engine begin on the first one.
        self._device = cupy.cuda.Device()
        self._idle: deque[Any] = deque()  # streams that no task uses

    @property
    def index(self) -> int:
        """Number of the device of CUDA that was the current one at the first use."""
        return int(self._device.id)

    def upload(self, data: Any) -> Any:
        """Copy an array of the host to the device, through pinned buffers."""
        return stager_of(self._cupy).upload(data)

    @contextmanager
    def running(self, label: str) -> Iterator[None]:
        """Use a stream that no other task uses, and wait for it; NVTX shows the task by its label.

        Streams are blocking ones: they keep order with the null stream, where libraries work that
        functions of users call. They outlive threads, as do the parts of pools that go with them.
        """
        with self._device:
            try:
                stream = self._idle.pop()
            except IndexError:
                stream = self._cupy.cuda.Stream()
            nvtx = self._cupy.cuda.nvtx
            nvtx.RangePush(label)  # next to nothing where no profiler listens
            try:
                with stream:
                    yield
                stream.synchronize()
            except BaseException:
                with suppress(Exception):  # the first error is the one to tell
                    stream.synchronize()
                raise
            finally:
                nvtx.RangePop()
                self._idle.append(stream)

    def free_blocks(self) -> None:
        """Wait for what is freed in the order of streams, then empty CuPy's pools."""
        with self._device:
            self._cupy.cuda.runtime.deviceSynchronize()
            self._cupy.get_default_memory_pool().free_all_blocks()
        self._cupy.get_default_pinned_memory_pool().free_all_blocks()

    def figures(self) -> MemoryFigures:
        """Ask RMM where its pool is in use, else CuPy's own pool."""
        with self._device:  # whose pool CuPy and RMM answer for
            free, size = map(int, self._cupy.cuda.runtime.memGetInfo())
            counts = _counts_of_rmm()
            if counts is not None:
                return MemoryFigures(int(counts.current_bytes), free=free, total=size)
            pool = self._cupy.get_default_memory_pool()
            used, total = int(pool.used_bytes()), int(pool.total_bytes())
            return MemoryFigures(used, total - used, int(pool.get_limit()) or None, free, size)


def _counts_of_rmm() -> Any:
    statistics = sys.modules.get("rmm.statistics")
    return None if statistics is None else statistics.get_statistics()
