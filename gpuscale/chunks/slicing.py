"""NumPy's basic indices (integers, slices, ``...``, ``None``) as affine views."""

from __future__ import annotations

from operator import index as as_int
from typing import Any

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Shape, Size, Unknown
from gpuscale.chunks.views import AxisMap, View, make_view

__all__ = ["expand_index", "is_basic_index", "slice_view"]

_VALID = (
    "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or "
    "boolean arrays are valid indices"
)


def is_basic_index(index: Any) -> bool:
    """Say whether an index holds only integers, slices, ``...`` and ``None``.

    Booleans are masks, not integers; arrays, lists and collections are advanced indices.

    Examples
    --------
    >>> is_basic_index((0, slice(None), ..., None)), is_basic_index(True), is_basic_index([0, 1])
    (True, False, False)
    """
    items = index if isinstance(index, tuple) else (index,)
    return all(
        item is None or item is ... or _is_slice(item) or _is_integer(item) for item in items
    )


def _is_slice(item: Any) -> bool:
    """Whether an item is a slice between numbers that the host knows, or may ask for."""
    return isinstance(item, slice) and all(
        end is None or hasattr(end, "__index__") for end in (item.start, item.stop, item.step)
    )


def _is_integer(item: Any) -> bool:
    if isinstance(item, bool) or getattr(item, "ndim", 0) != 0:
        return False
    try:
        as_int(item)
    except TypeError:
        return False
    return True


def expand_index(index: Any, ndim: int) -> tuple[Any, ...]:
    """Write an index out so that it names every axis: no ellipsis, no missing axes.

    Works for advanced indices as well; a boolean mask takes as many axes as it has dimensions.

    Raises
    ------
    IndexError
        If there are two ellipses, or more indices than axes.

    Examples
    --------
    >>> expand_index((0, ..., None), 3)
    (0, slice(None, None, None), slice(None, None, None), None)
    """
    items = index if isinstance(index, tuple) else (index,)
    used = sum(_n_axes(item) for item in items)
    if used > ndim:
        raise IndexError(
            f"too many indices for array: array is {ndim}-dimensional, but {used} were indexed"
        )
    dots = [place for place, item in enumerate(items) if item is ...]
    if len(dots) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    place = dots[0] if dots else len(items)
    rest = (slice(None),) * (ndim - used)
    return (*items[:place], *rest, *items[place + 1 :])


def _n_axes(item: Any) -> int:
    """How many axes of the array an index takes."""
    if item is None or item is ...:
        return 0
    is_mask = isinstance(item, bool) or getattr(getattr(item, "dtype", None), "kind", "") == "b"
    return getattr(item, "ndim", 0) if is_mask else 1


def slice_view(index: Any, shape: Shape) -> View:
    """Return the view that a basic index takes of an array.

    Parameters
    ----------
    index : int, slice, Ellipsis, None, or tuple of these
        What stands between the brackets.
    shape : Shape
        Shape of the array. An axis of unknown length can only be taken whole.

    Raises
    ------
    IndexError
        If an integer is out of bounds, there are too many indices, or one is not basic.
    UnknownSizeError
        If an axis of unknown length is cut.

    Examples
    --------
    >>> slice_view((slice(None, None, -2), 1, None), (5, 3))
    View(axes=((0, 4, -2), (None, 1, 0)), shape=(3, 1))
    """
    axes: list[AxisMap] = []
    lengths: list[Size] = []
    for item in expand_index(index, len(shape)):
        if item is None:
            lengths.append(1)
            continue
        length = shape[len(axes)]
        if isinstance(item, slice):
            start, step, n_taken = _slice_axis(item, length, len(axes))
            axes.append((len(lengths), start, step))
            lengths.append(n_taken)
        elif _is_integer(item):
            axes.append((None, _position(as_int(item), length, len(axes)), 0))
        else:
            raise IndexError(_VALID)
    return make_view(axes, tuple(lengths))


def _slice_axis(item: slice, length: Size, axis: int) -> tuple[int, int, Size]:
    """Return start, step and number of positions that a slice takes of an axis."""
    if isinstance(length, Unknown):
        if item.start in (None, 0) and item.stop is None and item.step in (None, 1):
            return 0, 1, length
        raise _unknown(axis)
    start, stop, step = item.indices(length)
    return start, step, len(range(start, stop, step))


def _position(number: int, length: Size, axis: int) -> int:
    if isinstance(length, Unknown):
        raise _unknown(axis)
    if not -length <= number < length:
        raise IndexError(f"index {number} is out of bounds for axis {axis} with size {length}")
    return number % length


def _unknown(axis: int) -> UnknownSizeError:
    return UnknownSizeError(
        f"cannot index axis {axis}: its length depends on data and is not computed yet; "
        "call x.compute_chunk_sizes() first"
    )
