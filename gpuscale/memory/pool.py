"""The pool of a device's memory: one of RMM for CuPy, Numba and cuDF, or else CuPy's own.

The options have the names of dask-cuda: ``rmm-pool-size``, ``rmm-maximum-pool-size``,
``rmm-managed-memory``, ``rmm-async``, ``rmm-release-threshold``, ``rmm-log-directory`` and
``rmm-track-allocations``. They are read once in a process, when it first asks for CuPy's namespace;
a pool that the program has set up itself stays as it is unless one of them is set.
"""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from gpuscale.backends.creation import when_loaded
from gpuscale.base import config
from gpuscale.base.errors import ConfigError
from gpuscale.base.sizes import format_bytes, parse_bytes

__all__ = ["OPTIONS", "PoolPlan", "pool_plan", "set_up_pool"]

_logger = logging.getLogger("gpuscale.memory")

OPTIONS = (
    "rmm-pool-size",
    "rmm-maximum-pool-size",
    "rmm-managed-memory",
    "rmm-async",
    "rmm-release-threshold",
    "rmm-log-directory",
    "rmm-track-allocations",
)

_UNSET = (None, False, "auto")
_ALIGNED = 256  # RMM takes pools of a multiple of so many bytes
# Sets Numba's allocator without loading Numba, which kernels from the cache do not need.
_NUMBA_VARIABLE, _OF_NUMBA = "NUMBA_CUDA_MEMORY_MANAGER", "rmm.allocators.numba"


@dataclass(frozen=True)
class PoolPlan:
    """What the options ask for, in bytes of one device.

    Parameters
    ----------
    size : int or None
        Bytes taken at once.
    maximum : int or None
        Bytes that the pool may have at most; None is what the device has.
    managed : bool
        Whether memory moves to the host and back by itself.
    is_async : bool
        Whether the driver's stream-ordered pool is used.
    release : int or None
        Bytes that the driver's pool keeps at a synchronization.
    log_directory : str or None
    tracks : bool
        Whether allocations that are alive are known one by one.
    asked : tuple of str
        The options that are not at their defaults.
    """

    size: int | None = None
    maximum: int | None = None
    managed: bool = False
    is_async: bool = False
    release: int | None = None
    log_directory: str | None = None
    tracks: bool = False
    asked: tuple[str, ...] = ()


def pool_plan(total: int, can_async: bool) -> PoolPlan:
    """Read the options for a device.

    Parameters
    ----------
    total : int
        Bytes of the device, to which fractions refer.
    can_async : bool
        Whether the device has stream-ordered pools.

    Raises
    ------
    ConfigError
        If they contradict one another, or ask for more than the device has.

    Examples
    --------
    >>> with config.set({"rmm-pool-size": "1 GiB", "rmm-maximum-pool-size": 0.5}):
    ...     plan = pool_plan(80 << 30, can_async=True)
    >>> plan.size == 1 << 30, plan.maximum == 40 << 30, plan.is_async
    (True, True, True)
    """
    values = {key: config.get(key) for key in OPTIONS}
    size, maximum, release = (
        None if values[key] is None else parse_bytes(values[key], total)
        for key in ("rmm-pool-size", "rmm-maximum-pool-size", "rmm-release-threshold")
    )
    wish, managed = values["rmm-async"], values["rmm-managed-memory"]
    plan = PoolPlan(
        _aligned(size),
        _aligned(maximum),
        managed,
        can_async and not managed if wish == "auto" else wish,
        release,
        values["rmm-log-directory"],
        values["rmm-track-allocations"],
        tuple(key for key, value in values.items() if value not in _UNSET),
    )
    _check(plan, total, can_async)
    return plan


def _aligned(nbytes: int | None) -> int | None:
    return None if nbytes is None else nbytes // _ALIGNED * _ALIGNED


def _check(plan: PoolPlan, total: int, can_async: bool) -> None:
    if plan.is_async and plan.managed:
        raise ConfigError(
            "options rmm-async and rmm-managed-memory exclude one another: the driver's pool "
            "has no managed memory; set one of the two"
        )
    if plan.is_async and not can_async:
        raise ConfigError(
            "option rmm-async is set, and this device or its driver has no stream-ordered pools; "
            "leave it at 'auto'"
        )
    if plan.release is not None and not plan.is_async:
        raise ConfigError(
            "option rmm-release-threshold is of the driver's pool alone; set rmm-async too, "
            "or leave the threshold out"
        )
    sizes = {"rmm-pool-size": plan.size, "rmm-maximum-pool-size": plan.maximum}
    for key, nbytes in sizes.items():
        if nbytes == 0:
            raise ConfigError(f"option {key} is less than {_ALIGNED} bytes; leave it at None")
        if nbytes is not None and nbytes > total and not plan.managed:
            raise ConfigError(
                f"option {key} is {format_bytes(nbytes)}, and the device has "
                f"{format_bytes(total)}; take less, or a fraction such as 0.8, or set "
                "rmm-managed-memory, which may exceed the device"
            )
    if plan.size is not None and plan.maximum is not None and plan.maximum < plan.size:
        raise ConfigError(
            f"option rmm-maximum-pool-size is {format_bytes(plan.maximum)}, less than "
            f"rmm-pool-size, {format_bytes(plan.size)}; raise the one or lower the other"
        )


def set_up_pool(cupy: Any) -> None:
    """Give CuPy, Numba and cuDF one pool on the current device, as the options say.

    Parameters
    ----------
    cupy : module
        CuPy, or what stands for it.

    Raises
    ------
    ConfigError
        If the options cannot be met by this device.
    """
    runtime = cupy.cuda.runtime
    device = cupy.cuda.Device().id
    supported = runtime.deviceGetAttribute(runtime.cudaDevAttrMemoryPoolsSupported, device)
    plan = pool_plan(runtime.memGetInfo()[1], bool(supported))
    if not plan.asked and not _is_untouched(cupy):
        return
    try:
        rmm = import_module("rmm")
    except ImportError as error:
        _use_own_pool(cupy, plan, error)
        return
    mr = import_module("rmm.mr")
    if not plan.asked and type(mr.get_per_device_resource(device)) is not mr.CudaMemoryResource:
        return  # the program's own, which it has shared as it likes
    mr.set_per_device_resource(device, _resource(mr, plan))
    cupy.cuda.set_allocator(import_module("rmm.allocators.cupy").rmm_cupy_allocator)
    _share_with_numba()
    _logger.debug("device %d: a pool of RMM %s, %s", device, rmm.__version__, plan)


def _is_untouched(cupy: Any) -> bool:
    """Whether nobody has given CuPy another allocator."""
    return bool(cupy.cuda.get_allocator() == cupy.get_default_memory_pool().malloc)


def _resource(mr: Any, plan: PoolPlan) -> Any:
    """Stack what RMM has to a pool as planned; statistics stand on top, where RMM looks for them.

    See the guide of RMM, "Memory resources": https://docs.rapids.ai/api/rmm/stable/.
    """
    if plan.is_async:
        found = mr.CudaAsyncMemoryResource(
            initial_pool_size=plan.size, release_threshold=plan.release
        )
        if plan.maximum is not None:
            found = mr.LimitingResourceAdaptor(found, allocation_limit=plan.maximum)
    else:
        memory = mr.ManagedMemoryResource() if plan.managed else mr.CudaMemoryResource()
        found = mr.PoolMemoryResource(
            memory, initial_pool_size=_first_size(plan), maximum_pool_size=plan.maximum
        )
    if plan.tracks:
        found = mr.TrackingResourceAdaptor(found, capture_stacks=True)
    if plan.log_directory is not None:
        folder = Path(plan.log_directory)
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / f"rmm_log_{os.getpid()}.txt"
        found = mr.LoggingResourceAdaptor(found, log_file_name=str(log))
    return mr.StatisticsResourceAdaptor(found)


def _first_size(plan: PoolPlan) -> int | None:
    """Bytes to begin with; without a wish RMM takes half of what is free, unless that is beyond."""
    return plan.maximum if plan.size is None else plan.size


def _share_with_numba() -> None:
    numba = sys.modules.get("numba.cuda")
    if numba is None:
        os.environ.setdefault(_NUMBA_VARIABLE, _OF_NUMBA)
    else:
        numba.set_memory_manager(import_module(_OF_NUMBA).RMMNumbaManager)


def _use_own_pool(cupy: Any, plan: PoolPlan, error: ImportError) -> None:
    """Let CuPy's own pool do what it can, and say once what that leaves out."""
    if plan.managed:
        cupy.cuda.set_allocator(cupy.cuda.MemoryPool(cupy.cuda.malloc_managed).malloc)
    elif plan.maximum is not None:
        cupy.get_default_memory_pool().set_limit(size=plan.maximum)
    met = {"rmm-managed-memory"} if plan.managed else {"rmm-maximum-pool-size"}
    unmet = [key for key in plan.asked if key not in met]
    _logger.log(
        logging.WARNING if unmet else logging.INFO,
        "RMM cannot be imported (%s): CuPy uses its own pool, which Numba and cuDF do not share"
        "%s; pip install 'gpuscale[cuda13]' (or [cuda12]) brings RMM",
        error,
        f", and {', '.join(unmet)} cannot be met" if unmet else "",
    )


when_loaded("cupy", set_up_pool)
