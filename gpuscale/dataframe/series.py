"""One column with an index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from gpuscale.dataframe.accessors import with_accessors
from gpuscale.dataframe.collection import Labelled, api, collects, in_place
from gpuscale.dataframe.meetings import Meetings
from gpuscale.dataframe.methods import SERIES_METHODS, with_methods
from gpuscale.dataframe.operators import Operators, with_flexible
from gpuscale.dataframe.ranks import Ranks
from gpuscale.dataframe.reducing import with_reductions
from gpuscale.dataframe.running import Running
from gpuscale.dataframe.statistics import Statistics
from gpuscale.dataframe.written import Written

__all__ = ["Series"]


@collects(pd.Series)
@with_methods(pd.Series, SERIES_METHODS)
@with_reductions(pd.Series)
@with_flexible
@with_accessors
class Series(Meetings, Ranks, Statistics, Running, Written, Operators, Labelled):
    """A lazy series in partitions, with the interface of `pandas.Series`.

    Made by `from_pandas` and its siblings, or a column of a `DataFrame`; never directly.
    """

    __slots__ = ()

    @property
    def name(self) -> Any:  # type: ignore[override]
        """Name of the series."""
        return self._meta.name

    @name.setter
    def name(self, name: Any) -> None:
        self._expr = self.rename(name).expr  # type: ignore[attr-defined]

    @property
    def dtype(self) -> Any:
        """Type of the elements."""
        return self._meta.dtype

    dtypes = dtype

    @property
    def shape(self) -> tuple[Any]:
        """Number of rows, which is lazy where data decide it."""
        return (api().reductions.length(self),)

    @property
    def is_monotonic_increasing(self) -> Any:
        """Whether no element is less than the one before, lazy."""
        return api().statistics.monotonic(self, "is_monotonic_increasing")

    @property
    def is_monotonic_decreasing(self) -> Any:
        """Whether no element is greater than the one before, lazy."""
        return api().statistics.monotonic(self, "is_monotonic_decreasing")

    @property
    def is_unique(self) -> Any:
        """Whether no element is there twice, lazy."""
        return self.nunique(dropna=False) == api().reductions.length(self)  # type: ignore[attr-defined]

    @property
    def hasnans(self) -> Any:
        """Whether there are nulls, lazy."""
        return self.isna().any()  # type: ignore[attr-defined]

    @property
    def empty(self) -> bool:
        """Whether there are no elements; counts them if that is not known."""
        return not len(self)

    def keys(self) -> Any:
        """Labels of the elements."""
        return self.index

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Label and value of each element, a partition in memory at a time."""
        for part in api().partitions.computed(self):
            yield from part.items()

    def item(self) -> Any:
        """Compute the only element; see `pandas.Series.item`."""
        return self.head(2).item()

    def to_list(self) -> list[Any]:
        """Compute all elements."""
        return list(self.compute().to_list())

    tolist = to_list

    def argmin(self, skipna: bool = True) -> Any:
        """Position of the least element, lazy; see `pandas.Series.argmin`."""
        return self.reset_index(drop=True).idxmin(skipna=skipna)

    def argmax(self, skipna: bool = True) -> Any:
        """Position of the greatest element, lazy; see `pandas.Series.argmax`."""
        return self.reset_index(drop=True).idxmax(skipna=skipna)

    def argsort(self, **options: Any) -> Any:
        """Positions that sort the elements, by one task that has all of them."""
        return api().one_place.each_of_all(self, "argsort", {"kind": "stable", **options})

    def searchsorted(self, value: Any, side: str = "left") -> Any:
        """Where values belong among sorted elements, lazy; see `pandas.Series.searchsorted`."""
        return api().one_place.places(self, value, side)

    def autocorr(self, lag: int = 1) -> Any:
        """Correlation with the series itself some rows before."""
        return self.corr(self.shift(lag))

    def __getitem__(self, key: Any) -> Any:
        return api().columns.elements_of(self, key)

    @in_place
    def drop(
        self, labels: Any = None, *, axis: Any = 0, index: Any = None, errors: str = "raise"
    ) -> Any:
        """Leave rows out by their labels, with ``errors="ignore"`` alone."""
        return api().labels.without_rows(self, index if labels is None else labels, errors)

    def filter(
        self, items: Any = None, like: str | None = None, regex: str | None = None, axis: Any = None
    ) -> Any:
        """Elements by their labels; see `pandas.Series.filter`."""
        return api().labels.filtered(self, items, like, regex)

    def divmod(self, other: Any, *args: Any, **options: Any) -> tuple[Any, Any]:
        """Quotients and remainders; see `pandas.Series.divmod`."""
        return self.floordiv(other, *args, **options), self.mod(other, *args, **options)  # type: ignore[attr-defined]

    def rdivmod(self, other: Any, *args: Any, **options: Any) -> tuple[Any, Any]:
        """Quotients and remainders by the elements; see `pandas.Series.rdivmod`."""
        return self.rfloordiv(other, *args, **options), self.rmod(other, *args, **options)  # type: ignore[attr-defined]

    def transpose(self) -> Any:
        """The series itself."""
        return self.copy()

    @property
    def T(self) -> Any:  # noqa: N802
        """The same as `transpose`."""
        return self.transpose()

    def astype(self, dtype: Any, **options: Any) -> Any:
        """Cast; "category" computes now which there are; see `pandas.Series.astype`."""
        return api().converting.astype(self, dtype, options)

    def case_when(self, caselist: Any) -> Any:
        """Replace values by the first condition that holds; see `pandas.Series.case_when`."""
        return api().columns.case_when(self, caselist)

    def value_counts(
        self,
        normalize: bool = False,
        sort: bool = True,
        ascending: bool = False,
        bins: Any = None,
        dropna: bool = True,
    ) -> Any:
        """Count the different values; see `pandas.Series.value_counts`."""
        options = {"normalize": normalize, "sort": sort, "ascending": ascending, "dropna": dropna}
        return api().counting.value_counts(self, {"bins": bins, **options})

    def unique(self) -> Any:
        """Different values, in the order in which they come first: a series, unlike in pandas."""
        return api().counting.unique(self)

    @in_place
    def drop_duplicates(self, *, keep: Any = "first", ignore_index: bool = False) -> Any:
        """Keep one of the values that are the same; see `pandas.Series.drop_duplicates`."""
        return api().counting.drop_duplicates(self, None, keep, ignore_index)

    def explode(self, ignore_index: bool = False) -> Any:
        """Return a row for each element of lists; see `pandas.Series.explode`."""
        return api().exploding.explode(self, (), ignore_index)

    def nlargest(self, n: int = 5, keep: str = "first") -> Any:
        """Largest elements, in their order; see `pandas.Series.nlargest`."""
        return api().counting.extremes(self, "nlargest", n, keep)

    def nsmallest(self, n: int = 5, keep: str = "first") -> Any:
        """Smallest elements, in their order; see `pandas.Series.nsmallest`."""
        return api().counting.extremes(self, "nsmallest", n, keep)

    def mode(self, dropna: bool = True) -> Any:
        """Most frequent values; see `pandas.Series.mode`."""
        return api().counting.mode(self, dropna)

    def quantile(self, q: Any = 0.5, interpolation: str = "linear") -> Any:
        """Exact quantiles; see `pandas.Series.quantile`."""
        return api().quantiles.quantile(self, q, False, {"interpolation": interpolation})

    def median(self, skipna: bool = True) -> Any:
        """Exact median."""
        return api().quantiles.median(self, skipna, False)

    def describe(self, percentiles: Any = None) -> Any:
        """Count, mean, deviation and quantiles; see `pandas.Series.describe`."""
        return api().quantiles.describe(self, {"percentiles": percentiles})

    def map(self, func: Any, na_action: Any = None, meta: Any = None, **kwargs: Any) -> Any:
        """Replace elements by what a mapping, a series or a function has for them.

        Parameters
        ----------
        func : mapping, Series or callable
        na_action : {None, "ignore"}
        meta : object of pandas, dtype, or pair of name and dtype, optional
            What the result is like; by default functions are tried on made-up elements.
        **kwargs
            For the function.
        """
        return api().mapping.mapped(self, func, {"na_action": na_action, **kwargs}, "same", meta)

    def apply(
        self, func: Any, args: tuple[Any, ...] = (), *, meta: Any = None, **kwargs: Any
    ) -> Any:
        """Call a function on each element; see `pandas.Series.apply`.

        Parameters
        ----------
        func : callable
        args : tuple
        meta : object of pandas, dtype, or pair of name and dtype, optional
            What the result is like; by default the function is tried on made-up elements.
        """
        return api().columns.apply(self, func, {"args": args, **kwargs}, meta)

    @in_place
    def sort_values(
        self,
        ascending: bool = True,
        na_position: str = "last",
        key: Any = None,
        npartitions: int | None = None,
        ignore_index: bool = False,
        **options: Any,
    ) -> Any:
        """Sort elements, exactly; equal ones keep their order; see `DataFrame.sort_values`."""
        api().shuffling.only(options, "sort_values", "kind", "sort_function")
        return api().shuffling.sort_values(
            self, None, ascending, na_position, key, npartitions, ignore_index
        )
