"""Axis numbers: negative ones counted from the end, checked with NumPy's errors."""

from __future__ import annotations

from collections.abc import Iterable
from operator import index as as_int
from typing import Any

from numpy.exceptions import AxisError

__all__ = ["at_axis", "normalize_axes", "normalize_axis"]


def normalize_axis(axis: int, ndim: int) -> int:
    """Return `axis` as a number in ``range(ndim)``.

    Raises
    ------
    numpy.exceptions.AxisError
        If the axis does not exist.

    Examples
    --------
    >>> normalize_axis(-1, 3)
    2
    """
    number = as_int(axis)
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

    Examples
    --------
    >>> normalize_axes((-1, 0), 3), normalize_axes(None, 2), normalize_axes(1, 2)
    ((2, 0), (0, 1), (1,))
    """
    if axes is None:
        return tuple(range(ndim))
    given = tuple(axes) if isinstance(axes, Iterable) else (axes,)
    numbers = tuple(normalize_axis(axis, ndim) for axis in given)
    if len(set(numbers)) != len(numbers):
        raise ValueError("repeated axis")
    return numbers


def at_axis(axis: int, part: Any) -> tuple[Any, ...]:
    """Return the index of a part of one axis, and of all of the others.

    Examples
    --------
    >>> at_axis(1, slice(2))
    (slice(None, None, None), slice(None, 2, None))
    """
    return (*(slice(None),) * axis, part)
