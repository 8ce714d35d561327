"""`KubeCluster`: workers as pods of Kubernetes, by way of dask-kubernetes and its operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dask_kubernetes import operator

from gpuscale.base.errors import ConfigError
from gpuscale.cluster.manifests import operator_resource, worker_start

__all__ = ["KubeCluster"]


class KubeCluster(operator.KubeCluster):
    """Workers as pods of Kubernetes, where dask's operator is installed.

    The operator talks to schedulers in plain text, so ``insecure=True`` must be said: whoever
    reaches the scheduler's service can run programs there, unless network policies keep them from
    it. `gpuscale.cluster.to_manifests` does without the operator, over TLS.

    Parameters
    ----------
    name : str
        Name of the cluster.
    image : str
        Image of the containers, in which gpuscale is installed with the extra ``cluster``.
    n_workers : int
        Pods that compute; `scale` and `adapt` change it.
    gpus : int
        GPUs of each of these, ``nvidia.com/gpu``; a process is started for each.
    resources : mapping, optional
        ``{"limits": {"memory": "64Gi", "cpu": "8"}}`` of each pod that computes.
    env : mapping of str to str, optional
        Variables of all containers.
    worker_command : sequence of str, optional
        Instead of ours.
    insecure : bool
        Must be True.
    **options
        What ``dask_kubernetes.operator.KubeCluster`` takes beside these.

    See Also
    --------
    gpuscale.cluster.to_manifests : A cluster as plain manifests.

    Examples
    --------
    >>> from gpuscale.cluster import Client, KubeCluster
    >>> cluster = KubeCluster(
    ...     name="mine", image="registry/gpuscale:1", gpus=1, insecure=True
    ... )  # doctest: +SKIP
    >>> cluster.scale(10)  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        name: str | None = None,
        image: str | None = None,
        n_workers: int = 3,
        gpus: int = 0,
        resources: Mapping[str, Mapping[str, str]] | None = None,
        env: Mapping[str, str] | None = None,
        worker_command: Sequence[str] | None = None,
        custom_cluster_spec: Any = None,
        scheduler_service_type: str = "ClusterIP",
        idle_timeout: int = 0,
        insecure: bool = False,
        **options: Any,
    ) -> None:
        if not insecure:
            raise ConfigError(
                "dask's operator talks to schedulers in plain text: accept that with "
                "insecure=True, or take gpuscale.cluster.to_manifests, which does without"
            )
        if custom_cluster_spec is None:
            if name is None or image is None:
                raise ConfigError("KubeCluster needs name= and image=, or custom_cluster_spec=")
            custom_cluster_spec = operator_resource(
                name,
                image=image,
                n_workers=n_workers,
                gpus=gpus,
                resources=resources,
                env=env,
                worker_command=worker_command or (),
                scheduler_service_type=scheduler_service_type,
                idle_timeout=idle_timeout,
            )
        super().__init__(
            name=name,
            image=image,
            n_workers=n_workers,
            env=env,
            # Those of groups that `add_worker_group` adds.
            worker_command=[*(worker_command or worker_start(gpus))],
            custom_cluster_spec=custom_cluster_spec,
            **options,
        )
