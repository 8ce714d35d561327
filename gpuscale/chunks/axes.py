"""Axis numbers: negative ones counted from the end, checked with NumPy's errors."""

from __future__ import annotations

from collections.abc import Iterable
from operator import index as as_int
from typing import Any

from numpy.exceptions import AxisError

__all__ = ["at_axis", "listed_axes", "normalize_axes", "normalize_axis"]


def normalize_axis(axis: int, ndim: int) -> int:
    """Return `axis` as a number in ``range(ndim)``.

    Raises
    ------
    numpy.exceptions.AxisError
        If the axis does not exist.
    TypeError
        If it is no integer, or one that is not known yet.

    Examples
    --------
    >>> normalize_axis(-1, 3)
    2
    """
    number = _known(axis)
    if not -ndim <= number < ndim:
        raise AxisError(number, ndim)
    return number % ndim if ndim else number


def normalize_axes(axes: int | Iterable[int] | None, ndim: int) -> tuple[int, ...]:
    """Return several axes as distinct numbers in ``range(ndim)``, in the given order.

    Parameters
    ----------
    axes : int, iterable of int, or None
        None stands for all axes.
    ndim : int
        Number of dimensions.

    Raises
    ------
    numpy.exceptions.AxisError
        If an axis does not exist.
    ValueError
        If an axis is named twice.
    TypeError
        If they are no integers, or such as are not known yet.

    Examples
    --------
    >>> normalize_axes((-1, 0), 3), normalize_axes(None, 2), normalize_axes(1, 2)
    ((2, 0), (0, 1), (1,))
    """
    if axes is None:
        return tuple(range(ndim))
    numbers = tuple(normalize_axis(axis, ndim) for axis in listed_axes(axes))
    if len(set(numbers)) != len(numbers):
        raise ValueError("repeated axis")
    return numbers


def _known(axis: Any) -> int:
    try:
        return as_int(axis)
    except TypeError as error:  # which says, of a lazy value, how to get what it will be
        raise TypeError(f"an axis must be an integer that is known by now: {error}") from None


def listed_axes(axes: Any) -> tuple[Any, ...]:
    """Return one axis or several as a tuple; they are not looked at."""
    try:
        return tuple(axes)
    except TypeError:  # also of lazy values, which have the methods of iterables
        return (axes,)


def at_axis(axis: int, part: Any) -> tuple[Any, ...]:
    """Return the index of a part of one axis, and of all of the others.

    Examples
    --------
    >>> at_axis(1, slice(2))
    (slice(None, None, None), slice(None, 2, None))
    """
    return (*(slice(None),) * axis, part)
