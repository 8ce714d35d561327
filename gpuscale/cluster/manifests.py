"""A cluster as plain manifests for Kubernetes, and as the resource of dask's operator there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gpuscale.base.errors import ConfigError

__all__ = ["operator_resource", "to_manifests"]

_Manifest = dict[str, Any]

_PORT, _PAGE = 8786, 8787
_FOLDER = "/var/run/gpuscale"
_FILE = f"{_FOLDER}/credentials.pem"


def to_manifests(
    name: str = "gpuscale",
    *,
    image: str,
    n_workers: int = 1,
    gpus: int = 0,
    resources: Mapping[str, Mapping[str, str]] | None = None,
    env: Mapping[str, str] | None = None,
    worker_args: Sequence[str] = (),
    namespace: str | None = None,
    security: Any = None,
    insecure: bool = False,
) -> list[_Manifest]:
    """Write a cluster as manifests that any Kubernetes takes, without an operator.

    They are a scheduler with its service, workers, and a secret with the credentials of all:
    apply them with ``kubectl``, scale with ``kubectl scale deployment NAME-worker``, and reach the
    scheduler from outside through ``kubectl port-forward service/NAME-scheduler 8786``.

    Parameters
    ----------
    name : str
        Beginning of the names of all resources.
    image : str
        Image of the containers, in which gpuscale is installed with the extra ``cluster``.
    n_workers : int
        Pods that compute.
    gpus : int
        GPUs of each of these, ``nvidia.com/gpu``; a process is started for each.
    resources : mapping, optional
        ``{"limits": {"memory": "64Gi", "cpu": "8"}}`` of each pod that computes.
    env : mapping of str to str, optional
        Variables of all containers.
    worker_args : sequence of str
        More options of ``gpuscale-worker`` or ``gpuscale-cuda-worker``.
    namespace : str, optional
    security : distributed.Security
        Credentials, as from ``Security.temporary()``; a client needs the same.
    insecure : bool
        Without credentials, in plain text: whoever reaches the service can run programs there.

    Returns
    -------
    list of dict
        The manifests: ``yaml.safe_dump_all`` writes them. They hold the key.

    Examples
    --------
    >>> made = to_manifests(image="registry/gpuscale:1", n_workers=4, gpus=1, insecure=True)
    >>> [each["kind"] for each in made]
    ['Service', 'Deployment', 'Deployment']
    >>> made[-1]["spec"]["template"]["spec"]["containers"][0]["resources"]
    {'limits': {'nvidia.com/gpu': '1'}}
    """
    _check_name(name)
    if (security is None) is not insecure:
        raise ConfigError(
            "who may use the cluster? give security=Security.temporary(), or accept with "
            "insecure=True that everybody does who reaches its service"
        )
    trusted = _trusted(insecure)
    scheme = "tcp" if insecure else "tls"
    address = f"{scheme}://{name}-scheduler:{_PORT}"
    where = ["--host", "0.0.0.0", "--port", str(_PORT), "--contact-address", address]
    worker = [_worker_command(gpus), address, *trusted, *worker_args]
    scheduler = {
        **_container("scheduler", image, ["gpuscale-scheduler", *where, *trusted], env),
        "ports": [{"name": "comm", "containerPort": _PORT}],
        "readinessProbe": {"tcpSocket": {"port": "comm"}, "periodSeconds": 2},
    }
    computing = _container("worker", image, worker, env) | _limits(resources, gpus)
    made = [
        *([] if insecure else [_secret(name, security)]),
        _service(name),
        _deployment(name, "scheduler", scheduler, 1, not insecure),
        _deployment(name, "worker", computing, n_workers, not insecure),
    ]
    if namespace:
        for each in made:
            each["metadata"]["namespace"] = namespace
    return made


def operator_resource(
    name: str,
    *,
    image: str,
    n_workers: int,
    gpus: int = 0,
    resources: Mapping[str, Mapping[str, str]] | None = None,
    env: Mapping[str, str] | None = None,
    worker_command: Sequence[str] = (),
    scheduler_service_type: str = "ClusterIP",
    idle_timeout: int = 0,
) -> _Manifest:
    """Return the ``DaskCluster`` of dask's operator, with our scheduler and workers.

    The operator talks to the scheduler in plain text, so there are no credentials.

    Parameters
    ----------
    name, image, n_workers, gpus, resources, env
        As of `to_manifests`.
    worker_command : sequence of str
        Instead of ours.
    scheduler_service_type : str
        Of the scheduler's service.
    idle_timeout : int
        Seconds without work after which the operator removes the cluster; 0 for never.

    Examples
    --------
    >>> made = operator_resource("tiny", image="registry/gpuscale:1", n_workers=2)
    >>> made["kind"], made["spec"]["worker"]["replicas"]
    ('DaskCluster', 2)
    """
    _check_name(name)
    page = ["--dashboard-address", f"0.0.0.0:{_PAGE}"]
    ports = [
        {"name": "tcp-comm", "containerPort": _PORT, "protocol": "TCP"},
        {"name": "http-dashboard", "containerPort": _PAGE, "protocol": "TCP"},
    ]
    health = {"httpGet": {"port": "http-dashboard", "path": "/health"}}
    start = ["gpuscale-scheduler", "--host", "0.0.0.0", "--insecure", *page]
    scheduler = {
        **_container("scheduler", image, start, env),
        "ports": ports,
        "readinessProbe": {**health, "periodSeconds": 1, "timeoutSeconds": 300},
        "livenessProbe": {**health, "initialDelaySeconds": 15, "periodSeconds": 20},
    }
    command = [*(worker_command or worker_start(gpus)), "--name", "$(DASK_WORKER_NAME)"]
    computing = _container("worker", image, command, env) | _limits(resources, gpus)
    service = {
        "type": scheduler_service_type,
        "selector": {"dask.org/cluster-name": name, "dask.org/component": "scheduler"},
        "ports": [
            {"name": each["name"], "protocol": "TCP", "port": each["containerPort"],
             "targetPort": each["name"]}
            for each in ports
        ],
    }  # fmt: skip
    return {
        "apiVersion": "kubernetes.dask.org/v1",
        "kind": "DaskCluster",
        "metadata": {"name": name},
        "spec": {
            "idleTimeout": idle_timeout,
            "worker": {"replicas": n_workers, "spec": _pod(computing)},
            "scheduler": {"spec": _pod(scheduler), "service": service},
        },
    }


def worker_start(gpus: int) -> list[str]:
    """Return what starts a worker of the operator, which says its address in a variable."""
    return [_worker_command(gpus), "--insecure"]


def _worker_command(gpus: int) -> str:
    return "gpuscale-cuda-worker" if gpus else "gpuscale-worker"


def _trusted(insecure: bool) -> list[str]:
    if insecure:
        return ["--insecure"]
    return ["--tls-ca-file", _FILE, "--tls-cert", _FILE, "--tls-key", _FILE]


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z]([-a-z0-9]{0,51}[a-z0-9])?", name):
        raise ConfigError(
            f"name {name!r}: Kubernetes takes small letters, digits and hyphens, beginning with a "
            "letter; here at most 53"
        )


def _container(
    role: str, image: str, command: Sequence[str], env: Mapping[str, str] | None
) -> _Manifest:
    found: _Manifest = {"name": role, "image": image, "args": list(command)}
    if env:
        found["env"] = [{"name": key, "value": str(value)} for key, value in env.items()]
    return found


def _pod(container: _Manifest) -> _Manifest:
    # A service called gpuscale-x would put GPUSCALE_X_... into the environment: no options.
    return {"enableServiceLinks": False, "containers": [container]}


def _limits(resources: Mapping[str, Mapping[str, str]] | None, gpus: int) -> _Manifest:
    if unknown := sorted((resources or {}).keys() - {"limits", "requests"}):
        raise ConfigError(f"resources has {unknown[0]!r}; it takes 'limits' and 'requests'")
    said = {kind: dict(values) for kind, values in (resources or {}).items()}
    if gpus:  # what is asked for equals the limit, for devices
        said["limits"] = {**said.get("limits", {}), "nvidia.com/gpu": str(gpus)}
    return {"resources": said} if said else {}


def _labels(name: str, role: str = "") -> dict[str, str]:
    found = {"app.kubernetes.io/name": "gpuscale", "app.kubernetes.io/instance": name}
    return {**found, "app.kubernetes.io/component": role} if role else found


def _secret(name: str, security: Any) -> _Manifest:
    own = security.get_tls_config_for_role("scheduler")
    if "\n" not in (own["key"] or ""):
        raise ConfigError("security is to hold its certificate and key: Security.temporary()")
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"{name}-credentials", "labels": _labels(name)},
        "type": "Opaque",
        "stringData": {"credentials.pem": own["cert"] + own["key"]},
    }


def _service(name: str) -> _Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"{name}-scheduler", "labels": _labels(name)},
        "spec": {
            "selector": _labels(name, "scheduler"),
            "ports": [{"name": "comm", "port": _PORT, "targetPort": "comm"}],
        },
    }


def _deployment(
    name: str, role: str, container: _Manifest, replicas: int, has_credentials: bool
) -> _Manifest:
    container = {**container, "securityContext": {"allowPrivilegeEscalation": False}}
    pod = _pod(container) | {"automountServiceAccountToken": False}
    if has_credentials:
        container["volumeMounts"] = [
            {"name": "credentials", "mountPath": _FOLDER, "readOnly": True}
        ]
        secret = {"secretName": f"{name}-credentials", "defaultMode": 0o440}
        pod["volumes"] = [{"name": "credentials", "secret": secret}]
        pod["securityContext"] = {"fsGroup": 1000}  # who reads it where users are not root
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"{name}-{role}", "labels": _labels(name, role)},
        "spec": {
            "replicas": replicas,
            # Two schedulers, or twice the GPUs, are not to be there at once.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": _labels(name, role)},
            "template": {"metadata": {"labels": _labels(name, role)}, "spec": pod},
        },
    }
