"""NumPy and pandas, scaled over many cores, many GPUs and many machines.

A collection holds an immutable expression; the expression is rewritten, lowered to six physical
nodes, fused, laid out as tasks, and handed to an engine, which runs each task on the backend that
its data already lives on.

Names are loaded at their first use, so that ``import gpuscale`` stays cheap. No module inside the
package imports this one: it stands above all floors. A new public name is one row of `_WHERE`.
"""

import importlib
import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpuscale import array as array
    from gpuscale import diagnostics as diagnostics
    from gpuscale.base import config as config
    from gpuscale.checkpoints import checkpoint as checkpoint
    from gpuscale.checkup.doctor import doctor as doctor
    from gpuscale.diagnostics.report import performance_report as performance_report
    from gpuscale.diagnostics.report import report as report
    from gpuscale.engines.failure import Failure as Failure
    from gpuscale.futures.client import Client as Client
    from gpuscale.futures.current import default_client as default_client
    from gpuscale.futures.current import get_client as get_client
    from gpuscale.futures.current import rejoin as rejoin
    from gpuscale.futures.current import secede as secede
    from gpuscale.futures.current import worker_client as worker_client
    from gpuscale.futures.future import Future as Future
    from gpuscale.futures.future import fire_and_forget as fire_and_forget
    from gpuscale.futures.future import futures_of as futures_of
    from gpuscale.futures.primitives import Event as Event
    from gpuscale.futures.primitives import Lock as Lock
    from gpuscale.futures.primitives import Queue as Queue
    from gpuscale.futures.primitives import Semaphore as Semaphore
    from gpuscale.futures.primitives import Variable as Variable
    from gpuscale.futures.progress import progress as progress
    from gpuscale.futures.waiting import as_completed as as_completed
    from gpuscale.futures.waiting import wait as wait
    from gpuscale.graph.annotations import annotate as annotate
    from gpuscale.keeping import persist as persist
    from gpuscale.lazy import delayed as delayed
    from gpuscale.run import compute as compute
    from gpuscale.run import get as get
    from gpuscale.run import optimize as optimize
    from gpuscale.run import visualize as visualize

    __version__: str

# In a clone the kernels lie beside this folder, not in it. Python started there finds this package
# before any that is installed, and has to find the kernels too. (Extending `__path__` by the clone
# would do it, but then there were a gpuscale.gpuscale, and so on.)
_beside = os.path.join(os.path.dirname(os.path.dirname(__file__)), "kernels", "__init__.py")
if not os.path.isdir(os.path.join(__path__[0], "kernels")) and os.path.isfile(_beside):
    _spec = importlib.util.spec_from_file_location("gpuscale.kernels", _beside)
    if _spec is not None and _spec.loader is not None:
        sys.modules["gpuscale.kernels"] = kernels = importlib.util.module_from_spec(_spec)
        _spec.loader.exec_module(kernels)

# Public name -> (module, attribute); no attribute stands for the module itself.
_WHERE: dict[str, tuple[str, str | None]] = {
    "Client": ("gpuscale.futures.client", "Client"),
    "Event": ("gpuscale.futures.primitives", "Event"),
    "Failure": ("gpuscale.engines.failure", "Failure"),
    "Future": ("gpuscale.futures.future", "Future"),
    "Lock": ("gpuscale.futures.primitives", "Lock"),
    "Queue": ("gpuscale.futures.primitives", "Queue"),
    "Semaphore": ("gpuscale.futures.primitives", "Semaphore"),
    "Variable": ("gpuscale.futures.primitives", "Variable"),
    "as_completed": ("gpuscale.futures.waiting", "as_completed"),
    "default_client": ("gpuscale.futures.current", "default_client"),
    "fire_and_forget": ("gpuscale.futures.future", "fire_and_forget"),
    "futures_of": ("gpuscale.futures.future", "futures_of"),
    "get_client": ("gpuscale.futures.current", "get_client"),
    "progress": ("gpuscale.futures.progress", "progress"),
    "rejoin": ("gpuscale.futures.current", "rejoin"),
    "secede": ("gpuscale.futures.current", "secede"),
    "wait": ("gpuscale.futures.waiting", "wait"),
    "worker_client": ("gpuscale.futures.current", "worker_client"),
    "annotate": ("gpuscale.graph.annotations", "annotate"),
    "array": ("gpuscale.array", None),
    "checkpoint": ("gpuscale.checkpoints", "checkpoint"),
    "compute": ("gpuscale.run", "compute"),
    "config": ("gpuscale.base.config", None),
    "delayed": ("gpuscale.lazy", "delayed"),
    "diagnostics": ("gpuscale.diagnostics", None),
    "doctor": ("gpuscale.checkup.doctor", "doctor"),
    "get": ("gpuscale.run", "get"),
    "optimize": ("gpuscale.run", "optimize"),
    "performance_report": ("gpuscale.diagnostics.report", "performance_report"),
    "persist": ("gpuscale.keeping", "persist"),
    "report": ("gpuscale.diagnostics.report", "report"),
    "visualize": ("gpuscale.run", "visualize"),
}

# Names of dask.distributed that are not here -> what to say instead.
_IN_PROCESS = "gpuscale.cluster has what belongs to clusters; gpuscale.Client needs none"
_ELSEWHERE = {
    **dict.fromkeys(
        ("LocalCluster", "SpecCluster", "SSHCluster", "SubprocessCluster"), _IN_PROCESS
    ),
    **dict.fromkeys(("Scheduler", "Worker", "Nanny", "Security", "Adaptive"), _IN_PROCESS),
    **dict.fromkeys(
        ("SchedulerPlugin", "WorkerPlugin", "NannyPlugin"),
        "with gpuscale.diagnostics.Callback(...) is told of the tasks that run",
    ),
    **dict.fromkeys(
        ("CondaInstall", "Environ", "InstallPlugin", "PipInstall", "UploadDirectory", "UploadFile"),
        "tasks run in this process, which has it already",
    ),
    **dict.fromkeys(
        ("ActorFuture", "BaseActorFuture", "Actor"),
        "make an object of your own, with a gpuscale.Lock",
    ),
    **dict.fromkeys(
        ("Expr", "HLGExpr", "LLGExpr", "SingletonExpr"), "collections have theirs, as x.expr"
    ),
    "CancelledError": "it is that of concurrent.futures",
    "MultiLock": "take several gpuscale.Lock, always in the same order",
    "TimeoutError": "it is Python's own",
    "KilledWorker": "tasks run in threads of this process, which nobody kills",
    "Reschedule": "raise an exception, with gpuscale.annotate(retries=...) around",
    "get_annotations": "with gpuscale.annotate(...) is all there is; blocks nest",
    "get_task_metadata": "with gpuscale.report(path) records what runs, and draws it",
    "get_task_stream": "with gpuscale.report(path) records what runs, and draws it",
    "get_worker": "tasks find their client by gpuscale.get_client(); workers are its threads",
    "is_dask_collection": "gpuscale.array.Array and gpuscale.delayed values have compute()",
    "istask": "tasks are objects, and seen in gpuscale.visualize(x)",
    "local_client": "it is called worker_client",
    "span": "with gpuscale.report(path) tells operations apart by themselves",
    "sync": "methods of a client wait by themselves",
    "print": "tasks run in this process: Python's print prints",
    "warn": "tasks run in this process: warnings.warn warns",
}

__all__ = [
    "Client",
    "Event",
    "Failure",
    "Future",
    "Lock",
    "Queue",
    "Semaphore",
    "Variable",
    "__version__",
    "annotate",
    "array",
    "as_completed",
    "checkpoint",
    "compute",
    "config",
    "default_client",
    "delayed",
    "diagnostics",
    "doctor",
    "fire_and_forget",
    "futures_of",
    "get",
    "get_client",
    "optimize",
    "performance_report",
    "persist",
    "progress",
    "rejoin",
    "report",
    "secede",
    "visualize",
    "wait",
    "worker_client",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = importlib.import_module("gpuscale.base.version").own_version() or "0+unknown"
    elif name in _WHERE:
        module_name, attribute = _WHERE[name]
        module = importlib.import_module(module_name)
        value = module if attribute is None else getattr(module, attribute)
    else:
        hint = _ELSEWHERE.get(name, "")
        message = f"module 'gpuscale' has no attribute {name!r}{hint and ': '}{hint}"
        # The import statement drops the text of an AttributeError, which everybody else needs.
        by_import = sys._getframe(1).f_code.co_name == "_handle_fromlist"  # of importlib
        raise (ImportError if hint and by_import else AttributeError)(message)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
