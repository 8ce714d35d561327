"""Options that exclude one another, refused by name before any process starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from gpuscale.backends.driver.devices import Driver
from gpuscale.base.config import set as config_set
from gpuscale.base.errors import ConfigError
from gpuscale.base.sizes import format_bytes, is_fraction
from gpuscale.cluster.devices import VisibleDevice, find_devices
from gpuscale.cluster.option import Taker, read_resources
from gpuscale.cluster.options import options_of
from gpuscale.engines.reserving import LEAST_MEMORY
from gpuscale.memory.limits import total_memory
from gpuscale.memory.pool import pool_plan

__all__ = ["check_device_options", "check_options"]

_PROTOCOLS = ("auto", "tcp", "tls", "ucx", "ucxx", "ws", "wss")
_OF_UCX = ("enable_tcp_over_ucx", "enable_infiniband", "enable_nvlink", "enable_rdmacm")
# Where nobody knows how much a device has; sizes and fractions of it are not compared then.
_SOME_DEVICE = 1 << 50


def check_options(
    taker: Taker, options: Mapping[str, Any], memory: int | None = None
) -> dict[str, Any]:
    """Check options one by one and together, and fill in the defaults.

    Parameters
    ----------
    taker : Taker
        Whose options they are.
    options : mapping of str to object
        By name, as in the table.
    memory : int, optional
        Bytes that the smallest device has.

    Returns
    -------
    dict of str to object
        All options of the taker.

    Raises
    ------
    ConfigError
        Names the options, and says what to do.

    Examples
    --------
    >>> found = check_options(Taker.LOCAL_CUDA, {"n_workers": 2, "rmm_pool_size": "1 GiB"})
    >>> found["n_workers"], found["rmm_pool_size"], found["memory_limit"]
    (2, '1 GiB', 'auto')
    """
    rows = {row.name: row for row in options_of(taker)}
    unknown = [name for name in options if name not in rows]
    if unknown:
        raise ConfigError(f"{taker} has no option {unknown[0]}; it has {', '.join(sorted(rows))}")
    found = {name: row.check(options.get(name, row.default)) for name, row in rows.items()}
    # Without any to start with, `adapt` and `scale` have some when there is work.
    least = {"n_workers": int(taker is not Taker.LOCAL), "threads_per_worker": 1}
    for name, n in least.items():
        if found.get(name) is not None and found[name] < n:
            raise ConfigError(f"option {name} is {found[name]}; it takes {n} or more")
    if "resources" in found:
        found["resources"] = read_resources(found["resources"])
    if taker is Taker.LOCAL:
        _check_share(found, found["n_workers"])
    _check_transport(found)
    _check_pool(found, memory)
    return found


def check_device_options(
    taker: Taker, options: Mapping[str, Any], ask: Callable[[], Driver]
) -> tuple[dict[str, Any], tuple[VisibleDevice, ...]]:
    """Check options of workers on devices, also against the devices that these get.

    Parameters
    ----------
    taker, options
        As of `check_options`, which says what is wrong with them before the driver is asked.
    ask : callable
        Asks the driver.

    Returns
    -------
    dict of str to object
        As of `check_options`.
    tuple of VisibleDevice
        One for each worker.

    Raises
    ------
    ConfigError
        As of `check_options`; there are fewer devices than workers.
    EngineError
        There is no device.
    """
    found = check_options(taker, options)
    value, allows = found.get("CUDA_VISIBLE_DEVICES"), found["allow_no_device"]
    devices = find_devices(value, os.environ, ask(), allows)
    n_workers = found.get("n_workers")
    if n_workers is not None and n_workers > len(devices):
        raise ConfigError(
            f"option n_workers is {n_workers}, and there are {len(devices)} GPUs for them: "
            f"{', '.join(device.name for device in devices)}"
        )
    devices = devices[:n_workers]
    _check_share(found, len(devices))
    memories = [device.memory for device in devices if device.memory is not None]
    check_options(taker, options, min(memories, default=None))
    return found, devices


def _check_share(options: Mapping[str, Any], n_workers: int | None) -> None:
    """Refuse more workers than can begin in the memory that they share."""
    if options["memory_limit"] != "auto" or not n_workers:
        return
    each = total_memory() // n_workers
    if each < LEAST_MEMORY:
        raise ConfigError(
            f"{n_workers} workers that share the memory of this machine have {format_bytes(each)} "
            f"each, and one needs {format_bytes(LEAST_MEMORY)} to begin: say fewer by n_workers=, "
            "or memory_limit=0 for no limit"
        )


def _check_transport(options: Mapping[str, Any]) -> None:
    protocol = (options.get("protocol") or "").removesuffix("://")
    if protocol and protocol not in _PROTOCOLS:
        raise ConfigError(f"option protocol cannot be {protocol!r}; it takes {_PROTOCOLS}")
    said = [name for name in _OF_UCX if options.get(name) is not None]
    if said and protocol not in ("auto", "ucx", "ucxx"):
        raise ConfigError(
            f"option {said[0]} is about UCX, and the protocol is {protocol or 'TCP'}; say "
            "protocol='ucx', or 'auto'"
        )
    if options.get("enable_rdmacm") and not options.get("enable_infiniband"):
        raise ConfigError(
            "option enable_rdmacm is about InfiniBand: say enable_infiniband=True too"
        )
    if options.get("enable_nvlink") and options.get("rmm_managed_memory"):
        raise ConfigError(
            "options enable_nvlink and rmm_managed_memory exclude one another: NVLink reads the "
            "device's own memory only; set one of the two"
        )


def _check_pool(options: Mapping[str, Any], memory: int | None) -> None:
    """Have the pool that workers will make planned here."""
    said = {
        row.key: options[row.name]
        for row in options_of(Taker.LOCAL_CUDA)
        if row.key and options.get(row.name) is not None
    }
    sizes = [said.get(key) for key in ("rmm-pool-size", "rmm-maximum-pool-size")]
    if memory is None and len({is_fraction(size) for size in sizes if size is not None}) > 1:
        del said["rmm-maximum-pool-size"]
    with config_set(said):
        pool_plan(_SOME_DEVICE if memory is None else memory, can_async=True)
