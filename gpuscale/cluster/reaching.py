"""Schedulers that a client cannot reach: why not, in words."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import distributed
from dask.utils import parse_timedelta
from distributed.comm.addressing import get_address_host_port
from distributed.comm.core import CommClosedError, FatalCommClosedError

from gpuscale.base.errors import EngineError
from gpuscale.cluster.given_security import check_security, given_tls

__all__ = ["answers_told", "check_address", "scheduler_of", "silence", "why_refused"]

_WITHOUT_PORT = ("inproc", "ucx", "ucxx", "ws", "wss")  # or not to be read without a library
_ENDED = (distributed.Status.closing, distributed.Status.closed, distributed.Status.failed)

#: Seconds in which to answer, beyond those in which the connection is made.
MORE = 1.0


def scheduler_of(client: distributed.Client) -> str:
    """Return the address of the scheduler that a client of dask's own talks to."""
    if client.scheduler is None or client.status != "running":
        raise ValueError(f"{client} talks to no scheduler: it is {client.status}; open it first")
    return str(client.scheduler.address)


def check_address(address: Any, security: Any) -> None:
    """Refuse what nobody can connect to, in words of ours.

    Raises
    ------
    TypeError
        It is a client of ours, or no credentials are given as such.
    EngineError
        It is a cluster that is closed.
    ValueError
        It speaks TLS, and there are no credentials.
    """
    if isinstance(address, distributed.Client):
        raise TypeError(
            "this is a client already: use it as it is (with client.as_current(): ...), or open "
            "another one on its cluster: Client(client.scheduler.address)"
        )
    if getattr(address, "status", None) in _ENDED:
        raise EngineError("this cluster is closed, and a client of it would be too: make another")
    check_security(security, "client")
    _check_port(address)
    is_encrypted = str(address or "").startswith(("tls://", "wss://"))
    if isinstance(address, str) and is_encrypted and not (security or given_tls("client")):
        raise ValueError(
            f"the scheduler {address} speaks TLS: say scheduler_file=, the file that it has "
            "written its credentials to, or security="
        )


def _check_port(address: Any) -> None:
    if not isinstance(address, str) or address.partition("://")[0] in _WITHOUT_PORT:
        return
    try:
        get_address_host_port(address, strict=False)
    except ValueError as error:
        raise ValueError(
            f"{address!r} is no address of a scheduler, as 'tcp://10.0.0.1:8786' is: {error}"
        ) from None


def silence(timeout: Any) -> float | None:
    """Return how many seconds a client waits for a scheduler to answer.

    Whatever takes a connection and says nothing, as a scheduler that is stopped, would be waited
    for without an end.

    Examples
    --------
    >>> silence("2s"), silence(None)
    (3.0, None)
    """
    return None if timeout is None else float(parse_timedelta(timeout)) + MORE


@contextmanager
def answers_told(address: Any) -> Iterator[None]:
    """Raise an OSError that says so where what answers is no scheduler.

    Raises
    ------
    OSError
        It says nothing, or what no scheduler says.
    """
    try:
        yield
    except (OSError, ImportError) as error:
        if type(error) is not TimeoutError:
            raise
        raise OSError(
            f"what listens at {address} takes the connection, and says nothing: the scheduler is "
            "stopped or busy, or it is none; its page, as at port 8787, is none"
        ) from None
    except (MemoryError, ValueError, EOFError) as error:  # of bytes that mean something else
        if type(error) is ValueError:  # of an address that is none
            raise
        raise OSError(
            f"what listens at {address} is no scheduler: it says something else "
            f"({type(error).__name__}: {error})"
        ) from None


def why_refused(error: BaseException, security: Any) -> str | None:
    """Say what may be the matter where a scheduler takes no connection."""
    causes = list(_causes(error))
    if any(isinstance(each, FatalCommClosedError) for each in causes):
        return (
            "its credentials are not those that were given, or these have expired: give the file "
            "that this scheduler itself has written, as scheduler_file= (--scheduler-file)"
        )
    if any(isinstance(each, socket.gaierror) for each in causes):
        return "there is no machine of this name, or none that this one knows"
    if str(error).startswith("Timed out"):
        return (
            "nobody answers there: has the scheduler ended, are host and port right, and does a "
            "firewall let it through? gpuscale-scheduler says its address when it starts"
        )
    if security or not any(isinstance(each, CommClosedError) for each in causes):
        return None
    return (
        "a scheduler that speaks TLS ends connections without: if this one does, say "
        "scheduler_file= (--scheduler-file) or security= (--tls-ca-file, --tls-cert, --tls-key)"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
