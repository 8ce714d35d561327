"""Tables: columns with an index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.base.errors import NotSupportedError
from gpuscale.base.types import PathLike
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Labelled, api, collects, in_place
from gpuscale.dataframe.meetings import Meetings
from gpuscale.dataframe.methods import FRAME_METHODS, Method, with_methods
from gpuscale.dataframe.operators import Operators, with_flexible
from gpuscale.dataframe.ranks import Ranks
from gpuscale.dataframe.reducing import with_reductions
from gpuscale.dataframe.running import Running
from gpuscale.dataframe.statistics import Statistics
from gpuscale.dataframe.written import Written

__all__ = ["DataFrame"]


_SET_INDEX_OF_DASK = ("partition_size", "upsample", "shuffle_method", "user_divisions")
"""What dask's ``set_index`` takes beside, which means nothing here."""


@collects(pd.DataFrame)
@with_methods(pd.DataFrame, FRAME_METHODS)
@with_reductions(pd.DataFrame)
@with_flexible
class DataFrame(Meetings, Ranks, Statistics, Running, Written, Operators, Labelled):
    """A lazy table in partitions, with the interface of `pandas.DataFrame`.

    Made by `from_pandas`, `read_parquet` and their siblings, never directly. It is a handle on an
    immutable expression: assigning a column gives the handle another one.
    """

    __slots__ = ()

    @property
    def name(self) -> Any:  # type: ignore[override]
        """The column of that name: a table has none itself."""
        return api().columns.attribute_of(self, "name")

    @property
    def columns(self) -> Any:
        """Labels of the columns."""
        return self._meta.columns

    @columns.setter
    def columns(self, labels: Any) -> None:
        self._expr = self.set_axis(labels, axis=1).expr  # type: ignore[attr-defined]

    @property
    def dtypes(self) -> Any:
        """Types of the columns."""
        return self._meta.dtypes

    @property
    def shape(self) -> tuple[Any, int]:
        """Number of rows, which is lazy where data decide it, and of columns."""
        return api().reductions.length(self), len(self.columns)

    @property
    def empty(self) -> bool:
        """Whether there are no elements; counts the rows if they are not known."""
        return not len(self.columns) or not len(self)

    def __getitem__(self, key: Any) -> Any:
        return api().columns.columns_of(self, key)

    def __getattr__(self, name: str) -> Any:
        if name == "_expr" or name.startswith("__") or hasattr(type(self), name):
            return object.__getattribute__(self, name)  # which raises what it raised
        return api().columns.attribute_of(self, name)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._expr = api().columns.with_item(self, key, value).expr

    def __delitem__(self, key: Any) -> None:
        self._expr = self.drop(columns=[key]).expr  # type: ignore[attr-defined]

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "_expr" and name not in dir(type(self)) and name in self.columns:
            self[name] = value
        else:
            object.__setattr__(self, name, value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.columns)

    def __contains__(self, label: Any) -> bool:
        return label in self.columns

    def __dir__(self) -> list[str]:
        labels = [each for each in self.columns if isinstance(each, str) and each.isidentifier()]
        return sorted({*super().__dir__(), *labels})

    def keys(self) -> Any:
        """Labels of the columns."""
        return self.columns

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Label and series of each column."""
        return ((label, self[label]) for label in self.columns)

    @classmethod
    def from_dict(cls, data: Any, npartitions: int, **options: Any) -> Any:
        """Make a table of a dictionary of columns; see `gpuscale.dataframe.from_dict`."""
        return api().creating.from_dict(data, npartitions, **options)

    @classmethod
    def from_records(cls, data: Any, npartitions: int, **options: Any) -> Any:
        """Make a table of rows in memory; see `pandas.DataFrame.from_records`."""
        return api().creating.from_pandas(pd.DataFrame.from_records(data, **options), npartitions)

    def get(self, key: Any, default: Any = None) -> Any:
        """Return a column or some, or something else if there are none of that name."""
        try:
            return self[key]
        except KeyError:
            return default

    def insert(self, loc: int, column: Any, value: Any, allow_duplicates: bool = False) -> None:
        """Put a column before others; see `pandas.DataFrame.insert`."""
        self._expr = api().columns.inserted(self, loc, column, value).expr

    def isetitem(self, loc: int, value: Any) -> None:
        """Replace a column by its position; see `pandas.DataFrame.isetitem`."""
        self[self.columns[loc]] = value

    def transpose(self) -> Any:
        """Return rows as columns, of a result whose labels are known, such as `corr`."""
        return api().aggregating.transposed(self)

    @property
    def T(self) -> Any:  # noqa: N802
        """The same as `transpose`."""
        return self.transpose()

    def combine(self, other: Any, func: Any, *args: Any, **kwargs: Any) -> Any:
        """Combine columns with those of another table, by a function of all rows in one task."""
        both = [each.repartition(npartitions=1) for each in (self, other)]
        return call(Method("combine"), (*both, func, *args), kwargs, "combine")

    def corrwith(
        self,
        other: Any,
        axis: Any = 0,
        drop: bool = False,
        method: str = "pearson",
        numeric_only: bool = False,
    ) -> Any:
        """Correlation of each column with a series, or with the column of its name."""
        options = {"drop": drop, "method": method, "numeric_only": numeric_only}
        return api().aligning.corrwith(self, other, axis, options)

    def to_html(self, max_rows: int = 5) -> str:
        """First rows as a table for a page."""
        return str(self.head(max_rows).to_html())

    def assign(self, **kwargs: Any) -> Any:
        """Return the table with columns replaced or added; see `pandas.DataFrame.assign`."""
        return api().columns.assign(self, kwargs)

    def to_records(self, index: bool = True, lengths: Any = None) -> Any:
        """Rows as a lazy array of records; see `gpuscale.dataframe.to_records`."""
        return api().bridges.to_records(self, index, lengths)

    def to_parquet(self, path: PathLike, **kwargs: Any) -> None:
        """Write a folder of Parquet files; see `gpuscale.dataframe.to_parquet`."""
        api().writing.to_parquet(self, path, **kwargs)

    def pop(self, item: Any) -> Any:
        """Return a column and drop it from the table."""
        column = self[item]
        del self[item]
        return column

    @in_place
    def drop(
        self,
        labels: Any = None,
        *,
        axis: Any = 0,
        index: Any = None,
        columns: Any = None,
        errors: str = "raise",
    ) -> Any:
        """Leave columns out, or rows with ``errors="ignore"``; see `pandas.DataFrame.drop`."""
        if labels is not None and axis in (1, "columns"):
            columns = labels
        elif labels is not None:
            index = labels
        kept = self if columns is None else api().columns.without(self, columns, errors)
        return kept if index is None else api().labels.without_rows(kept, index, errors)

    def filter(
        self, items: Any = None, like: str | None = None, regex: str | None = None, axis: Any = None
    ) -> Any:
        """Columns by their names; see `pandas.DataFrame.filter`."""
        options = {"items": items, "like": like, "regex": regex, "axis": axis}
        if axis in (0, "index"):
            return api().labels.filtered(self, items, like, regex)
        return api().columns.like(self, self._meta.filter(**options))

    def select_dtypes(self, include: Any = None, exclude: Any = None) -> Any:
        """Columns by their dtypes; see `pandas.DataFrame.select_dtypes`."""
        return api().columns.like(self, self._meta.select_dtypes(include, exclude))

    def set_axis(self, labels: Any, *, axis: Any = 0) -> Any:
        """Give the columns other labels (``axis=1``); see `pandas.DataFrame.set_axis`."""
        if axis not in (1, "columns"):
            raise NotImplementedError("labels of rows lie in partitions: use set_index")
        return call(Method("set_axis"), (self, list(labels)), {"axis": 1}, "set_axis")

    def query(self, expr: str, **options: Any) -> Any:
        """Rows for which an expression is true, as in pandas: "x > @least", "x in @other.x"."""
        return api().expressions.evaluated(self, "query", expr, options, "some")

    def eval(self, expr: str, **options: Any) -> Any:
        """Value of an expression of columns; see `pandas.DataFrame.eval`."""
        return api().expressions.evaluated(self, "eval", expr, options, "same")

    def melt(self, id_vars: Any = None, value_vars: Any = None, **options: Any) -> Any:
        """Make rows of columns; see `gpuscale.dataframe.melt`."""
        return api().converting.melt(self, id_vars, value_vars, **options)

    def pivot_table(self, *args: Any, **kwargs: Any) -> Any:
        """Make a table of aggregations; see `gpuscale.dataframe.pivot_table`."""
        return api().pivoting.pivot_table(self, *args, **kwargs)

    def astype(self, dtype: Any, **options: Any) -> Any:
        """Cast; "category" computes now which there are; see `pandas.DataFrame.astype`."""
        return api().converting.astype(self, dtype, options)

    def categorize(self, columns: Any = None, **options: Any) -> Any:
        """Make categories of columns of texts, which are computed now."""
        return api().converting.categorize(self, columns)

    def value_counts(
        self,
        subset: Any = None,
        normalize: bool = False,
        sort: bool = True,
        ascending: bool = False,
        dropna: bool = True,
    ) -> Any:
        """Count the different rows; see `pandas.DataFrame.value_counts`."""
        options = {"normalize": normalize, "sort": sort, "ascending": ascending, "dropna": dropna}
        return api().counting.row_counts(self, subset, options)

    @in_place
    def drop_duplicates(
        self, subset: Any = None, *, keep: Any = "first", ignore_index: bool = False
    ) -> Any:
        """Keep one of the rows that are the same; see `pandas.DataFrame.drop_duplicates`."""
        return api().counting.drop_duplicates(self, subset, keep, ignore_index)

    def explode(self, column: Any, ignore_index: bool = False) -> Any:
        """Return a row for each element of lists; see `pandas.DataFrame.explode`."""
        labels = column if isinstance(column, list) else [column]
        return api().exploding.explode(self, labels, ignore_index)

    def nlargest(self, n: int, columns: Any, keep: str = "first") -> Any:
        """Rows with the largest values, in their order; see `pandas.DataFrame.nlargest`."""
        return api().counting.extremes(self, "nlargest", n, keep, columns)

    def nsmallest(self, n: int, columns: Any, keep: str = "first") -> Any:
        """Rows with the smallest values, in their order; see `pandas.DataFrame.nsmallest`."""
        return api().counting.extremes(self, "nsmallest", n, keep, columns)

    def mode(self, axis: Any = 0, numeric_only: bool = False, dropna: bool = True) -> Any:
        """Most frequent values of each column; see `pandas.DataFrame.mode`."""
        if axis in (1, "columns"):
            raise NotSupportedError("how many columns mode(axis=1) has depends on the data")
        return api().counting.mode(self, dropna, numeric_only)

    def quantile(
        self,
        q: Any = 0.5,
        axis: Any = 0,
        numeric_only: bool = False,
        interpolation: str = "linear",
        method: str = "single",
    ) -> Any:
        """Exact quantiles of the columns; see `pandas.DataFrame.quantile`."""
        if axis in (1, "columns"):
            if np.ndim(q):
                raise NotSupportedError("quantile(axis=1) takes one q at a time")
            given = {"axis": 1, "numeric_only": numeric_only, "interpolation": interpolation}
            return call(Method("quantile"), (self, q), given, "quantile")
        options = {"interpolation": interpolation, "method": method}
        return api().quantiles.quantile(self, q, numeric_only, options)

    def median(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Any:
        """Exact medians of the columns."""
        if axis in (1, "columns"):
            return api().reductions.reduce(self, "median", axis=1, skipna=skipna)
        return api().quantiles.median(self, skipna, numeric_only)

    def describe(self, percentiles: Any = None, include: Any = None, exclude: Any = None) -> Any:
        """Counts, means, deviations and quantiles; see `pandas.DataFrame.describe`."""
        options = {"percentiles": percentiles, "include": include, "exclude": exclude}
        return api().quantiles.describe(self, options)

    def map(self, func: Any, na_action: Any = None, meta: Any = None, **kwargs: Any) -> Any:
        """Call a function on each element; see `Series.map`, `pandas.DataFrame.map`."""
        return api().mapping.mapped(self, func, {"na_action": na_action, **kwargs}, "same", meta)

    def apply(
        self,
        func: Any,
        axis: Any = 0,
        args: tuple[Any, ...] = (),
        *,
        meta: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Call a function on each row (``axis=1``); see `pandas.DataFrame.apply`.

        Parameters
        ----------
        func : callable
        axis : {1, "columns"}
        args : tuple
        meta : object of pandas, dtype, pair or dictionary, optional
            What the result is like; by default the function is tried on made-up rows.
        """
        return api().columns.apply(self, func, {"axis": axis, "args": args, **kwargs}, meta)

    @in_place
    def sort_values(
        self,
        by: Any,
        ascending: Any = True,
        na_position: str = "last",
        key: Any = None,
        npartitions: int | None = None,
        ignore_index: bool = False,
        **options: Any,
    ) -> Any:
        """Sort rows by columns, exactly; rows of equal keys keep their order.

        Partitions of the result begin at values that a sample of the first column tells.

        Parameters
        ----------
        by : label or list of labels
        ascending : bool or list of bool
        na_position : {"last", "first"}
        key : callable, optional
            Applied to each column before.
        npartitions : int, optional
        ignore_index : bool
            Number the rows of the result.
        **options
            ``kind`` and ``sort_function`` mean nothing here.
        """
        api().shuffling.only(options, "sort_values", "kind", "sort_function")
        return api().shuffling.sort_values(
            self, by, ascending, na_position, key, npartitions, ignore_index
        )

    @in_place
    def set_index(
        self,
        keys: Any,
        drop: bool = True,
        append: bool = False,
        sorted: bool = False,
        npartitions: int | None = None,
        divisions: Any = None,
        sort: bool = True,
        **options: Any,
    ) -> Any:
        """Make an index of a column and put the rows in its order, with known divisions.

        The column is computed once now, to know where partitions begin; not so with ``divisions``.

        Parameters
        ----------
        keys : label, Series, or list of labels
            Of several labels rows are left where they are, as with ``append``. The elements of a
            series become the labels, and all columns are kept.
        drop, append : bool
            As pandas has them.
        sorted : bool
            Rows are in order already; only the ends of partitions are looked at.
        npartitions : int, optional
        divisions : sequence, optional
            Bounds of the partitions.
        sort : bool
            False leaves rows where they are, as pandas does.
        **options
            Others of dask mean nothing here.
        """
        api().shuffling.only(options, "set_index", *_SET_INDEX_OF_DASK)
        return api().shuffling.set_index(
            self, keys, drop, append, sorted, npartitions, divisions, sort
        )

    def merge(self, right: Any, *args: Any, **kwargs: Any) -> Any:
        """Join rows with those of another frame; see `gpuscale.dataframe.merge`."""
        return api().merging.merge(self, right, *args, **kwargs)

    def join(
        self,
        other: Any,
        on: Any = None,
        how: str = "left",
        lsuffix: str = "",
        rsuffix: str = "",
        sort: bool = False,
        validate: Any = None,
        suffixes: Any = None,
    ) -> Any:
        """Join columns of other frames by their index.

        Parameters
        ----------
        other : DataFrame, Series with a name, or list of these
        on : label or list of labels, optional
            Columns of this frame that meet the index of the other; by default its index.
        how, lsuffix, rsuffix, sort, validate, suffixes
            As pandas has them, some by older and some by newer names.
        """
        suffixes = (lsuffix, rsuffix) if suffixes is None else suffixes
        return api().merging.join(self, other, on, how, suffixes, sort, validate)
