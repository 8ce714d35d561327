"""`LocalCluster`: worker processes of this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from inspect import signature
from typing import Any

import distributed

from gpuscale.base.errors import ConfigError
from gpuscale.cluster.contradictions import check_options
from gpuscale.cluster.dashboards import DASHBOARD, LinkedDashboard, dashboard_options
from gpuscale.cluster.kept_nannies import KeptNannies
from gpuscale.cluster.option import Taker
from gpuscale.cluster.options import options_of
from gpuscale.cluster.security import cluster_security
from gpuscale.cluster.transport import choose_protocol
from gpuscale.cluster.worker_setup import WorkerSetup, refusals_told
from gpuscale.cluster.worker_spec import class_named, words, worker_settings

__all__ = ["LocalCluster"]


class LocalCluster(LinkedDashboard, KeptNannies, distributed.LocalCluster):
    """Worker processes of this machine, which other machines cannot reach.

    Parameters
    ----------
    n_workers, threads_per_worker : int, optional
        By default all cores, a few threads for each process.
    processes : bool, optional
        Whether workers are processes of their own, as by default, or threads of this one.
    memory_limit : int, float, str or None
        Bytes of each worker: a number, a text such as "4 GiB", a fraction of the machine's
        memory, or "auto" for an equal share of it. 0 and None are no limit.
    local_directory : str, optional
        Folder for what memory has no room for.
    protocol : str, optional
        "tcp", "tls", "ucx", or "auto" for UCX where it is installed and has just been seen to
        work, and else TCP.
    resources : dict, optional
        What tasks may ask of a worker by name.
    pre_import : str or sequence of str, optional
        Modules that workers import before they take tasks, such as "numba,scipy".
    worker_class : type, optional
        Class of the workers, or of what starts them.
    host, interface : str, optional
        Address or network interface to listen at. Beyond loopback all speak TLS, with temporary
        credentials of this cluster, which a `Client` takes from it.
    security : distributed.Security or True, optional
        TLS; True makes temporary credentials.
    insecure : bool
        Speak plain text beyond loopback: whoever reaches the address runs programs here.
    dashboard_address : str or None
        Where the scheduler shows what happens; by default a port that only this machine reaches,
        None for nowhere.
    scheduler_port : int
        Port of the scheduler; 0, as by default, for any that is free.
    **options
        What ``distributed.LocalCluster`` takes beside these.

    Raises
    ------
    ConfigError
        An option cannot have its value, by name.

    See Also
    --------
    gpuscale.cluster.LocalCUDACluster : A worker for each GPU.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> from gpuscale.cluster import Client, LocalCluster
    >>> options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    >>> with LocalCluster(**options) as cluster, Client(cluster):
    ...     float(ga.ones((300, 300), chunks=100).sum().compute())
    90000.0
    """

    def __init__(
        self,
        name: str | None = None,
        n_workers: int | None = None,
        threads_per_worker: int | None = None,
        processes: bool | None = None,
        *,
        memory_limit: float | str | None = "auto",
        local_directory: str | None = None,
        protocol: str | None = None,
        resources: Mapping[str, float] | None = None,
        pre_import: str | Sequence[str] | None = None,
        worker_class: Any = None,
        host: str | None = None,
        interface: str | None = None,
        security: Any = None,
        insecure: bool = False,
        dashboard_address: str | None = DASHBOARD,
        scheduler_port: int = 0,
        plugins: Sequence[Any] = (),
        **options: Any,
    ) -> None:
        said = {key: value for key, value in locals().items() if key in _OPTIONS}
        checked = check_options(Taker.LOCAL, said)
        if worker_class is None:
            _check_names(options)
        elif isinstance(worker_class, str):
            worker_class = class_named(worker_class)
        setup = WorkerSetup(settings=worker_settings(), imports=words(pre_import))
        if memory_limit != "auto":  # whose share is counted where the workers are
            options["memory_limit"] = checked["memory_limit"]
        protocol, security = cluster_security(
            host, interface, protocol=protocol, security=security, insecure=insecure
        )
        page = dashboard_options(dashboard_address)
        options["scheduler_kwargs"] = {**page, **options.get("scheduler_kwargs", {})}
        starts = processes is not False and worker_class is None
        with refusals_told(host, scheduler_port, starts):
            super().__init__(
                name=name,
                n_workers=n_workers,
                threads_per_worker=threads_per_worker,
                processes=processes,
                local_directory=local_directory,
                protocol=None if protocol is None else choose_protocol(protocol),
                resources=checked["resources"],
                worker_class=worker_class,
                host=host,
                interface=interface,
                security=security,
                dashboard_address=page["dashboard_address"],
                scheduler_port=scheduler_port,
                plugins=(setup, *plugins),
                **options,
            )


def _check_names(options: Mapping[str, Any]) -> None:
    """Refuse what neither the cluster nor its workers take: they would fail to start."""
    takers = (LocalCluster, distributed.LocalCluster, distributed.Nanny, distributed.Worker)
    known = {name for taker in takers for name in signature(taker).parameters} | _OF_SERVERS
    known.discard("nanny")  # a worker's own, which its nanny gives it
    for name in options.keys() - known:
        begin = [option for option in sorted(_OPTIONS) if option.startswith(name)]
        near = begin or get_close_matches(name, known, 1)
        raise ConfigError(
            f"LocalCluster has no option {name}"
            + (f"; did you mean {near[0]}?" if near else f"; it has {', '.join(sorted(_OPTIONS))}")
        )


# What workers hand on to what they are made of.
_OF_SERVERS = frozenset({"blocked_handlers", "connection_limit", "deserialize", "timeout"})
_OPTIONS = frozenset(option.name for option in options_of(Taker.LOCAL))
