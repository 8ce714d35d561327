"""`SSHCluster`: workers on machines that SSH reaches, by way of dask.distributed."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import distributed

from gpuscale.base.errors import ConfigError
from gpuscale.cluster.dashboards import DASHBOARD
from gpuscale.cluster.security import choose_security, in_file, remove_credentials, temporary
from gpuscale.cluster.worker_setup import WorkerSetup
from gpuscale.cluster.worker_spec import words, worker_settings

__all__ = ["SSHCluster", "SSHNanny"]


class SSHNanny(distributed.Nanny):
    """What a host starts: a worker with our setup, from options that are plain values.

    Parameters
    ----------
    *scheduler
        Address of the scheduler.
    pre_import : str or sequence of str, optional
        Modules that the worker imports before it takes tasks.
    **options
        What ``distributed.Nanny`` takes beside these.
    """

    def __init__(self, *scheduler: Any, pre_import: Any = None, **options: Any) -> None:
        setup = WorkerSetup(settings=worker_settings(), imports=words(pre_import))
        super().__init__(*scheduler, plugins=(setup,), **options)


def SSHCluster(
    hosts: Sequence[str],
    connect_options: Any = None,
    worker_options: Mapping[str, Any] | None = None,
    scheduler_options: Mapping[str, Any] | None = None,
    remote_python: Any = None,
    *,
    shared_temp_directory: str | None = None,
    security: Any = None,
    insecure: bool = False,
    **options: Any,
) -> Any:
    """Start a scheduler on the first host and workers on the others, over SSH.

    Workers compute on the CPU; for GPUs run ``gpuscale-cuda-worker`` on the hosts.

    Parameters
    ----------
    hosts : sequence of str
        The first is the scheduler's; it may be there again.
    connect_options : dict or sequence of dict, optional
        Of ``asyncssh.connect``, as ``{"username": "me"}``.
    worker_options : mapping of str to object, optional
        As ``{"nthreads": 4, "n_workers": 2, "pre_import": "scipy"}``.
    scheduler_options : mapping of str to object, optional
        As ``{"port": 0}``. The dashboard is on 127.0.0.1 there unless they say otherwise.
    remote_python : str or sequence of str, optional
        Python on the hosts, by default the path of this one.
    shared_temp_directory : str, optional
        A folder that all hosts see, for temporary credentials: a file for its owner alone, which
        goes with the cluster.
    security : distributed.Security, optional
        Your own certificates, in files that all hosts have by the same names.
    insecure : bool
        Talk in plain text, without credentials: everybody who reaches the scheduler can run
        programs as you.
    **options
        What ``distributed.SSHCluster`` takes beside these.

    Returns
    -------
    distributed.SpecCluster

    Raises
    ------
    ConfigError
        It is not said who may join.

    Examples
    --------
    >>> from gpuscale.cluster import Client, SSHCluster
    >>> cluster = SSHCluster(  # doctest: +SKIP
    ...     ["node1", "node1", "node2"], shared_temp_directory="/home/me"
    ... )
    """
    if shared_temp_directory is None and security is None and not insecure:
        raise ConfigError(
            "who may join the cluster? give shared_temp_directory=, a folder that all hosts see "
            "for temporary credentials; or security=; or accept with insecure=True that everybody "
            "may who reaches the scheduler"
        )
    made = temporary() if shared_temp_directory and security is None and not insecure else None
    chosen = choose_security(False, tls=security, credentials=made, insecure=insecure)
    kept = None
    if chosen is not None and shared_temp_directory:
        chosen, kept = in_file(chosen, shared_temp_directory)
    elsewhere = _elsewhere(chosen)
    scheduler = {"dashboard_address": DASHBOARD, **elsewhere, **(scheduler_options or {})}
    try:
        cluster = distributed.SSHCluster(
            list(hosts),
            connect_options=connect_options or {},
            worker_options={**elsewhere, **(worker_options or {})},
            scheduler_options=scheduler,
            worker_class="gpuscale.cluster.ssh.SSHNanny",
            remote_python=remote_python,
            security=chosen,
            **options,
        )
    except BaseException:  # there is no cluster that the credentials could go with
        remove_credentials(kept)
        raise
    if kept is not None:
        _remove_with(cluster, kept)
    return cluster


def _remove_with(cluster: Any, credentials: Path) -> None:
    """Remove the file when the cluster closes, or at the latest when this process ends."""
    remove = weakref.finalize(cluster, credentials.unlink, missing_ok=True)
    close = cluster._close

    async def close_and_remove() -> None:
        await close()
        remove()

    cluster._close = close_and_remove


def _elsewhere(security: Any) -> dict[str, Any]:
    """Write credentials as options that go over SSH, and into command lines: names of files."""
    if security is None:
        return {}
    found: dict[str, Any] = {"require_encryption": True}
    for role in ("scheduler", "worker", "client"):
        own = security.get_tls_config_for_role(role)
        found["tls_ca_file"] = own["ca_file"]
        found[f"tls_{role}_cert"], found[f"tls_{role}_key"] = own["cert"], own["key"]
    if any("\n" in str(value) for value in found.values()):
        raise ConfigError(
            "credentials in memory would be in the command lines of the hosts: give "
            "shared_temp_directory= too"
        )
    return {"security": {name: value for name, value in found.items() if value is not None}}
