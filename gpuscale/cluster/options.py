"""Every option of clusters, workers and schedulers once: classes and command lines read this table.

Names and meanings are those of dask.distributed and dask-cuda, so that a program or a job script
changes nothing but the name of the class or of the command.
"""

from __future__ import annotations

from gpuscale.cluster.option import (
    ALL,
    CLASSES,
    COMMANDS,
    NAMES,
    OF_GPUS,
    SIZE,
    SWITCH,
    TEXT,
    WORKERS,
    ClusterOption,
    Taker,
    of_config,
    row,
    switch,
)
from gpuscale.cluster.readers import read_folder, read_page, read_ports, read_worker_memory

__all__ = ["OPTIONS", "find_option", "options_of"]


_PROCESSES = (
    row(
        "n_workers",
        (int, type(None)),
        None,
        "Processes to start; by default one for each GPU, or on the CPU as many as the cores make "
        "good use of.",
        (*CLASSES, Taker.WORKER),
        unit="workers",
        flags=("--nworkers", "--n-workers"),
    ),
    row(
        "threads_per_worker",
        (int, type(None)),
        None,
        "Threads of each process that run tasks; by default one on GPUs, and on the CPU what the "
        "cores and the number of processes give.",
        (*CLASSES, *WORKERS),
        unit="threads",
        flags=("--nthreads",),
    ),
    row(
        "processes",
        SWITCH,
        None,
        "Whether workers are processes of their own, as by default, or threads of this one.",
        (Taker.LOCAL,),
    ),
    row(
        "name",
        (str, int, type(None)),
        None,
        "Name of the cluster; on a command line, of the worker, to whose name a number is added "
        "where it starts several.",
        (*CLASSES, *WORKERS),
    ),
    row(
        "memory_limit",
        SIZE,
        "auto",
        "Memory of each worker process: bytes, a text such as '4 GiB', a fraction of the "
        "machine's, 'auto' for an equal share, or 0 for no limit.",
        (*CLASSES, *WORKERS),
        unit="bytes",
        read=read_worker_memory,
    ),
    row(
        "local_directory",
        TEXT,
        None,
        "Folder for what memory has no room for; by default the system's own.",
        ALL,
        read=read_folder,
    ),
    row(
        "resources",
        (str, dict, type(None)),
        None,
        "What tasks may ask of a worker by name, such as 'GPU=2 MEM=10e9'.",
        (*CLASSES, *WORKERS),
    ),
    row(
        "pre_import",
        NAMES,
        None,
        "Modules that workers import before they take tasks, such as 'cupy,scipy'.",
        (*CLASSES, *WORKERS),
    ),
    row(
        "worker_class",
        (str, type, type(None)),
        None,
        "Class of the worker, or of what starts it; a text such as 'module.Class' on a command "
        "line.",
        (Taker.LOCAL, *WORKERS),
    ),
    row(
        "multiprocessing_method",
        (str,),
        "spawn",
        "How processes are started; 'fork' hands on what the parent has of CUDA, which then does "
        "not work.",
        WORKERS,
        choices=("spawn", "fork", "forkserver"),
    ),
    row(
        "nanny",
        SWITCH,
        True,
        "Whether a process watches over each worker and starts it again when it dies.",
        (Taker.WORKER,),
        off_flags=("--no-nanny",),
    ),
)

_DEVICES = (
    row(
        "CUDA_VISIBLE_DEVICES",
        (str, int, list, tuple, type(None)),
        None,
        "GPUs to use: indices, UUIDs, or MIG instances, as '0,1' or a list; by default what the "
        "variable of that name says, or else all.",
        (Taker.LOCAL_CUDA,),
    ),
    row(
        "allow_no_device",
        (bool,),
        False,
        "Start workers for the devices named even where there is none, for tests.",
        OF_GPUS,
    ),
    row(
        "device_memory_limit",
        (str, int, float, type(None)),
        None,
        "Memory of its device that the results on a worker may take before they move to the host: "
        "bytes, a text such as '20 GiB', a fraction of the device's, 'auto' for 80 % of it, or 0 "
        "for no limit. By default the option device-memory-limit.",
        OF_GPUS,
        unit="bytes",
    ),
    of_config("rmm-pool-size"),
    of_config("rmm-maximum-pool-size"),
    of_config("rmm-managed-memory"),
    of_config("rmm-async"),
    of_config("rmm-release-threshold"),
    of_config("rmm-log-directory"),
    of_config("rmm-track-allocations"),
    row(
        "rmm_allocator_external_lib_list",
        NAMES,
        None,
        "Further libraries that take memory from RMM's pool, 'torch' or 'cupy', which does so "
        "anyway.",
        OF_GPUS,
        flags=("--set-rmm-allocator-for-libs",),
    ),
    switch("enable_cudf_spill", "Let cuDF move its own data to the host.", OF_GPUS),
    row(
        "cudf_spill_stats",
        (int,),
        0,
        "How much cuDF counts of what it moves; 0 is nothing.",
        OF_GPUS,
    ),
    row(
        "log_spilling",
        (bool,),
        False,
        "Write a line to the worker's log for each result that leaves the device.",
        (Taker.LOCAL_CUDA,),
    ),
)

_NETWORK = (
    row(
        "protocol",
        TEXT,
        None,
        "How workers talk: 'tcp', 'tls', 'ucx', or 'auto' for UCX where it is installed and works, "
        "and else TCP. By default the scheduler's, or TCP.",
        ALL,
    ),
    switch(
        "enable_tcp_over_ucx", "Let UCX use TCP; by default UCX chooses.", OF_GPUS, default=None
    ),
    switch(
        "enable_infiniband",
        "Let UCX use InfiniBand, and TCP with it; by default UCX chooses.",
        OF_GPUS,
        default=None,
    ),
    switch(
        "enable_nvlink",
        "Let UCX use NVLink, and TCP with it; by default UCX chooses.",
        OF_GPUS,
        default=None,
    ),
    switch(
        "enable_rdmacm",
        "Let UCX set up connections over InfiniBand by its own means; needs enable_infiniband.",
        OF_GPUS,
        default=None,
    ),
    row(
        "host",
        TEXT,
        None,
        "Address to listen at; by default 127.0.0.1, which other machines cannot reach.",
        ALL,
    ),
    row(
        "interface",
        TEXT,
        None,
        "Network interface to listen at, such as 'eth0' or 'ib0'.",
        ALL,
    ),
    row(
        "port",
        (int, type(None)),
        8786,
        "Port of the scheduler; 0 for any that is free.",
        (Taker.SCHEDULER,),
        read=read_ports,
    ),
    row(
        "scheduler_port",
        (int,),
        0,
        "Port of the scheduler of a class; by default any that is free.",
        CLASSES,
        read=read_ports,
    ),
    row(
        "worker_port",
        (str, int, type(None)),
        None,
        "Port of the worker, or a range such as 9000:9003; by default any that is free.",
        WORKERS,
        read=read_ports,
    ),
    row(
        "nanny_port",
        (str, int, type(None)),
        None,
        "Port of the process that watches a worker, or a range; by default any that is free.",
        (Taker.WORKER,),
        read=read_ports,
    ),
    row(
        "listen_address",
        TEXT,
        None,
        "Address that the worker listens at, such as tcp://0.0.0.0:9000.",
        WORKERS,
    ),
    row(
        "contact_address",
        TEXT,
        None,
        "Address under which others reach it, where it differs from the one that it listens at.",
        COMMANDS,
    ),
    row(
        "scheduler_file",
        TEXT,
        None,
        "File in which the scheduler writes how it is reached, with the credentials of the cluster "
        "if it has any, and in which workers and clients read it.",
        COMMANDS,
    ),
    row(
        "death_timeout",
        (str, int, float, type(None)),
        None,
        "Time after which a worker gives up that finds no scheduler: seconds, or a text such as "
        "'60s'.",
        WORKERS,
        unit="seconds",
    ),
    row(
        "idle_timeout",
        (str, int, float, type(None)),
        None,
        "Time without work after which the scheduler ends: seconds, or a text such as '1h'.",
        (Taker.SCHEDULER,),
        unit="seconds",
    ),
    row(
        "lifetime",
        (str, int, float, type(None)),
        None,
        "Time after which a worker hands over its results and ends: seconds, or a text such as "
        "'55m'.",
        WORKERS,
        unit="seconds",
    ),
    row(
        "lifetime_stagger",
        (str, int, float, type(None)),
        None,
        "Random time more or less, so that workers do not end all at once.",
        WORKERS,
        unit="seconds",
    ),
    row(
        "lifetime_restart",
        SWITCH,
        None,
        "Whether a worker starts again at the end of its lifetime.",
        WORKERS,
        off_flags=("--no-lifetime-restart",),
    ),
)

_SECURITY = (
    row("tls_ca_file", TEXT, None, "File of certificates to trust, PEM.", COMMANDS),
    row("tls_cert", TEXT, None, "File of the own certificate, PEM.", COMMANDS),
    row("tls_key", TEXT, None, "File of the own private key, PEM.", COMMANDS),
    row(
        "insecure",
        (bool,),
        False,
        "Let everybody who reaches the address run programs here: no encryption, no credentials.",
        ALL,
    ),
    row(
        "scheduler_sni",
        TEXT,
        None,
        "Name of the scheduler in its certificate, where it differs from its address.",
        WORKERS,
    ),
)

_DASHBOARD = (
    row(
        "dashboard",
        SWITCH,
        True,
        "Whether there is a page that shows what happens.",
        COMMANDS,
        off_flags=("--no-dashboard",),
    ),
    row(
        "dashboard_address",
        TEXT,
        None,
        "Where that page is; by default port 8787 of 127.0.0.1 for a scheduler, and any that is "
        "free for a worker. None of a class is nowhere.",
        ALL,
        read=read_page,
    ),
    row(
        "dashboard_prefix",
        TEXT,
        None,
        "What stands before the addresses of that page, behind a proxy.",
        COMMANDS,
    ),
)

_PROCESS = (
    row("pid_file", TEXT, None, "File to write the process's number to.", COMMANDS),
    row(
        "preload",
        NAMES,
        None,
        "Modules, or files such as /path/to/foo.py, that the process loads first.",
        COMMANDS,
        is_repeated=True,
    ),
    row(
        "preload_nanny",
        NAMES,
        None,
        "Modules or files that the process loads first that watches a worker.",
        WORKERS,
        is_repeated=True,
    ),
)

#: Every option, in the order in which people read of them.
OPTIONS: tuple[ClusterOption, ...] = (
    *_PROCESSES,
    *_DEVICES,
    *_NETWORK,
    *_SECURITY,
    *_DASHBOARD,
    *_PROCESS,
)

_BY_NAME = {option.name: option for option in OPTIONS}


def find_option(name: str) -> ClusterOption:
    """Return the row of a name.

    Raises
    ------
    KeyError
        If there is none.

    Examples
    --------
    >>> find_option("memory_limit").unit
    'bytes'
    """
    return _BY_NAME[name]


def options_of(taker: Taker) -> tuple[ClusterOption, ...]:
    """Return what one of the takers takes.

    Examples
    --------
    >>> [option.name for option in options_of(Taker.LOCAL)][:3]
    ['n_workers', 'threads_per_worker', 'processes']
    """
    return tuple(option for option in OPTIONS if taker in option.takers)
