"""The scheduler as a process of its own: ``gpuscale-scheduler``."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from typing import Any

import dask
from distributed import Scheduler, Security
from distributed.comm.addressing import get_address_host_port
from distributed.core import Server, rpc

from gpuscale.cluster.dashboards import DASHBOARD, dashboard_at, link_to
from gpuscale.cluster.security import (
    LOOPBACK,
    choose_security,
    encrypted,
    is_loopback,
    read_scheduler_file,
    remove_scheduler_file,
    temporary,
    write_scheduler_file,
)
from gpuscale.cluster.serving import pid_file, run_servers, said_tls
from gpuscale.cluster.short_logs import leave_out_page
from gpuscale.cluster.transport import choose_protocol

__all__ = ["run_scheduler"]

#: Seconds in which a scheduler answers that runs.
_PATIENCE = 3.0


def run_scheduler(chosen: Mapping[str, Any]) -> int:
    """Run a scheduler with the options of ``gpuscale-scheduler``, and return its exit status."""
    path, interface = chosen["scheduler_file"], chosen["interface"]
    host = chosen["host"] or (None if interface else LOOPBACK)
    security = _security_of_scheduler(chosen, is_loopback(host or "", interface or ""))
    protocol = choose_protocol(encrypted(chosen["protocol"] or "", security))
    page = dashboard_at(chosen["dashboard_address"], DASHBOARD)

    def make() -> list[Server]:
        scheduler = Scheduler(
            host=host,
            interface=interface,
            port=chosen["port"],
            protocol=protocol,
            contact_address=chosen["contact_address"],
            security=security,
            dashboard=chosen["dashboard"],
            dashboard_address=page,
            http_prefix=chosen["dashboard_prefix"] or "/",
            preload=chosen["preload"],
            idle_timeout=chosen["idle_timeout"],
            local_directory=chosen["local_directory"],
        )
        return [scheduler]

    def tell(servers: Sequence[Server]) -> None:
        identity.update(servers[0].identity())
        if path:
            write_scheduler_file(path, identity, security)

    identity: dict[str, Any] = {}
    _check_is_free(path, security)
    if not chosen["dashboard"]:
        leave_out_page()
    with pid_file(chosen["pid_file"]), dask.config.set(link_to(page)):
        try:
            asyncio.run(run_servers(make, tell))
        finally:
            if path and identity:
                remove_scheduler_file(path, identity)
    return 0


def _security_of_scheduler(chosen: Mapping[str, Any], local: bool) -> Security | None:
    tls = said_tls(chosen, "scheduler")
    keeps_them = chosen["scheduler_file"] and not local and tls is None and not chosen["insecure"]
    return choose_security(
        local,
        protocol=chosen["protocol"] or "",
        tls=tls,
        credentials=temporary() if keeps_them else None,
        insecure=chosen["insecure"],
    )


def _check_is_free(path: str | None, own: Security | None) -> None:
    """Refuse the file of a scheduler that runs: whoever joins later would join another cluster.

    Raises
    ------
    FileExistsError
        Names the file, and the address in it.
    """
    if not path:
        return
    try:
        found = read_scheduler_file(path)
        host, port = get_address_host_port(found.address, strict=True)
        socket.create_connection((host, port), _PATIENCE).close()  # at once if nobody listens
        asyncio.run(_ask(found.address, found.security or own))
    except (OSError, RuntimeError, TypeError, ValueError):  # nobody, or somebody else
        return
    raise FileExistsError(
        f"{path} is the file of a scheduler that runs at {found.address}: end that one first, or "
        "say another file"
    )


async def _ask(address: str, security: Security | None) -> None:
    keys = {} if security is None else security.get_connection_args("scheduler")
    async with rpc(address, connection_args=keys, timeout=_PATIENCE) as scheduler:
        await asyncio.wait_for(scheduler.identity(), _PATIENCE)
