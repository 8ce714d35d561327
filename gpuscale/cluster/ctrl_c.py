"""Ctrl-C stays what it was, whatever a library does with it when it is imported."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator

from gpuscale.base.blocks import block

__all__ = ["kept_ctrl_c"]


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
