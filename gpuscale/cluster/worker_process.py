"""Workers as processes of their own: what ``gpuscale-worker`` and its like have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dask
from dask.system import CPU_COUNT
from dask.utils import parse_timedelta
from distributed import Nanny, Security
from distributed.comm.addressing import get_address_host, get_address_host_port
from distributed.core import Server
from distributed.deploy.local import nprocesses_nthreads
from distributed.utils import get_ip

from gpuscale.cluster.dashboards import dashboard_at
from gpuscale.cluster.option import read_resources
from gpuscale.cluster.reaching import why_refused
from gpuscale.cluster.security import (
    LOOPBACK,
    choose_security,
    encrypted,
    is_loopback,
    read_scheduler_file,
)
from gpuscale.cluster.serving import pid_file, run_servers, said_tls
from gpuscale.cluster.transport import choose_protocol
from gpuscale.cluster.worker_setup import WorkerSetup
from gpuscale.cluster.worker_spec import class_named, words, worker_settings

__all__ = ["class_of_workers", "make_workers", "run_workers", "worker_options"]

WAIT_FOR_FILE = 300.0  # seconds, where no death timeout is said


def run_workers(
    chosen: Mapping[str, Any],
    make: Callable[[Mapping[str, Any], str, dict[str, Any]], Sequence[Server]],
) -> int:
    """Run the workers of one command, and return its exit status.

    Parameters
    ----------
    chosen : mapping
        Its options.
    make : callable
        Makes them from the options, the scheduler's address and what `worker_options` returns.
    """
    address, credentials = _scheduler(chosen)
    shared = worker_options(chosen, address, credentials)
    method = {"distributed.worker.multiprocessing-method": chosen["multiprocessing_method"]}
    with pid_file(chosen["pid_file"]), dask.config.set(method):
        try:
            asyncio.run(run_servers(lambda: make(chosen, address, shared)))
        except TimeoutError as error:
            raise TimeoutError(
                f"no worker could join a scheduler at {address} in the time of --death-timeout: is "
                f"it running, and can it be reached from here? ({error})"
            ) from None
        except RuntimeError as error:  # of a server that failed to start
            note = why_refused(error, shared["security"])
            if note is None:
                raise
            raise RuntimeError(
                f"no worker could join the scheduler at {address}: {note}"
            ) from error
    return 0


def make_workers(
    chosen: Mapping[str, Any], address: str, shared: Mapping[str, Any]
) -> list[Server]:
    """Make workers for the cores of this machine, each with a nanny unless told otherwise."""
    count, threads = _processes(chosen)
    watched = chosen["nanny"]
    if count > 1 and not watched:
        raise ValueError(f"--no-nanny is for one worker; there would be {count}: --nworkers 1")
    imports = words(chosen["pre_import"])
    setup = WorkerSetup(settings=worker_settings(), imports=imports, is_alone=not watched)
    each = {**shared, "nthreads": threads, "memory_limit": chosen["memory_limit"]}
    each |= {"plugins": (setup,), "protocol": choose_protocol(shared["protocol"])}
    worker_class = class_of_workers(chosen)
    if not watched:
        return [worker_class(address, **each, name=_name(chosen["name"], 0, 1))]
    more = {"worker_class": worker_class, "preload_nanny": chosen["preload_nanny"]}
    ports = {"worker_port": each.pop("port"), "port": chosen["nanny_port"]}
    return [
        Nanny(address, **each, **more, **ports, name=_name(chosen["name"], i, count))
        for i in range(count)
    ]


def class_of_workers(chosen: Mapping[str, Any]) -> type:
    """Return the class of a command's workers."""
    usual = "distributed.Worker" if chosen["dashboard"] else "gpuscale.cluster.pageless.Worker"
    return class_named(chosen["worker_class"] or usual)


def worker_options(
    chosen: Mapping[str, Any], address: str, credentials: Security | None
) -> dict[str, Any]:
    """Return what all workers of a command have, as arguments of ``distributed.Worker``.

    Parameters
    ----------
    chosen : mapping
        Options of the command.
    address : str
        Of the scheduler.
    credentials : distributed.Security, optional
        Those of the scheduler's file.
    """
    host, interface, port = chosen["host"], chosen["interface"], chosen["worker_port"]
    listen = chosen["listen_address"]
    if listen and (host or interface or port):
        raise ValueError("--listen-address says host and port already")
    if listen:
        host, port = get_address_host_port(listen, strict=True)
    is_near = is_loopback(address)
    if not host and not interface:
        # The one address by which this machine reaches the scheduler, not all that it has.
        host = LOOPBACK if is_near else get_ip(get_address_host(address))
    protocol = (chosen["protocol"] or address.partition("://")[0]).removesuffix("://")
    security = choose_security(
        is_near and is_loopback(host or "", interface or ""),
        protocol=protocol,
        tls=said_tls(chosen, "worker"),
        credentials=credentials,
        insecure=chosen["insecure"],
    )
    return {
        "host": host,
        "interface": interface,
        "port": port,
        "protocol": encrypted(protocol, security),
        "security": security,
        "contact_address": chosen["contact_address"] or listen,
        "local_directory": chosen["local_directory"],
        "resources": read_resources(chosen["resources"]),
        "death_timeout": chosen["death_timeout"],
        "dashboard": chosen["dashboard"],
        "dashboard_address": dashboard_at(chosen["dashboard_address"], f"{LOOPBACK}:0"),
        "http_prefix": chosen["dashboard_prefix"] or "/",
        "preload": chosen["preload"],
        "scheduler_sni": chosen["scheduler_sni"],
        **{
            name: chosen[name]
            for name in ("lifetime", "lifetime_stagger", "lifetime_restart")
            if chosen[name] is not None
        },
    }


def _scheduler(chosen: Mapping[str, Any]) -> tuple[str, Security | None]:
    """Return the scheduler's address, and the credentials that come with it."""
    given, path = chosen["scheduler"], chosen["scheduler_file"]
    if not given and not path:  # Kubernetes' operator says it in DASK_SCHEDULER_ADDRESS
        given = dask.config.get("scheduler-address", None)
    if bool(given) == bool(path):
        raise ValueError("where is the scheduler? give its address, or --scheduler-file")
    if path:
        wait = parse_timedelta(chosen["death_timeout"] or WAIT_FOR_FILE)
        found = read_scheduler_file(path, wait)
        return found.address, found.security
    return given if "://" in given else f"tcp://{given}", None


def _processes(chosen: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many processes there are to be, and how many threads each has."""
    count, threads = chosen["n_workers"], chosen["threads_per_worker"]
    if threads is not None and threads < 1:
        raise ValueError(f"--nthreads is 1 or more, not {threads}")
    if count is None and threads is None and chosen["nanny"]:
        return nprocesses_nthreads()
    count = 1 if count is None else count
    if count < 1:
        raise ValueError(f"--nworkers is 1 or more, not {count}")
    return count, threads or max(1, CPU_COUNT // count)


def _name(name: str | None, i: int, count: int) -> str | int | None:
    if name is None:
        return None
    if count > 1:
        return f"{name}-{i}"
    return int(name) if str(name).isdecimal() else name  # as clusters number their workers
