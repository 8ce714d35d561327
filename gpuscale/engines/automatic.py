"""Sizes of chunks that nobody says, for where they will be computed: here, or on a cluster."""

from __future__ import annotations

from gpuscale.engines.base import planned_for_default
from gpuscale.expr.reads import is_planned_elsewhere
from gpuscale.memory import limits

__all__ = ["budget_of", "chunk_bytes", "thread_share_elsewhere"]

#: No worker is so small that this would not be one chunk, and to ask a cluster takes a while.
_LITTLE = 64 << 10


def budget_of(backend: str, nbytes: float = float("inf")) -> int:
    """What `gpuscale.memory.limits.budget_of` says, under the limits of the default engine.

    ``nbytes`` are those that are to be compared with it, where they are known.

    Examples
    --------
    >>> from gpuscale.base import config
    >>> with config.set({"memory-limit": 4000}):
    ...     budget_of("numpy", nbytes=1000)
    4000
    """
    if nbytes <= _LITTLE:
        return limits.budget_of(backend)
    with planned_for_default():
        return limits.budget_of(backend)


def chunk_bytes(backend: str, wanted: str | int | None = None, nbytes: float = float("inf")) -> int:
    """What `gpuscale.memory.limits.chunk_bytes` says, under the limits of the default engine.

    ``nbytes`` is that of all chunks together, where it is known.

    Examples
    --------
    >>> chunk_bytes("numpy", "1 MiB", nbytes=1000)
    1048576
    """
    if nbytes <= _LITTLE:
        return limits.chunk_bytes(backend, wanted)
    with planned_for_default():
        return limits.chunk_bytes(backend, wanted)


def thread_share_elsewhere(nbytes: float = float("inf")) -> int | None:
    """Bytes for each thread of the default engine's workers; None if it has none, or for little.

    ``nbytes`` are those that are to be compared with it, where they are known.

    Examples
    --------
    >>> thread_share_elsewhere() is None
    True
    """
    if nbytes <= _LITTLE:
        return None
    with planned_for_default():
        return limits.thread_share() if is_planned_elsewhere() else None
