"""What workers share, in a run and in a session: room in memory, and each other's batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from typing import Any

__all__ = ["BATCH_SECONDS", "MOST_TASKS", "room_beside", "take_half_of_longest"]

# Tiny tasks are taken in batches of about this many seconds, so that workers meet at the lock
# rarely; a batch has at most this many tasks.
BATCH_SECONDS = 2e-4
MOST_TASKS = 64


def room_beside(siblings: Collection[Any], own: Any, limits: Sequence[float]) -> list[float]:
    """Return the bytes of the limit of each space that the other runs and sessions leave."""
    others = [each.job.state for each in tuple(siblings) if each is not own]
    return [
        limit - sum(state.alive[space] + state.reserved[space] for state in others)
        for space, limit in enumerate(limits)
    ]


def take_half_of_longest(batches: Sequence[deque[int]], batch: deque[int]) -> None:
    """Move half of the longest batch into another: its worker may be at a long task.

    Examples
    --------
    >>> batches = [deque([1, 2, 3]), deque()]
    >>> take_half_of_longest(batches, batches[1])
    >>> batches
    [deque([1]), deque([3, 2])]
    """
    longest = max(batches, key=len)
    for _ in range((len(longest) + 1) // 2):
        try:
            batch.append(longest.pop())
        except IndexError:  # its worker was faster
            break
