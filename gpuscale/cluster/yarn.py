"""`YarnCluster`: workers as containers of Hadoop's YARN, as a specification for skein."""

from __future__ import annotations

import shlex
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from gpuscale.base.errors import ConfigError
from gpuscale.cluster.security import in_file, remove_credentials, temporary

__all__ = ["YarnCluster", "yarn_specification"]

_KEY = "gpuscale.scheduler"
_FILE = "credentials.pem"


def yarn_specification(
    environment: str,
    *,
    credentials: str = "",
    n_workers: int = 0,
    worker_vcores: int = 1,
    worker_memory: str = "2 GiB",
    worker_gpus: int = 0,
    worker_restarts: int = -1,
    worker_env: Mapping[str, str] | None = None,
    worker_args: Sequence[str] = (),
    scheduler_vcores: int = 1,
    scheduler_memory: str = "2 GiB",
    name: str = "gpuscale",
    queue: str = "default",
    tags: Sequence[str] = (),
    user: str = "",
) -> dict[str, Any]:
    """Write a cluster as an application of skein, which YARN runs.

    Parameters
    ----------
    environment : str
        Archive of a Python environment with gpuscale and skein, as conda-pack or venv-pack makes
        it.
    credentials : str
        File of a certificate and its key, which goes to all containers; empty for plain text.
    n_workers : int
        Containers that compute.
    worker_vcores, worker_memory, worker_gpus : int, str and int
        Of each; a process is started for each GPU.
    worker_restarts : int
        How often workers are started again, all together; -1 for always.
    worker_env : mapping of str to str, optional
    worker_args : sequence of str
        More options of ``gpuscale-worker`` or ``gpuscale-cuda-worker``.
    scheduler_vcores, scheduler_memory : int and str
    name, queue, tags, user
        Of the application.

    Examples
    --------
    >>> made = yarn_specification("environment.tar.gz", n_workers=4, worker_gpus=1)
    >>> made["services"]["worker"]["resources"]
    {'vcores': 1, 'memory': '2 GiB', 'gpus': 1}
    """
    trusted = ["--insecure"]
    files = {"environment": {"source": environment, "type": "archive"}}
    if credentials:
        trusted = ["--tls-ca-file", _FILE, "--tls-cert", _FILE, "--tls-key", _FILE]
        files[_FILE] = {"source": credentials, "type": "file", "visibility": "private"}
    command = "gpuscale-cuda-worker" if worker_gpus else "gpuscale-worker"
    threads = [] if worker_gpus else ["--nworkers", "1", "--nthreads", str(worker_vcores)]
    options = shlex.join([*trusted, *threads, *worker_args])
    worker = {"vcores": worker_vcores, "memory": worker_memory}
    found: dict[str, Any] = {
        "name": name,
        "queue": queue,
        "tags": [*tags],
        "services": {
            "scheduler": {
                "instances": 1,
                "max_restarts": 0,
                "resources": {"vcores": scheduler_vcores, "memory": scheduler_memory},
                "files": files,
                "script": _SCHEDULER.format(options=shlex.join(trusted), key=_KEY),
            },
            "worker": {
                "instances": n_workers,
                "max_restarts": worker_restarts,
                "depends": ["scheduler"],
                "resources": worker | ({"gpus": worker_gpus} if worker_gpus else {}),
                "files": files,
                "env": dict(worker_env or {}),
                "script": _WORKER.format(command=command, options=options, key=_KEY),
            },
        },
    }
    return found | ({"user": user} if user else {})


# Ports are any that are free, since containers share machines; the address goes through skein.
_SCHEDULER = """\
set -e
source environment/bin/activate
gpuscale-scheduler --host 0.0.0.0 --port 0 --scheduler-file scheduler.json {options} &
while [ ! -e scheduler.json ]; do kill -0 $!; sleep 0.2; done
python -c 'import json; print(json.load(open("scheduler.json"))["address"], end="")' |
    skein kv put current --key {key}
wait
"""
_WORKER = """\
set -e
source environment/bin/activate
address=$(skein kv get current --key {key} --wait)
exec {command} "$address" {options}
"""


def _skein() -> Any:
    try:
        return import_module("skein")
    except ModuleNotFoundError as error:
        raise ImportError(
            "YarnCluster needs skein, which needs a JVM: pip install skein"
        ) from error


class YarnCluster:
    """Workers as containers of Hadoop's YARN; needs the package ``skein``, and its client a JVM.

    Parameters
    ----------
    environment : str
        Archive of a Python environment with gpuscale and skein.
    shared_temp_directory : str, optional
        Folder of this machine for temporary credentials until they are submitted, by default that
        of the system. The file is for its owner alone, and goes with the cluster.
    security : distributed.Security, optional
        By default temporary credentials.
    insecure : bool
        Talk in plain text, without credentials.
    skein_client : skein.Client, optional
    **options
        Those of `yarn_specification`.

    Examples
    --------
    >>> from gpuscale.cluster import Client, YarnCluster
    >>> with YarnCluster("environment.tar.gz", n_workers=4) as cluster:  # doctest: +SKIP
    ...     client = Client(cluster)
    """

    def __init__(
        self,
        environment: str,
        *,
        shared_temp_directory: str | None = None,
        security: Any = None,
        insecure: bool = False,
        skein_client: Any = None,
        **options: Any,
    ) -> None:
        if security is not None and insecure:
            raise ConfigError("either security= or insecure=True, not both")
        self.security, kept = None, None
        if not insecure:
            folder = shared_temp_directory or tempfile.gettempdir()
            self.security, kept = in_file(security or temporary(), folder)
            if kept is None:
                raise ConfigError("security is to hold its certificate and key")
            options["credentials"] = str(kept)
        self._forget = weakref.finalize(self, remove_credentials, kept)
        try:
            self.specification = yarn_specification(environment, **options)
            skein = _skein()
            client = skein.Client() if skein_client is None else skein_client
            specification = skein.ApplicationSpec.from_dict(self.specification)
            self._application = client.submit_and_connect(specification)
            self.scheduler_address = self._application.kv.wait(_KEY).decode()
        except BaseException:
            self._forget()
            raise

    def scale(self, n: int) -> None:
        """Have so many containers that compute."""
        self._application.scale("worker", n)

    def close(self) -> None:
        """End the application."""
        try:
            self._application.shutdown()
        finally:
            self._forget()

    def __enter__(self) -> YarnCluster:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
