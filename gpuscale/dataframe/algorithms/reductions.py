"""Reductions of columns as blueprints: chunk, combine, finalize.

A partial has one entry for each column, since columns have dtypes of their own; the last step gives
what pandas gives for the whole, in value, dtype and labels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["FOLDS", "Count", "Fold", "Length", "Mean", "Moments", "Position", "Unique", "blueprint"]

Series = Any

FOLDS = ("sum", "prod", "min", "max", "any", "all")
"""Reductions that take partial results as they take values."""


def columns_of(partition: Any) -> list[Series]:
    """Return the columns of a frame, or a series as the only one."""
    if isinstance(partition, pd.DataFrame):
        return [partition.iloc[:, k] for k in range(partition.shape[1])]
    return [partition]


def together(partials: list[Any], combine: Callable[[list[Any]], Any]) -> list[Any]:
    """Combine what several partials have of each column."""
    return [combine(list(each)) for each in zip(*partials, strict=True)]


@dataclass(frozen=True)
class Result:
    """Put the values of columns together as pandas does for the whole.

    Parameters
    ----------
    template : pandas.Series or object
        A result of the right labels and dtype, or of the right type.
    """

    template: Any

    def series(self, values: list[Any]) -> Any:
        """Return a series of values under the labels of columns, or the one value."""
        if not isinstance(self.template, pd.Series):
            return values[0]
        try:
            return pd.Series(values, index=self.template.index, dtype=self.template.dtype)
        except (TypeError, ValueError):  # a null where none was expected
            return pd.Series(values, index=self.template.index)


# ------------------------------------------------------------------ sums, products, extremes


@dataclass(frozen=True)
class Fold:
    """``sum prod min max any all``: partials are series of one element, none of an empty partition.

    Parameters
    ----------
    name : str
    skipna : bool
    min_count : int
    is_frame : bool
        Whether the result has a label for each column.
    columns : pandas.Index
    """

    name: str
    skipna: bool
    min_count: int
    is_frame: bool
    columns: Any

    def chunk(self, partition: Any) -> list[tuple[Series, int]]:
        """Reduce each column."""
        return [
            (folded(each, self.name, self.skipna), int(each.count()))
            for each in columns_of(partition)
        ]

    def combine(self, partials: list[Any]) -> list[tuple[Series, int]]:
        """Reduce the values of each column again."""
        return together(partials, self._two)

    def _two(self, entries: list[tuple[Series, int]]) -> tuple[Series, int]:
        values = pd.concat([value for value, _ in entries], ignore_index=True)
        return folded(values, self.name, self.skipna), sum(count for _, count in entries)

    def finalize(self, partial: list[tuple[Series, int]]) -> Any:
        """Have pandas reduce a frame of one row, so that dtypes are its own."""
        enough = np.array([count >= self.min_count for _, count in partial], dtype=bool)
        columns = [value for value, _ in partial]
        if not self.is_frame:
            return self._of_one(columns[0], enough[0])
        frame = pd.concat(columns, axis=1) if columns else pd.DataFrame()
        frame.columns = self.columns
        result = getattr(frame, self.name)(skipna=self.skipna)
        if enough.all() or result.dtype != object:
            return result if enough.all() else result.where(enough)
        each = [self._of_one(*pair) for pair in zip(columns, enough, strict=True)]
        return pd.Series(each, index=result.index, dtype=object)

    def _of_one(self, values: Series, is_enough: bool) -> Any:
        if not is_enough:
            return getattr(values.iloc[:0], self.name)(min_count=1)
        return getattr(values, self.name)(skipna=self.skipna)


def folded(column: Series, name: str, skipna: bool) -> Series:
    """Return a series of one element, which is what a column comes to; none of an empty one."""
    if not len(column) or skipna and _is_neutral(column):
        return _emptied(column, name)
    if not isinstance(column.dtype, np.dtype):
        return _kept(column.array, name, skipna)
    value = getattr(column, name)(skipna=skipna)
    keeps = name in ("min", "max") or column.dtype.kind in "mMO"
    return pd.Series([value], dtype=column.dtype if keeps and name not in ("any", "all") else None)


def _kept(array: Any, name: str, skipna: bool) -> Series:
    """Return what an array of pandas' own comes to, in the dtype that it has in a frame."""
    found = array._reduce(name, skipna=skipna, keepdims=True)
    return pd.Series(found) if hasattr(found, "dtype") and np.ndim(found) else pd.Series([found])


def _is_neutral(column: Series) -> bool:
    """Whether pandas takes a column of objects or text for the number zero: it has nothing else."""
    is_text = column.dtype == object or pd.api.types.is_string_dtype(column.dtype)
    return bool(is_text and column.isna().all())


def _emptied(column: Series, name: str) -> Series:
    """Return no elements, of the dtype that those of others have."""
    empty = column.iloc[:0].reset_index(drop=True)
    if name in ("min", "max"):
        return empty
    if not isinstance(column.dtype, np.dtype):
        return _kept(empty.array, name, True).iloc[:0]
    if name not in ("any", "all") and column.dtype.kind in "mMO":
        return empty
    return pd.Series([], dtype=type(getattr(empty, name)()))


# ------------------------------------------------------------------ counts


@dataclass(frozen=True)
class Count:
    """How many elements of each column are no nulls."""

    result: Result

    def chunk(self, partition: Any) -> list[int]:
        """Count."""
        return [int(each.count()) for each in columns_of(partition)]

    def combine(self, partials: list[list[int]]) -> list[int]:
        """Add up."""
        return together(partials, sum)

    def finalize(self, partial: list[int]) -> Any:
        """Put the counts together."""
        return self.result.series([np.int64(each) for each in partial])


@dataclass(frozen=True)
class Length:
    """How many rows there are, times the columns of each."""

    width: int = 1

    def chunk(self, partition: Any) -> int:
        """Count rows."""
        return len(partition)

    def combine(self, partials: list[int]) -> int:
        """Add up."""
        return sum(partials)

    def finalize(self, partial: int) -> int:
        """Return the number."""
        return partial * self.width


@dataclass(frozen=True)
class Unique:
    """How many different values each column has; they are kept as they are."""

    dropna: bool
    result: Result

    def chunk(self, partition: Any) -> list[Series]:
        """Return those of each column."""
        return [each.drop_duplicates() for each in columns_of(partition)]

    def combine(self, partials: list[list[Series]]) -> list[Series]:
        """Return those that neighbours have together."""
        return together(partials, lambda parts: pd.concat(parts).drop_duplicates())

    def finalize(self, partial: list[Series]) -> Any:
        """Count them."""
        return self.result.series([each.nunique(dropna=self.dropna) for each in partial])


# ------------------------------------------------------------------ means and moments


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
        return sum(column.dropna().array.asi8.tolist()), count, dtype
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
    return total / count


def _plain(dtype: Any) -> Any:
    return dtype if isinstance(dtype, np.dtype) else np.dtype(f"M8[{dtype.unit}]")


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
        return [_powers(each, self.skipna) for each in columns_of(partition)]

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


def _powers(column: Series, skipna: bool) -> tuple[float, ...]:
    if column.dtype.kind in "mM":
        values = column.array.asi8.astype(np.float64)
        values[column.isna().to_numpy()] = np.nan
    else:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if skipna:
        values = values[~np.isnan(values)]
    if not values.size:
        return 0, 0.0, 0.0, 0.0, 0.0
    with np.errstate(all="ignore"):
        mean = values.mean()
        left = values - mean
        squares = left * left
        return (
            values.size,
            float(mean),
            float(squares.sum()),
            float((squares * left).sum()),
            float((squares * squares).sum()),
        )


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


# ------------------------------------------------------------------ positions


@dataclass(frozen=True)
class Position:
    """``idxmin idxmax``: of each column the element that is the least so far, with its label."""

    name: str
    skipna: bool
    result: Result

    def chunk(self, partition: Any) -> list[Series]:
        """Return one element of each column."""
        return [self._best(each) for each in columns_of(partition)]

    def combine(self, partials: list[list[Series]]) -> list[Series]:
        """Return the first of the best."""
        return together(partials, lambda parts: self._best(pd.concat(parts)))

    def finalize(self, partial: list[Series]) -> Any:
        """Return labels; of nothing, and of nulls, pandas raises."""
        found = [getattr(each, self.name)(skipna=self.skipna) for each in partial]
        return self.result.series(found)

    def _best(self, column: Series) -> Series:
        nulls = column.isna()
        if nulls.all() or (nulls.any() and not self.skipna):
            return column[nulls].iloc[:1]
        place = getattr(column, self.name.replace("idx", "arg"))(skipna=self.skipna)
        return column.iloc[[place]]


# ------------------------------------------------------------------ by name


def blueprint(name: str, frame: Any, template: Any, options: dict[str, Any]) -> Any:
    """Return the blueprint of a reduction.

    Parameters
    ----------
    name : str
    frame : pandas.DataFrame or pandas.Series
        What is reduced, without rows.
    template : object
        A result of that name, see `Result`.
    options : dict
        What pandas' method of that name takes.
    """
    result, skipna = Result(template), options.get("skipna", True)
    is_frame = isinstance(frame, pd.DataFrame)
    if name in FOLDS:
        columns = frame.columns if is_frame else None
        return Fold(name, skipna, options.get("min_count", 0), is_frame, columns)
    if name == "count":
        return Count(result)
    if name == "nunique":
        return Unique(options.get("dropna", True), result)
    if name == "mean":
        return Mean(skipna, result)
    if name in ("idxmin", "idxmax"):
        return Position(name, skipna, result)
    dtypes = tuple(frame.dtypes) if is_frame else (frame.dtype,)
    return Moments(name, skipna, options.get("ddof", 1), result, dtypes)
