"""What `persist` keeps in memory between runs: it counts, and leaves when tasks find no room.

What a run may take is the limit less the bytes of these. A task that has no room for want of them
lets them go where results of runs go as well, those first that nobody has read for longest.
"""

from __future__ import annotations

import threading
from itertools import count
from typing import Any, Protocol
from weakref import WeakSet

from gpuscale.memory.spaces import DEVICE

__all__ = ["Keeper", "Share", "keep", "kept_bytes", "let_kept_leave", "now"]

now = count().__next__
"""Number the reads of what is kept."""


class Keeper(Protocol):
    """What keeps chunks in memory, and can read them elsewhere as well."""

    #: When somebody read it, as `now` counts.
    last_read: int

    def leave(self, nbytes: int, space: int) -> int:
        """Write chunks away until so many bytes of a space are free; say how many are."""


_keepers: WeakSet[Keeper] = WeakSet()
_total = [0, 0]
_counting = threading.RLock()  # the collector of garbage may end a share while another begins
_leaving = threading.Lock()


class Share:
    """Bytes that a keeper has in each space; they count as long as this is there.

    Examples
    --------
    >>> share = Share()
    >>> share.add(1000, DEVICE)
    >>> before = kept_bytes()
    >>> del share
    >>> before[DEVICE] - kept_bytes()[DEVICE]
    1000
    """

    __slots__ = ("_nbytes",)

    def __init__(self) -> None:
        self._nbytes = [0, 0]

    def add(self, nbytes: int, space: int) -> None:
        """Count so many bytes more, or fewer."""
        with _counting:
            self._nbytes[space] += nbytes
            _total[space] += nbytes

    # Its globals may be gone when a process ends.
    def __del__(self, counting: Any = _counting, total: list[int] = _total) -> None:
        with counting:
            for space, nbytes in enumerate(self._nbytes):
                total[space] -= nbytes


def keep(keeper: Keeper) -> None:
    """Have a keeper asked from now on to let chunks leave."""
    with _counting:
        _keepers.add(keeper)


def kept_bytes() -> list[int]:
    """Return the bytes that are kept in memory of each space."""
    return list(_total)


def let_kept_leave(nbytes: int, space: int = DEVICE) -> int:
    """Write chunks away that are kept, until so many bytes are free; say how many are.

    Examples
    --------
    >>> let_kept_leave(0)
    0
    """
    freed = 0
    with _leaving:
        with _counting:
            keepers = sorted(_keepers, key=lambda keeper: keeper.last_read)
        for keeper in keepers:
            if freed >= nbytes:
                break
            freed += keeper.leave(nbytes - freed, space)
    return freed
