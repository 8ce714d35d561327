"""Functions that are known at points: coarser, between the points, integrated, continued."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gpuscale.array.api.elementwise import where
from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.joining import concatenate
from gpuscale.array.api.reductions import sum as _sum
from gpuscale.array.api.scanning import cumsum, diff
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array, as_arrays, as_given
from gpuscale.array.ufunc import call
from gpuscale.backends.seams import array_namespace
from gpuscale.chunks.axes import at_axis, normalize_axis

__all__ = ["coarsen", "interp", "trapezoid", "unwrap"]


def coarsen(
    reduction: Callable[..., Any],
    x: Any,
    axes: Mapping[int, int],
    trim_excess: bool = False,
    **kwargs: Any,
) -> Array:
    """Reduce cells of neighbouring elements to one element each.

    Parameters
    ----------
    reduction : callable
        Called on blocks as ``reduction(block, axis=axes, **kwargs)``: `numpy.sum` and the like.
    x : array
    axes : dict of int to int
        Lengths of the cells along some axes.
    trim_excess : bool
        Leave out elements at the end that fill no cell.
    **kwargs
        Passed to the reduction.

    Raises
    ------
    ValueError
        If cells do not fit and ``trim_excess`` is not set, or an axis does not exist.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.coarsen(np.sum, ga.arange(6, chunks=4), {0: 2}).compute()
    array([1, 5, 9])
    """
    x = as_array(x).compute_chunk_sizes()
    cells = {normalize_axis(axis, x.ndim): int(n) for axis, n in axes.items()}
    if any(n < 1 for n in cells.values()):
        raise ValueError(f"cells must have at least one element, got {dict(axes)}")
    excess = {axis: x.shape[axis] % n for axis, n in cells.items()}
    if any(excess.values()) and not trim_excess:
        raise ValueError(
            f"cells {dict(axes)} do not divide shape {x.shape}; pass trim_excess=True to leave out "
            "what is left at the end"
        )
    x = x[tuple(slice(x.shape[k] - excess.get(k, 0)) for k in range(x.ndim))]
    x = x.rechunk({axis: _whole_cells(x.chunks[axis], n) for axis, n in cells.items()})
    chunks = tuple(
        tuple(size // cells.get(axis, 1) for size in sizes) for axis, sizes in enumerate(x.chunks)
    )
    lengths = tuple(cells.get(axis, 1) for axis in range(x.ndim))
    name = getattr(reduction, "__name__", "reduction")
    ours = getattr(reduction, "__module__", "").startswith("gpuscale.array")
    function = name if ours else reduction
    return map_blocks(
        _coarsen, x, function=function, lengths=lengths, options=kwargs, chunks=chunks,
        dtype=_coarse_dtype(function, x.dtype, kwargs), name=f"coarsen {name}",
    )  # fmt: skip


def _whole_cells(sizes: tuple[int, ...], n: int) -> tuple[int, ...]:
    """Move the ends of blocks so that no cell is cut."""
    ends = sorted({int(end) // n * n for end in np.cumsum(sizes)} - {0}) or [0]
    return tuple(np.diff([0, *ends]).tolist())


def _coarsen(chunk: Any, function: Any, lengths: tuple[int, ...], options: dict[str, Any]) -> Any:
    if isinstance(function, str):
        function = getattr(array_namespace(chunk), function)
    pairs = zip(chunk.shape, lengths, strict=True)
    split = chunk.reshape([n for length, cell in pairs for n in (length // cell, cell)])
    return function(split, axis=tuple(range(1, 2 * chunk.ndim, 2)), **options)


def _coarse_dtype(function: Any, dtype: np.dtype[Any], options: dict[str, Any]) -> np.dtype[Any]:
    if isinstance(function, str):
        function = getattr(np, function)
    return np.asarray(function(np.ones((1, 1), dtype), axis=(1,), **options)).dtype


def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Array:
    """Integrate along an axis by the trapezoidal rule.

    Parameters
    ----------
    y : array
        Values.
    x : array, optional
        Points, one-dimensional or of the shape of ``y``.
    dx : float
        Distance of the points where they are not given.
    axis : int

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.trapezoid(ga.asarray([1, 2, 3], chunks=2), x=[4, 6, 8]).compute()
    np.float64(8.0)
    """
    y, points = as_given((y, x), "trapezoid")
    y = y.compute_chunk_sizes()
    axis = normalize_axis(axis, y.ndim)
    middle = (y[at_axis(axis, slice(1, None))] + y[at_axis(axis, slice(None, -1))]) / 2.0
    if points is None:
        return _sum(middle * dx, axis)
    steps = diff(points, axis=axis if points.ndim == y.ndim else -1)
    if points.ndim == 1 < y.ndim:
        steps = steps[(slice(None), *(None,) * (y.ndim - axis - 1))]
    return _sum(middle * steps, axis)


def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None
) -> Array:
    """Interpolate linearly between points.

    Parameters
    ----------
    x : array
        Where to interpolate.
    xp, fp : array with one axis
        Points, ascending, and values there; each task gets all of them.
    left, right : number, optional
        Values before the first and behind the last point; those there by default.
    period : float, optional
        Of the function.

    Raises
    ------
    ValueError
        If there are no points, or not as many values.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.interp(ga.asarray([0.5, 2.5]), [0, 1, 2], [0, 10, 0]).compute()
    array([5., 0.])
    """
    x, points, values = as_arrays((x, xp, fp), "interp")
    if points.ndim != 1 or values.ndim != 1:
        raise ValueError("Data points must be 1-D sequences")
    if points.shape != values.shape:
        raise ValueError("fp and xp are not of the same length.")
    if not points.size:
        raise ValueError("array of sample points is empty")
    dtype = np.complex128 if values.dtype.kind == "c" else np.float64
    return map_blocks(
        _interp, x, points=points, values=values, left=left, right=right, period=period,
        dtype=dtype, name="interp",
    )  # fmt: skip


def _interp(chunk: Any, points: Any, values: Any, left: Any, right: Any, period: Any) -> Any:
    xp = array_namespace(chunk)
    return xp.asarray(xp.interp(chunk, points, values, left=left, right=right, period=period))


def unwrap(
    p: Any, discont: float | None = None, axis: int = -1, *, period: float = 2 * np.pi
) -> Array:
    """Continue a periodic function past the jumps that its period makes.

    Parameters
    ----------
    p : array
    discont : float, optional
        Smallest step that is a jump; at least half the period.
    axis : int
    period : float

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.unwrap(ga.asarray([0, 1, 2, -1, 0], chunks=2), period=4).compute()
    array([0, 1, 2, 3, 4])
    """
    p = as_array(p)
    axis = normalize_axis(axis, p.ndim)
    step = diff(p, axis=axis)
    dtype = np.result_type(step.dtype, period)
    half = period / 2
    exact = dtype.kind in "iu"
    low, up = (-(period // 2), period % 2 == 0) if exact else (-half, True)
    moved = call("remainder", step - low, period) + low
    if up:
        moved = where((moved == low) & (step > 0), -low, moved)
    correct = where(abs(step) < (half if discont is None else discont), 0, moved - step)
    rest = p[at_axis(axis, slice(1, None))] + cumsum(correct, axis=axis)
    return concatenate([p[at_axis(axis, slice(1))].astype(dtype), rest.astype(dtype)], axis=axis)
