"""Threads of BLAS: one in each task, since the engine has a task for each core already."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

__all__ = ["one_thread"]

_lock = threading.Lock()
_inside = 0
_limit: Any = None


@cache
def _controller() -> Any:
    """Handle on the BLAS libraries of this process."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep BLAS to one thread while some task of an engine with several workers is inside.

    Without it each of n workers starts n threads, which wait for each other. The setting is that
    of the process, so the last task that leaves restores it, from whichever thread.
    """
    global _inside, _limit
    from gpuscale.engines.pool import in_worker
    from gpuscale.engines.threads import default_workers

    controller = _controller() if in_worker() and default_workers() > 1 else None
    if controller is None:
        yield
        return
    with _lock:
        if _inside == 0:
            _take_control(controller)
            _limit = controller.limit(limits=1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _take_control(controller)
                _limit.restore_original_limits()


def _take_control(controller: Any) -> None:
    """Let this thread set the limits: threadpoolctl heeds only the first that tried."""
    for library in controller.lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)
