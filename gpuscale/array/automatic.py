"""Sizes of chunks that nobody says, for where they will be computed: here, or on a cluster."""

from __future__ import annotations

from gpuscale.engines.base import planned_for_default
from gpuscale.memory import limits

__all__ = ["chunk_bytes"]

#: No worker is so small that this would not be one chunk, and to ask a cluster takes a while.
_LITTLE = 64 << 10


def chunk_bytes(backend: str, wanted: str | int | None = None, nbytes: float = float("inf")) -> int:
    """Bytes of a chunk that is chosen automatically, with the limits of the default engine.

    Parameters
    ----------
    backend : str
        That of the chunks.
    wanted : str or int, optional
        By default the option ``array.chunk-size``.
    nbytes : int, optional
        Of all chunks together, where that is known.

    Examples
    --------
    >>> chunk_bytes("numpy", "1 MiB")
    1048576
    """
    if nbytes <= _LITTLE:
        return limits.chunk_bytes(backend, wanted)
    with planned_for_default():
        return limits.chunk_bytes(backend, wanted)
