"""Which row groups of Parquet files are read together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from gpuscale.io.parquet_footers import RowGroup

__all__ = ["Cut", "cut"]

Cut: TypeAlias = tuple[RowGroup, ...]
"""Row groups of one piece, in the order of the rows."""

_LEAST = 16 << 20  # bytes in memory below which nothing is cut for the sake of parallel work


def cut(
    groups: Sequence[Sequence[RowGroup]],
    split: bool | int | None,
    blocksize: int,
    parts: int,
    across_files: bool,
) -> list[Cut]:
    """Return the pieces.

    Parameters
    ----------
    groups : sequence of sequence of RowGroup
        Those of each file.
    split : bool, int or None
        True for a piece of each row group, False of each file, a number for that many row groups;
        None to fill pieces up to ``blocksize``.
    blocksize : int
        Projected bytes of a piece.
    parts : int
        How many pieces there should be at least, or a multiple of how many, if there is enough
        data.
    across_files : bool
        Whether a piece may be filled from several files.

    Examples
    --------
    >>> files = [[RowGroup(f, k, 10, {"x": 80}, {}) for k in range(3)] for f in range(2)]
    >>> [len(piece) for piece in cut(files, None, 160, 1, False)]
    [1, 2, 1, 2]
    >>> [len(piece) for piece in cut(files, False, 160, 1, False)]
    [3, 3]
    """
    filled = [[group for group in each if group.rows] for each in groups]
    if split is False:
        return [tuple(each) for each in filled if each]
    if split is not None:
        return [
            tuple(each[k : k + split]) for each in filled for k in range(0, len(each), int(split))
        ]
    total = sum(_nbytes(group) for each in filled for group in each)
    target = min(blocksize, max(total // max(parts, 1), _LEAST))
    if not across_files:
        return [piece for run in filled for piece in _fill(run, target, 1)]
    return _fill([group for each in filled for group in each], target, parts)


def _fill(groups: Sequence[RowGroup], target: int, parts: int) -> list[Cut]:
    """Fill pieces that are about even, as many as workers take in equal rounds.

    Workers would else wait for who has the largest one, or the last one.
    """
    found = _filled(groups, target)
    total = sum(map(_nbytes, groups))
    rounds = -(-len(found) // max(parts, 1))
    count = max(len(found), min(rounds * parts, total // _LEAST))
    even = _divided(groups, count, total)
    return found if max(map(_size, even), default=0) > target else even


def _divided(groups: Sequence[RowGroup], count: int, total: int) -> list[Cut]:
    """Divide row groups where the parts of their bytes are, each by where its middle is."""
    pieces: list[list[RowGroup]] = [[] for _ in range(count)]
    start = 0
    for group in groups:
        stop = start + _nbytes(group)
        place = (start + stop) * count // max(2 * total, 1)
        pieces[min(place, count - 1)].append(group)
        start = stop
    return [tuple(piece) for piece in pieces if piece]


def _filled(groups: Iterable[RowGroup], target: int) -> list[Cut]:
    pieces: list[list[RowGroup]] = []
    nbytes = 0
    for group in groups:
        nbytes += _nbytes(group)
        if not pieces or nbytes > target:
            pieces.append([])
            nbytes = _nbytes(group)
        pieces[-1].append(group)
    return list(map(tuple, pieces))


def _nbytes(group: RowGroup) -> int:
    return sum(group.nbytes.values())


def _size(piece: Cut) -> int:
    return sum(map(_nbytes, piece))
