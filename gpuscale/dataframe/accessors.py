"""``.str``, ``.dt`` and ``.cat``: what pandas' accessors do to each element, as rows of tables."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import pandas as pd

from gpuscale.base.errors import NotSupportedError
from gpuscale.base.nearest import meant
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.methods import Method, Property, dress

__all__ = ["CategoricalAccessor", "DatetimeAccessor", "StringAccessor", "with_accessors"]

C = TypeVar("C", bound=type)

_STRINGS = (
    *("capitalize", "casefold", "center", "contains", "count", "decode", "encode", "endswith"),
    *("extract", "find", "findall", "fullmatch", "get", "index", "isalnum", "isalpha", "isascii"),
    *("isdecimal", "isdigit", "islower", "isnumeric", "isspace", "istitle", "isupper", "join"),
    *("len", "ljust", "lower", "lstrip", "match", "normalize", "pad", "removeprefix"),
    *("removesuffix", "repeat", "replace", "rfind", "rindex", "rjust", "rstrip"),
    *("slice", "slice_replace", "startswith", "strip", "swapcase", "title", "translate", "upper"),
    *("wrap", "zfill"),
)
_TIMES = (
    *("as_unit", "ceil", "day_name", "floor", "isocalendar", "month_name", "normalize", "round"),
    *("strftime", "to_period", "to_pydatetime", "to_pytimedelta", "to_timestamp", "total_seconds"),
    *("tz_convert", "tz_localize", "asfreq"),
)
_PARTS_OF_TIMES = (
    *("components", "date", "day", "day_of_week", "day_of_year", "dayofweek", "dayofyear", "days"),
    *("days_in_month", "daysinmonth", "end_time", "freq", "hour", "is_leap_year", "is_month_end"),
    *("is_month_start", "is_quarter_end", "is_quarter_start", "is_year_end", "is_year_start"),
    *("microsecond", "microseconds", "minute", "month", "nanosecond", "nanoseconds", "quarter"),
    *("qyear", "second", "seconds", "start_time", "time", "timetz", "tz", "unit", "weekday"),
    "year",
)
_KINDS_OF_TIMES = (pd.DatetimeIndex, pd.TimedeltaIndex, pd.PeriodIndex)
_CATEGORIES = (
    *("add_categories", "as_ordered", "as_unordered", "remove_categories", "rename_categories"),
    *("reorder_categories", "set_categories"),
)


class _Accessor:
    """The base of all: it holds the series."""

    _name: str
    _elements: str

    def __init__(self, x: Any) -> None:
        getattr(x._meta, self._name)  # pandas says what is wrong with the dtype
        self._x = x

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        said = f"{self._elements} of {self._x.dtype} have no attribute {name!r}"
        raise AttributeError(said + meant(name, dir(self)))

    def __dir__(self) -> list[str]:
        names = dir(getattr(self._x._meta, self._name))
        return [each for each in names if hasattr(type(self), each)]

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        rows: Any = "labels" if isinstance(self._x._meta, pd.Index) else "same"
        return call(Method(name, self._name), (self._x, *args), kwargs, name, rows)


def _with(pandas: Any, names: tuple[str, ...]) -> Callable[[C], C]:
    def decorate(accessor: C) -> C:
        for name in names:
            if hasattr(pandas, name):
                setattr(accessor, name, _method(accessor, pandas, name))
        return accessor

    return decorate


def _method(accessor: type, pandas: Any, name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self._call(name, *args, **kwargs)

    short = accessor._name  # type: ignore[attr-defined]
    dress(method, getattr(pandas, name), f"{accessor.__name__}.{name}", f"Series.{short}.{name}")
    return method


@_with(pd.Series.str, _STRINGS)
class StringAccessor(_Accessor):
    """``series.str``: functions of texts."""

    _name, _elements = "str", "texts"

    def __getitem__(self, index: Any) -> Any:
        return self._call("__getitem__", index)

    def split(
        self, pat: Any = None, *, n: int = -1, expand: bool = False, regex: Any = None
    ) -> Any:
        """Split texts; ``expand=True`` makes columns, for which ``n`` has to be known.

        See ``pandas.Series.str.split``.
        """
        return self._split("split", {"pat": pat, "n": n, "expand": expand, "regex": regex})

    def rsplit(self, pat: Any = None, *, n: int = -1, expand: bool = False) -> Any:
        """Split texts from the end; ``expand=True`` makes columns, for which ``n`` has to be known.

        See ``pandas.Series.str.rsplit``.
        """
        return self._split("rsplit", {"pat": pat, "n": n, "expand": expand})

    def _split(self, name: str, options: dict[str, Any]) -> Any:
        if not options["expand"]:
            return self._call(name, **options)
        if options["n"] <= 0:
            raise NotSupportedError(
                "how many columns there are depends on the data: say n=, the number of cuts"
            )
        return self._in_columns(name, options["n"] + 1, options)

    def _in_columns(self, name: str, count: int, options: dict[str, Any]) -> Any:
        out = pd.DataFrame(dict.fromkeys(range(count), self._x._meta))
        return call(split_columns, (self._x, name, count), options, name, out=out)

    def partition(self, sep: str = " ", expand: bool = True) -> Any:
        """Split texts at the first separator into three; see ``pandas.Series.str.partition``."""
        return self._in_three("partition", sep, expand)

    def rpartition(self, sep: str = " ", expand: bool = True) -> Any:
        """Split texts at the last separator into three; see ``pandas.Series.str.rpartition``."""
        return self._in_three("rpartition", sep, expand)

    def _in_three(self, name: str, sep: str, expand: bool) -> Any:
        if not expand:
            return self._call(name, sep, expand=False)
        return self._in_columns(name, 3, {"sep": sep})

    def extractall(self, pat: str, flags: int = 0) -> Any:
        """All matches of groups, one row for each; see ``pandas.Series.str.extractall``."""
        method = Method("extractall", "str")
        return call(method, (self._x, pat), {"flags": flags}, "extractall", "new")

    def cat(
        self, others: Any = None, sep: Any = None, na_rep: Any = None, join: str = "left"
    ) -> Any:
        """Join texts with those of other series; see ``pandas.Series.str.cat``."""
        if others is None:
            raise NotSupportedError("joining all texts into one: compute() the series first")
        series = list(others) if isinstance(others, list | tuple) else [others]
        options = {"sep": sep, "na_rep": na_rep, "join": join}
        return call(joined_texts, (self._x, *series), options, "cat", out=self._x._meta)

    def get_dummies(self, sep: str = "|", dtype: Any = None) -> Any:
        """Make a column for each text between separators, of which there are is computed now.

        See ``pandas.Series.str.get_dummies``.
        """
        if isinstance(self._x._meta, pd.Index):
            raise NotSupportedError("columns of an index: to_series().str.get_dummies()")
        found = self._x.drop_duplicates().compute().str.get_dummies(sep, dtype)
        args = (self._x, sep, dtype, found.columns)
        out = pd.DataFrame(found.iloc[:0].to_dict("series"), self._x._meta.index)
        return call(dummies, args, label="get_dummies", out=out)


def dummies(series: Any, sep: str, dtype: Any, columns: Any) -> Any:
    """Make a column for each of some texts."""
    found = series.str.get_dummies(sep, dtype).reindex(columns=columns)
    return found.fillna(0).astype("int64" if dtype is None else dtype)


def split_columns(series: Any, name: str, count: int, **options: Any) -> Any:
    """Split texts into as many columns as were promised."""
    found = getattr(series.str, name)(**options).reindex(columns=range(count))
    return found.astype(series.dtype)


def joined_texts(series: Any, *others: Any, **options: Any) -> Any:
    """Join the texts of several series."""
    return series.str.cat(list(others), **options)


class DatetimeAccessor(_Accessor):
    """``series.dt``: parts of times, durations and periods, and what can be done to them."""

    _name, _elements = "dt", "times"

    def __dir__(self) -> list[str]:
        theirs = type(self._x._meta.dt)  # asking itself would warn of what is deprecated
        return [each for each in object.__dir__(self) if hasattr(theirs, each)]


def _part(name: str, theirs: Any) -> property:
    """Return a property that a series has whose dtype has it; others raise as pandas does."""

    def asked(self: Any) -> Any:
        value = getattr(self._x._meta.dt, name)
        if isinstance(value, pd.Series | pd.DataFrame):
            return call(Property(name, "dt"), (self._x,), label=name)
        return value

    text = (inspect.getdoc(theirs) or name).partition("\n\n")[0]
    return property(asked, doc=f"{text}\n\nAs ``pandas.Series.dt.{name}``.")


for _kind in reversed(_KINDS_OF_TIMES):
    _with(_kind, _TIMES)(DatetimeAccessor)
    for _name in _PARTS_OF_TIMES:
        if hasattr(_kind, _name):
            setattr(DatetimeAccessor, _name, _part(_name, getattr(_kind, _name)))


@_with(pd.Series.cat, _CATEGORIES)
class CategoricalAccessor(_Accessor):
    """``series.cat``: categories, which are known before anything is computed."""

    _name, _elements = "cat", "categories"

    @property
    def known(self) -> bool:
        """Whether the categories are known: they always are."""
        return True

    @property
    def categories(self) -> Any:
        """All categories."""
        return self._x._meta.cat.categories

    @property
    def ordered(self) -> bool:
        """Whether the categories have an order."""
        return bool(self._x._meta.cat.ordered)

    @property
    def codes(self) -> Any:
        """Number of the category of each element; -1 for nulls."""
        return call(Property("codes", "cat"), (self._x,), label="codes")

    def as_known(self, **kwargs: Any) -> Any:
        """Return the series itself."""
        return wrap(self._x.expr)

    def as_unknown(self) -> Any:
        """Return the series itself: nothing here is spared by forgetting the categories."""
        return wrap(self._x.expr)

    def remove_unused_categories(self) -> Any:
        """Leave out the categories that no element has, which is computed now."""
        used = set(self._x.drop_duplicates().compute().dropna())
        kept = self.categories[self.categories.isin(used)]
        return self.set_categories(kept)  # type: ignore[attr-defined]


def with_accessors(collection: C) -> C:
    """Give a collection the three accessors."""
    for accessor in (StringAccessor, DatetimeAccessor, CategoricalAccessor):
        found = property(accessor, doc=(accessor.__doc__ or "").splitlines()[0])
        setattr(collection, accessor._name, found)
    return collection
