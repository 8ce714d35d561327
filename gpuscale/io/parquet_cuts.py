"""Which row groups of Parquet files are read together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from gpuscale.io.parquet_footers import RowGroup

__all__ = ["Cut", "cut"]

Cut: TypeAlias = tuple[RowGroup, ...]
"""Row groups of one piece, in the order of the rows."""

_LEAST = 16 << 20  # bytes in memory below which nothing is cut for the sake of parallel work
_EVEN = 64  # part of a piece that may be too much


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
        How many pieces there should be at least, if there is enough data.
    across_files : bool
        Whether a piece may be filled from several files.

    Examples
    --------
    >>> files = [[RowGroup(f, k, 10, {"x": 80}, {}) for k in range(3)] for f in range(2)]
    >>> [len(piece) for piece in cut(files, None, 160, 1, False)]
    [2, 1, 2, 1]
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
    runs = [[group for each in filled for group in each]] if across_files else filled
    return [piece for run in runs for piece in _fill(run, target)]


def _fill(groups: Sequence[RowGroup], target: int) -> list[Cut]:
    """Fill as few pieces as there can be, which are as even as they can be.

    Who computes two of them at once would else wait for the larger one.
    """
    found = _filled(groups, target)
    low, high = target // 2, target  # with half of it there would be more pieces, but for the last
    while high - low > max(target // _EVEN, 1):
        middle = (low + high) // 2
        evener = _filled(groups, middle)
        if len(evener) > len(found):
            low = middle
        else:
            found, high = evener, middle
    return found


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
