"""How much memory tasks may take: what users write, what machine and cgroup allow."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from contextvars import ContextVar
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from gpuscale.backends.creation import device_memory, is_on_device
from gpuscale.base import config, sizes
from gpuscale.base.blocks import block

__all__ = [
    "CHUNKS_IN_MEMORY",
    "budget_of",
    "chunk_bytes",
    "device_memory_limit",
    "is_for_workers",
    "limited_to",
    "limits_for",
    "memory_limit",
    "parse_bytes",
    "process_limit",
    "shelf_bytes",
    "thread_share",
    "total_memory",
    "within_workers",
]

#: How many automatic chunks fit into the memory limit.
CHUNKS_IN_MEMORY = 16

# What cgroup v1 writes for "no limit" is the largest number of whole pages.
_NO_LIMIT = 1 << 60


def parse_bytes(size: float | str, total: int | None = None) -> int:
    """Turn what a user says about a size into bytes; see `gpuscale.base.sizes`.

    Parameters
    ----------
    size : int, float or str
    total : int, optional
        What fractions refer to, in bytes; by default the machine's memory (`total_memory`).

    Examples
    --------
    >>> parse_bytes("1 GiB"), parse_bytes("25 %", total=1000)
    (1073741824, 250)
    """
    return sizes.parse_bytes(size, total_memory() if total is None else total)


def memory_limit() -> int:
    """Bytes that tasks may hold at once where they run: the option ``memory-limit``.

    `within_workers` says so of other processes than this one.

    Examples
    --------
    >>> with config.set({"memory-limit": "2 GiB"}):
    ...     memory_limit()
    2147483648
    """
    limit, _ = _of_workers.get()
    return process_limit() if limit is None else limit


def process_limit() -> int:
    """Bytes that the option ``memory-limit``, or an engine, allows this process.

    That is so wherever tasks run.

    Examples
    --------
    >>> with config.set({"memory-limit": "2 GiB"}), within_workers(1000):
    ...     process_limit(), memory_limit()
    (2147483648, 1000)
    """
    limit, _ = _of_engine.get()
    return parse_bytes(config.get("memory-limit")) if limit is None else limit


# Bytes of the host, and what an engine says of the device.
_of_engine: ContextVar[tuple[int | None, float | str | None]] = ContextVar(
    "gpuscale-limits-of-engine", default=(None, None)
)


@block
def limited_to(
    limit: int | None = None, device: float | str | None = None
) -> Generator[None, None, None]:
    """Plan for an engine of this process that has limits of its own, where it has some.

    Examples
    --------
    >>> with limited_to(1000):
    ...     memory_limit()
    1000
    """
    token = _of_engine.set((limit, device))
    try:
        yield
    finally:
        _of_engine.reset(token)


# Bytes, and among how many threads.
_of_workers: ContextVar[tuple[int | None, int]] = ContextVar(
    "gpuscale-limit-of-workers", default=(None, 1)
)


@block
def within_workers(limit: int, n_threads: int = 1) -> Generator[None, None, None]:
    """Plan for, or run, tasks of processes that may hold so many bytes each.

    Chunks that are chosen automatically are so small that as many threads can work on some.
    """
    token = _of_workers.set((limit, n_threads))
    try:
        yield
    finally:
        _of_workers.reset(token)


def thread_share() -> int:
    """Bytes of `memory_limit` for each thread of the workers that are planned for.

    Examples
    --------
    >>> with within_workers(1000, n_threads=4):
    ...     memory_limit(), thread_share()
    (1000, 250)
    """
    return memory_limit() // _of_workers.get()[1]


def is_for_workers() -> bool:
    """Whether `memory_limit` is what workers have, and no option of this process."""
    return _of_workers.get()[0] not in (None, process_limit())


def device_memory_limit(wanted: float | str | None = None, backend: str | None = None) -> float:
    """Bytes that tasks may hold on the device.

    Parameters
    ----------
    wanted : int, float or str, optional
        By default the option ``device-memory-limit``. A fraction of a device without a limit, or
        of none, is no limit.
    backend : str, optional
        Of which the device counts even if it is not in use yet.

    Examples
    --------
    >>> with config.set({"device-memory-limit": "2 GiB"}):
    ...     device_memory_limit()
    2147483648
    """
    wanted = _of_engine.get()[1] if wanted is None else wanted
    wanted = config.get("device-memory-limit") if wanted is None else wanted
    total = device_memory(backend)
    if total is None and sizes.is_fraction(wanted):
        return float("inf")
    return parse_bytes(wanted, total or 0)


def limits_for(
    tasks: Iterable[Any], host: float | None = None, device: float | str | None = None
) -> tuple[float, float]:
    """Bytes that tasks may hold in each space; no device is asked about for tasks of the host.

    Parameters
    ----------
    tasks : iterable of Task
    host : float, optional
        Bytes, instead of the option ``memory-limit``.
    device : int, float or str, optional
        Instead of the option ``device-memory-limit``.
    """
    on_device = any(map(attrgetter("space"), tasks))
    return (
        memory_limit() if host is None else host,
        device_memory_limit(device) if on_device else float("inf"),
    )


def shelf_bytes(limit: float) -> float:
    """Bytes of the host that the option ``device-spill-to-host`` allows results of a device.

    Parameters
    ----------
    limit : float
        Bytes of the host that tasks may hold, of which the option may be a fraction.

    Examples
    --------
    >>> with config.set({"device-spill-to-host": 0.25}):
    ...     shelf_bytes(4000)
    1000
    """
    wanted = config.get("device-spill-to-host")
    if sizes.is_fraction(wanted) and limit == float("inf"):
        return limit
    return parse_bytes(wanted, 0 if limit == float("inf") else int(limit))


def budget_of(backend: str) -> int:
    """Bytes that tasks may hold where chunks of a backend lie: what sizes that are chosen keep to.

    What leaves a device goes through the host, so it is no more than the host's either.

    Parameters
    ----------
    backend : str
        That of the operand, `gpuscale.expr.meta.ArrayMeta.backend`.

    Examples
    --------
    >>> with config.set({"memory-limit": 4000, "device-memory-limit": 1000}):
    ...     budget_of("numpy"), budget_of("cupy")
    (4000, 1000)
    """
    limit = memory_limit()
    if not is_on_device(backend):
        return limit
    return int(min(limit, device_memory_limit(backend=backend)))


def chunk_bytes(backend: str, wanted: str | int | None = None) -> int:
    """Bytes of a chunk that is chosen automatically.

    Parameters
    ----------
    backend : str
        That of the chunks.
    wanted : str or int, optional
        By default the option ``array.chunk-size``.

    Returns
    -------
    int
        At most a sixteenth of what `budget_of` says, so that tasks side by side fit into it; in
        workers of several threads, of the share of each.

    Examples
    --------
    >>> chunk_bytes("numpy", "1 MiB")
    1048576
    >>> with config.set({"memory-limit": 1600}):
    ...     chunk_bytes("numpy")
    100
    """
    size = parse_bytes(config.get("array.chunk-size") if wanted is None else wanted)
    _, n_threads = _of_workers.get()
    return max(1, min(size, budget_of(backend) // (CHUNKS_IN_MEMORY * n_threads)))


def total_memory() -> int:
    """Bytes of memory that this process may use: the machine's, or less if its cgroup says so."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = cgroup_limit()
    return machine if limit is None else min(machine, limit)


@lru_cache
def cgroup_limit(proc: str = "/proc/self/cgroup", root: str = "/sys/fs/cgroup") -> int | None:
    """Bytes that the control groups of this process allow, or None without a limit.

    Every group from the process's own up to the root counts. A container sees its own group as
    the root while ``/proc`` names it by its outer path, so the root is always looked at.

    Parameters
    ----------
    proc : str
        The file that names the process's groups.
    root : str
        Where the control group file systems (version 1 or 2) are mounted.
    """
    try:
        groups = Path(proc).read_text().splitlines()
    except OSError:
        return None
    limits = []
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, file = Path(root), "memory.max"
        elif "memory" in controllers.split(","):
            base, file = Path(root, "memory"), "memory.limit_in_bytes"
        else:
            continue
        group = base / path.lstrip("/")
        limits += [_read_limit(g / file) for g in (group, *group.parents) if g.is_relative_to(base)]
    known = [limit for limit in limits if limit is not None]
    return min(known, default=None)


def _read_limit(file: Path) -> int | None:
    try:
        limit = int(file.read_text())
    except (OSError, ValueError):  # no such group here, or the word "max"
        return None
    return limit if limit < _NO_LIMIT else None
