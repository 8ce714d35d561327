"""The index of frames."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.dataframe.accessors import StringAccessor
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame, api, collects
from gpuscale.dataframe.methods import INDEX_METHODS, Method, dress, looked_up, with_methods
from gpuscale.dataframe.operators import Operators

__all__ = ["Index"]


_PARTS_OF_TIMES = (
    *("year", "month", "day", "hour", "minute", "second", "microsecond", "nanosecond", "date"),
    *("time", "timetz", "day_of_week", "dayofweek", "weekday", "day_of_year", "dayofyear"),
    *("quarter", "days_in_month", "daysinmonth", "is_month_start", "is_month_end"),
    *("is_year_start", "is_year_end", "is_quarter_start", "is_quarter_end", "is_leap_year"),
    *("days", "seconds", "microseconds", "nanoseconds", "tz", "freq", "unit", "start_time"),
    "end_time",
)
_METHODS_OF_TIMES = (
    *("as_unit", "asfreq", "ceil", "floor", "strftime", "normalize", "day_name", "month_name"),
    *("shift", "tz_convert", "tz_localize", "to_period", "to_timestamp", "total_seconds"),
)
_KINDS_OF_TIMES = (pd.DatetimeIndex, pd.TimedeltaIndex, pd.PeriodIndex)


@collects(pd.Index)
@with_methods(pd.Index, INDEX_METHODS)
class Index(Operators, Frame):
    """A lazy index in partitions, with the interface of `pandas.Index`."""

    __slots__ = ()

    def __dir__(self) -> list[str]:
        of_times = {*_PARTS_OF_TIMES, *_METHODS_OF_TIMES}
        return [
            each
            for each in super().__dir__()
            if each not in of_times or hasattr(type(self._meta), each)
        ]

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

    def __getitem__(self, key: Any) -> Any:
        return api().columns.labels_of(self, key)

    def isin(self, values: Any) -> Any:
        """Whether each label is one of some: a series, which chooses rows of a frame."""
        return looked_up(Method("isin"), self, (values,), {}, "labels")

    def isna(self) -> Any:
        """Whether each label is a null: a series, as for `isin`."""
        return call(Method("isna"), (self,), label="isna", rows="labels")

    def notna(self) -> Any:
        """Whether each label is no null: a series, as for `isin`."""
        return call(Method("notna"), (self,), label="notna", rows="labels")

    isnull, notnull = isna, notna

    def map(self, mapper: Any, na_action: Any = None, meta: Any = None) -> Any:
        """Replace labels by what a mapping, a series or a function has for them."""
        return api().mapping.mapped(self, mapper, {"na_action": na_action}, "labels", meta)

    def unique(self) -> Any:
        """Different labels, in the order in which they come first."""
        return api().counting.unique(self)

    def drop_duplicates(self, *, keep: Any = "first") -> Any:
        """Keep one of the labels that are the same; see `pandas.Index.drop_duplicates`."""
        return self._series.drop_duplicates(keep=keep).index

    def duplicated(self, keep: Any = "first") -> Any:
        """Whether each label was there before: a series, as for `isin`."""
        return self._series.duplicated(keep=keep)

    def sort_values(self, ascending: bool = True, na_position: str = "last") -> Any:
        """Labels in order; see `pandas.Index.sort_values`."""
        return self._series.sort_values(ascending=ascending, na_position=na_position).index

    def append(self, other: Any) -> Any:
        """Labels of several indexes, one after the other; see `pandas.Index.append`."""
        others = other if isinstance(other, list | tuple) else [other]
        return api().joining.concat([each.to_series() for each in (self, *others)]).index

    def value_counts(self, **options: Any) -> Any:
        """Count the different labels; see `pandas.Index.value_counts`."""
        return self._series.value_counts(**options)

    @property
    def _series(self) -> Any:
        return self.to_series()  # type: ignore[attr-defined]

    @property
    def str(self) -> Any:
        """Functions of texts; see `pandas.Index.str`."""
        return StringAccessor(self)

    @property
    def shape(self) -> tuple[Any]:
        """Number of labels, which is lazy where data decide it."""
        return (self.size,)

    @property
    def size(self) -> Any:
        """Number of labels, lazy."""
        return api().reductions.length(self)

    @property
    def empty(self) -> bool:
        """Whether there are no labels; counts them if that is not known."""
        return not len(self)

    def memory_usage(self, deep: bool = False) -> Any:
        """Bytes in memory."""
        return self._series.memory_usage(index=False, deep=deep)

    def to_list(self) -> list[Any]:
        """Compute all labels."""
        return list(self.compute().to_list())

    tolist = to_list

    def count(self) -> Any:
        """Number of labels that are no nulls."""
        return self._series.count()


def _of_series(name: str) -> Callable[..., Any]:
    """Return a method that does to labels what is done to the elements of a series."""

    def method(self: Any, *args: Any, **options: Any) -> Any:
        return getattr(self._series, name)(*args, **options)

    dress(method, getattr(pd.Index, name), f"Index.{name}", f"Index.{name}")
    return method


def _of_whole(name: str) -> property:
    """Return a property of all labels, lazy."""
    text = (inspect.getdoc(getattr(pd.Index, name)) or name).partition("\n\n")[0]
    return property(lambda self: getattr(self._series, name), doc=f"{text}\n\nLazy.")


def _part_of_times(name: str, theirs: Any) -> property:
    """Return a property that an index has whose dtype has it."""

    def asked(self: Any) -> Any:
        value = getattr(self._meta, name)
        is_lazy = isinstance(value, pd.Index | np.ndarray)
        return call(index_of_times, (self, name), label=name, rows="labels") if is_lazy else value

    text = (inspect.getdoc(theirs) or name).partition("\n\n")[0]
    return property(asked, doc=text)


def _method_of_times(name: str, theirs: Any) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return call(Method(name), (self, *args), kwargs, name, "labels")

    dress(method, theirs, f"Index.{name}", f"Index.{name}")
    return method


for _name in ("min", "max", "any", "all", "nunique", "argmin", "argmax", "searchsorted", "asof"):
    setattr(Index, _name, _of_series(_name))
for _name in ("is_unique", "hasnans", "nbytes"):
    setattr(Index, _name, _of_whole(_name))
for _kind in reversed(_KINDS_OF_TIMES):
    for _name in _PARTS_OF_TIMES:
        if hasattr(_kind, _name):
            setattr(Index, _name, _part_of_times(_name, getattr(_kind, _name)))
    for _name in _METHODS_OF_TIMES:
        if hasattr(_kind, _name):
            setattr(Index, _name, _method_of_times(_name, getattr(_kind, _name)))


def index_of_times(index: Any, name: str) -> Any:
    """Return an attribute of an index of times, as an index; arrays have no name."""
    found = getattr(index, name)
    return frame_namespace(index).Index(found, name=getattr(found, "name", None))
