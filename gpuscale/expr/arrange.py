"""Apply the local part of an affine view to one chunk, without copying."""

from __future__ import annotations

from typing import Any

from gpuscale.base.types import Unknown

__all__ = ["LocalAxis", "arrange", "forward_slice"]

LocalAxis = tuple["int | None", int, int]
"""(axis of the iteration space or None for a constant, local start, step)."""


def forward_slice(start: int, step: int, length: int) -> slice:
    """Slice of ``length`` elements from ``start`` by ``step``, which may be negative.

    Examples
    --------
    >>> list(range(10))[forward_slice(2, -1, 3)]
    [2, 1, 0]
    """
    stop = start + step * length
    return slice(start, None if stop < 0 else stop, step)


def arrange(chunk: Any, axes: tuple[LocalAxis, ...], shape: tuple[int, ...]) -> Any:
    """Return the chunk as seen from a block of the iteration space.

    Parameters
    ----------
    chunk : array
    axes : tuple of LocalAxis
        One for each axis of the chunk. Two may name the same axis: the diagonal.
    shape : tuple of int
        Shape of the block; axes that nothing refers to get length 1, ready to broadcast. An axis
        whose length depends on data is seen whole, since no view can cut it.
    """
    index = tuple(
        start
        if axis is None
        else slice(None)
        if isinstance(shape[axis], Unknown)
        else forward_slice(start, step, shape[axis])
        for axis, start, step in axes
    )
    view = chunk[(*index, ...)] if any(i != slice(None) for i in index) else chunk  # no scalar
    present = [axis for axis, _, _ in axes if axis is not None]
    while len(set(present)) < len(present):
        view, present = _diagonal(view, present)
    order = sorted(range(len(present)), key=present.__getitem__)
    if order != list(range(len(order))):
        view = view.transpose(order)
    if len(present) < len(shape):
        kept = set(present)
        view = view[tuple(slice(None) if a in kept else None for a in range(len(shape)))]
    return view


def _diagonal(view: Any, present: list[int]) -> tuple[Any, list[int]]:
    first = next(k for k, axis in enumerate(present) if axis in present[k + 1 :])
    second = present.index(present[first], first + 1)
    rest = [axis for k, axis in enumerate(present) if k not in (first, second)]
    return view.diagonal(0, first, second), [*rest, present[first]]
