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
    "keep_freed_columns",
    "keep_freed_memory",
    "keep_only_small_blocks",
]

_POOL = "ARROW_DEFAULT_MEMORY_POOL"  # names what Arrow takes memory from
_M_MMAP_THRESHOLD = -3  # of malloc.h: from so many bytes on a block is pages of its own
_OF_MODULES = 128 << 20  # bytes of files that are mapped by modules that frames and arrays load
KEPT = 2**22  # bytes; intermediates of a tile are smaller, blocks of arrays mostly larger
COLUMN = 2**25 - 2**16  # bytes, mostly more than a column has; of blocks above glibc learns nothing


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
def keep_freed_columns() -> None:
    """Let this process reuse freed blocks of up to 32 MiB, as columns are, and Arrow with it.

    Arrow has memory of its own, which it gives back a moment after it is freed: partitions that
    are read one after the other then ask for new pages again and again. It is left alone
    where the user, or a cluster, has said what becomes of memory.

    Examples
    --------
    >>> keep_freed_columns()
    """
    said = any(name.startswith(("MALLOC_", "GLIBC_TUNABLES", _POOL)) for name in os.environ)
    if said or _of_c_library("mallopt") is None:
        return
    import pyarrow as pa  # here: arrays need none

    block = np.empty(COLUMN, np.uint8)
    del block
    if pa.default_memory_pool().backend_name == pa.supported_memory_backends()[0]:
        pa.set_memory_pool(pa.system_memory_pool())


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
    environment.setdefault(_POOL, "system")


def bytes_of_process() -> int:
    """Return the bytes of memory that this process takes; 0 if not on Linux.

    Pages of files are counted as far as those of modules go: what is more belongs to data that are
    mapped, which the system drops where it needs room.

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
    page = os.sysconf("SC_PAGE_SIZE")
    return (resident - of_files) * page + min(of_files * page, _OF_MODULES)


@cache
def _of_c_library(name: str) -> Any:
    """Return a function of the library of C, None where it has none of that name."""
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except OSError:
        return None
