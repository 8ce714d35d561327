"""The critical path: the chain of tasks that no number of workers could have shortened."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["longest_path"]


def longest_path(deps: Sequence[Sequence[int]], seconds: Sequence[float]) -> list[int]:
    """Find the chain of tasks, each needing the one before, that takes longest in all.

    Parameters
    ----------
    deps : sequence of sequences of int
        Per task, the tasks it needs; all of them come before it.
    seconds : sequence of float

    Returns
    -------
    list of int
        First to last; empty without tasks.

    Examples
    --------
    >>> longest_path([[], [], [0, 1], [1]], [1.0, 2.0, 1.0, 0.5])
    [1, 2]
    """
    total: list[float] = []
    before: list[int] = []
    for task, needs in enumerate(deps):
        latest = max(needs, key=total.__getitem__, default=-1)
        before.append(latest)
        total.append(seconds[task] + (total[latest] if latest >= 0 else 0.0))
    task = max(range(len(total)), key=total.__getitem__, default=-1)
    path = []
    while task >= 0:
        path.append(task)
        task = before[task]
    return path[::-1]
