"""`LocalCUDACluster`: a worker process for each GPU of this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import distributed

from gpuscale.backends.driver.nvml import ask_driver
from gpuscale.cluster.contradictions import check_device_options
from gpuscale.cluster.dashboards import DASHBOARD, LinkedDashboard, dashboard_options
from gpuscale.cluster.kept_nannies import KeptNannies
from gpuscale.cluster.option import Taker
from gpuscale.cluster.options import options_of
from gpuscale.cluster.security import LOOPBACK, cluster_security
from gpuscale.cluster.transport import choose_protocol, ucx_environment
from gpuscale.cluster.worker_setup import refusals_told
from gpuscale.cluster.worker_spec import worker_spec
from gpuscale.memory.limits import total_memory

__all__ = ["LocalCUDACluster"]


class LocalCUDACluster(LinkedDashboard, KeptNannies):
    """A worker process for each GPU of this machine, which other machines cannot reach.

    Each worker sees its own GPU first, and stays on the cores next to it; all workers see all of
    the GPUs, so that memory can go directly from one to another. A restart changes none of it.

    Parameters
    ----------
    CUDA_VISIBLE_DEVICES : str, int, or sequence of str or int, optional
        GPUs to use: indices as ``nvidia-smi`` counts, UUIDs, or MIG instances. By default what
        the variable of that name says, or else all.
    n_workers : int, optional
        By default one for each GPU; fewer take the first ones.
    threads_per_worker : int
        Threads of each worker that run tasks.
    memory_limit : int, float, str or None
        Bytes of the host for each worker: a number, a text such as "4 GiB", a fraction of the
        machine's memory, or "auto" for an equal share of it. 0 and None are no limit.
    device_memory_limit : int, float, str or None
        Bytes of its GPU that the results on a worker may take before they move to the host, and
        from there to disk: as ``memory_limit``, "auto" being 80 % of the GPU's. 0 is no limit;
        None is the option ``device-memory-limit``.
    protocol : str, optional
        "tcp", as by default; "ucx"; or "auto" for UCX where it is installed and has just been seen
        to work, and else TCP.
    rmm_pool_size, rmm_maximum_pool_size, rmm_release_threshold : int, float or str, optional
        Bytes, or a fraction of the GPU's; with the other options of RMM's pool, as the options
        of the configuration with these names, which stand in where nothing is said.
    rmm_managed_memory, rmm_track_allocations : bool, optional
    rmm_async : bool or "auto", optional
    rmm_log_directory : str, optional
    rmm_allocator_external_lib_list : str or sequence of str, optional
        Further libraries that take memory from the pool: "torch".
    enable_cudf_spill : bool
        Let cuDF move its own data to the host; `cudf_spill_stats` says how much it counts.
    enable_tcp_over_ucx, enable_infiniband, enable_nvlink, enable_rdmacm : bool, optional
        What UCX may use; by default it chooses.
    log_spilling : bool
        Write a line to the worker's log for each result that leaves the GPU.
    pre_import : str or sequence of str, optional
        Modules that workers import before they take tasks, such as "cupy,scipy".
    local_directory : str, optional
        Folder for what memory has no room for.
    resources : dict, optional
        What tasks may ask of a worker by name, beside ``{"GPU": 1}``.
    allow_no_device : bool
        Start workers for the devices that are named even on a machine without any, for tests.
    host, interface : str, optional
        Address or network interface to listen at. Beyond loopback all speak TLS, with temporary
        credentials of this cluster, which a `Client` takes from it.
    dashboard_address : str or None
        Where the scheduler shows what happens; None for nowhere.
    security : distributed.Security or True, optional
        TLS; True makes temporary credentials.
    insecure : bool
        Speak plain text beyond loopback: whoever reaches the address runs programs here.
    name, asynchronous, silence_logs, scheduler_port, worker_dashboard_address
        As of ``distributed.LocalCluster``.

    Raises
    ------
    EngineError
        There is no GPU.
    ConfigError
        An option cannot have its value, or goes with no other, by name.

    See Also
    --------
    gpuscale.cluster.LocalCluster : Workers that compute on the CPU.

    Examples
    --------
    >>> from gpuscale.cluster import Client, LocalCUDACluster
    >>> with LocalCUDACluster(
    ...     "0,1", allow_no_device=True, dashboard_address=None
    ... ) as cluster, Client(cluster) as client:
    ...     seen = client.run(lambda: os.environ["CUDA_VISIBLE_DEVICES"])
    ...     sorted(seen.values())
    ['0,1', '1,0']
    """

    def __init__(
        self,
        CUDA_VISIBLE_DEVICES: str | int | Sequence[str | int] | None = None,
        n_workers: int | None = None,
        threads_per_worker: int = 1,
        memory_limit: float | str | None = "auto",
        device_memory_limit: float | str | None = None,
        enable_cudf_spill: bool = False,
        cudf_spill_stats: int = 0,
        local_directory: str | None = None,
        protocol: str | None = None,
        enable_tcp_over_ucx: bool | None = None,
        enable_infiniband: bool | None = None,
        enable_nvlink: bool | None = None,
        enable_rdmacm: bool | None = None,
        rmm_pool_size: float | str | None = None,
        rmm_maximum_pool_size: float | str | None = None,
        rmm_managed_memory: bool | None = None,
        rmm_async: bool | str | None = None,
        rmm_allocator_external_lib_list: str | Sequence[str] | None = None,
        rmm_release_threshold: float | str | None = None,
        rmm_log_directory: str | None = None,
        rmm_track_allocations: bool | None = None,
        log_spilling: bool = False,
        pre_import: str | Sequence[str] | None = None,
        *,
        allow_no_device: bool = False,
        resources: Mapping[str, float] | None = None,
        host: str | None = None,
        interface: str | None = None,
        dashboard_address: str | None = DASHBOARD,
        security: Any = None,
        insecure: bool = False,
        name: str | None = None,
        asynchronous: bool = False,
        silence_logs: Any = 30,
        scheduler_port: int = 0,
        worker_dashboard_address: str | None = None,
    ) -> None:
        said = {key: value for key, value in locals().items() if key in _OPTIONS}
        options, devices = check_device_options(Taker.LOCAL_CUDA, said, ask_driver)
        protocol, security = cluster_security(
            host, interface, protocol=protocol, security=security, insecure=insecure
        )
        shared = {
            "protocol": _protocol(protocol, options),
            "host": host or (None if interface else LOOPBACK),
            "interface": interface,
            "security": security,
        }
        more = {"resources": options["resources"], "silence_logs": silence_logs}
        spec = worker_spec(
            devices,
            options,
            total_memory=total_memory(),
            shared={**shared, **more, **dashboard_options(worker_dashboard_address)},
            environment=os.environ,
        )
        scheduler = {**shared, "port": scheduler_port, **dashboard_options(dashboard_address)}
        self._places = spec
        with refusals_told(host, scheduler_port):
            super().__init__(
                workers=spec,
                scheduler={"cls": distributed.Scheduler, "options": scheduler},
                security=security,
                name=name,
                asynchronous=asynchronous,
                silence_logs=silence_logs,
            )

    def new_worker_spec(self) -> dict[Any, Any]:
        """Return the specification of a GPU that has no worker.

        Raises
        ------
        ValueError
            Every GPU has one.
        """
        for key, each in self._places.items():
            if key not in self.worker_spec:
                return {key: each}
        raise ValueError(
            f"each of the {len(self._places)} GPUs of this cluster has its worker; more workers "
            "need more GPUs"
        )

    def scale(self, n: int | None = None, memory: Any = None, cores: Any = None) -> Any:
        """Have workers on the first so many GPUs.

        Parameters
        ----------
        n : int, optional
        memory, cores : optional
            Instead of n, as of ``distributed.SpecCluster``.
        """
        if isinstance(n, int) and n > len(self._places):
            raise ValueError(f"this cluster has {len(self._places)} GPUs, and {n} workers need {n}")
        return super().scale(n, memory, cores)

    def adapt(self, *args: Any, **options: Any) -> Any:
        """Have as many workers as there is work for, at most one for each GPU.

        Parameters
        ----------
        *args, **options
            What ``distributed.SpecCluster.adapt`` takes, such as ``minimum`` and ``maximum``.
        """
        options["maximum"] = min(options.get("maximum", float("inf")), len(self._places))
        return super().adapt(*args, **options)


_OPTIONS = frozenset(option.name for option in options_of(Taker.LOCAL_CUDA))


def _protocol(wanted: str | None, options: Mapping[str, Any]) -> str:
    """Choose how workers talk, and have the scheduler, in this process, talk as they do."""
    variables = ucx_environment(options)
    protocol = choose_protocol(wanted, variables)
    if protocol in ("ucx", "ucxx"):
        os.environ.update(variables)
    return protocol
