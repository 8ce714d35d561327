"""Clusters whose workers are jobs of a batch system, by way of dask-jobqueue.

The scheduler runs in this process, and each job starts our worker: `gpuscale.cli.cuda_worker`, with
a process for each GPU, where jobs ask for GPUs, and else `gpuscale.cli.worker`. Jobs run on other
machines, so all talk TLS unless ``insecure=True``.
"""

from __future__ import annotations

import os
import re
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import dask
from dask.utils import parse_bytes

from gpuscale.base.errors import ConfigError
from gpuscale.cluster.ctrl_c import kept_ctrl_c
from gpuscale.cluster.dashboards import DASHBOARD, LinkedDashboard, free_dashboard
from gpuscale.cluster.scaling import MovedResults
from gpuscale.cluster.security import in_file, remove_credentials, temporary

with kept_ctrl_c():  # which the import would take for itself: it would end the program
    import dask_jobqueue
    from dask_jobqueue import JobQueueCluster
    from dask_jobqueue.pbs import pbs_format_bytes_ceil

__all__ = [
    "BatchCluster",
    "HTCondorCluster",
    "JobQueueCluster",
    "LSFCluster",
    "MoabCluster",
    "OARCluster",
    "PBSCluster",
    "SGECluster",
    "SLURMCluster",
]

_Options = dict[str, Any]


class BatchCluster(LinkedDashboard, MovedResults):
    """What the clusters of all batch systems have in common; it is none itself.

    Parameters
    ----------
    n_workers : int
        Workers to start with; `scale` and `adapt` change it.
    cores, memory : int and str
        Of each job, all of its processes together.
    processes : int, optional
        Processes of each job; by default one for each of its GPUs, or one.
    gpus : int
        GPUs of each job.
    insecure : bool
        Talk in plain text, without credentials: everybody who reaches the scheduler can run
        programs as you.
    security : distributed.Security, optional
        By default temporary credentials.
    shared_temp_directory : str, optional
        A folder that this machine and those of the jobs see, for the credentials: by default the
        present one. The files are for their owner alone, and go with the cluster.
    worker_extra_args : sequence of str, optional
        More options of ``gpuscale-worker`` or ``gpuscale-cuda-worker``.
    scheduler_options : mapping of str to object, optional
        Such as ``{"interface": "ib0"}``. The dashboard is on 127.0.0.1 unless they say otherwise.
    **options
        What the class of dask_jobqueue with this name takes beside these.
    """

    def __init__(
        self,
        n_workers: int = 0,
        *,
        cores: int | None = None,
        memory: str | None = None,
        processes: int | None = None,
        gpus: int = 0,
        nanny: bool = True,
        insecure: bool = False,
        security: Any = None,
        shared_temp_directory: str | None = None,
        worker_extra_args: Sequence[str] | None = None,
        scheduler_options: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        for option, value in {"n_workers": n_workers, "gpus": gpus}.items():
            if value < 0:
                raise ConfigError(f"option {option} is {value}; it takes 0 or more")
        self._section = f"jobqueue.{options.get('config_name') or self.job_cls.config_name}"
        said: _Options = {
            "cores": cores,
            "memory": memory,
            "shared_temp_directory": shared_temp_directory,
        }
        said |= {"worker_extra_args": worker_extra_args, "scheduler_options": scheduler_options}
        for name, value in said.items():  # what neither program nor file says is left to dask
            value = dask.config.get(f"{self._section}.{name}", None) if value is None else value
            if value is not None:
                options[name] = value
        if gpus:
            options |= self._ask_for_gpus(gpus, options)
            options["job_cls"] = _of_one_thread(options.get("job_cls") or self.job_cls)
        processes = processes or max(gpus, 1)
        options["worker_extra_args"] = [
            *_of_worker(gpus, processes, nanny, insecure),
            *options.get("worker_extra_args", ()),
        ]
        kept = None
        security = _security(security, insecure, options.get("protocol"))
        if security is not None:
            folder = os.path.expanduser(options.get("shared_temp_directory", os.getcwd()))
            security, kept = in_file(security, folder)
        self._forget = weakref.finalize(self, remove_credentials, kept)
        page = {"dashboard_address": free_dashboard(DASHBOARD)}
        options["scheduler_options"] = page | dict(options.get("scheduler_options", {}))
        options.setdefault("job_name", "gpuscale-worker")
        super().__init__(  # type: ignore[call-arg]
            n_workers=n_workers,
            processes=processes,
            security=security,
            worker_command=f"gpuscale.cli.{'cuda_worker' if gpus else 'worker'}",
            **options,
        )

    job_cls: Any

    async def _close(self) -> None:
        await super()._close()  # type: ignore[misc]
        self._forget()

    def _ask_for_gpus(self, gpus: int, options: _Options) -> _Options:
        """Return the options that have each job ask for GPUs, as its batch system is asked."""
        raise NotImplementedError

    def _resource_spec(self, options: _Options) -> str | None:
        """Return what program or file say of a job's resources, in the words of the system."""
        said: str | None = options.get("resource_spec")
        return said or dask.config.get(f"{self._section}.resource-spec", None)


def _of_worker(gpus: int, processes: int, nanny: bool, insecure: bool) -> list[str]:
    """Return the options of the worker's command that dask-jobqueue does not write itself."""
    if gpus and processes != gpus:
        raise ConfigError(
            f"jobs of {gpus} GPUs have as many processes, one for each, and not {processes}: leave "
            "processes= out"
        )
    found = ["--insecure"] if insecure else []
    if gpus:
        return found
    if not nanny:
        found.append("--no-nanny")
    return [*found, "--nworkers", str(processes)]


def _of_one_thread(job_cls: Any) -> Any:
    """Return jobs whose workers have one thread: it drives a device; more would share its memory.

    dask-jobqueue divides the cores of a job among its processes, and says no other number.
    """

    class Job(job_cls):  # type: ignore[misc]
        _command_template: str

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            command = self._command_template
            self._command_template = re.sub(r"--nthreads \d+", "--nthreads 1", command, count=1)

    return Job


def _security(security: Any, insecure: bool, protocol: str | None) -> Any:
    if not insecure:
        if (protocol or "tls").removesuffix("://") in ("ucx", "ucxx"):
            raise ConfigError(f"protocol {protocol} is not encrypted; accept that: insecure=True")
        return temporary() if security in (None, True) else security
    if security:
        raise ConfigError("either security= or insecure=True, not both")
    return None


def _more(options: _Options, directive: str) -> _Options:
    return {"job_extra_directives": [*options.get("job_extra_directives", ()), directive]}


class SLURMCluster(BatchCluster, dask_jobqueue.SLURMCluster):
    """Workers as jobs of SLURM.

    Parameters
    ----------
    **options
        Those of `BatchCluster`, and what ``dask_jobqueue.SLURMCluster`` takes beside these.
        ``gpus`` becomes ``--gres=gpu:N``.

    Examples
    --------
    >>> from gpuscale.cluster import Client, SLURMCluster
    >>> cluster = SLURMCluster(  # doctest: +SKIP
    ...     cores=8, memory="64 GiB", gpus=1, queue="gpu", walltime="01:00:00"
    ... )
    >>> cluster.scale(10)  # doctest: +SKIP
    """

    def _ask_for_gpus(self, gpus: int, options: _Options) -> _Options:
        return _more(options, f"--gres=gpu:{gpus}")


class PBSCluster(BatchCluster, dask_jobqueue.PBSCluster):
    """Workers as jobs of PBS.

    Parameters
    ----------
    **options
        Those of `BatchCluster`, and what ``dask_jobqueue.PBSCluster`` takes beside these.
        ``gpus`` becomes ``ngpus=N`` in the ``select`` of ``resource_spec``.

    Examples
    --------
    >>> from gpuscale.cluster import Client, PBSCluster
    >>> cluster = PBSCluster(  # doctest: +SKIP
    ...     cores=8, memory="64 GiB", gpus=1, queue="gpu", walltime="01:00:00"
    ... )
    >>> cluster.scale(10)  # doctest: +SKIP
    """

    def _ask_for_gpus(self, gpus: int, options: _Options) -> _Options:
        spec = self._resource_spec(options)
        if spec is None:
            cores, memory = (options.get(name) for name in ("cores", "memory"))
            if cores is None or memory is None:
                return {}  # dask-jobqueue says that it needs them
            spec = f"select=1:ncpus={cores}:mem={pbs_format_bytes_ceil(parse_bytes(memory))}"
        return {"resource_spec": spec if "ngpus=" in spec else f"{spec}:ngpus={gpus}"}


class MoabCluster(BatchCluster, dask_jobqueue.MoabCluster):
    """Workers as jobs of Moab.

    Parameters
    ----------
    **options
        Those of `BatchCluster`, and what ``dask_jobqueue.MoabCluster`` takes beside these.
        ``gpus`` must be in ``resource_spec``, too.

    Raises
    ------
    ConfigError
        ``resource_spec`` says nothing of the GPUs.

    Examples
    --------
    >>> from gpuscale.cluster import Client, MoabCluster
    >>> cluster = MoabCluster(  # doctest: +SKIP
    ...     cores=8, memory="64 GiB", gpus=1, resource_spec="nodes=1:ppn=8:gpus=1"
    ... )
    >>> cluster.scale(10)  # doctest: +SKIP
    """

    def _ask_for_gpus(self, gpus: int, options: _Options) -> _Options:
        spec = self._resource_spec(options) or ""
        if "gpus=" not in spec:
            raise ConfigError(
                f"jobs of Moab ask for GPUs in resource_spec=, as 'nodes=1:ppn=8:gpus={gpus}'; it "
                f"is {spec!r}"
            )
        return {"resource_spec": spec}


class SGECluster(BatchCluster, dask_jobqueue.SGECluster):
    """Workers as jobs of Grid Engine.

    Parameters
    ----------
    **options
        Those of `BatchCluster`, and what ``dask_jobqueue.SGECluster`` takes beside these.
        ``gpus`` becomes ``-l gpu=N``, or N of what ``gpu_resource`` names where the administrator
        calls them otherwise.

    Examples
    --------
    >>> from gpuscale.cluster import Client, SGECluster
    >>> cluster = SGECluster(  # doctest: +SKIP
    ...     cores=8, memory="64 GiB", gpus=1, queue="gpu.q", walltime="01:00:00"
    ... )
    >>> cluster.scale(10)  # doctest: +SKIP
    """

    def _ask_for_gpus(self, gpus: int, options: _Options) -> _Options:
        return _more(options, f"-l {options.pop('gpu_resource', 'gpu')}={gpus}")


class LSFCluster(BatchCluster, dask_jobqueue.LSFCluster):
    """Workers as jobs of LSF.

    Parameters
    ----------
    **options
        Those of `BatchCluster`, and what ``dask_jobqueue.LSFCluster`` takes beside these.
        ``gpus`` becomes ``-gpu "num=N"``.

    Examples
    --------
    >>> from gpuscale.cluster import Client, LSFCluster
    >>> cluster = LSFCluster(  # doctest: +SKIP
    ...     cores=8, memory="64 GiB", gpus=1, queue="gpu", walltime="01:00"
    ... )
    >>> cluster.scale(10)  # doctest: +SKIP
    """

    def _ask_for_gpus(self, gpus: int, options: _Options) -> _Options:
        return _more(options, f'-gpu "num={gpus}"')


class HTCondorCluster(BatchCluster, dask_jobqueue.HTCondorCluster):
    """Workers as jobs of HTCondor.

    Parameters
    ----------
    **options
        Those of `BatchCluster`, and what ``dask_jobqueue.HTCondorCluster`` takes beside these.
        ``gpus`` becomes ``Request_GPUs = N``.

    Examples
    --------
    >>> from gpuscale.cluster import Client, HTCondorCluster
    >>> cluster = HTCondorCluster(  # doctest: +SKIP
    ...     cores=8, memory="64 GiB", gpus=1, disk="10 GiB"
    ... )
    >>> cluster.scale(10)  # doctest: +SKIP
    """

    def _ask_for_gpus(self, gpus: int, options: _Options) -> _Options:
        return {
            "job_extra_directives": {
                "Request_GPUs": gpus,
                **options.get("job_extra_directives", {}),
            }
        }


class OARCluster(BatchCluster, dask_jobqueue.OARCluster):
    """Workers as jobs of OAR.

    Parameters
    ----------
    **options
        Those of `BatchCluster`, and what ``dask_jobqueue.OARCluster`` takes beside these.
        ``gpus`` becomes ``/nodes=1/gpu=N`` instead of cores, which come with them.

    Examples
    --------
    >>> from gpuscale.cluster import Client, OARCluster
    >>> cluster = OARCluster(  # doctest: +SKIP
    ...     cores=8, memory="64 GiB", gpus=1, queue="default", walltime="01:00:00"
    ... )
    >>> cluster.scale(10)  # doctest: +SKIP
    """

    def _ask_for_gpus(self, gpus: int, options: _Options) -> _Options:
        spec = self._resource_spec(options)
        return {"resource_spec": spec or f"/nodes=1/gpu={gpus}"}
