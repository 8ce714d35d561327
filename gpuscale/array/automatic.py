"""Sizes of chunks that nobody says, for where they will be computed: here, or on a cluster."""

from __future__ import annotations

from gpuscale.engines.base import planned_for_default
from gpuscale.memory import limits

__all__ = ["chunk_bytes"]

#: No worker is so small that this would not be one chunk, and to ask a cluster takes a while.
_LITTLE = 64 << 10


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
