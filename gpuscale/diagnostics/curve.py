"""Bytes in memory over time, from the times of tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["MOST_POINTS", "Curve", "add_curves", "memory_curve"]

MOST_POINTS = 2_000  # more than a screen has pixels across


@dataclass(slots=True)
class Curve:
    """Steps: from each time to the next, so many bytes.

    Attributes
    ----------
    time : array of float
    alive : array of int
        Results in memory.
    reserved : array of int
        Set aside for the results and the work of tasks that run.
    """

    time: np.ndarray
    alive: np.ndarray
    reserved: np.ndarray

    @property
    def used(self) -> np.ndarray:
        """Alive and reserved together, which the budget limits."""
        total: np.ndarray = self.alive + self.reserved
        return total

    def thinned(self, most: int = MOST_POINTS) -> Curve:
        """Keep about `most` points, the highest of each interval among them."""
        if len(self.time) <= most:
            return self
        span = self.time[-1] - self.time[0]
        interval = ((self.time - self.time[0]) * (most // 3) / (span or 1.0)).astype(np.int64)
        first = np.flatnonzero(np.diff(interval, prepend=-1))
        last = np.append(first[1:] - 1, len(interval) - 1)
        by_height = np.lexsort((self.used, interval))  # the highest of an interval comes last
        kept = np.unique(np.concatenate([first, last, by_height[last]]))
        return Curve(self.time[kept], self.alive[kept], self.reserved[kept])


def memory_curve(
    rows: Mapping[str, np.ndarray],
    needs: np.ndarray,
    freed: np.ndarray,
    moved: Sequence[tuple[float, int]] = (),
) -> Curve:
    """Add up what tasks reserve and what their results hold.

    Parameters
    ----------
    rows : mapping
        Columns ``start``, ``stop`` and ``nbytes`` of a record of tasks.
    needs : array of int
        Bytes that each task reserves while it runs.
    freed : array of float
        When each result was let go.
    moved : sequence of (float, int)
        When results went to disk or came back, and the bytes more in memory from then on.

    Examples
    --------
    >>> rows = {"start": np.array([0.0, 1.0]), "stop": np.array([1.0, 3.0])}
    >>> rows["nbytes"] = np.array([8, 1])
    >>> curve = memory_curve(rows, np.array([10, 2]), np.array([3.0, 3.0]))
    >>> curve.time.tolist(), curve.alive.tolist(), curve.reserved.tolist()
    ([0.0, 1.0, 3.0], [0, 8, 0], [10, 2, 0])
    """
    start, stop, nbytes = rows["start"], rows["stop"], rows["nbytes"]
    none = np.zeros(len(start), dtype=np.int64)
    steps = [(start, none, needs), (stop, nbytes, -needs), (freed, -nbytes, none)]
    if moved:
        when, change = map(np.array, zip(*moved, strict=True))
        steps.append((when, change, np.zeros(len(moved), dtype=np.int64)))
    return _add_up(steps).thinned()


def add_curves(curves: Iterable[Curve]) -> Curve:
    """Add curves; what comes before and after one counts as nothing.

    Examples
    --------
    >>> one = Curve(*(np.array(c) for c in ([0.0, 2.0], [5, 0], [0, 0])))
    >>> other = Curve(*(np.array(c) for c in ([1.0, 3.0], [7, 0], [0, 0])))
    >>> add_curves([one, other]).alive.tolist()
    [5, 12, 7, 0]
    """
    steps = [(c.time, np.diff(c.alive, prepend=0), np.diff(c.reserved, prepend=0)) for c in curves]
    return _add_up(steps).thinned()


def _add_up(steps: Sequence[tuple[np.ndarray, ...]]) -> Curve:
    if not steps:
        steps = [(np.zeros(0), *(np.zeros(0, dtype=np.int64),) * 2)]
    time, *changes = (np.concatenate(parts) for parts in zip(*steps, strict=True))
    order = np.argsort(time, kind="stable")
    time = time[order]
    kept = np.append(np.flatnonzero(np.diff(time)), len(time) - 1) if len(time) else order
    return Curve(time[kept], *(np.cumsum(change[order])[kept] for change in changes))
