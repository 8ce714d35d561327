"""The task stream: which worker did what when, in a bounded number of rectangles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["MOST_BARS", "Bars", "merge_short_tasks"]

MOST_BARS = 3_000  # a browser draws and shows tips on this many without effort


@dataclass(slots=True)
class Bars:
    """Rectangles of a task stream, each one task or several short ones of one worker.

    Attributes
    ----------
    left, right : array of float
    worker : array of int
    count : array of int
        Tasks in it.
    seconds : array of float
        How long they took together.
    task : array of int
        The task that it stands for; the longest of several.
    cell : float
        Seconds; tasks shorter than that were merged. 0 if none were.
    """

    left: np.ndarray
    right: np.ndarray
    worker: np.ndarray
    count: np.ndarray
    seconds: np.ndarray
    task: np.ndarray
    cell: float = 0.0


def merge_short_tasks(
    start: np.ndarray,
    stop: np.ndarray,
    worker: np.ndarray,
    most: int = MOST_BARS,
    alone: Sequence[int] = (),
) -> Bars:
    """Give each task a rectangle, or put short neighbours of a worker together if there are many.

    Parameters
    ----------
    start, stop : array of float
    worker : array of int
    most : int
        About how many rectangles there may be.
    alone : sequence of int
        Tasks that get one of their own in any case.

    Examples
    --------
    >>> start = np.arange(0.0, 100.0)
    >>> bars = merge_short_tasks(start, start + 0.5, np.zeros(100, dtype=int), most=10)
    >>> len(bars.left), bars.count.tolist(), bars.cell
    (5, [20, 20, 20, 20, 20], 19.9)
    """
    seconds = stop - start
    everything = np.arange(len(start))
    if len(start) <= most:
        once = np.ones(len(start), dtype=np.int64)
        return Bars(start, stop, worker, once, seconds, everything)
    workers, row = np.unique(worker, return_inverse=True)
    begin = start.min()
    cells = max(1, most // (2 * len(workers)))  # half for long tasks, half for merged ones
    cell = (stop.max() - begin) / cells or 1.0
    column = np.minimum((start - begin) // cell, cells - 1).astype(np.int64)
    is_own = seconds >= cell
    is_own[list(alone)] = True
    place = np.where(is_own, -1 - everything, row * cells + column)
    order = np.lexsort((seconds, place))  # the longest of a place comes last
    first = np.flatnonzero(np.diff(place[order], prepend=place[order[0]] - 1))
    last = np.append(first[1:], len(order)) - 1
    return Bars(
        left=np.minimum.reduceat(start[order], first),
        right=np.maximum.reduceat(stop[order], first),
        worker=worker[order[first]],
        count=last - first + 1,
        seconds=np.add.reduceat(seconds[order], first),
        task=order[last],
        cell=float(cell),
    )
