"""Groups of rows, as users hold them: ``df.groupby("key")``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import pandas as pd

from gpuscale.base.nearest import meant
from gpuscale.dataframe.algorithms.grouping import Call, Options
from gpuscale.dataframe.api import group_results, group_rows
from gpuscale.dataframe.api import groupby as api
from gpuscale.dataframe.api.columns import nearest
from gpuscale.dataframe.methods import dress

__all__ = ["DataFrameGroupBy", "SeriesGroupBy", "grouped"]

C = TypeVar("C", bound=type)

_AGGREGATIONS = (
    *("sum", "prod", "min", "max", "mean", "var", "std", "sem", "count", "size"),
    *("first", "last", "any", "all"),
)
_EXTREMES = ("nlargest", "nsmallest")
_OF_ALL_ROWS = (
    *("median", "quantile", "nunique", "idxmin", "idxmax", "skew", "kurt", "cov", "corr"),
    *("describe", "value_counts", "unique", "ohlc"),
    *("sample", "take"),
    *("is_monotonic_increasing", "is_monotonic_decreasing"),
)
_SOME_ROWS = ("head", "tail", "filter")
_A_VALUE_FOR_EACH_ROW = (
    *("cumsum", "cumprod", "cummin", "cummax", "cumcount", "ngroup", "rank", "shift", "diff"),
    *("pct_change", "ffill", "bfill", "fillna"),
)


def _with_methods(pandas: type) -> Callable[[C], C]:
    """Give a class the methods of pandas' groups: a row of the tables above for each."""

    def decorate(kind: C) -> C:
        for names, function in (
            (_EXTREMES, group_results.extremes),
            (_AGGREGATIONS, group_results.simple),
            (_OF_ALL_ROWS, _asked),
            (_SOME_ROWS, group_rows.some),
            (_A_VALUE_FOR_EACH_ROW, group_rows.rows),
        ):
            for name in names:
                if callable(getattr(pandas, name, None)):
                    setattr(kind, name, _method(kind, pandas, name, function))
        return kind

    return decorate


def _asked(grouped: api.Groups, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return group_results.gathered(grouped, Call(name, args, tuple(kwargs.items())))


def _method(kind: type, pandas: type, name: str, function: Any) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return function(_spread(self._groups, kwargs), name, args, kwargs)

    dress(method, getattr(pandas, name), f"{kind.__name__}.{name}", f"{pandas.__name__}.{name}")
    method.__doc__ = (method.__doc__ or "").replace("each partition", "all partitions together")
    return method


def _spread(groups: api.Groups, kwargs: dict[str, Any]) -> api.Groups:
    """Take the options of dask's that say how results are made, and not which."""
    for name in ("split_every", "shuffle_method"):
        kwargs.pop(name, None)
    count = kwargs.pop("split_out", None)
    return replace(groups, split_out=count) if type(count) is int else groups


class GroupBy:
    """What groups of frames and of series have in common; made by ``groupby``."""

    def __init__(self, groups: api.Groups) -> None:
        self._groups = groups

    def agg(self, func: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Aggregate: a name, a list of names, a mapping of columns to these, or names of results.

        Sums, counts, extremes, means and the like are made in parts and combined, all of them in
        one pass. Of a function, a median or a quantile pandas makes the result with all rows that
        are needed in one place.

        Parameters
        ----------
        func : str, callable, list or mapping, optional
        *args
            For the function.
        **kwargs
            ``result=("column", "name")``; and ``split_out``, in how many partitions results are
            made. By default it is one where what is grouped fits there, and one for each 128 MiB
            where it is larger: 1 GiB of what is made in parts, 128 MiB of rows.

        Examples
        --------
        >>> import pandas as pd
        >>> import gpuscale.dataframe as gd
        >>> df = gd.from_pandas(pd.DataFrame({"k": [1, 2, 1], "v": [3, 4, 5]}), npartitions=2)
        >>> df.groupby("k").agg(total=("v", "sum"), least=("v", "min")).compute()
           total  least
        k
        1      8      3
        2      4      4
        """
        return group_results.agg(_spread(self._groups, kwargs), func, args, kwargs)

    aggregate = agg

    def apply(self, func: Callable[..., Any], *args: Any, meta: Any = None, **kwargs: Any) -> Any:
        """Call a function on the rows of each group, with all rows in one place.

        Parameters
        ----------
        func : callable
        *args, **kwargs
            For the function.
        meta : object of pandas, optional
            What comes out, without rows; by default the function is tried on made-up rows.
        """
        return group_rows.applied(_spread(self._groups, kwargs), func, args, kwargs, meta)

    def transform(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """Return a value for each row: an aggregation of its group by name, or a function's.

        Of an aggregation that is made in parts, each partition looks its rows' results up.
        """
        return group_rows.transform(_spread(self._groups, kwargs), func, args, kwargs)

    def get_group(self, name: Any) -> Any:
        """Return the rows of one group, lazy."""
        return api.get_group(self._groups, name)

    def nth(self, n: Any, dropna: Any = None, **options: Any) -> Any:
        """Return rows by their numbers in each group.

        Parameters
        ----------
        n : int, slice, or list of these
        dropna : {"any", "all"}, optional
            Do not count rows with nulls.
        **options
            ``split_out``, see `agg`.
        """
        groups = _spread(self._groups, options)
        if dropna is not None:
            return group_results.gathered(groups, Call("nth", (n, dropna)))
        return group_rows.some(groups, "nth", (n,), options)

    def rolling(self, *args: Any, **kwargs: Any) -> WindowsOfGroups:
        """Return windows that move over the rows of each group."""
        return self._windows("rolling", args, kwargs)

    def expanding(self, *args: Any, **kwargs: Any) -> WindowsOfGroups:
        """Return windows that grow over the rows of each group."""
        return self._windows("expanding", args, kwargs)

    def ewm(self, *args: Any, **kwargs: Any) -> WindowsOfGroups:
        """Return windows over the rows of each group, whose weights fall off."""
        return self._windows("ewm", args, kwargs)

    def resample(self, *args: Any, **kwargs: Any) -> WindowsOfGroups:
        """Return bins of time of the rows of each group."""
        return self._windows("resample", args, kwargs)

    def _windows(self, name: str, args: Any, kwargs: dict[str, Any]) -> WindowsOfGroups:
        groups = _spread(self._groups, kwargs)
        return WindowsOfGroups(groups, Call(name, args, tuple(kwargs.items())))

    def pipe(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """Return ``func(self, *args, **kwargs)``."""
        return func(self, *args, **kwargs)

    def compute(self, **options: Any) -> Any:
        """Refuse: groups are no result.

        Raises
        ------
        TypeError
        """
        raise TypeError("groups are no result; aggregate them first, as by .sum() or .agg()")

    @property
    def keys(self) -> Any:
        """What was given as ``by``."""
        return self._groups.by

    @property
    def level(self) -> Any:
        """What was given as ``level``."""
        return self._groups.level

    @property
    def groups(self) -> Any:
        """Labels of the rows of each group, computed: as large as the index."""
        return api.computed(self._groups).groups

    @property
    def indices(self) -> Any:
        """Positions of the rows of each group, computed: eight bytes for each row."""
        return api.computed(self._groups).indices

    @property
    def ngroups(self) -> int:
        """How many groups there are, computed."""
        return len(group_results.simple(self._groups, "size", (), {}).compute())

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        for name in group_results.simple(self._groups, "size", (), {}).compute().index:
            yield name, self.get_group(name)

    def __repr__(self) -> str:
        keys = ", ".join(
            repr(key.name if label is None else label) for label, key in self._groups.keys
        )
        return f"gpuscale.dataframe.{type(self).__name__} by {keys}"


@_with_methods(pd.api.typing.SeriesGroupBy)
class SeriesGroupBy(GroupBy):
    """Groups of one column, with the interface of pandas' SeriesGroupBy."""

    ndim = 1

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        instead = meant(name, dir(type(self)))
        raise AttributeError(f"'SeriesGroupBy' has no attribute {name!r}{instead}")


@_with_methods(pd.api.typing.DataFrameGroupBy)
class DataFrameGroupBy(GroupBy):
    """Groups of rows, with the interface of pandas' DataFrameGroupBy."""

    ndim = 2

    def __getitem__(self, key: Any) -> Any:
        frame = self._groups.x
        for label in key if isinstance(key, list) else [key]:
            if label not in frame.columns:
                raise KeyError(f"{label}{nearest(frame, label)}")
        kind = DataFrameGroupBy if isinstance(key, list) else SeriesGroupBy
        return kind(replace(self._groups, selection=key))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._groups.x.columns:
            return self[name]
        instead = meant(name, [*self._groups.x.columns, *dir(type(self))])
        raise AttributeError(f"'DataFrameGroupBy' has no attribute or column {name!r}{instead}")

    def __dir__(self) -> list[str]:
        columns = self._groups.x.columns
        labels = [each for each in columns if isinstance(each, str) and each.isidentifier()]
        return sorted({*super().__dir__(), *labels})


_WINDOWS = {
    "rolling": pd.api.typing.Rolling,
    "expanding": pd.api.typing.Expanding,
    "ewm": pd.api.typing.ExponentialMovingWindow,
    "resample": pd.api.typing.Resampler,
}


class WindowsOfGroups:
    """Windows over the rows of groups; what is asked of them pandas makes, with all rows there."""

    def __init__(self, groups: api.Groups, *windows: Call) -> None:
        self._groups, self._windows = groups, windows
        self._kind = _WINDOWS[windows[0].name]

    def __getitem__(self, key: Any) -> WindowsOfGroups:
        return WindowsOfGroups(self._groups, *self._windows, Call("__getitem__", (key,)))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        groups = self._groups
        if groups.x.ndim == 2 and name in groups.values and not hasattr(self._kind, name):
            return self[name]
        if not hasattr(self._kind, name):
            kind = self._kind.__name__
            raise AttributeError(
                f"{kind!r} has no attribute {name!r}{meant(name, dir(self._kind))}"
            )

        def method(*args: Any, **kwargs: Any) -> Any:
            return group_results.gathered(
                self._groups, *self._windows, Call(name, args, tuple(kwargs.items()))
            )

        return method


def grouped(
    x: Any,
    by: Any = None,
    level: Any = None,
    *,
    as_index: bool = True,
    sort: bool = True,
    group_keys: bool = True,
    observed: bool = True,
    dropna: bool = True,
) -> Any:
    """Return the groups of a frame or a series."""
    if isinstance(by, list) and len(by) == 1 and isinstance(by[0], pd.Grouper):
        by = by[0]
    elif isinstance(by, pd.Grouper) and not api.is_of_bins(by):
        sort = by.sort  # pandas asks the grouper alone
    if api.is_of_bins(by):
        return x.resample(by.freq, on=by.key, level=by.level, **api.options_of(by))
    options = Options(sort, observed, dropna, as_index, group_keys)
    kind = DataFrameGroupBy if x.ndim == 2 else SeriesGroupBy
    return kind(api.groups(x, by, level, options))
