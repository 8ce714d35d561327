"""Who keeps chunks on a device between runs; they may leave it when a task finds no memory."""

from __future__ import annotations

from typing import Protocol
from weakref import WeakSet

__all__ = ["KEEPERS", "Keeper", "let_kept_leave"]


class Keeper(Protocol):
    """What keeps chunks on a device, and can read them elsewhere as well."""

    def leave(self, nbytes: int) -> int:
        """Write chunks away until so many bytes are free; say how many are."""


KEEPERS: WeakSet[Keeper] = WeakSet()
"""Those of this process."""


def let_kept_leave(nbytes: int) -> int:
    """Write chunks away that are kept on devices, until so many bytes are free; say how many are.

    Examples
    --------
    >>> let_kept_leave(0)
    0
    """
    freed = 0
    for keeper in tuple(KEEPERS):
        if freed >= nbytes:
            break
        freed += keeper.leave(nbytes - freed)
    return freed
