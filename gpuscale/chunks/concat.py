"""Grids of arrays laid side by side: concatenate, stack and nested blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Chunks, Shape, Size, Unknown, is_known
from gpuscale.chunks.axes import normalize_axis
from gpuscale.chunks.broadcast import unify_sizes

__all__ = ["ConcatPlan", "nesting_depth", "plan_concatenate", "plan_stack"]


class ConcatPlan(NamedTuple):
    """Where the blocks of a concatenation come from.

    `chunks_in` holds the chunks that every array needs first; `sources` says for each output
    block along the axis which array it comes from, and which block along that array's axis
    (for a stack, whose axis the arrays lack, that is 0).
    """

    shape: Shape
    chunks: Chunks
    chunks_in: tuple[Chunks, ...]
    sources: tuple[tuple[int, int], ...]


def plan_concatenate(arrays: Sequence[tuple[Chunks, Shape]], axis: int) -> ConcatPlan:
    """Plan a concatenation along an axis that all arrays have.

    Parameters
    ----------
    arrays : sequence of (chunks, shape)
        At least one array.
    axis : int
        Axis along which they are joined; blocks of length 0 along it are left out.

    Raises
    ------
    ValueError
        If there is no array, or the shapes differ elsewhere.
    numpy.exceptions.AxisError
        If the axis does not exist.
    UnknownSizeError
        If the arrays have different axes of unknown size.

    Examples
    --------
    >>> plan = plan_concatenate([(((2, 2), (3,)), (4, 3)), (((1,), (2, 1)), (1, 3))], 0)
    >>> plan.chunks, plan.sources
    (((2, 2, 1), (2, 1)), ((0, 0), (0, 1), (1, 0)))
    """
    if not arrays:
        raise ValueError("need at least one array to concatenate")
    shapes = [shape for _, shape in arrays]
    if () in shapes:
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    axis = normalize_axis(axis, len(shapes[0]))
    _check_shapes(shapes, axis)
    common = _common_grid(arrays, skip=axis)
    pieces = [
        (size, (number, block))
        for number, (chunks, _) in enumerate(arrays)
        for block, size in enumerate(chunks[axis])
    ]
    joined = [piece for piece in pieces if piece[0] != 0] or pieces[:1]
    length = _total([shape[axis] for shape in shapes])
    sizes = tuple(size for size, _ in joined)
    return ConcatPlan(
        (*shapes[0][:axis], length, *shapes[0][axis + 1 :]),
        (*common[:axis], sizes, *common[axis + 1 :]),
        tuple((*common[:axis], chunks[axis], *common[axis + 1 :]) for chunks, _ in arrays),
        tuple(source for _, source in joined),
    )


def _check_shapes(shapes: Sequence[Shape], axis: int) -> None:
    """Refuse shapes that differ off the axis, in NumPy's words."""
    first = shapes[0]
    for number, shape in enumerate(shapes):
        if len(shape) != len(first):
            raise ValueError(
                "all the input arrays must have same number of dimensions, but the array at "
                f"index 0 has {len(first)} dimension(s) and the array at index {number} has "
                f"{len(shape)} dimension(s)"
            )
        for other, (a, b) in enumerate(zip(first, shape, strict=True)):
            if other == axis or a == b:
                continue
            if isinstance(a, Unknown) or isinstance(b, Unknown):
                raise UnknownSizeError(
                    f"cannot tell whether the arrays at index 0 and {number} agree along "
                    f"dimension {other}: a length depends on data and is not computed yet; "
                    "call x.compute_chunk_sizes() first"
                )
            raise ValueError(
                "all the input array dimensions except for the concatenation axis must match "
                f"exactly, but along dimension {other}, the array at index 0 has size {a} and "
                f"the array at index {number} has size {b}"
            )


def _common_grid(arrays: Sequence[tuple[Chunks, Shape]], skip: int | None = None) -> Chunks:
    """Return the grid that all arrays share, off the axis to skip."""
    ndim = len(arrays[0][1])
    different = [
        list(dict.fromkeys(chunks[a] for chunks, _ in arrays)) if a != skip else [(0,)]
        for a in range(ndim)
    ]
    return unify_sizes(different)


def _total(lengths: Sequence[Size]) -> Size:
    if is_known(lengths):
        return sum(lengths)
    if len(lengths) == 1:
        return lengths[0]
    # Equal parts make equal wholes, so that results of one concatenation stay aligned.
    parts = [each.token if isinstance(each, Unknown) else str(each) for each in lengths]
    return Unknown(f"concatenate({','.join(parts)})", -1)


def plan_stack(arrays: Sequence[tuple[Chunks, Shape]], axis: int) -> ConcatPlan:
    """Plan a stack along a new axis, on which every array is one block.

    Raises
    ------
    ValueError
        If there is no array, or the shapes differ.
    numpy.exceptions.AxisError
        If the axis cannot exist in the result.
    UnknownSizeError
        If the arrays have different axes of unknown size.

    Examples
    --------
    >>> plan = plan_stack([(((2, 2),), (4,)), (((4,),), (4,))], -1)
    >>> plan.shape, plan.chunks, plan.chunks_in[1]
    ((4, 2), ((2, 2), (1, 1)), ((2, 2),))
    """
    if not arrays:
        raise ValueError("need at least one array to stack")
    shape = arrays[0][1]
    for _, other in arrays:
        if len(other) == len(shape) and not (is_known(shape) and is_known(other)):
            _check_shapes([shape, other], axis=-1)
        if other != shape:
            raise ValueError(f"all input arrays must have the same shape, not {shape} and {other}")
    axis = normalize_axis(axis, len(shape) + 1)
    common = _common_grid(arrays)
    n = len(arrays)
    return ConcatPlan(
        (*shape[:axis], n, *shape[axis:]),
        (*common[:axis], (1,) * n, *common[axis:]),
        (common,) * n,
        tuple((number, 0) for number in range(n)),
    )


def nesting_depth(arrays: Any) -> int:
    """Return how deep the lists of a block layout are nested; all must be equally deep.

    Raises
    ------
    ValueError
        If a list is empty or depths differ.
    TypeError
        If a tuple is used in place of a list.

    Examples
    --------
    >>> nesting_depth([[1, 2], [3, 4]]), nesting_depth(1)
    (2, 0)
    """
    return _depth(arrays, "arrays")


def _depth(arrays: Any, name: str) -> int:
    if isinstance(arrays, tuple):
        raise TypeError(
            f"{name} is a tuple. Only lists can be used to arrange blocks; write [...] instead"
        )
    if not isinstance(arrays, list):
        return 0
    if not arrays:
        raise ValueError(f"List at {name} cannot be empty")
    depths = [_depth(item, f"{name}[{number}]") for number, item in enumerate(arrays)]
    for number, depth in enumerate(depths):
        if depth != depths[0]:
            raise ValueError(
                f"List depths are mismatched. First element was at depth {depths[0] + 1}, but "
                f"there is an element at depth {depth + 1} ({name}[{number}])"
            )
    return depths[0] + 1
