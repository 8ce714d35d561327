"""A trial of each CUDA device: allocate, run a kernel, copy there and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpuscale.backends.cupy_ops import load_cupy

__all__ = ["DeviceTrial", "device_count", "try_device"]

#: Bytes that are copied: enough that the time of starting a copy does not count.
TRIAL_BYTES = 64 << 20


@dataclass(frozen=True)
class DeviceTrial:
    """What a device did.

    Parameters
    ----------
    index : int
        Its number in CUDA, which counts the devices that CUDA_VISIBLE_DEVICES leaves.
    nbytes : int
        Bytes copied in each direction.
    to_device, to_host : float or None
        Bytes a second from and to pinned host memory; None if it did not come so far.
    failed : str
        The step that failed, and what was raised; empty if all went well.
    """

    index: int
    nbytes: int = 0
    to_device: float | None = None
    to_host: float | None = None
    failed: str = ""


def device_count(cupy: Any = None) -> int:
    """Return how many devices CUDA shows to this process; this initializes CUDA.

    Raises
    ------
    BackendError
        If CuPy is not installed, or finds no device.
    """
    return int((cupy or load_cupy()).cuda.runtime.getDeviceCount())


def try_device(index: int, cupy: Any = None) -> DeviceTrial:
    """Try one device; this creates a CUDA context on it.

    Parameters
    ----------
    index : int
    cupy : module, optional
        By default CuPy, loaded now.

    Returns
    -------
    DeviceTrial
        Whatever the device does: failures are part of it.
    """
    steps = ["load CuPy"]
    rates: list[float] = []
    nbytes = 0
    try:
        cp = cupy or load_cupy()
        with cp.cuda.Device(index):
            steps.append("ask for its memory")
            free, _ = cp.cuda.runtime.memGetInfo()
            count = max(1, min(TRIAL_BYTES, free // 4) // 8)
            nbytes = 8 * count
            _try(cp, count, steps, rates)
            cp.get_default_memory_pool().free_all_blocks()
            cp.get_default_pinned_memory_pool().free_all_blocks()
        failed = ""
    except Exception as error:  # whatever it raises is what the user wants to know
        failed = " ".join(f"{steps[-1]}: {type(error).__name__}: {error}".split())
    to_device, to_host = (*rates, None, None)[:2]
    return DeviceTrial(index, nbytes, to_device, to_host, failed)


def _try(cp: Any, count: int, steps: list[str], rates: list[float]) -> None:
    """Compute 2 x + 1 of `count` numbers; note each step before it, and the rate of each copy."""
    steps.append("allocate")
    sent, received = _pinned(cp, count), _pinned(cp, count)
    sent[:] = np.arange(count, dtype=np.float64)
    x = cp.empty(count, dtype=np.float64)
    steps.append("copy to the device")
    x.set(sent)  # the first copy takes longer
    rates.append(sent.nbytes / _seconds(cp, lambda: x.set(sent)))
    steps.append("run a kernel")
    x *= 2.0
    x += 1.0
    steps.append("copy to the host")
    x.get(out=received)
    rates.append(sent.nbytes / _seconds(cp, lambda: x.get(out=received)))
    steps.append("compare with NumPy")
    if not np.array_equal(received, sent * 2.0 + 1.0):
        raise ArithmeticError("the device computed other numbers than NumPy")


def _pinned(cp: Any, count: int) -> np.ndarray[Any, Any]:
    """Return an array of float64 in host memory that the device copies from and to directly."""
    memory = cp.cuda.alloc_pinned_memory(8 * count)
    return np.frombuffer(memory, np.float64, count)


def _seconds(cp: Any, copy: Callable[[], object]) -> float:
    """Time a copy by the device's clock."""
    start, stop = cp.cuda.Event(), cp.cuda.Event()
    start.record()
    copy()
    stop.record()
    stop.synchronize()
    return float(cp.cuda.get_elapsed_time(start, stop)) / 1e3
