"""Reductions of columns as blueprints: chunk, combine, finalize.

A partial has one entry for each column, since columns have dtypes of their own; the last step gives
what pandas gives for the whole, in value, dtype and labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.backends.seams import on_device, to_host
from gpuscale.dataframe.algorithms.columns import Result, columns_of, concat, together
from gpuscale.dataframe.algorithms.moments import Mean, Moments
from gpuscale.dataframe.algorithms.texts import different_texts, texts_at
from gpuscale.dataframe.minding import passes_on

__all__ = [
    "FOLDS",
    "Count",
    "Fold",
    "Length",
    "Position",
    "Unique",
    "blueprint",
    "folded",
    "is_undefined",
    "refolded",
]

Series = Any

Folded = tuple[Series, int, float]
"""A series of one element or of none, how many elements it is of, and what is kept beside it."""

FOLDS = ("sum", "prod", "min", "max", "any", "all")
"""Reductions that take partial results as they take values."""


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
    is_plain : bool
        Whether the result is of NumPy's truth values, whatever those of the columns are.
    widens : tuple of bool
        For which columns partitions may have integers, which overflow, where those of pandas have
        all become floating-point numbers: of these sums of such numbers are kept beside.
    """

    name: str
    skipna: bool
    min_count: int
    is_frame: bool
    columns: Any
    is_plain: bool = False
    widens: tuple[bool, ...] = ()

    def minds(self, metas: Any) -> bool:
        """Whether it matters what dtypes partitions have: products of integers may overflow."""
        return self.name == "prod"

    def chunk(self, partition: Any) -> list[Folded]:
        """Reduce each column."""
        columns = columns_of(partition)
        widens = self.widens or (False,) * len(columns)
        return [
            (folded(each, self.name, self.skipna), self._count(each), self._wide(each, is_wide))
            for each, is_wide in zip(columns, widens, strict=True)
        ]

    def _count(self, column: Series) -> int:
        return int(column.count()) if self.min_count else 0

    def _wide(self, column: Series, is_wide: bool) -> float:
        is_number = is_wide and column.dtype.kind in "iuf"
        return float(np.nansum(column.to_numpy(np.float64))) if is_number else 0.0

    def combine(self, partials: list[Any]) -> list[Folded]:
        """Reduce the values of each column again."""
        return together(partials, self._two)

    def _two(self, entries: list[Folded]) -> Folded:
        values = pd.concat([value for value, _, _ in entries], ignore_index=True)
        total = refolded(values, self.name, self.skipna)
        return total, sum(count for _, count, _ in entries), sum(wide for _, _, wide in entries)

    def finalize(self, partial: list[Folded]) -> Any:
        """Have pandas reduce a frame of one row, so that dtypes are its own."""
        enough = np.array([count >= self.min_count for _, count, _ in partial], dtype=bool)
        widens = self.widens or (False,) * len(partial)
        columns = [
            pd.Series([wide]) if is_wide and len(value) and value.dtype == np.float64 else value
            for (value, _, wide), is_wide in zip(partial, widens, strict=True)
        ]
        if not self.is_frame:
            return self._of_one(columns[0], enough[0])
        frame = pd.concat(columns, axis=1) if columns else pd.DataFrame()
        frame.columns = self.columns
        result = getattr(frame, self.name)(skipna=self.skipna)
        if self.is_plain and result.dtype != bool:  # of parts from Arrow and others pandas' own
            return pd.Series([bool(each) for each in result], index=result.index, dtype=bool)
        undefined = [is_undefined(each, self.name) for each in columns]
        if any(undefined):
            result = result.mask(np.array(undefined))
        if enough.all() or result.dtype != object:
            return result if enough.all() else result.where(enough)
        each = [self._of_one(*pair) for pair in zip(columns, enough, strict=True)]
        return pd.Series(each, index=result.index, dtype=object)

    def _of_one(self, values: Series, is_enough: bool) -> Any:
        if not is_enough:
            return getattr(values.iloc[:0], self.name)(min_count=1)
        skipna = self.skipna and not is_undefined(values, self.name)
        return getattr(values, self.name)(skipna=skipna)


def folded(column: Series, name: str, skipna: bool) -> Series:
    """Return a series of one element, which is what a column comes to; none of an empty one."""
    if on_device(column):
        return _of_device(column, name, skipna)
    if not len(column) or skipna and _is_neutral(column):
        return _emptied(column, name)
    if not isinstance(column.dtype, np.dtype):
        return _kept(column, name, skipna)
    value = getattr(column, name)(skipna=skipna)
    keeps = name in ("min", "max") or column.dtype.kind in "mMO"
    dtype = column.dtype if keeps and name not in ("any", "all") else None
    return pd.Series([value], dtype=dtype)


def is_undefined(results: Series, name: str) -> bool:
    """Whether a sum or a product among some is NaN, as that of inf and -inf; none is missing."""
    if name not in ("sum", "prod") or not isinstance(results.dtype, np.dtype):
        return False
    return results.dtype.kind in "fc" and bool(results.isna().any())


def refolded(results: Series, name: str, skipna: bool) -> Series:
    """Return what the results of several parts of a column come to, as `folded` does."""
    return folded(results, name, skipna and not is_undefined(results, name))


def _of_device(column: Series, name: str, skipna: bool) -> Series:
    """Return what a column of a device comes to, which is a number of the host there."""
    empty = _emptied(to_host(column.iloc[:0]), name)
    if not len(column):
        return empty
    return pd.Series([getattr(column, name)(skipna=skipna)], dtype=empty.dtype)


def _kept(column: Series, name: str, skipna: bool) -> Series:
    """Return what an array of pandas' own comes to, in the dtype that it has in a frame."""
    is_arrow = isinstance(column.dtype, pd.ArrowDtype)
    if is_arrow and not skipna and name in ("any", "all"):
        value = getattr(column, name)(skipna=False)
        if value is pd.NA:  # a frame refuses it, but other parts of the column may decide
            return pd.Series([value], dtype="bool[pyarrow]")
    return getattr(column.to_frame(), name)(skipna=skipna).reset_index(drop=True)


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
        return _kept(empty, name, True).iloc[:0]
    if name not in ("any", "all") and column.dtype.kind in "mMO":
        return empty
    return pd.Series([], dtype=type(getattr(empty, name)()))


# ------------------------------------------------------------------ counts


@passes_on
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


@passes_on
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
        return [_different(each) for each in columns_of(partition)]

    def combine(self, partials: list[list[Series]]) -> list[Series]:
        """Return those that neighbours have together."""
        return together(partials, lambda parts: _different(concat(parts)))

    def finalize(self, partial: list[Series]) -> Any:
        """Count them."""
        return self.result.series([self._number(each) for each in partial])

    def _number(self, different: Series) -> int:
        nulls = int(different.isna().sum()) if self.dropna else 0
        return len(different) - nulls


def _different(column: Series) -> Series:
    texts = different_texts(column)
    if texts is not None:
        return pd.Series(texts_at(column.array, texts[1]))
    return frame_namespace(column).Series(column.unique(), dtype=column.dtype)


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
        return together(partials, lambda parts: self._best(concat(parts)))

    def finalize(self, partial: list[Series]) -> Any:
        """Return labels; of nothing, and of nulls, pandas raises."""
        found = [getattr(each, self.name)(skipna=self.skipna) for each in partial]
        return self.result.series(found)

    def _best(self, column: Series) -> Series:
        nulls = column.isna()
        if nulls.all() or (nulls.any() and not self.skipna):
            return to_host(column[nulls].iloc[:1])
        if on_device(column):
            best = getattr(column, self.name.removeprefix("idx"))()
            return to_host(column[column == best].iloc[:1])
        place = getattr(column, self.name.replace("idx", "arg"))(skipna=self.skipna)
        return column.iloc[[place]]


# ------------------------------------------------------------------ by name


def blueprint(
    name: str, frame: Any, template: Any, options: dict[str, Any], widens: tuple[bool, ...] = ()
) -> Any:
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
    widens : tuple of bool
        See `Fold`.
    """
    result, skipna = Result(template), options.get("skipna", True)
    is_frame = isinstance(frame, pd.DataFrame)
    if name in FOLDS:
        columns = frame.columns if is_frame else None
        is_plain = is_frame and name in ("any", "all") and template.dtype == bool
        widens = widens if name == "sum" and skipna else ()
        return Fold(name, skipna, options.get("min_count", 0), is_frame, columns, is_plain, widens)
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
