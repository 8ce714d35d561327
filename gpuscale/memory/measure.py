"""How many bytes a result keeps alive."""

from __future__ import annotations

from typing import Any

__all__ = ["held_bytes"]


def held_bytes(result: Any, projected: int) -> int:
    """Measure an array that owns its memory; believe the projection of everything else.

    A view keeps alive memory that is counted where it was allocated or, if that was in the same
    task, by the projection.

    Parameters
    ----------
    result : object
        What a task returned.
    projected : int
        Bytes that the task was expected to hold.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.ones(100)
    >>> held_bytes(x, 0), held_bytes(x[::2], 0), held_bytes("text", 3)
    (800, 0, 3)
    """
    nbytes = getattr(result, "nbytes", None)
    if nbytes is None or getattr(result, "base", None) is not None:
        return projected
    return int(nbytes)
