"""Ctrl-C stays what it was when a library is imported, and spares processes that begin."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from multiprocessing import resource_tracker

from gpuscale.base.blocks import block

__all__ = ["kept_ctrl_c", "spawn_without_ctrl_c"]


@block
def kept_ctrl_c() -> Generator[None, None, None]:
    """Put the handler of SIGINT back after the block.

    Examples
    --------
    >>> before = signal.getsignal(signal.SIGINT)
    >>> with kept_ctrl_c():
    ...     _ = signal.signal(signal.SIGINT, signal.SIG_IGN)
    >>> signal.getsignal(signal.SIGINT) is before
    True
    """
    before = signal.getsignal(signal.SIGINT)
    yield
    if before is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, before)


def spawn_without_ctrl_c() -> None:
    """Have processes that the calling thread starts from now on begin with SIGINT blocked.

    A terminal sends it to all of its processes. Workers leave it to the program once they are set
    up (`gpuscale.cluster.worker_setup`); before that they would die of it.
    """
    resource_tracker.ensure_running()  # whose start unblocks the signal
    if threading.current_thread() is threading.main_thread():
        # Some thread has to take it for this process; Python handles it in the main one.
        threading.Thread(target=threading.Event().wait, name="Ctrl-C", daemon=True).start()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
