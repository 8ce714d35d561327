"""Clusters: many processes, many GPUs, many machines, by way of dask.distributed.

================ ==========================================================================
`client`         `Client`: makes a cluster the engine that `compute` and `persist` use
`calls`          what a client submits, as workers call it
`closed`         a closed client says so; `as_completed` of its futures
`gathering`      results that users gather, in messages that workers have room for
`giving_way`     tasks that wait leave their thread to others; `get_client`
`local`          `LocalCluster`: processes of this machine
`holding`        `futures_of`, `wait` and `progress` of collections that workers hold
`local_cuda`     `LocalCUDACluster`: one for each GPU of this machine
`jobqueue`       `SLURMCluster` and its like: jobs of a batch system, by way of dask-jobqueue
`kubernetes`     `KubeCluster`: pods, by dask's operator; `manifests` do without one
`option`         what one option is
`options`        the table of options, which classes and command lines read
`readers`        ports, folders and sizes that options can be
`contradictions` those that exclude one another
`dashboards`     where pages are that show what happens
`ctrl_c`         stays what it was when dask-jobqueue is imported; workers begin without it
`devices`        the devices that workers get
`worker_spec`    from devices and options to worker specifications
`pinned`         starts a worker that has its device from its first instruction on
`worker_setup`   what a worker does before it takes tasks
`kept_nannies`   workers that are slow to start anew stay
`scaling`        workers that leave hand their results on; what `scale` and `adapt` take
`result_store`   results of a worker: on the device, on the host, on disk
`meeting`        locks and the like, which say when no client is open
`reaching`       schedulers that a client cannot reach: why not
`reports`        `performance_report`, which says at once what it needs
`security`       who may talk to a cluster; the scheduler file
`given_security` credentials that the user gives
`plugins`        plugins of schedulers and workers, as dask.distributed has them
`serving`        processes that a signal ends: `{,cuda_}worker_process`, `scheduler_process`
`short_logs`     what dask.distributed logs at length, in a line
`pageless`       a worker whose log has no page that is not there
`ssh`            `SSHCluster`: machines that SSH reaches
`transport`      UCX where it works, and else TCP; `transport_trial` tries it
`yarn`           `YarnCluster`: containers of Hadoop's YARN, as skein's specification
================ ==========================================================================

May import: every lower floor. The engine itself is `gpuscale.engines.distributed`. Names are loaded
at their first use; those of dask.distributed that work on a cluster as they are (`Lock`, `Queue`,
`as_completed`, ...) are handed on. Needs the extra ``cluster``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpuscale.cluster.client import Client as Client
    from gpuscale.cluster.closed import as_completed as as_completed
    from gpuscale.cluster.giving_way import get_client as get_client
    from gpuscale.cluster.holding import futures_of as futures_of
    from gpuscale.cluster.holding import progress as progress
    from gpuscale.cluster.holding import wait as wait
    from gpuscale.cluster.jobqueue import HTCondorCluster as HTCondorCluster
    from gpuscale.cluster.jobqueue import JobQueueCluster as JobQueueCluster
    from gpuscale.cluster.jobqueue import LSFCluster as LSFCluster
    from gpuscale.cluster.jobqueue import MoabCluster as MoabCluster
    from gpuscale.cluster.jobqueue import OARCluster as OARCluster
    from gpuscale.cluster.jobqueue import PBSCluster as PBSCluster
    from gpuscale.cluster.jobqueue import SGECluster as SGECluster
    from gpuscale.cluster.jobqueue import SLURMCluster as SLURMCluster
    from gpuscale.cluster.kubernetes import KubeCluster as KubeCluster
    from gpuscale.cluster.local import LocalCluster as LocalCluster
    from gpuscale.cluster.local_cuda import LocalCUDACluster as LocalCUDACluster
    from gpuscale.cluster.manifests import to_manifests as to_manifests
    from gpuscale.cluster.meeting import Event as Event
    from gpuscale.cluster.meeting import Lock as Lock
    from gpuscale.cluster.meeting import Queue as Queue
    from gpuscale.cluster.meeting import Semaphore as Semaphore
    from gpuscale.cluster.meeting import Variable as Variable
    from gpuscale.cluster.reports import performance_report as performance_report
    from gpuscale.cluster.ssh import SSHCluster as SSHCluster
    from gpuscale.cluster.yarn import YarnCluster as YarnCluster
    from gpuscale.cluster.yarn import yarn_specification as yarn_specification

_OWN = {
    "YarnCluster": "gpuscale.cluster.yarn",
    "yarn_specification": "gpuscale.cluster.yarn",
    "SSHCluster": "gpuscale.cluster.ssh",
    "KubeCluster": "gpuscale.cluster.kubernetes",
    "to_manifests": "gpuscale.cluster.manifests",
    "Client": "gpuscale.cluster.client",
    "LocalCUDACluster": "gpuscale.cluster.local_cuda",
    "LocalCluster": "gpuscale.cluster.local",
    "HTCondorCluster": "gpuscale.cluster.jobqueue",
    "JobQueueCluster": "gpuscale.cluster.jobqueue",
    "LSFCluster": "gpuscale.cluster.jobqueue",
    "MoabCluster": "gpuscale.cluster.jobqueue",
    "OARCluster": "gpuscale.cluster.jobqueue",
    "PBSCluster": "gpuscale.cluster.jobqueue",
    "SGECluster": "gpuscale.cluster.jobqueue",
    "SLURMCluster": "gpuscale.cluster.jobqueue",
    **dict.fromkeys(
        ("Event", "Lock", "Queue", "Semaphore", "Variable"), "gpuscale.cluster.meeting"
    ),
    "as_completed": "gpuscale.cluster.closed",
    "futures_of": "gpuscale.cluster.holding",
    "get_client": "gpuscale.cluster.giving_way",
    "performance_report": "gpuscale.cluster.reports",
    "progress": "gpuscale.cluster.holding",
    "wait": "gpuscale.cluster.holding",
}

# Names of dask.distributed that need nothing of ours.
_HANDED_ON = (
    "Actor", "ActorFuture", "Adaptive", "BaseActorFuture", "CancelledError", "Future",
    "KilledWorker", "MultiLock", "Nanny", "NannyPlugin", "Reschedule",
    "Scheduler", "SchedulerPlugin", "Security", "SpecCluster", "Status",
    "TimeoutError", "UploadDirectory", "UploadFile", "Worker", "WorkerPlugin",
    "default_client", "fire_and_forget",
    "get_task_metadata", "get_task_stream", "get_worker", "print",
    "rejoin", "secede", "span", "warn", "worker_client",
)  # fmt: skip

# Whose extra is not that of all others: to ask for everything is not to ask for these.
_APART = ("KubeCluster",)

__all__ = sorted({*_OWN, *_HANDED_ON}.difference(_APART))  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name in _OWN:
        value = getattr(_module(_OWN[name]), name)
    elif name in _HANDED_ON:
        value = getattr(_module("distributed"), name)
    else:
        raise AttributeError(f"module 'gpuscale.cluster' has no attribute {name!r}")
    globals()[name] = value
    return value


# What an extra brings, by the name of its package.
_EXTRAS = {
    "dask": "cluster",
    "dask_jobqueue": "cluster",
    "dask_kubernetes": "kubernetes",
    "distributed": "cluster",
    "asyncssh": "ssh",
}


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        raise ImportError(f"this needs {error.name}: pip install 'gpuscale[{extra}]'") from error


def __dir__() -> list[str]:
    return sorted([*__all__, *_APART])
