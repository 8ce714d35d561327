"""What options of clusters can be: ports, folders and sizes that would fail only later."""

from __future__ import annotations

import socket
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from gpuscale.base.sizes import format_bytes, parse_bytes
from gpuscale.engines.reserving import LEAST_MEMORY
from gpuscale.memory.limits import total_memory

__all__ = ["read_folder", "read_page", "read_ports", "read_worker_memory"]

_LAST_PORT = 65535


def read_ports(said: Any) -> None:
    """Check a port, or the text of a range of them.

    Raises
    ------
    ValueError
        There is no such port.

    Examples
    --------
    >>> read_ports(8786), read_ports("9000:9003")
    (None, None)
    >>> read_ports(80000)
    Traceback (most recent call last):
    ValueError: a port is from 0, for any that is free, to 65535, not 80000
    """
    if said is None:
        return
    ends = str(said).split(":")
    if len(ends) > 2 or not all(end.isdecimal() and int(end) <= _LAST_PORT for end in ends):
        raise ValueError(f"a port is from 0, for any that is free, to {_LAST_PORT}, not {said!r}")


def read_page(said: Any) -> None:
    """Check where a page is to be: a port, or a host and maybe a port.

    Raises
    ------
    ValueError
        There is no such port, or no such host.

    Examples
    --------
    >>> read_page(":8787"), read_page("127.0.0.1:0"), read_page("localhost")
    (None, None, None)
    >>> read_page("8787o")
    Traceback (most recent call last):
    ValueError: it is a port, or a host and a port such as 127.0.0.1:8787, and no machine is '8787o'
    """
    if not said:
        return
    host, colon, port = str(said).rpartition("://")[2].rpartition(":")
    if not colon and not port.isdecimal():
        host, port = port, ""
    if port:
        read_ports(port)
    try:
        socket.getaddrinfo(host.strip("[]") or None, port or 0)
    except (OSError, UnicodeError):
        raise ValueError(
            f"it is a port, or a host and a port such as 127.0.0.1:8787, and no machine is {host!r}"
        ) from None


def read_worker_memory(said: Any) -> None:
    """Check the memory of a worker; 0, None and "auto" are left to others.

    Raises
    ------
    ValueError
        It is no size, or one in which no worker can begin.

    Examples
    --------
    >>> read_worker_memory("1 GiB"), read_worker_memory(0)
    (None, None)
    >>> read_worker_memory("1 kB")
    Traceback (most recent call last):
    ValueError: a worker needs 96.0 MiB to begin, before it has any data, and '1 kB' is 1000 B; ...
    """
    if said is None or said == "auto":
        return
    size = parse_bytes(said, total_memory())
    if 0 < size < LEAST_MEMORY:
        raise ValueError(
            f"a worker needs {format_bytes(LEAST_MEMORY)} to begin, before it has any data, and "
            f"{said!r} is {format_bytes(size)}; say more, or 0 for no limit"
        )


def read_folder(said: Any) -> None:
    """Make a folder for data if it is not there, and try whether it can be written to.

    Raises
    ------
    ValueError
        It cannot.
    """
    if said is None:
        return
    try:
        Path(said).mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=said):
            pass
    except OSError as error:
        raise ValueError(
            f"no data can be written to {str(said)!r} ({error.strerror or error}); say a folder "
            "on a disk of this machine that can be written to, or nothing for the system's own"
        ) from None
