"""Methods of frames and series that compare columns, draw rows, or say what they take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import api

__all__ = ["Statistics"]


class Statistics:
    """A mixin of what both have."""

    __slots__ = ()

    def cov(self, *args: Any, **options: Any) -> Any:
        """Covariance of two series, or covariances of all pairs of columns."""
        return self._pairs("cov", *args, **options)

    def corr(self, *args: Any, **options: Any) -> Any:
        """Correlation of two series, or correlations of all pairs of columns."""
        return self._pairs("corr", *args, **options)

    def _pairs(self: Any, name: str, *args: Any, **options: Any) -> Any:
        if self.ndim == 1:
            names = ("other", *_AFTER[name][1])
            given = {**dict(zip(names, args, strict=False)), **options}
            other = given.pop("other")
            return api().statistics.pair(self, other, name, given.pop("min_periods", None), **given)
        given = {**dict(zip(_AFTER[name][0], args, strict=False)), **options}
        numeric_only = given.pop("numeric_only", False)
        least = given.pop("min_periods", None)
        return api().statistics.pairs(self, name, numeric_only, least, **given)

    def sample(
        self,
        n: int | None = None,
        frac: float | None = None,
        replace: bool = False,
        random_state: Any = None,
        *,
        weights: Any = None,
        ignore_index: bool = False,
    ) -> Any:
        """Rows at random: a number of all, or a share of each partition.

        Parameters
        ----------
        n : int, optional
        frac : float, optional
        replace : bool
        random_state : int or generator of NumPy, optional
        weights : label or Series, optional
            How likely each row is, among all; these numbers are computed now, and a share is one
            of all rows.
        ignore_index : bool
            Number the rows of the result.
        """
        result = api().statistics.sample(self, n, frac, replace, random_state, weights)
        return result.reset_index(drop=True) if ignore_index else result

    def random_split(self, frac: Any, random_state: Any = None, shuffle: bool = False) -> list[Any]:
        """Frames of shares of the rows, which together are all of them."""
        result: list[Any] = api().statistics.random_split(self, frac, random_state, shuffle)
        return result

    def reduction(
        self,
        chunk: Callable[..., Any],
        aggregate: Callable[..., Any] | None = None,
        combine: Callable[..., Any] | None = None,
        meta: Any = None,
        split_every: int | None = None,
        chunk_kwargs: Any = None,
        aggregate_kwargs: Any = None,
        combine_kwargs: Any = None,
        **options: Any,
    ) -> Any:
        """Reduce by functions: of a partition, of what comes of several, and for the end.

        Parameters
        ----------
        chunk : callable
            Of a partition; gives a value, a series, which becomes a row, or a frame.
        aggregate : callable, optional
            Of a series of values, or of all rows put together; by default ``chunk``.
        combine : callable, optional
            The same for some of them at a time; by default ``aggregate``.
        meta : object of pandas, optional
            What comes out; by default the functions are tried on made-up rows.
        split_every : int, optional
            How many are combined at a time.
        chunk_kwargs, aggregate_kwargs, combine_kwargs : dict, optional
            For the functions.
        **options
            For the first.
        """
        given = {
            "chunk": {**(chunk_kwargs or {}), **options},
            "aggregate": aggregate_kwargs,
            "combine": combine_kwargs,
        }
        return api().statistics.custom(self, chunk, aggregate, combine, meta, split_every, given)

    def memory_usage(self: Any, index: bool = True, deep: bool = False) -> Any:
        """Bytes in memory, of each column of a table; see `pandas.DataFrame.memory_usage`."""
        used = self.memory_usage_per_partition(index, deep)
        return used.sum() if self.ndim == 1 else used.sum().astype("int64")

    def memory_usage_per_partition(self: Any, index: bool = True, deep: bool = False) -> Any:
        """Bytes in memory of each partition."""
        options = {"index": index, "deep": deep}
        return call(used, (self,), options, "memory_usage", "new")

    @property
    def nbytes(self) -> Any:
        """Bytes of the elements."""
        total = self.memory_usage(index=False)
        return total.sum() if hasattr(total, "sum") else total

    @property
    def axes(self: Any) -> list[Any]:
        """The index, and the columns of a table."""
        return [self.index, *([self.columns] if self.ndim == 2 else [])]

    def squeeze(self: Any, axis: Any = None) -> Any:
        """Return the only column of a table as a series."""
        if self.ndim == 2 and len(self.columns) == 1 and axis in (None, 1, "columns"):
            return self[self.columns[0]]
        return self

    def to_string(self: Any, max_rows: int = 5) -> str:
        """First rows as text."""
        return str(self.head(max_rows).to_string())

    def compute_current_divisions(self: Any) -> tuple[Any, ...]:
        """Bounds of the index of each partition, computed now."""
        ends = [each.compute() for each in self.index.partitions]
        filled = [each for each in ends if len(each)]
        return (*(each.min() for each in filled), filled[-1].max())

    def itertuples(self: Any, index: bool = True, name: str | None = "Pandas") -> Iterator[Any]:
        """Rows as tuples, a partition in memory at a time."""
        for part in api().partitions.computed(self):
            yield from part.itertuples(index=index, name=name)

    def iterrows(self: Any) -> Iterator[Any]:
        """Labels and rows, a partition in memory at a time."""
        for part in api().partitions.computed(self):
            yield from part.iterrows()


_AFTER = {
    "cov": (("min_periods", "ddof", "numeric_only"), ("min_periods", "ddof")),
    "corr": (("method", "min_periods", "numeric_only"), ("method", "min_periods")),
}


def used(partition: Any, index: bool, deep: bool) -> Any:
    """Bytes of a partition: a row of a table, an element of a series."""
    found = partition.memory_usage(index=index, deep=deep)
    if hasattr(found, "to_frame"):
        return found.to_frame().T
    return frame_namespace(partition).Series([found])
