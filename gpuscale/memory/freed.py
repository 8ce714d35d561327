"""What becomes of memory that was freed: glibc keeps small blocks and gives large ones back."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import MutableMapping
from functools import cache
from typing import Any

import numpy as np

__all__ = [
    "ask_only_the_system",
    "bytes_of_process",
    "give_back_freed_memory",
    "keep_freed_memory",
    "keep_only_small_blocks",
]

_M_MMAP_THRESHOLD = -3  # of malloc.h: from so many bytes on a block is pages of its own
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


@cache
def keep_only_small_blocks() -> None:
    """Let this process keep no freed block of 4 MiB or more from now on, since memory is scarce.

    The limit of `keep_freed_memory` has risen to the largest block that was ever freed, and each
    thread keeps its blocks for itself: chunks of several MiB, made in one thread and freed in
    another, leave gaps that together come to take as much as what is in use.

    Examples
    --------
    >>> keep_only_small_blocks()
    """
    set_limit = _of_c_library("mallopt")
    if set_limit is not None:
        set_limit(_M_MMAP_THRESHOLD, KEPT)


def give_back_freed_memory() -> None:
    """Give freed blocks between others back to the system, where the library of C can (glibc).

    So does Arrow, which keeps memory of its own, if it is in use.

    Examples
    --------
    >>> give_back_freed_memory()
    """
    trim = _of_c_library("malloc_trim")
    if trim is not None:
        trim(0)
    arrow = sys.modules.get("pyarrow")
    if arrow is not None and hasattr(arrow, "default_memory_pool"):
        arrow.default_memory_pool().release_unused()


def ask_only_the_system(environment: MutableMapping[str, str]) -> None:
    """Let Arrow, where it is not loaded yet, keep no freed memory for itself, as memory is scarce.

    What one thread has freed no other can give back, which comes to tens of MiB; the user may have
    said otherwise. It takes longer.

    Examples
    --------
    >>> variables = {}
    >>> ask_only_the_system(variables)
    >>> variables
    {'ARROW_DEFAULT_MEMORY_POOL': 'system'}
    """
    environment.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def bytes_of_process() -> int:
    """Return the bytes of memory of this process that are no pages of files; 0 if not on Linux.

    Examples
    --------
    >>> bytes_of_process() < 2**40
    True
    """
    try:
        with open("/proc/self/statm", "rb") as file:
            _, resident, of_files, *_ = map(int, file.read().split())
    except OSError:
        return 0
    return (resident - of_files) * os.sysconf("SC_PAGE_SIZE")


@cache
def _of_c_library(name: str) -> Any:
    """Return a function of the library of C, None where it has none of that name."""
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except OSError:
        return None
