"""Who may talk to a cluster: this machine alone, or those who hold its credentials.

What listens on the loopback interface is reached from this machine only, and needs no credentials.
Beyond it, scheduler and workers speak TLS, each side showing a certificate that the scheduler made
when it started. Certificate and key stand in the scheduler file, which its owner alone can read:
who can read it can join. Whoever wants neither says ``insecure``.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import socket
import stat
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import Security
from distributed.comm.addressing import parse_address, parse_host_port
from distributed.utils import get_ip_interface

from gpuscale.cluster.given_security import check_security

__all__ = [
    "LOOPBACK",
    "SchedulerFile",
    "choose_security",
    "encrypted",
    "cluster_security",
    "in_file",
    "is_loopback",
    "read_scheduler_file",
    "remove_credentials",
    "remove_scheduler_file",
    "temporary",
    "write_scheduler_file",
]

# Of dask.distributed, which is shown unless its user says otherwise: ours are silent.
_logger = logging.getLogger("distributed.scheduler")

LOOPBACK = "127.0.0.1"

# TLS goes over these; whatever else moves bytes, as UCX does, moves them as they are.
_ENCRYPTED = ("", "auto", "tcp", "tls", "ws", "wss")


@dataclass(frozen=True)
class SchedulerFile:
    """What a scheduler file says.

    Parameters
    ----------
    address : str
        Of the scheduler, as ``"tls://10.0.0.1:8786"``.
    security : distributed.Security or None
        Its credentials; None where the file has none.
    """

    address: str
    security: Security | None = None


def is_loopback(host: str = "", interface: str = "") -> bool:
    """Whether other machines cannot reach what listens there.

    Parameters
    ----------
    host : str
        Name or address, with or without protocol and port.
    interface : str
        Name of a network interface, which stands for its address.

    Raises
    ------
    ValueError
        Both are said, or there is no such interface.

    Examples
    --------
    >>> is_loopback("localhost"), is_loopback("tcp://127.0.0.1:8786"), is_loopback("0.0.0.0")
    (True, True, False)
    >>> is_loopback(interface="lo")
    True
    """
    if host and interface:
        raise ValueError(f"host {host} and interface {interface} both say where to listen: say one")
    if interface:
        host = get_ip_interface(interface)
    host = host.rpartition("://")[2]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        host, _ = parse_host_port(host, 0)
    if not host:
        return False  # no host means all of them
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return False  # whoever binds or connects to it says what is wrong with it
    return all(ipaddress.ip_address(each).is_loopback for each in found)


def choose_security(
    local: bool,
    *,
    protocol: str = "",
    tls: Security | None = None,
    credentials: Security | None = None,
    insecure: bool = False,
) -> Security | None:
    """Decide how a scheduler or worker talks: None for plain text, or its TLS.

    Parameters
    ----------
    local : bool
        Whether it can be reached from this machine only.
    protocol : str
        What moves the bytes, as ``"tcp"``; empty for what fits.
    tls : distributed.Security, optional
        What the user said in files of certificates and keys: this goes first.
    credentials : distributed.Security, optional
        Temporary ones to use beyond loopback.
    insecure : bool
        Whether the user accepts plain text beyond loopback.

    Raises
    ------
    ValueError
        It would be plain text beyond loopback, and nobody asked for that.

    Examples
    --------
    >>> choose_security(local=True) is None
    True
    >>> choose_security(local=False)
    Traceback (most recent call last):
    ValueError: other machines could reach this, and there are no credentials: ...
    """
    if tls is not None and insecure:
        raise ValueError("either TLS or --insecure (insecure=True), not both")
    name = protocol.removesuffix("://")
    if name in ("tls", "wss") and (insecure or (tls is None and credentials is None)):
        raise ValueError(
            f"protocol {name} is encrypted, and there are no credentials: give --scheduler-file, "
            "where the scheduler keeps them, or --tls-ca-file, --tls-cert and --tls-key, and no "
            "--insecure (insecure=True)"
        )
    if insecure or (local and tls is None and name not in ("tls", "wss")):
        return None
    if name not in _ENCRYPTED:
        raise ValueError(
            f"other machines could read what is sent: protocol {name} is not encrypted; take "
            "protocol tls, or accept that with --insecure (insecure=True)"
        )
    security = tls or credentials
    if security is None:
        raise ValueError(
            "other machines could reach this, and there are no credentials: give "
            "--scheduler-file, where temporary ones are kept, or --tls-ca-file, --tls-cert and "
            "--tls-key, or accept plain text with --insecure (insecure=True)"
        )
    return security


def cluster_security(
    host: str | None,
    interface: str | None,
    *,
    protocol: str | None = None,
    security: Security | bool | None = None,
    insecure: bool = False,
) -> tuple[str | None, Security | None]:
    """Decide how a cluster talks that this process starts: with temporary credentials if it must.

    Parameters
    ----------
    host, interface : str or None
        Where it listens; None is this machine only.
    protocol : str, optional
        What moves the bytes; None for what fits.
    security : distributed.Security or bool, optional
        What the user said; True makes temporary credentials.
    insecure : bool
        Whether the user accepts plain text beyond loopback.

    Returns
    -------
    str or None
        The protocol: ``"tls"`` where credentials need it.
    distributed.Security or None

    Raises
    ------
    ValueError
        It would be plain text beyond loopback, and nobody asked for that.

    Examples
    --------
    >>> cluster_security(None, None, protocol="tcp"), cluster_security("127.0.0.1", None)
    (('tcp', None), (None, None))
    """
    for role in ("scheduler", "worker"):
        check_security(security, role)
    if isinstance(security, dict):
        security = Security(**security)
    given = security if isinstance(security, Security) else temporary() if security else None
    local = not (host or interface) or is_loopback(host or "", interface or "")
    name = (protocol or "").removesuffix("://")
    is_plain = given is None and (local or insecure or name not in _ENCRYPTED)
    found = choose_security(
        local,
        protocol=name,
        tls=given,
        credentials=None if is_plain else temporary(),
        insecure=insecure,
    )
    if found is None or not found.require_encryption:
        return protocol, given
    return encrypted(protocol or "", found), found


def encrypted(protocol: str, security: Security | None) -> str:
    """Return the protocol to use: TLS instead of TCP where there are credentials.

    Examples
    --------
    >>> encrypted("tcp", Security()), encrypted("auto", None), encrypted("", None)
    ('tls', 'auto', 'tcp')
    """
    name = protocol.removesuffix("://")
    if security is not None and name in ("", "auto", "tcp"):
        if name == "tcp":
            _logger.warning(
                "protocol tcp becomes tls, since there are credentials: other machines could read "
                "plain text, for which you would say insecure=True (--insecure)"
            )
        return "tls"
    return protocol or "tcp"


def temporary() -> Security:
    """Make credentials: a new certificate and key, valid for a year, for all of a cluster.

    Raises
    ------
    ImportError
        The package ``cryptography``, which makes them, is not installed.
    """
    try:
        return Security.temporary()
    except ImportError as error:
        raise ImportError(
            "temporary credentials need the package cryptography: pip install 'gpuscale[cluster]'"
        ) from error


def in_file(security: Security, folder: str | os.PathLike[str]) -> tuple[Security, Path | None]:
    """Move temporary credentials to a file that its owner alone can read.

    Parameters
    ----------
    security : distributed.Security
    folder : str or path

    Returns
    -------
    security : distributed.Security
        It names the file; credentials that lie in files already stay as they are.
    path : Path or None
        The file, which is the caller's to remove; None if there is no new one.
    """
    own = security.get_tls_config_for_role("worker")
    if "\n" not in (own["key"] or ""):  # the name of a file
        return security, None
    number, name = tempfile.mkstemp(prefix=".gpuscale-", suffix=".pem", dir=folder)  # mode 0600
    with open(number, "w") as file:
        file.write(own["cert"] + own["key"])
    return _of_one(name, name), Path(name)


def remove_credentials(path: Path | None) -> None:
    """Remove the file of `in_file`, if there is one."""
    if path is not None:
        path.unlink(missing_ok=True)


# ------------------------------------------------------------------ the scheduler file


def write_scheduler_file(
    path: str | os.PathLike[str], identity: dict[str, Any], security: Security | None = None
) -> None:
    """Write how a scheduler is reached, all at once, into a file that its owner alone can read.

    Parameters
    ----------
    path : str or path
    identity : dict
        What the scheduler says of itself, with its ``"address"``.
    security : distributed.Security, optional
        Its temporary credentials. Those that lie in files of their own stay there.
    """
    content = dict(identity)
    own = {} if security is None else security.get_tls_config_for_role("scheduler")
    if "\n" in (own.get("key") or ""):  # the key itself, not the name of its file
        content["security"] = {"cert": own["cert"], "key": own["key"]}
    whole = Path(path)
    part = whole.with_name(f".{whole.name}.{socket.gethostname()}.{os.getpid()}")
    try:
        part.unlink(missing_ok=True)
        # 0600 from the first byte on: a file made readable and closed later has been read.
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        part.replace(whole)
    except OSError as error:
        reason = f"no scheduler file can be written there ({error.strerror})"
        raise type(error)(error.errno, reason, str(path)) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def read_scheduler_file(path: str | os.PathLike[str], wait: float = 0) -> SchedulerFile:
    """Read how a scheduler is reached, waiting until its file is there.

    Parameters
    ----------
    path : str or path
    wait : float
        Seconds to wait for a scheduler that has not written it yet.

    Raises
    ------
    FileNotFoundError
        Nobody has written it.
    PermissionError
        It holds credentials, and others can read them.
    ValueError
        It is no scheduler file.
    """
    end = time.monotonic() + wait
    while True:
        try:
            with open(path) as file:
                text, mode = file.read(), os.fstat(file.fileno()).st_mode
            break
        except FileNotFoundError:
            if time.monotonic() >= end:
                raise FileNotFoundError(
                    f"no scheduler has written {path}: start gpuscale-scheduler "
                    f"--scheduler-file {path}"
                ) from None
            time.sleep(0.1)
    try:
        content = json.loads(text)
        address = content["address"]
        parse_address(address, strict=True)
        kept = content.get("security")
        security = None if kept is None else _of_one(kept["cert"], kept["key"])
        if security is not None:
            security.get_connection_args("client")  # which reads them
    except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a scheduler file: {error!r}") from None
    if security is not None and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise PermissionError(
            f"others can read the credentials in {path}: stop that cluster, whose key may be "
            "known, and start its scheduler again"
        )
    return SchedulerFile(address, security)


def remove_scheduler_file(path: str | os.PathLike[str], identity: dict[str, Any]) -> None:
    """Remove a scheduler's file, unless another scheduler has written its own there."""
    try:
        if json.loads(Path(path).read_text()).get("id") == identity["id"]:
            Path(path).unlink()
    except (OSError, ValueError):
        pass  # gone already, or no longer ours


def _of_one(cert: str, key: str) -> Security:
    """All roles have one certificate, which is its own authority."""
    return Security(
        require_encryption=True,
        tls_ca_file=cert,
        tls_client_cert=cert,
        tls_client_key=key,
        tls_scheduler_cert=cert,
        tls_scheduler_key=key,
        tls_worker_cert=cert,
        tls_worker_key=key,
    )
