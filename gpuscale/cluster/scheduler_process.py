"""The scheduler as a process of its own: ``gpuscale-scheduler``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import dask
from distributed import Scheduler, Security
from distributed.core import Server

from gpuscale.cluster.dashboards import DASHBOARD, dashboard_at, link_to
from gpuscale.cluster.security import (
    LOOPBACK,
    choose_security,
    encrypted,
    is_loopback,
    remove_scheduler_file,
    temporary,
    write_scheduler_file,
)
from gpuscale.cluster.serving import pid_file, run_servers, said_tls
from gpuscale.cluster.transport import choose_protocol

__all__ = ["run_scheduler"]


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
