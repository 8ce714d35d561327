"""What a worker process does before it takes tasks, and again after each restart."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import current_process
from typing import Any, ClassVar

from distributed import WorkerPlugin

from gpuscale.backends.creation import namespace
from gpuscale.backends.driver.cores import cores_in
from gpuscale.base import config
from gpuscale.base.errors import EngineError, GpuscaleError
from gpuscale.cluster.devices import VARIABLE, VisibleDevice
from gpuscale.cluster.handing_back import hand_back
from gpuscale.cluster.security import LOOPBACK
from gpuscale.cluster.serving import hush_closed_connections
from gpuscale.cluster.short_logs import shorten_logs
from gpuscale.cluster.spill_target import lower_target
from gpuscale.engines import blas
from gpuscale.engines.reserving import PROCESS, has_memory
from gpuscale.memory.freed import ask_only_the_system
from gpuscale.memory.pool import OPTIONS as POOL_OPTIONS

__all__ = ["WorkerSetup", "refusals_told", "stay_near"]

#: Bytes of a worker below which what its process takes is much of it.
SMALL = 4 * PROCESS

_UNGUARDED = (
    'Workers import the program: it may start a cluster only below if __name__ == "__main__":'
)
_logger = logging.getLogger("gpuscale.cluster")


@dataclass(frozen=True)
class WorkerSetup(WorkerPlugin):
    """Sets up the process of a worker.

    Parameters
    ----------
    device : VisibleDevice, optional
        That of the worker: it keeps to the cores next to it, and makes the pool of its memory.
    settings : mapping of str to object
        Options of the configuration to set.
    imports : tuple of str
        Modules to import.
    libraries : tuple of str
        Those that are to take memory from RMM's pool beside CuPy and Numba.
    is_alone : bool
        Whether the process is the worker's own although no nanny has started it.

    Examples
    --------
    >>> WorkerSetup(settings={"memory-limit": 1 << 30}, imports=("json",)).name
    'gpuscale-setup'
    """

    name: ClassVar[str] = "gpuscale-setup"

    device: VisibleDevice | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    imports: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    is_alone: bool = False

    def setup(self, worker: Any) -> None:
        """Set up the process of a worker; what fails here keeps it from starting."""
        if self.device is not None:
            check_pinned(self.device)
            stay_near(self.device)
        if worker.nanny:
            _leave_ctrl_c_to_the_program()
        has_memory(worker)
        lower_target(worker.memory_manager)
        hand_back(worker)
        # One thread of BLAS for each that runs tasks: each of them counts as busy from now on.
        for _ in range(worker.state.nthreads):
            blas.enter()
        if worker.nanny or self.is_alone:  # its log and its options are nobody else's
            hush_closed_connections()
            shorten_logs()
            if (worker.memory_manager.memory_limit or SMALL) < SMALL:
                ask_only_the_system(os.environ)
            config.set({**_of_worker(worker), **self.settings})
        for module in self.imports:
            try:
                import_module(module)
            except ImportError as error:
                raise EngineError(
                    f"option pre_import: a worker cannot import {module!r}: {error}"
                ) from error
        if self.device is not None and self.device.is_there:
            self._open_device()

    def teardown(self, worker: Any) -> None:
        """Take back what outlives a worker that is no process of its own."""
        for _ in range(worker.state.nthreads):
            blas.leave()

    def _open_device(self) -> None:
        """Make the context and the pool now, so that what is wrong with them is said at once."""
        asks = any(self.settings.get(key) not in (None, False, "auto") for key in POOL_OPTIONS)
        if asks or find_spec("cupy") is not None:
            namespace("cupy")
        if "torch" in self.libraries:
            torch, allocators = import_module("torch"), import_module("rmm.allocators.torch")
            torch.cuda.memory.change_current_allocator(allocators.rmm_torch_allocator)


def _leave_ctrl_c_to_the_program() -> None:
    """Go on when a terminal sends SIGINT to all of its processes: the nanny ends its worker.

    A handler, since what tasks start would inherit that the signal is ignored, or blocked as it is
    until now.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _of_worker(worker: Any) -> dict[str, Any]:
    """Return the options of the configuration that follow from those of the worker."""
    # The folder goes with the worker, however it ends.
    found = {"temporary-directory": worker.local_directory}
    limit = worker.memory_manager.memory_limit
    return found if limit is None else {**found, "memory-limit": limit}


def check_pinned(device: VisibleDevice) -> None:
    """Refuse to go on in a process whose first device is another.

    Raises
    ------
    EngineError
        Says what the process has instead.
    """
    has = os.environ.get(VARIABLE)
    if has is None or has.split(",")[0] != device.name:
        raise EngineError(
            f"this worker is to use device {device.name}, and was started with {VARIABLE}={has!r}; "
            "start it by gpuscale.cluster.LocalCUDACluster or gpuscale-cuda-worker"
        )


def stay_near(device: VisibleDevice) -> None:
    """Keep to the cores next to a device, as far as the process may use them.

    Memory needs no word: the system takes it from the NUMA node of the core that first writes it.

    Parameters
    ----------
    device : VisibleDevice
    """
    if device.cores is None:
        return
    near = cores_in(device.cores) & os.sched_getaffinity(0)
    if not near:
        _logger.info("device %s is next to cores %s, none of ours", device.name, device.cores)
        return
    os.sched_setaffinity(0, near)


@contextmanager
def refusals_told(host: str | None = None, port: int = 0, starts: bool = True) -> Iterator[None]:
    """Raise what kept a worker from starting instead of that one did not start.

    Parameters
    ----------
    host : str, optional
    port : int
        Where the scheduler is to listen.
    starts : bool
        Whether it starts processes.

    Raises
    ------
    EngineError
        With the words of the worker; this process is a worker, and may start none.
    SystemExit
        This process is a worker that imports a program which starts another cluster.
    """
    if getattr(current_process(), "_inheriting", False):
        raise SystemExit(f"gpuscale: {_UNGUARDED}")
    if starts and current_process().daemon:
        raise EngineError(
            "a task on a worker cannot start worker processes: give its tasks to the cluster that "
            "runs it (gpuscale.get_client()), or say LocalCluster(processes=False)"
        )
    try:
        yield
    except Exception as error:
        causes = list(_causes(error))
        told = next((each for each in causes if isinstance(each, GpuscaleError)), None)
        if told is not None and told is not error:
            raise EngineError(f"no worker could start: {told}") from told
        if told is None and "failed to start worker process" in str(error.__cause__):
            raise EngineError(
                "no worker could start: its process ended at once, and said why above. "
                + _UNGUARDED
            ) from None
        if len(causes) > 1 and "Scheduler failed to start" in str(error):
            reason = _not_listening(causes[-1], host or LOOPBACK, port)
            raise EngineError(f"the scheduler could not start: {reason}") from causes[-1]
        raise


def _not_listening(error: BaseException, host: str, port: int) -> str:
    """Say why nobody can listen there."""
    if isinstance(error, socket.gaierror):
        return f"host={host!r} is no name that this machine knows ({error.strerror})"
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return (
            f"another process listens at port {port} of {host}; scheduler_port=0 takes any port "
            "that is free"
        )
    if isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL:
        return f"host={host!r} is no address of this machine; interface= takes that of a network"
    return str(error)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, and what it comes of."""
    while error is not None:
        yield error
        error = error.__cause__
