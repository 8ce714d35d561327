"""Grids in which every block of an array reshapes on its own.

In C order a reshape cuts the axes into groups of equal product: within a group axes are merged,
split, or both. A block reshapes on its own when it is one run of its group: single positions on
some leading axes, a part of the next, and all of the rest. Blocks keep their number in C order.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm, prod
from operator import index as as_int
from typing import NamedTuple

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Chunks, Shape, Size, Unknown, is_known
from gpuscale.chunks.blocks import KnownChunks, known_sizes, merge_sizes, uniform_sizes

__all__ = ["ReshapeStep", "plan_reshape", "resolve_shape"]


class ReshapeStep(NamedTuple):
    """One blockwise reshape: rechunk to `chunks_in`, then reshape block by block.

    The block of number k in C order of the input grid becomes block k of the output grid.
    """

    chunks_in: Chunks
    shape: Shape
    chunks_out: Chunks


class _Group(NamedTuple):
    """Axes that hold the same elements before and after."""

    old: tuple[int, ...]
    new: tuple[int, ...]


def plan_reshape(old_shape: Shape, new_shape: Sequence[Size], chunks: Chunks) -> list[ReshapeStep]:
    """Return the blockwise reshapes that lead from one shape to another.

    Blocks hold about as many elements as before. Axes that are merged and split at once, such
    as (6, 35) to (21, 10), go through one flat axis when their common runs are longer than a
    block; that takes two steps.

    Parameters
    ----------
    old_shape : Shape
        Shape of the array. An axis of unknown length can only be kept.
    new_shape : sequence of int
        Shape wanted; one -1 is worked out.
    chunks : Chunks
        Chunks of the array.

    Returns
    -------
    list of ReshapeStep
        Empty if the shape stays, else one or two steps.

    Raises
    ------
    ValueError
        If the shapes have different sizes.
    UnknownSizeError
        If an axis of unknown length would be merged or split.

    Notes
    -----
    For the idea of merging and splitting runs see ``dask.array.reshape.reshape_rechunk``.

    Examples
    --------
    >>> plan_reshape((4, 6), (24,), ((2, 2), (3, 3)))
    [ReshapeStep(chunks_in=((1, 1, 1, 1), (6,)), shape=(24,), chunks_out=((6, 6, 6, 6),))]
    >>> step, = plan_reshape((4, 6), (4, 3, -1), ((2, 2), (4, 2)))
    >>> step.chunks_in, step.chunks_out
    (((2, 2), (4, 2)), ((2, 2), (2, 1), (2,)))
    """
    target = resolve_shape(old_shape, new_shape)
    if target == tuple(old_shape):
        return []
    if 0 in target:  # no elements, no order: one empty block
        whole = tuple((length,) for length in old_shape)
        return [ReshapeStep(whole, target, tuple((length,) for length in target))]
    groups = _groups(old_shape, target)
    grids = [_reshape_group(group, old_shape, target, chunks) for group in groups]
    if None not in grids:
        return [_step(groups, grids, old_shape, target)]
    return _through_flat(groups, old_shape, target, chunks)


def resolve_shape(old_shape: Shape, new_shape: Sequence[Size]) -> Shape:
    """Return the new shape with its -1 worked out.

    Raises
    ------
    ValueError
        If the shape does not fit, with NumPy's words.
    UnknownSizeError
        If that cannot be known.

    Examples
    --------
    >>> resolve_shape((4, 6), (3, -1))
    (3, 8)
    """
    new = tuple(length if isinstance(length, Unknown) else as_int(length) for length in new_shape)
    known_new = [length for length in new if not isinstance(length, Unknown)]
    if any(length < -1 for length in known_new):
        raise ValueError(f"negative dimensions are not allowed: {new}")
    if known_new.count(-1) > 1:
        raise ValueError("can only specify one unknown dimension")
    unknown_old = [length for length in old_shape if isinstance(length, Unknown)]
    for length in new:
        if isinstance(length, Unknown):
            if length not in unknown_old:
                raise _cannot_tell(old_shape, new)
            unknown_old.remove(length)
    size = prod(length for length in old_shape if not isinstance(length, Unknown))
    rest = prod(length for length in known_new if length != -1)
    if unknown_old:
        if len(unknown_old) > 1 or -1 not in known_new or size != rest:
            raise _cannot_tell(old_shape, new)
        return tuple(unknown_old[0] if length == -1 else length for length in new)
    fits = (rest and size % rest == 0) if -1 in known_new else size == rest
    if not fits:
        wanted = str(new).replace("-1", "newaxis").replace(" ", "")
        raise ValueError(f"cannot reshape array of size {size} into shape {wanted}")
    return tuple(size // rest if length == -1 else length for length in new)


def _cannot_tell(old_shape: Shape, new_shape: Shape) -> UnknownSizeError:
    return UnknownSizeError(
        f"cannot reshape {old_shape} into {new_shape}: a length depends on data and is not "
        "computed yet; call x.compute_chunk_sizes() first"
    )


def _groups(old: Shape, new: Shape) -> list[_Group]:
    """Pair the shortest runs of axes with equal products; axes of length 1 are left out."""
    rest = [[a for a, length in enumerate(shape) if length != 1][::-1] for shape in (old, new)]
    groups = []
    while rest[0] and rest[1]:
        axes: tuple[list[int], list[int]] = [rest[0].pop()], [rest[1].pop()]
        if old[axes[0][0]] != new[axes[1][0]]:
            _extend(axes, rest, old, new)
        groups.append(_Group(tuple(axes[0]), tuple(axes[1])))
    return groups


def _extend(
    axes: tuple[list[int], list[int]], rest: list[list[int]], old: Shape, new: Shape
) -> None:
    """Add axes to the side with the smaller product until both are equal."""
    while True:
        lengths = [old[a] for a in axes[0]], [new[a] for a in axes[1]]
        if not (is_known(lengths[0]) and is_known(lengths[1])):
            raise _cannot_tell(old, new)
        products = prod(lengths[0]), prod(lengths[1])
        if products[0] == products[1]:
            return
        side = 0 if products[0] < products[1] else 1
        axes[side].append(rest[side].pop())


def _step(
    groups: list[_Group], grids: Sequence[tuple[Chunks, Chunks] | None], old: Shape, new: Shape
) -> ReshapeStep:
    """Put the grids of the groups together; axes of length 1 have one block."""
    chunks_in: list[tuple[Size, ...]] = [(1,)] * len(old)
    chunks_out: list[tuple[Size, ...]] = [(1,)] * len(new)
    for group, grid in zip(groups, grids, strict=True):
        assert grid is not None
        for chunks, axes, sizes in zip((chunks_in, chunks_out), group, grid, strict=True):
            for axis, each in zip(axes, sizes, strict=True):
                chunks[axis] = each
    return ReshapeStep(tuple(chunks_in), new, tuple(chunks_out))


def _through_flat(
    groups: list[_Group], old: Shape, new: Shape, chunks: Chunks
) -> list[ReshapeStep]:
    """Make each group with several axes on both sides one flat axis first."""
    middle: list[Size] = []
    first: list[_Group] = []
    for group in groups:
        flat = len(group.old) > 1 and len(group.new) > 1
        lengths = [prod(old[a] for a in group.old)] if flat else [new[a] for a in group.new]
        first.append(_Group(group.old, tuple(range(len(middle), len(middle) + len(lengths)))))
        middle += lengths
    grids = [_reshape_group(group, old, tuple(middle), chunks) for group in first]
    step = _step(first, grids, old, tuple(middle))
    return [step, *plan_reshape(step.shape, new, step.chunks_out)]


def _reshape_group(
    group: _Group, old_shape: Shape, new_shape: Shape, chunks: Chunks
) -> tuple[Chunks, Chunks] | None:
    """Return the grids of one group before and after, or None if it needs a flat axis."""
    if len(group.old) == len(group.new) == 1:
        sizes = chunks[group.old[0]]
        return (sizes,), (sizes,)
    old = known_sizes(tuple(old_shape[axis] for axis in group.old))
    new = known_sizes(tuple(new_shape[axis] for axis in group.new))
    before = tuple(known_sizes(chunks[axis]) for axis in group.old)
    volume = max(1, prod(map(max, before)))
    run = lcm(prod(old[1:]), prod(new[1:]))
    if run <= volume:
        runs = _runs(run, volume, old, before)
        return _cut_level(old, 0, runs), _cut_level(new, 0, runs)
    if len(new) == 1:
        level = _level(old, volume)
        runs = _runs_of_axis(old, level, volume, before[level])
    elif len(old) == 1:
        level = _level(new, volume)
        runs = _repeated(new, level, before[0]) or _runs_of_axis(new, level, volume, ())
    else:
        return None
    whole = (runs * (prod(old) // sum(runs)),)
    if len(new) == 1:
        return _cut_level(old, level, runs), whole
    return whole, _cut_level(new, level, runs)


def _level(lengths: tuple[int, ...], volume: int) -> int:
    """Return the first axis a single position of which is no larger than a block."""
    return next(a for a in range(len(lengths)) if prod(lengths[a + 1 :]) <= volume)


def _cut_level(lengths: tuple[int, ...], level: int, runs: tuple[int, ...]) -> KnownChunks:
    """Return the grid that cuts one axis into runs: single positions before it, all after."""
    position = prod(lengths[level + 1 :])
    return (
        *((1,) * length for length in lengths[:level]),
        tuple(run // position for run in runs),
        *((length,) for length in lengths[level + 1 :]),
    )


def _runs(run: int, volume: int, lengths: tuple[int, ...], before: KnownChunks) -> tuple[int, ...]:
    """Cut all elements into multiples of `run`, where they are cut already if that is possible."""
    position = prod(lengths[1:])
    kept = tuple(size * position for size in before[0] if size)
    if all(len(sizes) == 1 for sizes in before[1:]) and all(size % run == 0 for size in kept):
        return kept
    return tuple(n * run for n in uniform_sizes(prod(lengths) // run, volume // run))


def _runs_of_axis(
    lengths: tuple[int, ...], level: int, volume: int, before: tuple[int, ...]
) -> tuple[int, ...]:
    """Cut one axis into runs of at most `volume`, where it is cut already if that is possible."""
    position = prod(lengths[level + 1 :])
    size = volume // position
    if before and max(before) <= size:
        return tuple(n * position for n in merge_sizes(before, size))
    return tuple(n * position for n in uniform_sizes(lengths[level], size))


def _repeated(
    lengths: tuple[int, ...], level: int, before: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Return the runs that a flat axis repeats already, as it does after a merge."""
    position = prod(lengths[level + 1 :])
    period, n_runs = position * lengths[level], 0
    total = 0
    while total < period and n_runs < len(before):
        total += before[n_runs]
        n_runs += 1
    runs = before[:n_runs]
    same = total == period and runs * prod(lengths[:level]) == before
    return runs if same and all(run and run % position == 0 for run in runs) else None
