"""Where blocks begin and end: offsets, positions, walks over a grid, regrouped sizes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, product
from math import prod
from typing import cast

from gpuscale.base.config import get
from gpuscale.base.errors import ChunkError, UnknownSizeError
from gpuscale.base.types import Chunks, Shape, Size, Unknown

__all__ = [
    "Grid",
    "KnownChunks",
    "block_indices",
    "block_shape",
    "check_count",
    "known_sizes",
    "locate",
    "max_block",
    "merge_sizes",
    "n_blocks",
    "numblocks",
    "offsets",
    "shape_of",
    "uniform_sizes",
]

_MANY_BLOCKS = 10_000  # fewer are not worth a look at the option

#: Chunks without unknown sizes.
KnownChunks = tuple[tuple[int, ...], ...]


def known_sizes(sizes: tuple[Size, ...]) -> tuple[int, ...]:
    """Return the sizes, or refuse when one of them depends on data.

    Raises
    ------
    UnknownSizeError
        If a size is not computed yet.

    Examples
    --------
    >>> known_sizes((3, 2))
    (3, 2)
    """
    if Unknown not in set(map(type, sizes)):  # 10 times faster than a loop over 100,000 blocks
        return cast(tuple[int, ...], sizes)
    raise UnknownSizeError(
        "the sizes of these blocks depend on data and are not computed yet; "
        "call x.compute_chunk_sizes() first"
    )


# The cache pays when the same axis is asked for again (every operation on one array does); it
# is small because an axis of 100,000 blocks costs megabytes.
@lru_cache(maxsize=16)
def offsets(sizes: tuple[Size, ...]) -> tuple[int, ...]:
    """Return the position at which each block of an axis starts, and the end of the last.

    Raises
    ------
    UnknownSizeError
        If a size depends on data.

    Examples
    --------
    >>> offsets((3, 3, 2))
    (0, 3, 6, 8)
    """
    return tuple(accumulate(known_sizes(sizes), initial=0))


def locate(sizes: tuple[Size, ...], position: int) -> tuple[int, int]:
    """Return the block that holds a position of an axis, and the position inside that block.

    Raises
    ------
    IndexError
        If the position is outside the axis.

    Examples
    --------
    >>> locate((3, 0, 2), 3)
    (2, 0)
    """
    starts = offsets(sizes)
    if not 0 <= position < starts[-1]:
        raise IndexError(f"position {position} is outside an axis of length {starts[-1]}")
    block = bisect_right(starts, position) - 1
    return block, position - starts[block]


def shape_of(chunks: Chunks) -> tuple[int, ...]:
    """Return the shape of the array that these chunks make up.

    Examples
    --------
    >>> shape_of(((3, 3, 2), (5,)))
    (8, 5)
    """
    return tuple(sum(known_sizes(sizes)) for sizes in chunks)


def numblocks(chunks: Chunks) -> tuple[int, ...]:
    """Return the number of blocks along each axis.

    Examples
    --------
    >>> numblocks(((3, 3, 2), (5,)))
    (3, 1)
    """
    return tuple(map(len, chunks))


def n_blocks(chunks: Chunks) -> int:
    """Return the number of blocks of the whole grid.

    Examples
    --------
    >>> n_blocks(((3, 3, 2), (5, 5)))
    6
    """
    return prod(map(len, chunks))


def block_indices(chunks: Chunks) -> Iterator[tuple[int, ...]]:
    """Walk over the block indices of a grid, the last axis fastest.

    Examples
    --------
    >>> list(block_indices(((3, 3), (5,))))
    [(0, 0), (1, 0)]
    """
    return product(*(range(len(sizes)) for sizes in chunks))


def block_shape(chunks: Chunks, index: tuple[int, ...]) -> Shape:
    """Return the shape of one block.

    Examples
    --------
    >>> block_shape(((3, 3, 2), (5,)), (2, 0))
    (2, 5)
    """
    return tuple([sizes[number] for sizes, number in zip(chunks, index, strict=True)])


def max_block(chunks: Chunks) -> tuple[int, ...]:
    """Return the largest size of a block along each axis.

    Examples
    --------
    >>> max_block(((3, 3, 2), (0,), ()))
    (3, 0, 0)
    """
    return tuple(max(known_sizes(sizes), default=0) for sizes in chunks)


class Grid:
    """The blocks of an array with their positions, for walking over many of them.

    Parameters
    ----------
    chunks : Chunks
        Sizes per block per axis, all known.

    Examples
    --------
    >>> grid = Grid(((3, 2), (4,)))
    >>> grid.slices((1, 0))
    (slice(3, 5, None), slice(0, 4, None))
    >>> grid.start((1, 0)), grid.locate((4, 1))
    ((3, 0), ((1, 0), (1, 1)))
    """

    __slots__ = ("chunks", "offsets")

    def __init__(self, chunks: Chunks) -> None:
        self.chunks = chunks
        self.offsets = tuple(offsets(sizes) for sizes in chunks)

    def start(self, index: tuple[int, ...]) -> tuple[int, ...]:
        """Return the position of a block's first element."""
        return tuple([starts[b] for starts, b in zip(self.offsets, index, strict=True)])

    def slices(self, index: tuple[int, ...]) -> tuple[slice, ...]:
        """Return the region of the whole array that a block covers."""
        return tuple(
            [slice(starts[b], starts[b + 1]) for starts, b in zip(self.offsets, index, strict=True)]
        )

    def locate(self, position: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the block that holds a position, and the position inside it."""
        found = [locate(sizes, p) for sizes, p in zip(self.chunks, position, strict=True)]
        return tuple(block for block, _ in found), tuple(local for _, local in found)

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        return block_indices(self.chunks)

    def __len__(self) -> int:
        return n_blocks(self.chunks)


def check_count(n_blocks: int, what: str) -> None:
    """Refuse more blocks than anyone means, before they are made.

    Parameters
    ----------
    n_blocks : int
    what : str
        What would have that many, for people.

    Raises
    ------
    ChunkError
        If the option ``array.max-blocks`` allows fewer.

    Examples
    --------
    >>> check_count(10**9, "blocks of 1")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    gpuscale.base.errors.ChunkError: blocks of 1: 1,000,000,000 are too many blocks; choose...
    """
    if n_blocks > _MANY_BLOCKS and n_blocks > (most := get("array.max-blocks")):
        raise ChunkError(
            f"{what}: {n_blocks:,} are too many blocks; choose larger chunks, or raise the option "
            f"array.max-blocks ({most:,})"
        )


def uniform_sizes(length: int, size: int) -> tuple[int, ...]:
    """Cut an axis into blocks of one size; the last may be smaller.

    Parameters
    ----------
    length : int
        Length of the axis; an empty axis has one empty block.
    size : int
        Size of a block, at least 1.

    Raises
    ------
    ChunkError
        If there would be more blocks than ``array.max-blocks``.

    Examples
    --------
    >>> uniform_sizes(8, 3), uniform_sizes(0, 3)
    ((3, 3, 2), (0,))
    """
    full, rest = divmod(length, size)
    check_count(full, f"{length} elements in blocks of {size}")
    return (size,) * full + (rest,) * (rest > 0 or full == 0)


def merge_sizes(sizes: tuple[int, ...], target: int) -> tuple[int, ...]:
    """Merge neighbouring blocks while they stay within `target`, keeping their outer boundaries.

    A block already larger than `target` stays alone; empty blocks vanish.

    Examples
    --------
    >>> merge_sizes((3, 3, 3, 3, 1), 7)
    (6, 7)
    >>> merge_sizes((9, 0, 2), 7)
    (9, 2)
    """
    merged: list[int] = []
    current = 0
    for size in sizes:
        if current and size and current + size > target:
            merged.append(current)
            current = 0
        current += size
    if current or not merged:
        merged.append(current)
    return tuple(merged)
