"""What workers share, in a run and in a session: room in memory, and each other's batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpuscale.engines.state import State

__all__ = ["fill_batch", "next_most", "room_beside", "take_half_of_longest"]

# Tiny tasks are taken in batches of about this many seconds, so that workers meet at the lock
# rarely; a batch has at most this many tasks.
BATCH_SECONDS = 2e-4
MOST_TASKS = 64


def next_most(most: int, seconds: float) -> int:
    """Return how many tasks the next batch may have, after one that took so long.

    Examples
    --------
    >>> next_most(8, seconds=1e-6), next_most(8, seconds=1.0), next_most(1, seconds=1.0)
    (16, 4, 1)
    """
    return min(2 * most, MOST_TASKS) if seconds < BATCH_SECONDS else max(1, most // 2)


def fill_batch(state: State, batches: Sequence[deque[int]], worker: int, most: int) -> bool:
    """Give a worker tasks to start, or else half of what another has; say whether it has any.

    Parameters
    ----------
    state : State
    batches : sequence of deque
        Of each worker the tasks that it was given and has not begun.
    worker : int
    most : int
        How many tasks to start.
    """
    batch = batches[worker]
    if not batch:
        # With few tasks left, each worker takes its share only.
        share = 1 + state.n_ready // (2 * len(batches))
        batch.extend(state.start(min(most, share)))
    if not batch:
        take_half_of_longest(batches, batch)
    return bool(batch)


def room_beside(siblings: Collection[Any], own: Any, limits: Sequence[float]) -> list[float]:
    """Return the bytes of the limit of each space that the other runs and sessions leave."""
    others = [each.job.state for each in tuple(siblings) if each is not own]
    if not others:
        return list(limits)
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
