"""Methods that look at all rows, or at their order, and those that ask about the whole."""

from __future__ import annotations

from typing import Any

from gpuscale.base.errors import NotSupportedError
from gpuscale.dataframe.collection import api

__all__ = ["Ranks"]


class Ranks:
    """A mixin of what frames and series both have."""

    __slots__ = ()

    def rank(
        self,
        axis: Any = 0,
        method: str = "average",
        numeric_only: bool = False,
        na_option: str = "keep",
        ascending: bool = True,
        pct: bool = False,
    ) -> Any:
        """Rank of each element among all; see `pandas.DataFrame.rank`.

        One task ranks a column where it has room for all of it; else it is cut by its order.
        """
        options = {"axis": axis, "method": method, "na_option": na_option, "pct": pct}
        options |= {"ascending": ascending, "numeric_only": numeric_only}
        return api().ranking.rank(self, options)

    def interpolate(self, method: str = "linear", *, axis: Any = 0, **options: Any) -> Any:
        """Fill nulls between others, by one task that has all rows; as `pandas` does."""
        return api().one_place.each_of_all(
            self, "interpolate", {"method": method, "axis": axis, **options}
        )

    def duplicated(self, *args: Any, **options: Any) -> Any:
        """Whether each row was there before, as in `pandas`."""
        return api().one_place.duplicated(self, *args, **options)

    def pct_change(self, periods: int = 1, **options: Any) -> Any:
        """By which share each row differs from one before; see `pandas.DataFrame.pct_change`."""
        if options.get("freq") is not None:
            raise NotSupportedError(
                "pct_change(freq=): divide by shift(freq=), whose index is known"
            )
        return api().neighbours.moved(self, "pct_change", periods, options)

    def asfreq(self, freq: Any, method: str | None = None, **options: Any) -> Any:
        """Rows at even times, by one task that has all rows; see `pandas.DataFrame.asfreq`."""
        return api().one_place.rows_of_all(self, "asfreq", freq=freq, method=method, **options)

    def unstack(self, level: Any = -1, fill_value: Any = None, sort: bool = True) -> Any:
        """Columns for the labels of a level, which are computed now; see `pandas.Series.unstack`.

        All rows have to fit into memory, as results of groups by several keys do.
        """
        return api().pivoting.unstacked(self, level, fill_value, sort)

    def asof(self, where: Any, subset: Any = None) -> Any:
        """Last row without nulls up to a label, or some; see `pandas.DataFrame.asof`."""
        return api().one_place.asof(self, where, subset)

    def first_valid_index(self) -> Any:
        """Label of the first row that has no nulls alone, lazy."""
        return api().one_place.valid_label(self, "first_valid_index")

    def last_valid_index(self) -> Any:
        """Label of the last row that has no nulls alone, lazy."""
        return api().one_place.valid_label(self, "last_valid_index")

    def nunique_approx(self: Any, split_every: int | None = None) -> Any:
        """Return how many different rows there are: exactly, where dask estimates."""
        kept = self.drop_duplicates()
        return api().reductions.length(kept)

    def median_approximate(self: Any, *args: Any, method: Any = None, **options: Any) -> Any:
        """Return the exact median, where dask estimates."""
        return self.median(*args, **options)

    def enforce_runtime_divisions(self) -> Any:
        """Return the same, where a label beyond the divisions of its partition raises."""
        return api().partitions.within_divisions(self)
