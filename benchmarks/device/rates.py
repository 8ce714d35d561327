"""What a device can do at most: bytes copied, random numbers made, bytes over the host's link."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.device.clock import timed
from benchmarks.limits import TRIALS, Rates

# Integer instructions of Philox4x32-10 for one of the two doubles that a block of it makes: in ten
# rounds two wide products (two instructions each), four exclusive-ors and two additions of keys;
# three to turn two words into a double.
PER_DOUBLE = 10 * (4 + 4 + 2) / 2 + 3
# Integer lanes of a multiprocessor, in instructions a clock (CUDA C++ Programming Guide,
# arithmetic instructions; compute capability 8.0 and 9.0).
LANES = 64


def best(run: Any) -> float:
    """Return the least time of a few runs, in seconds, after one to warm up."""
    run()
    return min(timed(run)[0] for _ in range(TRIALS))


def copy_rate(cupy: Any, nbytes: int = 4 << 30) -> float:
    """Bytes read and written per second by a copy within the device."""
    nbytes = min(nbytes, cupy.cuda.runtime.memGetInfo()[0] // 4)
    source = cupy.zeros(nbytes, dtype=cupy.uint8)
    target = cupy.empty_like(source)
    return 2 * nbytes / best(lambda: cupy.copyto(target, source))


def link_rate(cupy: Any, nbytes: int = 1 << 30) -> float:
    """Bytes per second from pinned memory of the host to the device."""
    pinned = cupy.cuda.alloc_pinned_memory(nbytes)
    host = np.frombuffer(pinned, dtype=np.uint8, count=nbytes)
    host[:] = 1
    target = cupy.empty(nbytes, dtype=cupy.uint8)
    return nbytes / best(lambda: target.set(host))


def generator_rate(cupy: Any) -> float:
    """Uniform doubles per second that the integer units have time for."""
    attributes = cupy.cuda.Device().attributes
    clock = 1e3 * attributes["ClockRate"]  # kilohertz
    return attributes["MultiProcessorCount"] * LANES * clock / PER_DOUBLE


def flop_rate(cupy: Any, n: int = 8192) -> float:
    """Floating-point operations per second of a product of matrices of doubles."""
    a = cupy.ones((n, n))
    return 2 * n**3 / best(lambda: a @ a)


def measure_rates() -> Rates:
    import cupy

    return Rates(copy_rate(cupy), generator_rate(cupy), flop_rate(cupy), link_rate(cupy))


def machine() -> dict[str, str]:
    """Describe the device and its software."""
    import cupy

    properties = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)
    return {
        "device": properties["name"].decode(),
        "device memory": f"{properties['totalGlobalMem'] / 2**30:.0f} GiB",
        "compute capability": f"{properties['major']}.{properties['minor']}",
        "CUDA driver": str(cupy.cuda.runtime.driverGetVersion()),
        "CUDA runtime": str(cupy.cuda.runtime.runtimeGetVersion()),
        "cupy": cupy.__version__,
    }
