"""Gradients by differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpuscale.array.api.index_functions import computed
from gpuscale.array.api.joining import concatenate
from gpuscale.array.api.viewing import view
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array, placed
from gpuscale.chunks.axes import at_axis, normalize_axes

__all__ = ["gradient"]


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Gradient by central differences inside and one-sided ones at the edges.

    Parameters
    ----------
    f : array
    *varargs : number or array with one axis
        Spacing: one for all axes, or one for each, or the coordinates along each.
    axis : int or tuple of int, optional
        All axes by default.
    edge_order : {1, 2}
        Accuracy at the edges.

    Returns
    -------
    Array, or tuple of Array
        One for each axis.

    Raises
    ------
    ValueError
        If an axis is too short, or the spacings do not fit.
    """
    f = as_array(f)
    axes = normalize_axes(axis, f.ndim)
    if edge_order not in (1, 2):
        raise ValueError("'edge_order' greater than 2 not supported")
    spacings = _spacings(varargs, axes, f)
    if f.dtype.kind == "M":
        f = view(f, f.dtype.str.replace("M", "m"))  # differences of dates are durations
    f = f.astype(np.float64) if f.dtype.kind in "iuO" else f
    results = []
    for number, spacing in zip(axes, spacings, strict=True):
        if f.shape[number] < edge_order + 1:
            raise ValueError(
                "Shape of array too small to calculate a numerical gradient, at least "
                "(edge_order + 1) elements are required."
            )
        results.append(_gradient_axis(f, number, spacing, edge_order))
    return results[0] if len(results) == 1 else tuple(results)


def _spacings(varargs: Sequence[Any], axes: tuple[int, ...], f: Array) -> list[Any]:
    if not varargs:
        return [1.0] * len(axes)
    given = [np.asarray(computed(v)) for v in varargs]
    if len(given) == 1 and given[0].ndim == 0:
        given = given * len(axes)
    if len(given) != len(axes):
        raise TypeError("invalid number of arguments")
    result: list[Any] = []
    for axis, each in zip(axes, given, strict=True):
        if each.ndim == 0:
            result.append(float(each))
            continue
        if each.shape != (f.shape[axis],):
            raise ValueError(
                "when 1d, distances must match the length of the corresponding dimension"
            )
        steps = np.diff(each.astype(float))
        result.append(float(steps[0]) if (steps == steps[0]).all() else steps)
    return result


def _gradient_axis(f: Array, axis: int, spacing: Any, edge_order: int) -> Array:
    def at(start: int | None, stop: int | None) -> Array:
        return f[at_axis(axis, slice(start, stop))]

    uniform = np.ndim(spacing) == 0
    if uniform:
        inner = (at(2, None) - at(None, -2)) / (2.0 * spacing)
        first, last = spacing, spacing
    else:
        left, right = (_along(s, axis, f) for s in (spacing[:-1], spacing[1:]))
        inner = (
            at(None, -2) * (-right / (left * (left + right)))
            + at(1, -1) * ((right - left) / (left * right))
            + at(2, None) * (left / (right * (left + right)))
        )
        first, last = spacing[0], spacing[-1]
    if edge_order == 1:
        head = (at(1, 2) - at(0, 1)) / first
        tail = (at(-1, None) - at(-2, -1)) / last
    else:
        a, b = (spacing, spacing) if uniform else (spacing[0], spacing[1])
        head = (
            at(0, 1) * (-(2.0 * a + b) / (a * (a + b)))
            + at(1, 2) * ((a + b) / (a * b))
            + at(2, 3) * (-a / (b * (a + b)))
        )
        a, b = (spacing, spacing) if uniform else (spacing[-2], spacing[-1])
        tail = (
            at(-3, -2) * (b / (a * (a + b)))
            + at(-2, -1) * (-(b + a) / (a * b))
            + at(-1, None) * ((2.0 * b + a) / (b * (a + b)))
        )
    return concatenate([head, inner, tail], axis)


def _along(values: Any, axis: int, f: Array) -> Array:
    return placed(np.reshape(values, (-1, *(1,) * (f.ndim - axis - 1))), f)
