"""Threads of BLAS: one for each worker while several are busy, all of them for one alone.

Without it each of n workers starts n threads, which wait for each other.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

__all__ = ["enter", "leave"]

_lock = threading.Lock()
_n_busy = 0
_limit: Any = None
_controller: Any = None
_n_modules = 0  # that were imported when the libraries were looked for


def enter() -> None:
    """Count one more busy worker: the second one limits the threads of the process."""
    _change(+1)


def leave() -> None:
    """Count one less: as soon as one is left, it has all threads again."""
    _change(-1)


def _change(step: int) -> None:
    global _n_busy, _limit
    with _lock:
        _n_busy += step
        if _n_busy > 1 and _limit is None:
            libraries = _libraries()
            _free_control(libraries)
            _limit = libraries.limit(limits=1, user_api="blas")
        elif _n_busy < 2 and _limit is not None:
            _free_control(_controller)
            _limit.restore_original_limits()
            _limit = None
            _free_control(_controller)  # or the limits that users set elsewhere would do nothing


def _libraries() -> Any:
    """Handle on the BLAS libraries of this process; another import may have brought one more."""
    global _controller, _n_modules
    if _controller is None or len(sys.modules) != _n_modules:
        from threadpoolctl import ThreadpoolController

        _controller, _n_modules = ThreadpoolController(), len(sys.modules)
    return _controller


def _free_control(libraries: Any) -> None:
    """Let any thread set the limits: threadpoolctl heeds only the first that tried."""
    for library in libraries.lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


def _forget_workers() -> None:
    global _lock, _n_busy
    _lock, _n_busy = threading.Lock(), 0


# Workers do not survive a fork, and one of them may have held the lock.
os.register_at_fork(after_in_child=_forget_workers)
