"""THE table of reductions: how a tile is reduced, and how two partial results become one.

A partial result is a tuple of arrays that keep the reduced axes with length 1. Each row also says
what an empty extent gives: a partial result that changes nothing it is combined with.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gpuscale.backends.seams import array_namespace, fold

__all__ = ["FOLDS", "REDUCTIONS", "Partial", "Reduction", "extreme", "missing"]

Partial = tuple[Any, ...]
Axes = tuple[int, ...]
DType = np.dtype[Any]


@dataclass(frozen=True)
class Reduction:
    """One way to make an extent small.

    Attributes
    ----------
    name : str
    tile : callable
        (values, positions, axes) -> partial; positions are int64, flattened over the axes.
    combine : callable
        (earlier partial, later partial) -> partial.
    dtypes : callable
        Dtype of the values -> dtypes of the partial.
    empty : callable
        Dtype of the values -> the scalars of the partial of an empty extent.
    cost : int
        Time that NumPy takes for one element, in units of one addition.
    """

    name: str
    tile: Callable[[Any, Any, Axes], Partial]
    combine: Callable[[Partial, Partial], Partial]
    dtypes: Callable[[DType], tuple[DType, ...]]
    empty: Callable[[DType], tuple[Any, ...]]
    cost: int = 1


REDUCTIONS: dict[str, Reduction] = {}

_FOLDED: tuple[np.ufunc, ...] = (
    np.bitwise_and,
    np.bitwise_or,
    np.bitwise_xor,
    np.gcd,
    np.hypot,
    np.logaddexp,
    np.logaddexp2,
)


def _row(name: str, **parts: Any) -> None:
    REDUCTIONS[name] = Reduction(name, **parts)


def _ufunc_row(name: str, ufunc: np.ufunc, empty: Callable[[DType], Any], out: Any = None) -> None:
    dtype_of = (lambda d: d) if out is None else (lambda d: np.dtype(out))

    def tile(values: Any, positions: Any, axes: Axes) -> Partial:
        # ufuncs do not take a dtype with a unit, and need none: they keep it.
        dtype = None if values.dtype.kind in "mM" and out is None else dtype_of(values.dtype)
        return (fold(values, ufunc.__name__, axes, dtype),)

    def combine(a: Partial, b: Partial) -> Partial:
        return (ufunc(a[0], b[0]),)

    _row(
        name,
        tile=tile,
        combine=combine,
        dtypes=lambda d: (dtype_of(d),),
        empty=lambda d: (empty(d),),
    )


def extreme(dtype: DType, sign: int) -> Any:
    """Value above (sign 1) or below (sign -1) all others: what an empty extent gives.

    Examples
    --------
    >>> extreme(np.dtype("i1"), -1), extreme(np.dtype("f4"), 1)
    (-128, inf)
    """
    if dtype.kind in "fcO":
        return sign * np.inf
    if dtype.kind == "b":
        return sign > 0
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return info.max if sign > 0 else info.min
    if dtype.kind in "mM":
        info = np.iinfo(np.int64)  # whose smallest value is NaT
        return np.array(info.max if sign > 0 else info.min + 1, np.int64).view(dtype)[()]
    if dtype.kind == "U":
        return chr(sys.maxunicode) * (dtype.itemsize // 4) if sign > 0 else ""
    if dtype.kind == "S":
        return b"\xff" * dtype.itemsize if sign > 0 else b""
    raise TypeError(f"an empty block of dtype {dtype} has no largest or smallest value")


def missing(dtype: DType, sign: int) -> Any:
    """Value that a minimum (sign 1) or maximum without NaN leaves out: NaN and NaT.

    Examples
    --------
    >>> missing(np.dtype("f4"), 1), missing(np.dtype("u1"), 1)
    (nan, 255)
    """
    if dtype.kind in "mM":
        return np.array("NaT", dtype)[()]
    return np.nan if dtype.kind in "fc" else extreme(dtype, sign)


def _of_nothing(ufunc: np.ufunc, dtype: DType) -> Any:
    return ufunc.reduce(np.empty(0, dtype))


_ufunc_row("sum", np.add, lambda d: np.zeros((), d)[()])
_ufunc_row("prod", np.multiply, lambda d: d.type(1))
_ufunc_row("min", np.minimum, lambda d: extreme(d, 1))
_ufunc_row("max", np.maximum, lambda d: extreme(d, -1))
_ufunc_row("fmin", np.fmin, lambda d: missing(d, 1))
_ufunc_row("fmax", np.fmax, lambda d: missing(d, -1))
_ufunc_row("any", np.logical_or, lambda d: False, out=bool)
_ufunc_row("all", np.logical_and, lambda d: True, out=bool)
_ufunc_row("logical_xor", np.logical_xor, lambda d: False, out=bool)
for _ufunc in _FOLDED:
    _ufunc_row(_ufunc.__name__, _ufunc, partial(_of_nothing, _ufunc))

#: Rows that are called like the ufunc of NumPy that they fold elements with.
FOLDS = ("logical_xor", *(ufunc.__name__ for ufunc in _FOLDED))


def _count(values: Any, positions: Any, axes: Axes) -> Partial:
    keep = tuple(1 if axis in axes else n for axis, n in enumerate(values.shape))
    xp = array_namespace(values)
    return (xp.asarray(xp.count_nonzero(values, axis=axes), dtype=np.int64).reshape(keep),)


_row(
    "count",
    tile=_count,
    combine=lambda a, b: (a[0] + b[0],),
    dtypes=lambda d: (np.dtype(np.int64),),
    empty=lambda d: (0,),
)


def _arg_tile(pick: Callable[..., Any]) -> Callable[[Any, Any, Axes], Partial]:
    def tile(values: Any, positions: Any, axes: Axes) -> Partial:
        flat_values, keep = _reduced_last(values, axes)
        xp = array_namespace(values)
        flat_positions, _ = _reduced_last(xp.broadcast_to(positions, values.shape), axes)
        at = xp.expand_dims(pick(flat_values, axis=-1), -1)
        found = [xp.take_along_axis(f, at, -1) for f in (flat_positions, flat_values)]
        return tuple(f.reshape(keep) for f in found)

    return tile


def _reduced_last(values: Any, axes: Axes) -> tuple[Any, tuple[int, ...]]:
    kept = [a for a in range(values.ndim) if a not in axes]
    keep = tuple(1 if a in axes else n for a, n in enumerate(values.shape))
    moved = values.transpose(*kept, *axes)
    return moved.reshape(*moved.shape[: len(kept)], -1), keep


def _arg_combine(better: Callable[[Any, Any], Any]) -> Callable[[Partial, Partial], Partial]:
    def combine(a: Partial, b: Partial) -> Partial:
        (pos_a, val_a), (pos_b, val_b) = a, b
        # NaN beats every number; among equals (NaN and NaN too) the first position wins.
        nan_a, nan_b = val_a != val_a, val_b != val_b
        beats = np.where(nan_a | nan_b, nan_b & ~nan_a, better(val_b, val_a))
        ties = np.where(nan_a | nan_b, nan_a & nan_b, val_a == val_b) & (pos_b < pos_a)
        take = ((beats | ties) & (pos_b >= 0)) | (pos_a < 0)
        return np.where(take, pos_b, pos_a), np.where(take, val_b, val_a)

    return combine


for _name, _pick, _better, _sign in (
    ("argmin", np.argmin, np.less, 1),
    ("argmax", np.argmax, np.greater, -1),
):
    _row(
        _name,
        tile=_arg_tile(_pick),
        combine=_arg_combine(_better),
        dtypes=lambda d: (np.dtype(np.int64), d),
        empty=lambda d, sign=_sign: (-1, extreme(d, sign)),
        cost=3,
    )


def _moments(values: Any, positions: Any, axes: Axes) -> Partial:
    n = int(np.prod([values.shape[a] for a in axes], dtype=np.int64))
    mean = np.add.reduce(values, axis=axes, keepdims=True) / values.dtype.type(n)
    off = values - mean
    # The rounding of the mean leaves a small sum of deviations; taking its square out again
    # keeps the second moment exact to first order (Chan, Golub and LeVeque 1983).
    off_sum = np.add.reduce(off, axis=axes, keepdims=True)
    squares = (off * off.conj()).real
    excess = (off_sum * off_sum.conj()).real / n
    # Of numbers so large that their sum overflows, the second moment is infinite, not inf - inf.
    m2 = np.add.reduce(squares, axis=axes, keepdims=True) - np.where(np.isinf(excess), 0, excess)
    return array_namespace(mean).full(mean.shape, n, np.int64), mean, m2


def combine_moments(a: Partial, b: Partial) -> Partial:
    """Join (count, mean, sum of squared deviations) of two extents.

    Chan, Golub, LeVeque, "Algorithms for computing the sample variance", 1983.

    Examples
    --------
    >>> combine_moments((np.int64(1), np.float64(1), 0.0), (np.int64(1), np.float64(3), 0.0))
    (np.int64(2), np.float64(2.0), np.float64(2.0))
    """
    (n_a, mean_a, m2_a), (n_b, mean_b, m2_b) = a, b
    n = n_a + n_b
    share = (n_b / np.maximum(n, 1)).astype(m2_a.dtype if hasattr(m2_a, "dtype") else float)
    delta = mean_b - mean_a
    mean = mean_a + delta * share
    spread = (delta * delta.conjugate()).real * n_a.astype(share.dtype) * share
    # Where means have overflowed so have the moments, which inf - inf must not spoil.
    spread = np.where(np.isnan(spread), 0, spread)
    mean = np.where(np.isfinite(delta), mean, mean_a * (1 - share) + mean_b * share)
    # An empty side has no mean that counts: inf - inf there must not spoil the other.
    mean = np.where(n_a == 0, mean_b, np.where(n_b == 0, mean_a, mean))[()]
    m2 = np.where(n_a == 0, m2_b, np.where(n_b == 0, m2_a, m2_a + m2_b + spread))[()]
    return n, mean, m2


def _moment_dtypes(dtype: DType) -> tuple[DType, ...]:
    if dtype.kind not in "fc":
        raise TypeError(f"moments need floating point values, not {dtype}: cast them first")
    return np.dtype(np.int64), dtype, np.empty(0, dtype).real.dtype


_row(
    "moments",
    tile=_moments,
    combine=combine_moments,
    dtypes=_moment_dtypes,
    empty=lambda d: (0, 0, 0),
    cost=10,
)
