"""Credentials that the user gives: whether they are some, and their files are there."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from typing import Any

from distributed import Security

__all__ = ["check_security", "given_tls"]


def check_security(security: Any, role: str) -> None:
    """Refuse credentials that are none, or whose files are not there.

    Parameters
    ----------
    security : object
        What the user said.
    role : str
        ``"scheduler"``, ``"worker"`` or ``"client"``.

    Raises
    ------
    TypeError
        It is neither a ``Security`` nor a bool.
    FileNotFoundError
        Names the option, and its file.
    ValueError
        It encrypts, and has not all that this needs, or a file holds something else.

    Examples
    --------
    >>> check_security(Security(tls_ca_file="no.pem"), "client")
    Traceback (most recent call last):
    FileNotFoundError: no file no.pem, which tls_ca_file of security= names
    """
    if security is None or isinstance(security, bool):
        return
    if isinstance(security, dict):  # as dask.distributed takes it, too
        security = Security(**security)
    if not isinstance(security, Security):
        raise TypeError(f"security takes a Security, or True for temporary ones, not {security!r}")
    own = security.get_tls_config_for_role(role)
    names = {"ca_file": "tls_ca_file", "cert": f"tls_{role}_cert", "key": f"tls_{role}_key"}
    for part, name in names.items():
        path = own[part]
        if path and "\n" not in path and not os.path.isfile(path):
            raise FileNotFoundError(f"no file {path}, which {name} of security= names")
    missing = [name for part, name in names.items() if part != "key" and not own[part]]
    if security.require_encryption and missing:
        raise ValueError(f"security= is to encrypt, and does not say {' and '.join(missing)}")
    _check_content(own, {part: f"{name} of security=" for part, name in names.items()})


def _check_content(own: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """Refuse files that hold no certificates, or not the key of theirs."""
    context, part = ssl.create_default_context(), "ca_file"
    try:
        if _is_path(own[part]):
            context.load_verify_locations(own[part])
        part = "cert"
        if _is_path(own[part]):
            context.load_cert_chain(own[part], own["key"] or None, _password)
    except _AskedError:  # for what whoever connects is asked, too
        pass
    except ssl.SSLError as error:
        what = "certificate" if part == "ca_file" else "certificate with its key"
        raise ValueError(
            f"{own[part]}, which {names[part]} names, holds no {what} ({error.reason})"
        ) from None


def _is_path(said: str | None) -> bool:
    return bool(said) and "\n" not in str(said)


class _AskedError(Exception):
    pass


def _password() -> str:
    raise _AskedError


def given_tls(role: str, ca_file: str = "", cert: str = "", key: str = "") -> Security | None:
    """Return the TLS that is said in files, or in dask's configuration; None where none is.

    Parameters
    ----------
    role : str
        ``"scheduler"``, ``"worker"`` or ``"client"``.
    ca_file, cert, key : str
        Names of files.
    """
    names = {"ca_file": "--tls-ca-file", "cert": "--tls-cert", "key": "--tls-key"}
    files = {"tls_ca_file": ca_file, f"tls_{role}_cert": cert, f"tls_{role}_key": key}
    said = {name: value for name, value in files.items() if value}
    for path, name in zip(files.values(), names.values(), strict=True):
        if path and not os.path.isfile(path):
            raise FileNotFoundError(f"no file {path}, which {name} names")
    security = Security(**said)
    own = security.get_tls_config_for_role(role)
    if not own["ca_file"] and not said:
        return None
    _check_content(own, names)
    missing = [name for part, name in names.items() if part != "key" and not own[part]]
    if missing:
        raise ValueError(f"TLS needs --tls-ca-file and --tls-cert: {missing[0]} is not said")
    return security
