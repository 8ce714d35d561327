"""The index of frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame, api, collects
from gpuscale.dataframe.methods import INDEX_METHODS, Method, with_methods
from gpuscale.dataframe.operators import Operators

__all__ = ["Index"]


_OF_TIMES = frozenset(
    (
        *("year", "month", "day", "hour", "minute", "second", "microsecond", "nanosecond", "date"),
        *("time", "day_of_week", "dayofweek", "weekday", "day_of_year", "dayofyear", "quarter"),
        *("days_in_month", "is_month_start", "is_month_end", "is_year_start", "is_year_end"),
        *("is_quarter_start", "is_quarter_end", "is_leap_year", "days", "seconds", "tz", "freq"),
        *("ceil", "floor", "round", "strftime", "normalize", "day_name", "month_name"),
        *("tz_convert", "tz_localize", "to_period", "to_timestamp", "total_seconds"),
    )
)
"""Attributes and methods of an index of times, which an index has itself."""


@collects(pd.Index)
@with_methods(pd.Index, INDEX_METHODS)
class Index(Operators, Frame):
    """A lazy index in partitions, with the interface of `pandas.Index`."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name not in _OF_TIMES or not hasattr(self._meta, name):
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        value = getattr(self._meta, name)
        if not callable(value):
            is_lazy = isinstance(value, pd.Index | np.ndarray)
            return call(index_of_times, (self, name), label=name) if is_lazy else value
        return lambda *args, **kwargs: call(Method(name), (self, *args), kwargs, name, "new")

    @property
    def name(self) -> Any:  # type: ignore[override]
        """Name of the index."""
        return self._meta.name

    @property
    def names(self) -> list[Any]:
        """Names of the levels."""
        return list(self._meta.names)

    @property
    def dtype(self) -> Any:
        """Type of the labels."""
        return self._meta.dtype

    @property
    def nlevels(self) -> int:
        """Number of levels."""
        return int(self._meta.nlevels)

    @property
    def is_monotonic_increasing(self) -> Any:
        """Whether no label is less than the one before, lazy."""
        return api().statistics.monotonic(self, "is_monotonic_increasing")

    @property
    def is_monotonic_decreasing(self) -> Any:
        """Whether no label is greater than the one before, lazy."""
        return api().statistics.monotonic(self, "is_monotonic_decreasing")

    def isin(self, values: Any) -> Any:
        """Whether each label is one of some: a series, which chooses rows of a frame."""
        return call(asked, (self, "isin", values), label="isin")

    def isna(self) -> Any:
        """Whether each label is a null: a series, as for `isin`."""
        return call(asked, (self, "isna"), label="isna")

    def notna(self) -> Any:
        """Whether each label is no null: a series, as for `isin`."""
        return call(asked, (self, "notna"), label="notna")

    isnull, notnull = isna, notna

    def unique(self) -> Any:
        """Different labels, in the order in which they come first."""
        return api().counting.unique(self)

    def count(self) -> Any:
        """Number of labels that are no nulls."""
        return api().reductions.reduce(self.to_series(), "count")  # type: ignore[attr-defined]

    def min(self, skipna: bool = True) -> Any:
        """Return the least label."""
        return api().reductions.reduce(self.to_series(), "min", skipna=skipna)  # type: ignore[attr-defined]

    def max(self, skipna: bool = True) -> Any:
        """Return the greatest label."""
        return api().reductions.reduce(self.to_series(), "max", skipna=skipna)  # type: ignore[attr-defined]


def index_of_times(index: Any, name: str) -> Any:
    """Return an attribute of an index of times, as an index."""
    return pd.Index(getattr(index, name), name=index.name)


def asked(index: Any, name: str, *args: Any) -> Any:
    """Return what is true of each label, as a series under these labels."""
    return pd.Series(getattr(index, name)(*args), index=index)
