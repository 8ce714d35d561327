"""From devices and options to worker specifications, as ``distributed.SpecCluster`` takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Any

from gpuscale.base.config import get
from gpuscale.base.errors import ConfigError
from gpuscale.base.sizes import parse_bytes
from gpuscale.cluster.devices import VARIABLE, VisibleDevice, rotated
from gpuscale.cluster.option import Taker
from gpuscale.cluster.options import options_of
from gpuscale.cluster.pinned import PinnedNanny
from gpuscale.cluster.result_store import make_store
from gpuscale.cluster.transport import ucx_environment
from gpuscale.cluster.worker_setup import WorkerSetup

__all__ = ["class_named", "split_memory", "worker_settings", "worker_spec", "words"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})
# Options that workers share with the process that makes the cluster, as far as they were set there.
_INHERITED = ("codegen.cache-dir", "device-memory-limit", "device-spill-to-host", "spill")


def worker_spec(
    devices: Sequence[VisibleDevice],
    options: Mapping[str, Any],
    *,
    total_memory: int,
    name: str | None = None,
    shared: Mapping[str, Any] = _NOTHING,
    environment: Mapping[str, str] = _NOTHING,
) -> dict[int | str, dict[str, Any]]:
    """Specify one worker process for each device.

    Parameters
    ----------
    devices : sequence of VisibleDevice
        As many as there are workers.
    options : mapping of str to object
        As `gpuscale.cluster.contradictions.check_options` returns them.
    total_memory : int
        Bytes of the machine, for all of the workers.
    name : str, optional
        Beginning of their names; by default they are numbers.
    shared : mapping of str to object
        More arguments of all nannies, such as ``protocol`` and ``security``.
    environment : mapping of str to str
        Of this process: what the user has said there of CUDA stays as it is.

    Returns
    -------
    dict
        By name, ``{"cls": ..., "options": ...}``.

    Examples
    --------
    >>> two = [VisibleDevice("0"), VisibleDevice("1")]
    >>> spec = worker_spec(two, {"memory_limit": "auto"}, total_memory=8 << 30)
    >>> [each["options"]["env"]["CUDA_VISIBLE_DEVICES"] for each in spec.values()]
    ['0,1', '1,0']
    >>> spec[0]["options"]["memory_limit"] == 4 << 30
    True
    """
    names = [device.name for device in devices]
    memory = split_memory(options.get("memory_limit", "auto"), total_memory, len(devices))
    found: dict[int | str, dict[str, Any]] = {}
    for place, device in enumerate(devices):
        key = place if name is None else name if len(devices) == 1 else f"{name}-{place}"
        plugin = WorkerSetup(
            device,
            worker_settings(options),
            words(options.get("pre_import")),
            words(options.get("rmm_allocator_external_lib_list")),
        )
        logs = bool(options.get("log_spilling"))
        variables = {VARIABLE: rotated(names, place), **_variables(options, environment)}
        found[key] = {
            "cls": PinnedNanny,
            "options": {
                **shared,
                "name": key,
                "nthreads": options.get("threads_per_worker") or 1,
                "memory_limit": memory or 0,
                "local_directory": options.get("local_directory"),
                "resources": {"GPU": 1, **(shared.get("resources") or {})},
                "env": {**variables, **(shared.get("env") or {})},
                "plugins": (plugin, *(shared.get("plugins") or ())),
                "data": (make_store, {"memory_limit": memory, "logs": logs}),
            },
        }
    return found


def split_memory(limit: float | str | None, total: int, n_workers: int) -> int | None:
    """Return the bytes of each worker; None for no limit.

    Parameters
    ----------
    limit : int, float, str or None
        Of each worker, as the option ``memory_limit``.
    total : int
        Bytes of the machine.
    n_workers : int
        Workers that share it.

    Examples
    --------
    >>> split_memory("auto", 1000, 4), split_memory(0.5, 1000, 4), split_memory("0", 1000, 4)
    (250, 500, None)
    """
    if limit is None:
        return None
    if limit == "auto":
        return total // n_workers
    return parse_bytes(limit, total) or None


def worker_settings(options: Mapping[str, Any] = _NOTHING) -> dict[str, Any]:
    """Return the options of the configuration that workers set: said here, or in this process.

    Parameters
    ----------
    options : mapping of str to object
        Of a cluster of GPUs; without any, for workers on the CPU.

    Examples
    --------
    >>> worker_settings({"rmm_pool_size": "1 GiB", "device_memory_limit": 0})["rmm-pool-size"]
    '1 GiB'
    """
    found = {key: get(key) for key in _INHERITED}
    if not options:
        return found
    for row in options_of(Taker.LOCAL_CUDA):
        if row.key:
            said = options.get(row.name)
            found[row.key] = get(row.key) if said is None else said
    limit = options.get("device_memory_limit")
    if limit is not None:
        found["device-memory-limit"] = "100 %" if limit in (0, "0") else limit
    return found


def words(value: str | Sequence[str] | None) -> tuple[str, ...]:
    """Read a list of names.

    Examples
    --------
    >>> words("cupy, scipy"), words(["cupy"]), words(None)
    (('cupy', 'scipy'), ('cupy',), ())
    """
    if value is None:
        return ()
    entries = value.split(",") if isinstance(value, str) else value
    return tuple(entry.strip() for entry in entries if entry.strip())


def _variables(options: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """Return what workers have in their environment beside their device."""
    found = {
        # Numbers are those of nvidia-smi and of the driver, whom cores and memory are asked of.
        "CUDA_DEVICE_ORDER": environment.get("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),
        # Importing libraries of RAPIDS makes no context, which would keep RMM's pool from theirs.
        "RAPIDS_NO_INITIALIZE": "1",
        **ucx_environment(options),
    }
    if options.get("enable_cudf_spill"):
        found["CUDF_SPILL"] = "on"
        found["CUDF_SPILL_STATS"] = str(options.get("cudf_spill_stats") or 0)
    return found


def class_named(text: str) -> Any:
    """Return the class that a text such as "module.Class" names.

    Raises
    ------
    ConfigError
        There is none.

    Examples
    --------
    >>> class_named("distributed.Worker").__name__
    'Worker'
    """
    module, _, name = text.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (AttributeError, ImportError, ValueError) as error:
        raise ConfigError(
            f"option worker_class: there is no {text!r} ({error}); it takes a class, or where one "
            "is, as 'module.Class'"
        ) from None
