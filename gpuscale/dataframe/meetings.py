"""Methods of two frames that meet, and those that ask a table for one of its parts."""

from __future__ import annotations

from typing import Any

from gpuscale.dataframe.collection import api

__all__ = ["Meetings"]


class Meetings:
    """A mixin of what frames and series both have."""

    __slots__ = ()

    def align(
        self,
        other: Any,
        join: str = "outer",
        axis: Any = None,
        level: Any = None,
        fill_value: Any = None,
    ) -> tuple[Any, Any]:
        """Both with the same labels; see `pandas.DataFrame.align`."""
        options = {"join": join, "axis": axis, "level": level, "fill_value": fill_value}
        found: tuple[Any, Any] = api().aligning.align(self, other, options)
        return found

    def compare(
        self,
        other: Any,
        align_axis: Any = 1,
        keep_shape: bool = False,
        keep_equal: bool = False,
        result_names: Any = ("self", "other"),
    ) -> Any:
        """Where two differ; of tables with ``keep_shape=True``; see `pandas.DataFrame.compare`."""
        options = {"align_axis": align_axis, "keep_shape": keep_shape, "keep_equal": keep_equal}
        return api().aligning.compare(self, other, {**options, "result_names": result_names})

    def update(self: Any, other: Any, **options: Any) -> None:
        """Take on the values of another under the same labels; see `pandas.DataFrame.update`."""
        self._expr = api().aligning.updated(self, other, options).expr

    def reindex_like(self, other: Any) -> Any:
        """Rows and columns under the labels of another; see `pandas.DataFrame.reindex_like`."""
        return api().aligning.reindex_like(self, other)

    def dot(self, other: Any) -> Any:
        """Sums of products; see `pandas.DataFrame.dot`.

        Parameters
        ----------
        other : Series or DataFrame
            Of a table, a series of the labels of its columns, or what pandas or NumPy have in
            memory; of a series, a series or a table of the same rows.
        """
        return api().aligning.dot(self, other)

    __matmul__ = dot

    def agg(self, func: Any = None, axis: Any = 0, *args: Any, **kwargs: Any) -> Any:
        """Reductions by name, several at once, in one pass; see `pandas.DataFrame.agg`.

        Parameters
        ----------
        func : str, list of str, or mapping of columns to these, optional
        axis : {0, 1}
        *args, **kwargs
            For each reduction; without ``func``, results by their names: of a table as
            ``result=("column", "sum")``, of a series as ``result="sum"``.

        Examples
        --------
        >>> import pandas as pd
        >>> import gpuscale.dataframe as gd
        >>> df = gd.from_pandas(pd.DataFrame({"x": [1, 2, 4], "y": [0.5, 2, 1]}), npartitions=2)
        >>> df.agg({"x": ["sum", "max"], "y": "max"}).compute()
             x    y
        sum  7  NaN
        max  4  2.0
        """
        return api().aggregating.aggregate(self, func, axis, args, kwargs)

    aggregate = agg

    def info(self, verbose: bool | None = None, buf: Any = None, memory_usage: bool = True) -> None:
        """Print columns, dtypes, and how many elements are no nulls, which is computed.

        Parameters
        ----------
        verbose : bool, optional
            Taken for the sake of pandas.
        buf : file, optional
            Where it is written instead.
        memory_usage : bool
            Whether bytes are counted, with those of texts.
        """
        print(api().aggregating.info(self, memory_usage), file=buf)

    def truncate(self, before: Any = None, after: Any = None, axis: Any = None) -> Any:
        """Rows, or columns, between two labels; see `pandas.DataFrame.truncate`."""
        return api().labels.truncated(self, before, after, axis)

    def reindex(self, *args: Any, **options: Any) -> Any:
        """Rows or columns under other labels; see `pandas.DataFrame.reindex`."""
        return api().labels.reindex(self, *args, **options)

    def xs(self, key: Any, axis: Any = 0, level: Any = None, drop_level: bool = True) -> Any:
        """Rows of one label of a level, or a column; see `pandas.DataFrame.xs`."""
        return api().labels.cross_section(self, key, axis, level, drop_level)

    @property
    def at(self) -> Any:
        """One element by its labels, as ``df.at[label, column]``, lazy."""
        return api().positions.ElementIndexer(self, by_label=True)

    @property
    def iat(self) -> Any:
        """One element by its positions, as ``df.iat[row, column]``, lazy."""
        return api().positions.ElementIndexer(self, by_label=False)
