"""A worker process for each GPU that this process sees: what ``gpuscale-cuda-worker`` starts."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from distributed.core import Server

from gpuscale.backends.driver.nvml import ask_driver
from gpuscale.cluster.contradictions import check_device_options
from gpuscale.cluster.devices import VisibleDevice
from gpuscale.cluster.option import Taker
from gpuscale.cluster.transport import choose_protocol, ucx_environment
from gpuscale.cluster.worker_process import class_of_workers
from gpuscale.cluster.worker_spec import worker_spec
from gpuscale.memory.limits import total_memory

__all__ = ["check_gpus", "make_cuda_workers"]


def check_gpus(chosen: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[VisibleDevice, ...]]:
    """Return the options of the command as they were checked, and a device for each worker.

    Raises
    ------
    EngineError
        There is no GPU.
    """
    said = {name: value for name, value in chosen.items() if name != "scheduler"}
    return check_device_options(Taker.CUDA_WORKER, said, ask_driver)


def make_cuda_workers(
    chosen: Mapping[str, Any], address: str, shared: Mapping[str, Any]
) -> Sequence[Server]:
    """Make a worker for each GPU of CUDA_VISIBLE_DEVICES, which SLURM sets for each of its tasks.

    Parameters
    ----------
    chosen : mapping of str to object
        Options of the command.
    address : str
        Of the scheduler.
    shared : mapping of str to object
        What all workers have, as `gpuscale.cluster.worker_process.worker_options` returns it.
    """
    options, devices = check_gpus(chosen)
    each = {**shared, "protocol": choose_protocol(shared["protocol"], ucx_environment(options))}
    each["worker_port"] = each.pop("port")
    each["preload_nanny"] = chosen["preload_nanny"]
    each["worker_class"] = class_of_workers(chosen)
    specification = worker_spec(
        devices,
        options,
        total_memory=total_memory(),
        # Numbers alone would be those of the workers that other machines start.
        name=chosen["name"] or f"{socket.gethostname()}-{os.getpid()}",
        shared=each,
        environment=os.environ,
    )
    return [one["cls"](address, **one["options"]) for one in specification.values()]
