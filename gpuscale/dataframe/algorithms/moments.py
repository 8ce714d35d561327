"""Means, variances and higher moments of columns, from what partitions have of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.seams import array_namespace, on_device
from gpuscale.dataframe.algorithms.columns import Result, columns_of, numbers, together
from gpuscale.dataframe.minding import passes_on

__all__ = ["Mean", "Moments"]

Series = Any

_DIGITS = 100  # of decimals, which have up to 76 in Arrow


@passes_on
@dataclass(frozen=True)
class Mean:
    """Sums and counts."""

    skipna: bool
    result: Result

    def chunk(self, partition: Any) -> list[tuple[Any, int, Any]]:
        """Return sum, count and dtype of each column."""
        return [_total(each, self.skipna) for each in columns_of(partition)]

    def combine(self, partials: list[Any]) -> list[tuple[Any, int, Any]]:
        """Add up."""
        return together(partials, _added)

    def finalize(self, partial: list[tuple[Any, int, Any]]) -> Any:
        """Divide."""
        return self.result.series([_divided(*each) for each in partial])


def _total(column: Series, skipna: bool) -> tuple[Any, int, Any]:
    dtype = column.dtype
    count = int(column.count()) if skipna else len(column)
    if dtype.kind in "mM":
        if not skipna and column.hasnans:
            return math.nan, count, dtype
        return sum(_ticks(column.dropna()).tolist()), count, dtype
    if dtype.kind in "iufbc" and isinstance(dtype, np.dtype):
        wide = np.result_type(dtype, np.float64)
        return column.astype(wide).sum(skipna=skipna), count, dtype
    return (column.sum(skipna=skipna) if len(column) else 0), count, dtype


def _added(entries: list[tuple[Any, int, Any]]) -> tuple[Any, int, Any]:
    filled = [each for each in entries if each[1]] or entries[:1]
    total = filled[0][0]
    for value, _, _ in filled[1:]:
        total = total + value
    return total, sum(count for _, count, _ in entries), entries[0][2]


def _divided(total: Any, count: int, dtype: Any) -> Any:
    if dtype.kind in "mM":
        if not count or total != total:
            return pd.NaT
        found = pd.Series([int(total / count)]).astype(_plain(dtype))
        zone = getattr(dtype, "tz", None)
        return (found.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else found).iloc[0]
    if not count:
        return np.nan if isinstance(dtype, np.dtype) else pd.NA
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        return dtype.type(total / count)
    if isinstance(dtype, np.dtype) and dtype.kind == "O":
        # A sum of decimals becomes a float, and one of texts is refused.
        total = pd.Series([total], dtype=object).mean()
    return _of_decimals(total, count, dtype) if isinstance(total, Decimal) else total / count


def _of_decimals(total: Decimal, count: int, dtype: Any) -> Decimal:
    """Return the mean of decimals with as many places as these have, as Arrow rounds it."""
    with localcontext(prec=_DIGITS):
        mean = total / count
        return mean.quantize(Decimal(1).scaleb(-dtype.pyarrow_dtype.scale), ROUND_HALF_UP)


def _plain(dtype: Any) -> Any:
    return dtype if isinstance(dtype, np.dtype) else np.dtype(f"M8[{dtype.unit}]")


@passes_on
@dataclass(frozen=True)
class Moments:
    """``var std sem skew kurt``: counts, means, and sums of powers of what is left of these.

    They are merged as Chan, Golub and LeVeque do, and for higher powers Pébay.
    """

    name: str
    skipna: bool
    ddof: int
    result: Result
    dtypes: tuple[Any, ...]

    def chunk(self, partition: Any) -> list[tuple[float, ...]]:
        """Return count, mean and three sums of powers for each column."""
        return [
            _powers(each, self.skipna, _HIGHEST.get(self.name, 2)) for each in columns_of(partition)
        ]

    def combine(self, partials: list[Any]) -> list[tuple[float, ...]]:
        """Merge neighbours, in their order."""
        return together(partials, _merged)

    def finalize(self, partial: list[tuple[float, ...]]) -> Any:
        """Make the statistic of each column."""
        found = [
            self._typed(_STATISTICS[self.name](*each, self.ddof), dtype)
            for each, dtype in zip(partial, self.dtypes, strict=True)
        ]
        return self.result.series(found)

    def _typed(self, value: float, dtype: Any) -> Any:
        if dtype.kind in "mM":
            unit = np.datetime_data(_plain(dtype))[0]
            return pd.NaT if value != value else pd.Timedelta(int(value), unit).as_unit(unit)
        if isinstance(dtype, np.dtype) and dtype.kind == "f":
            return dtype.type(value)
        is_null = value != value and not isinstance(dtype, np.dtype)
        return pd.NA if is_null else np.float64(value)


_HIGHEST = {"skew": 3, "kurt": 4}  # powers that are needed


def _powers(column: Series, skipna: bool, highest: int) -> tuple[float, ...]:
    if column.dtype.kind in "mM":
        values = _ticks(column).astype(np.float64)
        values[column.isna().values] = np.nan
    else:
        values = numbers(column)
    xp = array_namespace(values)
    if skipna and xp.isnan(values.sum()):
        values = values[~xp.isnan(values)]
    if not values.size:
        return 0, 0.0, 0.0, 0.0, 0.0
    with np.errstate(all="ignore"):
        mean = values.mean()
        left = values - mean
        second = float(xp.dot(left, left))
        if highest == 2:
            return values.size, float(mean), second, 0.0, 0.0
        squares = left * left
        third, fourth = float(xp.dot(squares, left)), float(xp.dot(squares, squares))
        return values.size, float(mean), second, third, fourth


def _ticks(column: Series) -> Any:
    """Return times and durations as whole numbers."""
    return column.astype("int64").values if on_device(column) else column.array.asi8


def _merged(entries: list[tuple[float, ...]]) -> tuple[float, ...]:
    result = entries[0]
    for each in entries[1:]:
        result = _two_merged(result, each)
    return result


def _two_merged(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, ...]:
    (na, ma, a2, a3, a4), (nb, mb, b2, b3, b4) = a, b
    if not na or not nb:
        return a if na else b
    n, d = na + nb, mb - ma
    return (
        n,
        ma + d * nb / n,
        a2 + b2 + d**2 * na * nb / n,
        a3 + b3 + d**3 * na * nb * (na - nb) / n**2 + 3 * d * (na * b2 - nb * a2) / n,
        a4
        + b4
        + d**4 * na * nb * (na**2 - na * nb + nb**2) / n**3
        + 6 * d**2 * (na**2 * b2 + nb**2 * a2) / n**2
        + 4 * d * (na * b3 - nb * a3) / n,
    )


def _var(n: float, mean: float, m2: float, m3: float, m4: float, ddof: int) -> float:
    return m2 / (n - ddof) if n > ddof else math.nan


def _std(*moments: Any) -> float:
    return math.sqrt(_var(*moments))


def _sem(n: float, *rest: Any) -> float:
    return _std(n, *rest) / math.sqrt(n) if n else math.nan


def _skew(n: float, mean: float, m2: float, m3: float, m4: float, ddof: int) -> float:
    if n < 3 or m2 != m2:
        return math.nan
    if m2 <= _noise(n, mean):
        return float(pd.Series(np.ones(4)).skew())  # versions of pandas differ
    return n * math.sqrt(n - 1) / (n - 2) * m3 / m2**1.5


def _kurt(n: float, mean: float, m2: float, m3: float, m4: float, ddof: int) -> float:
    if n < 4 or m2 != m2:
        return math.nan
    if m2 <= _noise(n, mean):
        return float(pd.Series(np.ones(4)).kurt())
    adjusted = 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))
    return n * (n + 1) * (n - 1) * m4 / ((n - 2) * (n - 3) * m2**2) - adjusted


def _noise(n: float, mean: float) -> float:
    """Squares that are rounding alone, of values that are all the same."""
    return n * (np.finfo(np.float64).eps * abs(mean)) ** 2


_STATISTICS: dict[str, Callable[..., float]] = {
    "var": _var,
    "std": _std,
    "sem": _sem,
    "skew": _skew,
    "kurt": _kurt,
}
