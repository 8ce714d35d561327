"""One column with an index."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gpuscale.dataframe.accessors import with_accessors
from gpuscale.dataframe.collection import Frame, api, collects
from gpuscale.dataframe.methods import SERIES_METHODS, with_methods
from gpuscale.dataframe.operators import Operators, with_flexible
from gpuscale.dataframe.reducing import with_reductions
from gpuscale.dataframe.written import Written

__all__ = ["Series"]


@collects(pd.Series)
@with_methods(pd.Series, SERIES_METHODS)
@with_reductions(pd.Series)
@with_flexible
@with_accessors
class Series(Written, Operators, Frame):
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
    def index(self) -> Any:
        """The index."""
        return api().columns.index_of(self)

    @property
    def shape(self) -> tuple[Any]:
        """Number of rows, which is lazy where data decide it."""
        return (api().reductions.length(self),)

    @property
    def loc(self) -> Any:
        """Rows by labels, as ``df.loc[start:stop]``; see `pandas.DataFrame.loc`."""
        return api().labels.LabelIndexer(self)

    @property
    def iloc(self) -> Any:
        """Rows by positions, as ``df.iloc[-3:]``; see `pandas.DataFrame.iloc`."""
        return api().positions.PositionIndexer(self)

    def reset_index(self, level: Any = None, *, drop: bool = False, **options: Any) -> Any:
        """Number the rows from 0, and make columns of the index, as pandas does.

        Rows are counted now where nobody knows how many there are.
        """
        return api().positions.reset_index(self, drop, {"level": level, **options})

    def __getitem__(self, key: Any) -> Any:
        return api().columns.rows_of(self, key)

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
