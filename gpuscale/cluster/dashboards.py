"""Where pages are that show what happens: on this machine only, unless a host is said."""

from __future__ import annotations

import socket
from typing import Any

import dask
from distributed.utils import format_dashboard_link

from gpuscale.cluster.security import LOOPBACK, is_loopback

__all__ = [
    "DASHBOARD",
    "LinkedDashboard",
    "dashboard_at",
    "dashboard_options",
    "free_dashboard",
    "link_to",
]

_PORT = 8787
#: Where people look for the page of a scheduler.
DASHBOARD = f"{LOOPBACK}:{_PORT}"


def dashboard_at(address: str | None, default: str) -> str:
    """Return where a page is to be.

    Parameters
    ----------
    address : str or None
        A port, or a host and a port, as a command line has it.
    default : str
        Where it is if nobody says.

    Examples
    --------
    >>> dashboard_at(None, "127.0.0.1:0"), dashboard_at(":9000", ""), dashboard_at("a:80", "")
    ('127.0.0.1:0', '127.0.0.1:9000', 'a:80')
    """
    if not address:
        return free_dashboard(default)
    port = address.removeprefix(":")
    return f"{LOOPBACK}:{port}" if port.isdecimal() else address


def dashboard_options(address: str | None) -> dict[str, Any]:
    """Return the options of a server with a page there; without one it still says how it is.

    Examples
    --------
    >>> dashboard_options(None)
    {'dashboard': False, 'dashboard_address': '127.0.0.1:0'}
    """
    at = f"{LOOPBACK}:0" if address is None else free_dashboard(address)
    return {"dashboard": address is not None, "dashboard_address": at}


def free_dashboard(address: str) -> str:
    """Return an address, or that of any port where the usual one is taken.

    dask.distributed takes another one, too, and warns of what nobody has asked for.

    Examples
    --------
    >>> free_dashboard("127.0.0.1:9000")
    '127.0.0.1:9000'
    """
    if address != DASHBOARD:
        return address
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((LOOPBACK, _PORT))
        except OSError:
            return f"{LOOPBACK}:0"
    return address


def link_to(address: str) -> dict[str, str]:
    """Return dask's option by which a scheduler's log says where its page is.

    It would name the host by which others reach the scheduler, also where the page is not there.

    Parameters
    ----------
    address : str
        Where the page is to be: a host and a port.

    Examples
    --------
    >>> link_to("127.0.0.1:0")
    {'distributed.dashboard.link': '{scheme}://127.0.0.1:{port}/status'}
    """
    name, host = "distributed.dashboard.link", address.rpartition(":")[0]
    link = str(dask.config.get(name))
    return {name: link.replace("{host}", host) if is_loopback(host) else link}


class LinkedDashboard:
    """A cluster with its scheduler in this process, whose page is where that listens."""

    @property
    def dashboard_link(self) -> str:
        """Address of the page; that of the scheduler, which others reach, may be another."""
        link: str = super().dashboard_link  # type: ignore[misc]
        server = getattr(getattr(self, "scheduler", None), "http_server", None)
        if not link or server is None or not is_loopback(server.address):
            return link
        return str(format_dashboard_link(server.address, server.port))
