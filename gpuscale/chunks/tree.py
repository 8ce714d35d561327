"""Groups of blocks for tree reductions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from operator import index as as_int

from gpuscale.base.errors import ChunkError

__all__ = ["axis_groups", "groups", "levels", "n_combines", "split_every_per_axis"]

_DEFAULT = 8


def split_every_per_axis(
    split_every: int | Mapping[int, int] | None, axes: tuple[int, ...]
) -> dict[int, int]:
    """Return how many blocks are combined at once along each reduced axis.

    Parameters
    ----------
    split_every : int, mapping from axis to int, or None
        The most blocks that one task combines, shared out evenly over the axes; or the number
        along each axis; None for 8.
    axes : tuple of int
        The reduced axes, none negative.

    Raises
    ------
    ChunkError
        If a number is below 2, with which a tree would never end.

    Examples
    --------
    >>> split_every_per_axis(16, (0, 2)), split_every_per_axis({0: 3}, (0, 1))
    ({0: 4, 2: 4}, {0: 3, 1: 8})
    """
    if isinstance(split_every, Mapping):
        return {axis: _at_least_two(split_every.get(axis, _DEFAULT)) for axis in axes}
    total = _at_least_two(_DEFAULT if split_every is None else split_every)
    each = max(2, int(total ** (1 / max(1, len(axes))) + 1e-9))
    return dict.fromkeys(axes, each)


def _at_least_two(number: int) -> int:
    if isinstance(number, bool) or as_int(number) < 2:
        raise ChunkError(f"split_every must be at least 2 blocks, not {number!r}")
    return as_int(number)


def axis_groups(n_blocks: int, split_every: int) -> tuple[range, ...]:
    """Group the blocks of one axis, at most `split_every` at a time and as evenly as possible.

    Examples
    --------
    >>> axis_groups(9, 8)
    (range(0, 5), range(5, 9))
    """
    n_groups = -(-n_blocks // split_every)
    size, larger = divmod(n_blocks, max(1, n_groups))
    starts = [group * size + min(group, larger) for group in range(n_groups + 1)]
    return tuple(range(starts[i], starts[i + 1]) for i in range(n_groups))


def levels(numblocks: tuple[int, ...], split_every: Mapping[int, int]) -> list[tuple[int, ...]]:
    """Return the number of blocks along each axis after every level of the tree.

    Parameters
    ----------
    numblocks : tuple of int
        Blocks of the input along each axis.
    split_every : mapping from reduced axis to int
        From `split_every_per_axis`.

    Returns
    -------
    list of tuple of int
        The last has one block along every reduced axis. A single level where there is one block
        already: it finalizes.

    Examples
    --------
    >>> levels((20, 3), {0: 4})
    [(5, 3), (2, 3), (1, 3)]
    """
    steps = [_combined(numblocks, split_every)]
    while any(steps[-1][axis] > 1 for axis in split_every):
        steps.append(_combined(steps[-1], split_every))
    return steps


def _combined(numblocks: tuple[int, ...], split_every: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(-(-n // split_every.get(axis, 1)) for axis, n in enumerate(numblocks))


def groups(
    numblocks: tuple[int, ...], split_every: Mapping[int, int]
) -> Iterator[tuple[tuple[int, ...], list[tuple[int, ...]]]]:
    """Walk over the blocks of the next level with the blocks that each combines.

    Yields
    ------
    out_index, in_indices
        Both in C order, so that first occurrences stay first.

    Examples
    --------
    >>> list(groups((3, 1), {0: 2}))
    [((0, 0), [(0, 0), (1, 0)]), ((1, 0), [(2, 0)])]
    """
    along = [axis_groups(n, split_every.get(axis, 1)) for axis, n in enumerate(numblocks)]
    for out_index in product(*(range(len(ranges)) for ranges in along)):
        yield out_index, list(product(*(r[i] for r, i in zip(along, out_index, strict=True))))


def n_combines(numblocks: tuple[int, ...], split_every: Mapping[int, int]) -> int:
    """Return the number of combining tasks of the whole tree.

    Examples
    --------
    >>> n_combines((20, 3), {0: 4})
    24
    """
    return sum(map(prod, levels(numblocks, split_every)))
