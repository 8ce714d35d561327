"""Every option of clusters, workers and schedulers once: classes and command lines read this table.

Names and meanings are those of dask.distributed and dask-cuda, so that a program or a job script
changes nothing but the name of the class or of the command.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from gpuscale.base.options import OPTIONS as CONFIG_OPTIONS
from gpuscale.base.options import Option
from gpuscale.base.sizes import parse_bytes

__all__ = ["OPTIONS", "ClusterOption", "Taker", "find_option", "options_of"]


class Taker(StrEnum):
    """Who takes options."""

    LOCAL = "LocalCluster"
    LOCAL_CUDA = "LocalCUDACluster"
    WORKER = "gpuscale-worker"
    CUDA_WORKER = "gpuscale-cuda-worker"
    SCHEDULER = "gpuscale-scheduler"


_CLASSES = (Taker.LOCAL, Taker.LOCAL_CUDA)
_WORKERS = (Taker.WORKER, Taker.CUDA_WORKER)
_OF_GPUS = (Taker.LOCAL_CUDA, Taker.CUDA_WORKER)
_COMMANDS = (*_WORKERS, Taker.SCHEDULER)
_ALL = (*_CLASSES, *_COMMANDS)

_TEXT = (str, type(None))
_SIZE = (str, int, float, type(None))
_SWITCH = (bool, type(None))
_NAMES = (str, list, tuple, type(None))


@dataclass(frozen=True, slots=True)
class ClusterOption:
    """One option.

    Parameters
    ----------
    name : str
        As an argument of classes, and what a command line calls its value.
    types : tuple of type
        What its value may be; on a command line a text is read as the first of them that is not
        text, if it can be.
    default : object
        Value when nobody says one.
    help : str
        One or two sentences for people.
    takers : tuple of Taker
        Who takes it.
    unit : str
        Unit of its value, empty where there is none.
    flags : tuple of str
        How a command line spells it.
    off_flags : tuple of str
        How a command line spells that it is False.
    choices : tuple of str
        The only texts that it takes, if there are any.
    is_repeated : bool
        Whether a command line may say it several times, for a list.
    key : str
        The option of the configuration that it sets in a worker; None leaves that one as it is
        where the cluster is made.

    Examples
    --------
    >>> find_option("enable_nvlink").flags, find_option("enable_nvlink").off_flags
    (('--enable-nvlink',), ('--disable-nvlink',))
    >>> find_option("threads_per_worker").flags
    ('--nthreads',)
    """

    name: str
    types: tuple[type, ...]
    default: Any
    help: str
    takers: tuple[Taker, ...]
    unit: str = ""
    flags: tuple[str, ...] = ()
    off_flags: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    is_repeated: bool = False
    key: str = ""

    @property
    def is_switch(self) -> bool:
        """Whether a command line says it without a value."""
        return bool in self.types and bool(self.flags)

    def check(self, value: Any) -> Any:
        """Return a value as this option keeps it.

        Parameters
        ----------
        value : object
            Of one of its types, or the text for it that a command line has.

        Raises
        ------
        ConfigError
            If the option cannot take the value.

        Examples
        --------
        >>> find_option("threads_per_worker").check("2")
        2
        >>> find_option("threads_per_worker").check("two")
        Traceback (most recent call last):
        gpuscale.base.errors.ConfigError: option threads_per_worker cannot be 'two' (str); ...
        """
        if value is None and type(None) in self.types:
            return None
        if isinstance(value, str) and str not in self.types and int in self.types:
            value = int(value) if value.strip().lstrip("-").isdecimal() else value
        config = _CONFIG.get(self.key)
        return (config or self._as_config).check(value)

    @property
    def _as_config(self) -> Option:
        option = Option(self.name, self.types, self.unit, self.default, self.help, self.choices)
        if self.unit != "bytes":
            return option
        return replace(option, minimum=0, read=lambda size: parse_bytes(size, total=1))


_CONFIG: Mapping[str, Option] = {option.key: option for option in CONFIG_OPTIONS}


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _row(
    name: str,
    types: tuple[type, ...],
    default: Any,
    help: str,
    takers: tuple[Taker, ...],
    **more: Any,
) -> ClusterOption:
    """A row with the usual flag, where a command line takes it at all."""
    if not set(takers).isdisjoint(_COMMANDS):
        more.setdefault("flags", (_flag(name),))
    return ClusterOption(name, types, default, help, takers, **more)


def _switch(name: str, help: str, takers: tuple[Taker, ...], default: Any = False) -> ClusterOption:
    """A row of a switch: ``--enable-x`` and ``--disable-x``, or ``--x`` and ``--no-x``."""
    flag = _flag(name)
    off = flag.replace("--enable-", "--disable-", 1)
    off = off if off != flag else "--no-" + flag[2:]
    return _row(name, _SWITCH, default, help, takers, off_flags=(off,))


def _of_config(key: str) -> ClusterOption:
    """A row of an option that the configuration has: what it means is said there."""
    option, name = _CONFIG[key], key.replace("-", "_")
    off = (f"--no-{key}",) if bool in option.types else ()
    types = tuple(dict.fromkeys((*option.types, type(None))))
    more = {"unit": option.unit, "off_flags": off, "choices": option.choices, "key": key}
    return _row(name, types, None, option.help, _OF_GPUS, **more)


_PROCESSES = (
    _row(
        "n_workers",
        (int, type(None)),
        None,
        "Processes to start; by default one for each GPU, or on the CPU as many as the cores make "
        "good use of.",
        (*_CLASSES, Taker.WORKER),
        unit="workers",
        flags=("--nworkers", "--n-workers"),
    ),
    _row(
        "threads_per_worker",
        (int, type(None)),
        None,
        "Threads of each process that run tasks; by default one on GPUs, and on the CPU what the "
        "cores and the number of processes give.",
        (*_CLASSES, *_WORKERS),
        unit="threads",
        flags=("--nthreads",),
    ),
    _row(
        "processes",
        _SWITCH,
        None,
        "Whether workers are processes of their own, as by default, or threads of this one.",
        (Taker.LOCAL,),
    ),
    _row(
        "name",
        (str, int, type(None)),
        None,
        "Name of the cluster; on a command line, of the worker, to whose name a number is added "
        "where it starts several.",
        (*_CLASSES, *_WORKERS),
    ),
    _row(
        "memory_limit",
        _SIZE,
        "auto",
        "Memory of each worker process: bytes, a text such as '4 GiB', a fraction of the "
        "machine's, 'auto' for an equal share, or 0 for no limit.",
        (*_CLASSES, *_WORKERS),
        unit="bytes",
    ),
    _row(
        "local_directory",
        _TEXT,
        None,
        "Folder for what memory has no room for; by default the system's own.",
        _ALL,
    ),
    _row(
        "resources",
        (str, dict, type(None)),
        None,
        "What tasks may ask of a worker by name, such as 'GPU=2 MEM=10e9'.",
        (*_CLASSES, *_WORKERS),
    ),
    _row(
        "pre_import",
        _NAMES,
        None,
        "Modules that workers import before they take tasks, such as 'cupy,scipy'.",
        (*_CLASSES, *_WORKERS),
    ),
    _row(
        "worker_class",
        (str, type, type(None)),
        None,
        "Class of the worker, or of what starts it; a text such as 'module.Class' on a command "
        "line.",
        (Taker.LOCAL, *_WORKERS),
    ),
    _row(
        "multiprocessing_method",
        (str,),
        "spawn",
        "How processes are started; 'fork' hands on what the parent has of CUDA, which then does "
        "not work.",
        _WORKERS,
        choices=("spawn", "fork", "forkserver"),
    ),
    _row(
        "nanny",
        _SWITCH,
        True,
        "Whether a process watches over each worker and starts it again when it dies.",
        (Taker.WORKER,),
        off_flags=("--no-nanny",),
    ),
)

_DEVICES = (
    _row(
        "CUDA_VISIBLE_DEVICES",
        (str, int, list, tuple, type(None)),
        None,
        "GPUs to use: indices, UUIDs, or MIG instances, as '0,1' or a list; by default what the "
        "variable of that name says, or else all.",
        (Taker.LOCAL_CUDA,),
    ),
    _row(
        "allow_no_device",
        (bool,),
        False,
        "Start workers for the devices named even where there is none, for tests.",
        _OF_GPUS,
    ),
    _row(
        "device_memory_limit",
        (str, int, float, type(None)),
        None,
        "Memory of its device that the results on a worker may take before they move to the host: "
        "bytes, a text such as '20 GiB', a fraction of the device's, 'auto' for 80 % of it, or 0 "
        "for no limit. By default the option device-memory-limit.",
        _OF_GPUS,
        unit="bytes",
    ),
    _of_config("rmm-pool-size"),
    _of_config("rmm-maximum-pool-size"),
    _of_config("rmm-managed-memory"),
    _of_config("rmm-async"),
    _of_config("rmm-release-threshold"),
    _of_config("rmm-log-directory"),
    _of_config("rmm-track-allocations"),
    _row(
        "rmm_allocator_external_lib_list",
        _NAMES,
        None,
        "Further libraries that take memory from RMM's pool, 'torch' or 'cupy', which does so "
        "anyway.",
        _OF_GPUS,
        flags=("--set-rmm-allocator-for-libs",),
    ),
    _switch("enable_cudf_spill", "Let cuDF move its own data to the host.", _OF_GPUS),
    _row(
        "cudf_spill_stats",
        (int,),
        0,
        "How much cuDF counts of what it moves; 0 is nothing.",
        _OF_GPUS,
    ),
    _row(
        "log_spilling",
        (bool,),
        False,
        "Write a line to the worker's log for each result that leaves the device.",
        (Taker.LOCAL_CUDA,),
    ),
)

_NETWORK = (
    _row(
        "protocol",
        _TEXT,
        None,
        "How workers talk: 'tcp', 'tls', 'ucx', or 'auto' for UCX where it is installed and works, "
        "and else TCP. By default the scheduler's, or TCP.",
        _ALL,
    ),
    _switch(
        "enable_tcp_over_ucx", "Let UCX use TCP; by default UCX chooses.", _OF_GPUS, default=None
    ),
    _switch(
        "enable_infiniband",
        "Let UCX use InfiniBand, and TCP with it; by default UCX chooses.",
        _OF_GPUS,
        default=None,
    ),
    _switch(
        "enable_nvlink",
        "Let UCX use NVLink, and TCP with it; by default UCX chooses.",
        _OF_GPUS,
        default=None,
    ),
    _switch(
        "enable_rdmacm",
        "Let UCX set up connections over InfiniBand by its own means; needs enable_infiniband.",
        _OF_GPUS,
        default=None,
    ),
    _row(
        "host",
        _TEXT,
        None,
        "Address to listen at; by default 127.0.0.1, which other machines cannot reach.",
        _ALL,
    ),
    _row(
        "interface",
        _TEXT,
        None,
        "Network interface to listen at, such as 'eth0' or 'ib0'.",
        _ALL,
    ),
    _row(
        "port",
        (int, type(None)),
        8786,
        "Port of the scheduler; 0 for any that is free.",
        (Taker.SCHEDULER,),
    ),
    _row(
        "worker_port",
        (str, int, type(None)),
        None,
        "Port of the worker, or a range such as 9000:9003; by default any that is free.",
        _WORKERS,
    ),
    _row(
        "nanny_port",
        (str, int, type(None)),
        None,
        "Port of the process that watches a worker, or a range; by default any that is free.",
        (Taker.WORKER,),
    ),
    _row(
        "listen_address",
        _TEXT,
        None,
        "Address that the worker listens at, such as tcp://0.0.0.0:9000.",
        _WORKERS,
    ),
    _row(
        "contact_address",
        _TEXT,
        None,
        "Address under which others reach it, where it differs from the one that it listens at.",
        _COMMANDS,
    ),
    _row(
        "scheduler_file",
        _TEXT,
        None,
        "File in which the scheduler writes how it is reached, with the credentials of the cluster "
        "if it has any, and in which workers and clients read it.",
        _COMMANDS,
    ),
    _row(
        "death_timeout",
        (str, int, float, type(None)),
        None,
        "Time after which a worker gives up that finds no scheduler: seconds, or a text such as "
        "'60s'.",
        _WORKERS,
        unit="seconds",
    ),
    _row(
        "idle_timeout",
        (str, int, float, type(None)),
        None,
        "Time without work after which the scheduler ends: seconds, or a text such as '1h'.",
        (Taker.SCHEDULER,),
        unit="seconds",
    ),
    _row(
        "lifetime",
        (str, int, float, type(None)),
        None,
        "Time after which a worker hands over its results and ends: seconds, or a text such as "
        "'55m'.",
        _WORKERS,
        unit="seconds",
    ),
    _row(
        "lifetime_stagger",
        (str, int, float, type(None)),
        None,
        "Random time more or less, so that workers do not end all at once.",
        _WORKERS,
        unit="seconds",
    ),
    _row(
        "lifetime_restart",
        _SWITCH,
        None,
        "Whether a worker starts again at the end of its lifetime.",
        _WORKERS,
        off_flags=("--no-lifetime-restart",),
    ),
)

_SECURITY = (
    _row("tls_ca_file", _TEXT, None, "File of certificates to trust, PEM.", _COMMANDS),
    _row("tls_cert", _TEXT, None, "File of the own certificate, PEM.", _COMMANDS),
    _row("tls_key", _TEXT, None, "File of the own private key, PEM.", _COMMANDS),
    _row(
        "insecure",
        (bool,),
        False,
        "Let everybody who reaches the address run programs here: no encryption, no credentials.",
        _ALL,
    ),
    _row(
        "scheduler_sni",
        _TEXT,
        None,
        "Name of the scheduler in its certificate, where it differs from its address.",
        _WORKERS,
    ),
)

_DASHBOARD = (
    _row(
        "dashboard",
        _SWITCH,
        True,
        "Whether there is a page that shows what happens.",
        _COMMANDS,
        off_flags=("--no-dashboard",),
    ),
    _row(
        "dashboard_address",
        _TEXT,
        None,
        "Where that page is; by default port 8787 of 127.0.0.1 for a scheduler, and any that is "
        "free for a worker. None of a class is nowhere.",
        _ALL,
    ),
    _row(
        "dashboard_prefix",
        _TEXT,
        None,
        "What stands before the addresses of that page, behind a proxy.",
        _COMMANDS,
    ),
)

_PROCESS = (
    _row("pid_file", _TEXT, None, "File to write the process's number to.", _COMMANDS),
    _row(
        "preload",
        _NAMES,
        None,
        "Modules, or files such as /path/to/foo.py, that the process loads first.",
        _COMMANDS,
        is_repeated=True,
    ),
    _row(
        "preload_nanny",
        _NAMES,
        None,
        "Modules or files that the process loads first that watches a worker.",
        _WORKERS,
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
