"""How each reduction is written inside a kernel: lanes, their update, accumulators, the finish.

The rows here are the compiled twins of `reductions.REDUCTIONS`, which is their oracle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gpuscale.codegen.reductions import extreme, missing

__all__ = ["Accumulator", "accumulator_of"]

DType = np.dtype[Any]
F8, I8, U1 = np.dtype("f8"), np.dtype("i8"), np.dtype("u1")

#: Starts of a lane: the first update itself, or the first value unless it is not finite.
FIRST, SHIFT = object(), object()


@dataclass(frozen=True)
class Accumulator:
    """One reduction of values of one dtype inside a kernel.

    Attributes
    ----------
    merge : str
        ``columns_<merge>`` and ``fold_<merge>`` of `merge_cpu` join a tile with its forerunners.
    lanes : tuple of (dtype, start)
        Partial results of a tile; a start may be `FIRST` or `SHIFT` instead of a value.
    totals : tuple of (dtype, start)
        Accumulators, one element for each kept position.
    update : tuple of str
        What each lane becomes: expressions over the value ``v``, the lanes ``a0``, ``a1``, ...
        and the ``position`` in the tile.
    finish : callable
        (totals, elements per position) -> partial result in the form of `Reduction.tile`.
    grouped : bool
        Add the values that are taken together to each other first: half the rounding.
    recentred : bool
        The lanes are (shift, sum, sum of squares) of deviations from the shift, which moves to
        the mean whenever the values taken have doubled: the first may lie far from all others.
    rows : int
        Rows of a tile at most, lest single lanes round too often.
    fold : float
        Time to fold all lanes into one, in quarters of a nanosecond.
    """

    merge: str
    lanes: tuple[tuple[DType, Any], ...]
    totals: tuple[tuple[DType, Any], ...]
    update: tuple[str, ...]
    finish: Callable[[Sequence[Any], int], tuple[Any, ...]]
    grouped: bool = False
    recentred: bool = False
    rows: int = 512
    fold: float = 300.0

    @property
    def wants_position(self) -> bool:
        """Whether positions are part of the result."""
        return any("position" in text for text in self.update)


@lru_cache(maxsize=256)
def accumulator_of(reduction: str, dtype: DType) -> Accumulator | None:
    """Find the compiled form of a reduction; None where only the interpreter can do it.

    Examples
    --------
    >>> accumulator_of("max", np.dtype("f8")).update
    ('maximum(a0, v)',)
    >>> accumulator_of("max", np.dtype("c16")) is None
    True
    """
    if reduction not in _MAKERS:
        return None
    kinds, make = _MAKERS[reduction]
    return make(dtype) if dtype.kind in kinds and dtype.itemsize > (dtype.kind == "f") * 2 else None


def _known(values: Any, lost: Any) -> Any:
    """Add what rounding lost, unless infinities made it NaN; overwrites ``lost``."""
    sums = np.add(values, lost, out=lost)
    spoiled = np.isnan(sums)
    if spoiled.any():
        sums[spoiled] = values[spoiled]
    return sums


def _sum(dtype: DType) -> Accumulator:
    if dtype.kind in "iu":
        return _plain("add", dtype, 0, "v + a0")
    wide = dtype if dtype.kind == "c" else F8
    return Accumulator(
        "sum",
        ((dtype, 0),),
        ((wide, 0), (wide, 0)),
        ("a0 + v",),
        lambda totals, n: (_known(*totals).astype(dtype, copy=False),),
        grouped=True,
        rows=128,
    )


def _plain(
    merge: str, dtype: DType, start: Any, update: str, out: DType | None = None
) -> Accumulator:
    memory = U1 if dtype.kind == "b" else dtype
    return Accumulator(
        merge,
        ((memory, start),),
        ((memory, start),),
        (update,),
        lambda totals, n: (totals[0].astype(out or dtype, copy=False),),
    )


def _prod(dtype: DType) -> Accumulator:
    return _plain("prod", dtype, 1, "a0 * v")


def _min(dtype: DType) -> Accumulator:
    return _plain("min", dtype, extreme(dtype, 1), "minimum(a0, v)")


def _max(dtype: DType) -> Accumulator:
    return _plain("max", dtype, extreme(dtype, -1), "maximum(a0, v)")


def _fmin(dtype: DType) -> Accumulator:
    return _plain("fmin", dtype, missing(dtype, 1), "fmin(a0, v)")


def _fmax(dtype: DType) -> Accumulator:
    return _plain("fmax", dtype, missing(dtype, -1), "fmax(a0, v)")


def _any(dtype: DType) -> Accumulator:
    return _plain("any", np.dtype(bool), 0, "a0 | (v != 0)")


def _all(dtype: DType) -> Accumulator:
    return _plain("all", np.dtype(bool), 1, "a0 & (v != 0)")


def _count(dtype: DType) -> Accumulator:
    return _plain("add", I8, 0, "a0 + (v != 0)")


def _arg(name: str, beats: str, sign: int) -> Callable[[DType], Accumulator]:
    def make(dtype: DType) -> Accumulator:
        memory = U1 if dtype.kind == "b" else dtype
        # A lane meets rising positions: among equals the one that is there stays.
        wins = f"v {beats} a0"
        if dtype.kind == "f":
            wins = f"(v {beats} a0) | ((v != v) & (a0 == a0))"
        return Accumulator(
            name,
            ((memory, FIRST), (I8, FIRST)),
            ((memory, extreme(dtype, sign)), (I8, np.iinfo(np.int64).max)),
            (f"select({wins}, v, a0)", f"select({wins}, position, a1)"),
            lambda totals, n: (totals[1], totals[0].astype(dtype, copy=False)),
            fold=1500.0,
        )

    return make


def _moments(dtype: DType) -> Accumulator:
    def finish(totals: Sequence[Any], n: int) -> tuple[Any, ...]:
        _, total, lost, m2 = totals
        mean = _known(total, lost) / n
        return np.full(mean.shape, n, np.int64), mean.astype(dtype), m2.astype(dtype)

    return Accumulator(
        "moments",
        ((dtype, SHIFT), (dtype, 0), (dtype, 0)),
        ((F8, 0), (F8, 0), (F8, 0), (F8, 0)),
        ("a0", "a1 + (v - a0)", "a2 + (v - a0) * (v - a0)"),
        finish,
        recentred=True,
        fold=1500.0,
    )


_MAKERS: dict[str, tuple[str, Callable[[DType], Accumulator]]] = {
    "sum": ("iufc", _sum),
    "prod": ("iufc", _prod),
    "min": ("biuf", _min),
    "max": ("biuf", _max),
    "fmin": ("f", _fmin),
    "fmax": ("f", _fmax),
    "any": ("biufc", _any),
    "all": ("biufc", _all),
    "count": ("biufc", _count),
    "argmin": ("biuf", _arg("argmin", "<", 1)),
    "argmax": ("biuf", _arg("argmax", ">", -1)),
    "moments": ("f", _moments),
}
