"""Where sorted runs are to be cut for blocks of exact ranks, from a sample of the runs alone.

Each run gives every so many of its elements. Between two neighbours of a sample lie at most so
many others, so the sorted sample bounds from both sides how many elements of each run lie before
any rank: not more than a step of each run is uncertain. Elements within the bounds go to both
neighbours of a cut, which drop by number what is not theirs.

As in parallel sorting by regular sampling (Shi and Schaeffer, 1992), for ranks instead of sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuscale.backends.seams import array_namespace, lexicographic_order
from gpuscale.backends.transfer import to_host

__all__ = ["AFTER_ORDER", "Cuts", "bytes_of_cuts", "find_cuts", "order_by", "step_of_samples"]

IntArray = NDArray[np.int64]

# Uncertain about a cut are as many elements as this part of what lies between two cuts, or up to
# `_LEAST` where the sample would become large by itself, or beside what is sorted.
_SHARE, _LEAST = 32, 4
_MOST, _OF_ALL = 1 << 18, 8

#: Bytes that `find_cuts` takes for an element of the sample once these are ordered.
AFTER_ORDER = 24


def step_of_samples(size: int, runs: int, parts: int, most: int = _MOST) -> int:
    """Return how many elements of a run there are for one of the sample.

    A part gets at most ``2 * (runs + 1) * step`` elements besides its own: about a sixteenth of
    them, or, for as many parts as let the sample grow to ``2**18`` elements or to an eighth of all,
    up to a half.

    Parameters
    ----------
    size : int
        Elements of all runs together.
    runs, parts : int
    most : int
        Elements of a sample that there is room for: of fewer, parts get more that is not theirs.

    Examples
    --------
    >>> step_of_samples(8000, 5, 5), step_of_samples(50, 5, 5)
    (10, 1)
    >>> step_of_samples(10**9, 250, 250)
    3815
    """
    wanted = min(_SHARE * runs * parts, _MOST, max(1, most))
    enough = max(size // _OF_ALL, _LEAST * runs * parts)
    return max(1, -(-size // min(wanted, enough)))


@dataclass(frozen=True, eq=False, slots=True)
class Cuts:
    """Bounds of the cuts of sorted runs at some ranks.

    Parameters
    ----------
    lower, upper : ndarray of int
        ``(ranks, runs)``: at least and at most how many elements of each run lie before each rank.
    """

    lower: NDArray[Any]
    upper: NDArray[Any]

    def spans(self, parts: range, runs: range) -> list[tuple[int, int]]:
        """Return for some runs where what may belong to some neighbouring parts starts and stops.

        Examples
        --------
        >>> samples = [(np.array([1, 5]),), (np.array([2, 9]),)]
        >>> cuts = find_cuts(samples, [4, 4], 2, [0, 4, 8])
        >>> cuts.spans(range(1), range(2)), cuts.spans(range(1, 2), range(2))
        ([(0, 4), (0, 2)], [(1, 4), (1, 4)])
        """
        chosen = slice(runs.start, runs.stop, runs.step)
        starts, stops = self.lower[parts.start, chosen], self.upper[parts.stop, chosen]
        return list(zip(starts.tolist(), stops.tolist(), strict=True))


def order_by(keys: Sequence[Any]) -> Any:
    """Positions that sort by keys, of which the last is the first to decide; ties keep their order.

    Examples
    --------
    >>> order_by([np.array([9, 1, 5]), np.array([1, 2, 1])])
    array([2, 0, 1])
    """
    if len(keys) > 1:
        return lexicographic_order(*keys, axis=0)
    return array_namespace(keys[0]).argsort(keys[0], kind="stable")


def find_cuts(
    samples: Sequence[Sequence[Any]], sizes: Sequence[int], step: int, ranks: Sequence[int]
) -> Cuts:
    """Bound the cuts of sorted runs.

    Parameters
    ----------
    samples : sequence of sequence of array with one axis
        ``key[::step]`` of each key of each sorted run; see `order_by`.
    sizes : sequence of int
        Lengths of the runs.
    step : int
    ranks : sequence of int
        How many elements shall lie before each cut, ascending. Of equal elements those of earlier
        runs come first.

    Examples
    --------
    >>> samples = [(np.array([1, 3, 5]),), (np.array([2, 3, 4]),)]
    >>> cuts = find_cuts(samples, [3, 3], 1, [0, 3, 6])
    >>> cuts.lower.tolist() == cuts.upper.tolist(), cuts.lower.tolist()
    (True, [[0, 0], [2, 1], [3, 3]])
    """
    xp = array_namespace(samples[0][0])
    order = to_host(order_by([xp.concatenate(key) for key in zip(*samples, strict=True)]))
    lengths, counts = np.asarray(sizes), np.asarray([len(sample[0]) for sample in samples])
    owner = np.repeat(np.arange(len(sizes), dtype=np.int32), counts)[order]
    nth = np.concatenate([np.arange(n, dtype=np.int32) for n in counts])[order]
    del order
    first = np.flatnonzero(nth == 0)
    last = np.flatnonzero(nth == counts.astype(np.int32)[owner] - 1)
    del nth
    # How many elements, at most and at least, are less than each of the sample.
    bounds = np.full(owner.size + 1, step)
    bounds[0] = 0
    bounds[1 + last] = (lengths - (counts - 1) * step)[owner[last]]
    before = np.searchsorted(np.cumsum(bounds, out=bounds), ranks, side="right") - 1
    bounds[...] = step
    bounds[0] = 0
    bounds[1 + first] = 1
    np.cumsum(bounds, out=bounds)[-1] = lengths.sum()
    after = np.searchsorted(bounds, ranks, side="left")
    del bounds
    dtype = _type_of_cuts(max(step, int(lengths.max(initial=0))))
    lower = _counts_before(before, owner, len(sizes), dtype)
    lower -= 1
    lower *= step
    lower += 1
    np.maximum(lower, 0, out=lower)
    upper = _counts_before(after, owner, len(sizes), dtype)
    upper *= step
    np.minimum(upper, lengths, out=upper)
    return Cuts(lower, upper)


def _counts_before(
    ends: IntArray, owner: NDArray[np.int32], n_runs: int, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Count for each end the entries before it that each run owns."""
    counts = np.empty((len(ends), n_runs), dtype)
    for row, (start, stop) in zip(counts, pairwise((0, *ends)), strict=True):
        row[...] = np.bincount(owner[start:stop], minlength=n_runs)
    return np.cumsum(counts, axis=0, dtype=dtype, out=counts)


def _type_of_cuts(longest: int) -> np.dtype[Any]:
    """Return the type of numbers up to the length of a run, or a step, and as much again."""
    return np.dtype(np.int32 if longest < 1 << 30 else np.int64)


def bytes_of_cuts(ranks: int, runs: int, longest: int) -> int:
    """Bytes of the bounds of cuts of runs that are at most so long.

    Examples
    --------
    >>> cuts = find_cuts([(np.array([1, 5]),), (np.array([2, 9]),)], [4, 4], 2, [0, 4, 8])
    >>> cuts.lower.nbytes + cuts.upper.nbytes == bytes_of_cuts(3, 2, longest=4)
    True
    """
    return 2 * _type_of_cuts(longest).itemsize * ranks * runs
