"""One shape and one grid for operands of several shapes and grids."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Chunks, Shape, Size, Unknown, is_known
from gpuscale.chunks.blocks import offsets

__all__ = ["broadcast_shapes", "refine_sizes", "unify_chunks", "unify_sizes"]

# The common refinement only cuts blocks into views, but every block costs a task: it is worth
# having while it has at most this many times the blocks of the finest operand.
_REFINE_AT_MOST = 2
# Blocks smaller than the largest by this factor are not worth a task.
_SLIVER = 16


def broadcast_shapes(*shapes: Shape) -> Shape:
    """Return the shape that the shapes broadcast to.

    Raises
    ------
    ValueError
        If they do not broadcast.
    UnknownSizeError
        If that depends on sizes which are not computed yet.

    Examples
    --------
    >>> broadcast_shapes((3, 1), (4,), ())
    (3, 4)
    """
    ndim = max(map(len, shapes), default=0)
    return tuple(
        _broadcast_axis(axis, [s[axis - ndim] for s in shapes if len(s) >= ndim - axis], shapes)
        for axis in range(ndim)
    )


def _broadcast_axis(axis: int, lengths: Sequence[Size], shapes: Sequence[Shape]) -> Size:
    longer = {length for length in lengths if length != 1}
    if len(longer) < 2:
        return longer.pop() if longer else 1
    if any(isinstance(length, Unknown) for length in longer):
        raise UnknownSizeError(
            f"cannot align axis {axis} of operands with shapes {_list(shapes)}: a length depends "
            "on data and is not computed yet; call x.compute_chunk_sizes() first"
        )
    raise ValueError(f"operands could not be broadcast together with shapes {_list(shapes)}")


def _list(shapes: Sequence[Shape]) -> str:
    return " ".join(str(shape).replace(" ", "") for shape in shapes)


def unify_chunks(*operands: tuple[Chunks, Shape]) -> Chunks:
    """Return the grid in which operands of any broadcastable shapes are combined.

    Grids that agree are kept. Else each axis is cut wherever an operand is, as long as that does
    not multiply the number of blocks or leave slivers; else it follows an operand with many blocks
    and few slivers.

    Parameters
    ----------
    *operands : (chunks, shape)
        Chunks and shape of each operand; an axis of length 1 follows the others.

    Returns
    -------
    Chunks
        Chunks of the broadcast shape.

    Raises
    ------
    ValueError
        If the shapes do not broadcast.
    UnknownSizeError
        If blocks of unknown size would have to be cut.

    Examples
    --------
    >>> unify_chunks((((2, 2), (3,)), (4, 3)), (((3,),), (3,)))
    ((2, 2), (3,))
    >>> unify_chunks((((4, 2),), (6,)), (((3, 3),), (6,)))
    ((3, 1, 2),)
    """
    with_axes = [each for each in operands if each[1]]
    if with_axes and all(each == with_axes[0] for each in with_axes):
        return with_axes[0][0]  # most often
    shape = broadcast_shapes(*(shape for _, shape in operands))
    ndim = len(shape)
    candidates: list[list[tuple[Size, ...]]] = [[] for _ in shape]
    for chunks, lengths in operands:
        for axis, (sizes, length) in enumerate(
            zip(chunks, lengths, strict=True), ndim - len(lengths)
        ):
            if length == shape[axis] and sizes not in candidates[axis]:
                candidates[axis].append(sizes)
    return unify_sizes(candidates)


def unify_sizes(candidates: Sequence[Sequence[tuple[Size, ...]]]) -> Chunks:
    """Choose the sizes along each axis from those that the operands have there.

    Parameters
    ----------
    candidates : sequence of sequences of sizes
        Per axis the different sizes of the operands, at least one.

    Examples
    --------
    >>> unify_sizes([[(4, 2), (3, 3)], [(5,)]])
    ((3, 1, 2), (5,))
    """
    for axis, different in enumerate(candidates):
        if len(different) > 1 and not all(map(is_known, different)):
            raise UnknownSizeError(
                f"the operands have different blocks along axis {axis}, some of a size that "
                "depends on data and is not computed yet; call x.compute_chunk_sizes() first"
            )
    finest = [_finest(different) for different in candidates]
    refined = [
        different[0] if len(different) == 1 else refine_sizes(*different)
        for different in candidates
    ]
    refined = [
        finest[axis] if _n_slivers(sizes) > _n_slivers(finest[axis]) else sizes
        for axis, sizes in enumerate(refined)
    ]
    cheap = prod(map(len, refined)) <= _REFINE_AT_MOST * prod(map(len, finest))
    return tuple(refined if cheap else finest)


def _finest(different: Sequence[tuple[Size, ...]]) -> tuple[Size, ...]:
    """Choose sizes with many blocks; not those with slivers, or loops would add some each time."""
    most = max(map(len, different))
    fine = [sizes for sizes in different if 2 * len(sizes) >= most]
    return min(fine, key=lambda sizes: (_n_slivers(sizes), -len(sizes)))


def _n_slivers(sizes: tuple[Size, ...]) -> int:
    """Blocks that are tiny beside the largest: what slices by a few elements leave."""
    if not is_known(sizes):
        return 0
    largest = max(sizes, default=0)
    return sum(_SLIVER * size < largest for size in sizes)


def refine_sizes(*sizes: tuple[Size, ...]) -> tuple[int, ...]:
    """Cut one axis wherever any of the given chunkings cuts it.

    Examples
    --------
    >>> refine_sizes((4, 2), (3, 3))
    (3, 1, 2)
    """
    cuts = sorted(set().union(*(offsets(each) for each in sizes)))
    return tuple(stop - start for start, stop in pairwise(cuts)) or (0,)
