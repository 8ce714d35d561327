"""How workers talk: UCX where it is installed and has just been seen to work, and else TCP."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gpuscale.base.errors import EngineError

__all__ = ["choose_protocol", "try_ucx", "ucx_environment"]

_logger = logging.getLogger("gpuscale.cluster")

#: Seconds after which UCX that does not answer is taken not to work.
PATIENCE = 30.0

_PACKAGES = ("ucxx", "distributed_ucxx")
_TRIAL = Path(__file__).with_name("transport_trial.py")


def choose_protocol(
    wanted: str | None,
    environment: Mapping[str, str] | None = None,
    *,
    attempt: Callable[[Mapping[str, str]], str] | None = None,
) -> str:
    """Return the protocol to use, and write to the log which and why if it was not said.

    Parameters
    ----------
    wanted : str or None
        ``"auto"`` for UCX where it works, and else TCP; None is TCP.
    environment : mapping of str to str, optional
        Variables for UCX, as from `ucx_environment`.
    attempt : callable
        Tries UCX with such variables, and returns why it does not work, or ``""``; `try_ucx`.

    Raises
    ------
    EngineError
        UCX is asked for, and not installed.

    Examples
    --------
    >>> choose_protocol(None), choose_protocol("tls")
    ('tcp', 'tls')
    >>> choose_protocol("auto", attempt=lambda environment: "it is not installed")
    'tcp'
    """
    protocol = (wanted or "tcp").removesuffix("://")
    if protocol == "auto":
        why = (try_ucx if attempt is None else attempt)(environment or {})
        _logger.info(
            "workers talk by %s", f"TCP, since UCX cannot be used: {why}" if why else "UCX"
        )
        return "tcp" if why else "ucx"
    if protocol in ("ucx", "ucxx") and (lost := _not_installed()):
        raise EngineError(
            f"protocol {protocol!r} needs {lost}: pip install 'gpuscale[ucx]', or say "
            "protocol='auto' or 'tcp'"
        )
    return protocol


def _not_installed() -> str:
    return ", ".join(name for name in _PACKAGES if find_spec(name) is None)


def try_ucx(environment: Mapping[str, str], patience: float = PATIENCE) -> str:
    """Say why UCX does not work here, or ``""`` if it does.

    Two endpoints exchange an array, in a process of their own: where UCX finds a network that it
    cannot use it may hang, or end its process.

    Parameters
    ----------
    environment : mapping of str to str
        Variables beside those of this process.
    patience : float
        Seconds that it may take.
    """
    if lost := _not_installed():
        return f"{lost} not installed"
    return _run_trial([sys.executable, str(_TRIAL)], environment, patience)


def _run_trial(command: list[str], environment: Mapping[str, str], patience: float) -> str:
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience,
        )
    except subprocess.TimeoutExpired:
        return f"its trial took longer than {patience:g} s"
    if done.returncode == 0:
        return ""
    last = done.stderr.strip().rpartition("\n")[2]
    return f"its trial failed with status {done.returncode}: {last or 'it said nothing'}"


def ucx_environment(options: Mapping[str, Any]) -> dict[str, str]:
    """Return UCX's variables for the options ``enable_...``: none if none is said.

    Parameters
    ----------
    options : mapping of str to object
        ``enable_tcp_over_ucx``, ``enable_infiniband``, ``enable_nvlink`` and ``enable_rdmacm``;
        None, or not there, is left to UCX. Where some are only switched off, the others are on.

    Examples
    --------
    >>> ucx_environment({})
    {}
    >>> ucx_environment({"enable_nvlink": True})["UCX_TLS"]
    'tcp,cuda_copy,cuda_ipc'
    >>> ucx_environment({"enable_nvlink": False})["UCX_TLS"]
    'rc,tcp,cuda_copy'
    """
    said = [options.get(f"enable_{name}") for name in ("tcp_over_ucx", "infiniband", "nvlink")]
    if all(each is None for each in said):
        return {}
    if True not in said:
        said = [each is None for each in said]
    if not any(said):
        raise EngineError(
            "enable_tcp_over_ucx, enable_infiniband and enable_nvlink are all off, which leaves "
            "UCX nothing to talk by; leave one out, or say protocol='tcp'"
        )
    _, infiniband, nvlink = said
    # Connections are set up over TCP even where the data take another way.
    ways = ["rc"] * bool(infiniband) + ["tcp", "cuda_copy"] + ["cuda_ipc"] * bool(nvlink)
    manager = "rdmacm" if options.get("enable_rdmacm") else "tcp"
    return {"UCX_TLS": ",".join(ways), "UCX_SOCKADDR_TLS_PRIORITY": manager}
