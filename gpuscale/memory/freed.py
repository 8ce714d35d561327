"""What becomes of memory that was freed: glibc keeps small blocks and gives large ones back."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

__all__ = ["give_back_freed_memory", "keep_freed_memory"]

KEPT = 2**22  # bytes; intermediates of a tile are smaller, blocks of arrays mostly larger


@cache
def keep_freed_memory() -> None:
    """Let this process reuse freed blocks of up to 4 MiB instead of asking for new pages.

    At first glibc returns what it can from 128 KiB on, and so an interpreted program, which makes
    and frees an array of half a MiB for each operation and tile, spends half of its time on page
    faults. The limit rises to the size of any larger block that is freed: freeing one here is
    `mallopt` without a call into C. Where memory is managed by something else, nothing happens.

    Examples
    --------
    >>> keep_freed_memory()
    """
    block = np.empty(KEPT, np.uint8)  # never touched, so no page of it ever exists
    del block


def give_back_freed_memory() -> None:
    """Give freed blocks between others back to the system, where the library of C can (glibc).

    Examples
    --------
    >>> give_back_freed_memory()
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    try:
        return getattr(ctypes.CDLL(None), "malloc_trim", None)
    except OSError:
        return None
