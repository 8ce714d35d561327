"""Selection by brackets: a sample says where the wanted elements are, one pass keeps what is there.

The idea is that of Floyd and Rivest, "Expected time bounds for selection", 1975. All blocks count
how many of their elements lie beyond each edge of the brackets and keep those inside. The counts
are exact, so they show whether the sample was right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpuscale.backends.seams import array_namespace
from gpuscale.backends.transfer import to_host
from gpuscale.memory.spaces import DEVICE, space_of

__all__ = [
    "Brackets",
    "Kept",
    "brackets_around",
    "comparisons_room",
    "elements_of_ranks",
    "keep",
    "keep_all",
]

SIGMAS = 6  # half width of a bracket, in standard deviations of a sample's rank
MANY = 24  # edges beyond which sorting is faster than comparing each element with each edge
TILE = 1 << 16  # elements whose comparisons fit the cache


class Brackets(NamedTuple):
    """Intervals that each begin at one edge and end before the next one, the last one nowhere.

    Attributes
    ----------
    edges : ndarray
        Ascending; the first one lies below all elements but NaN.
    kept : ndarray of bool
        Whether the elements of an interval are kept besides being counted.
    """

    edges: NDArray[Any]
    kept: NDArray[np.bool_]


class Kept(NamedTuple):
    """What is known of some elements.

    Attributes
    ----------
    size : int
        How many there are, NaN included.
    beyond : ndarray of int
        For each edge how many are not below it.
    values : ndarray
        Those in intervals that are kept, in any order.
    """

    size: int
    beyond: NDArray[np.int64]
    values: NDArray[Any]


def brackets_around(sample: NDArray[Any], shares: Iterable[float]) -> Brackets:
    """Brackets that hold the elements with some shares of all below them, most probably.

    A value that is there more than once at the end of a bracket gets an interval of its own, which
    need not be kept: however often it occurs, what is kept stays small.

    Examples
    --------
    >>> brackets_around(np.arange(10_000), [0.5]).edges[1:]
    array([4698, 5303])
    """
    sample = np.sort(sample[sample == sample])
    lowest = _lowest(sample.dtype)
    lows, highs = _ends(sample, shares, lowest)
    alone = {value for value in (*lows, *highs) if _is_repeated(sample, value)}
    after = {_next(value) for value in (*highs, *alone)} - {None}
    edges = np.array(sorted({lowest, *lows, *alone, *after}), dtype=sample.dtype)
    begun, ended = np.searchsorted(lows, edges, "right"), np.searchsorted(highs, edges, "left")
    kept = (begun > ended) & ~np.isin(edges, list(alone))
    needed = ~(kept & np.append(False, kept[:-1]))  # else the interval before goes on
    return Brackets(edges[needed], kept[needed])


def _ends(sample: Any, shares: Iterable[float], lowest: Any) -> tuple[Any, Any]:
    """Values a little below and above each share, ascending; fewer above where some are open."""
    n = len(sample)
    shares = np.sort(list(shares))
    margin = SIGMAS * (n * shares * (1 - shares)) ** 0.5 + 2
    low = np.floor(n * shares - margin).astype(np.int64)
    high = (n * shares + margin).astype(np.int64)
    lows = np.append(np.full((low < 0).sum(), lowest), sample[low[low >= 0]])
    return lows, sample[high[high < n]]


def _lowest(dtype: np.dtype[Any]) -> Any:
    return dtype.type(-np.inf if dtype.kind == "f" else np.iinfo(dtype).min)


def _next(value: Any) -> Any:
    """The next larger value of the same dtype, None where there is none."""
    if value.dtype.kind == "f":
        return None if value == np.inf else np.nextafter(value, value.dtype.type(np.inf))
    return None if value == np.iinfo(value.dtype).max else value + value.dtype.type(1)


def _is_repeated(sample: Any, value: Any) -> bool:
    first, stop = (np.searchsorted(sample, value, side) for side in ("left", "right"))
    return bool(stop - first > 1)


def keep(chunk: Any, brackets: Brackets) -> Kept:
    """Count the elements of a chunk that are beyond each edge, keep those of some intervals."""
    xp = array_namespace(chunk)
    flat = chunk.reshape(-1)
    step = _by_sorting if len(brackets.edges) > MANY else _by_comparison
    tile = TILE if xp is np else max(1, flat.size)
    beyond = np.zeros(len(brackets.edges), dtype=np.int64)
    values = []
    for start in range(0, flat.size, tile):
        counts, some = step(xp, flat[start : start + tile], brackets)
        beyond += counts
        values.append(some)
    return Kept(int(flat.size), beyond, to_host(xp.concatenate([flat[:0], *values])))


def comparisons_room(size: int, backend: str) -> int:
    """Bytes in which `keep` works where a chunk of so many elements is one tile.

    Examples
    --------
    >>> comparisons_room(1000, "numpy"), comparisons_room(1000, "cupy")
    (0, 4000)
    """
    return 4 * size if space_of(backend) == DEVICE else 0  # truth values, of two edges at a time


def _by_comparison(xp: Any, tile: Any, brackets: Brackets) -> tuple[Any, Any]:
    inside, counts = xp.zeros(tile.shape, dtype=bool), []
    was_kept, last = False, inside
    for edge, kept in zip(brackets.edges, brackets.kept, strict=True):
        is_beyond = tile >= edge
        counts.append(int(xp.count_nonzero(is_beyond)))
        if was_kept:
            inside |= last ^ is_beyond
        was_kept, last = kept, is_beyond
    if was_kept:
        inside |= last
    return np.array(counts), tile[inside]


def _by_sorting(xp: Any, tile: Any, brackets: Brackets) -> tuple[Any, Any]:
    tile = xp.sort(tile)  # NaN comes last
    size = int(xp.searchsorted(tile, xp.asarray(np.nan))) if tile.dtype.kind == "f" else tile.size
    starts = xp.searchsorted(tile[:size], xp.asarray(brackets.edges)).tolist()
    stops = [*starts[1:], size]
    inside = [tile[a:b] for a, b, kept in zip(starts, stops, brackets.kept, strict=True) if kept]
    return size - np.array(starts), xp.concatenate([tile[:0], *inside])


def keep_all(parts: Sequence[Kept]) -> Kept:
    """What is known of all elements, from what is known of parts of them."""
    return Kept(
        sum(part.size for part in parts),
        np.sum([part.beyond for part in parts], axis=0),
        np.concatenate([part.values for part in parts]),
    )


def elements_of_ranks(all_kept: Kept, brackets: Brackets, ranks: NDArray[np.int64]) -> Any:
    """The elements of some ranks, 0 for the smallest; None if one was neither kept nor sure."""
    edges, kept = brackets
    count = all_kept.beyond[0]
    below = count - all_kept.beyond
    place = np.searchsorted(below, ranks, side="right") - 1
    sizes = np.diff(below, append=count) * kept
    at = np.where(kept[place], (sizes.cumsum() - sizes)[place] + ranks - below[place], -1)
    alone = [
        (beyond := _next(edge)) is None or k + 1 < len(edges) and edges[k + 1] == beyond
        for k, edge in enumerate(edges)
    ]
    if not np.all(kept[place] | np.array(alone)[place]):
        return None
    found = edges[place]
    inside = at >= 0
    if inside.any():
        values = np.partition(all_kept.values, np.unique(at[inside]))
        found[inside] = values[at[inside]]
    return found
