"""What people who come from dask.distributed ask of a client: taken, or told what to do."""

from __future__ import annotations

import difflib
import os
import platform
import sys
from collections.abc import Collection, Iterable
from typing import Any

from gpuscale.base.durations import parse_seconds
from gpuscale.base.errors import NotSupportedError

__all__ = ["check_options", "versions", "where_instead"]

# Options that mean nothing where there is one process and no server.
_IDLE = frozenset(
    {
        "connection_limit", "dashboard_address", "direct_to_workers", "heartbeat_interval",
        "host", "interface", "local_directory", "loop", "protocol", "scheduler_port",
        "serializers", "deserializers", "silence_logs", "worker_dashboard_address",
    }
)  # fmt: skip

_CLUSTER = (
    "this Client runs tasks in threads of this process; for clusters and processes say "
    "gpuscale.cluster.Client"
)

_REFUSED = {
    "address": f"{_CLUSTER}(address)",
    "processes": f"{_CLUSTER}(n_workers=...), and else processes=False",
    "asynchronous": "coroutines use a Client as it is: `async with Client() as client`, "
    "`await future`, and `await asyncio.to_thread(client.gather, futures)`",
    "extensions": "there are no extensions",
    "preload": "there are no worker processes; import what tasks need",
    "scheduler_file": f"{_CLUSTER}(scheduler_file=...)",
    "security": "nothing leaves this process, so nothing is encrypted",
}

_REPORT = "with gpuscale.report(path) records what runs, and draws it"
_SAME_PROCESS = "tasks run in this process, which has it already"
_NO_WORKERS = "there are no worker processes"
_LOGS = "loggers under 'gpuscale' say what runs; logging.basicConfig() shows them"
_DATASETS = "keep the future under a name: gpuscale.Variable(name).set(future)"
_EVENTS = "tasks run in this process: use the module logging, or a gpuscale.Queue"
_INSTEAD = {
    **dict.fromkeys(
        ("amm", "restart_workers", "retire_workers", "register_worker_callbacks", "start"),
        _NO_WORKERS,
    ),
    **dict.fromkeys(("publish_dataset", "list_datasets", "unpublish_dataset"), _DATASETS),
    **dict.fromkeys(("log_event", "get_events", "subscribe_topic", "unsubscribe_topic"), _EVENTS),
    **dict.fromkeys(("forward_logging", "unforward_logging"), _SAME_PROCESS),
    **dict.fromkeys(("set_metadata", "get_metadata"), "use a dictionary of your own"),
    **dict.fromkeys(("unregister_scheduler_plugin", "unregister_worker_plugin"), _SAME_PROCESS),
    **dict.fromkeys(("get_worker_logs", "get_scheduler_logs"), _LOGS),
    "benchmark_hardware": "python -m benchmarks of a clone measures this machine",
    "dump_cluster_state": _REPORT,
    "normalize_collection": "compute and persist see to that",
    "story": _REPORT,
    "write_scheduler_file": "there is no scheduler to connect to",
    "call_stack": "set the option engine to 'sync' to see tasks in a debugger",
    "dashboard_link": f"there is no dashboard; {_REPORT}",
    "get_task_stream": _REPORT,
    "profile": "gpuscale.diagnostics.Profiler records tasks",
    "loop": "a client has no event loop; await its futures in yours",
    "get_dataset": "gpuscale.Variable(name).get() returns what was set",
    "register_plugin": _SAME_PROCESS,
    "replicate": _SAME_PROCESS,
    "rebalance": _SAME_PROCESS,
    "run_on_scheduler": "there is no scheduler process; call the function",
    "sync": "methods of a client wait by themselves",
    "upload_file": _SAME_PROCESS,
}


def check_options(options: dict[str, Any], known: Collection[str]) -> None:
    """Look through options that `Client` has only for the sake of others.

    Raises
    ------
    NotSupportedError
        One asks for what is not there.
    TypeError
        One is nobody's.
    """
    if "timeout" in options:
        timeout = options.pop("timeout")
        if timeout is not None:
            parse_seconds(timeout, "timeout")
    for name, value in options.items():
        if name in _REFUSED:
            if value:
                raise NotSupportedError(f"{name}={value!r}: {_REFUSED[name]}")
        elif name not in _IDLE:
            close = difflib.get_close_matches(name, [*known, *_IDLE], 1)
            advice = f"did you mean {close[0]!r}?" if close else f"it takes {', '.join(known)}"
            raise TypeError(f"Client takes no {name!r}; {advice}")


def where_instead(name: str) -> str:
    """Say what to do in the place of a method that a client does not have; "" if unknown.

    Examples
    --------
    >>> where_instead("upload_file")
    ': tasks run in this process, which has it already'
    """
    return f": {_INSTEAD[name]}" if name in _INSTEAD else ""


def versions(packages: Iterable[str] = ()) -> dict[str, Any]:
    """Return what runs here: the machine, and versions of packages, None where there is none.

    Examples
    --------
    >>> versions(["nothing"])["packages"]["nothing"] is None
    True
    """
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in ("gpuscale", "numpy", "numba", "cloudpickle", *packages):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    host = {
        "python": found["python"], "python-bits": sys.hash_info.width,
        "OS": platform.system(), "OS-release": platform.release(),
        "machine": platform.machine(), "byteorder": sys.byteorder, "LANG": os.environ.get("LANG"),
    }  # fmt: skip
    return {"host": host, "packages": found}
