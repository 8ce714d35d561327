"""Aggregations of groups that users say in parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Aggregation"]


@dataclass(frozen=True)
class Aggregation:
    """An aggregation of groups in three steps, for ``groupby(...).agg``.

    Parameters
    ----------
    name : str
        Of the column of results.
    chunk : callable
        Called with the values of a partition in groups, a ``SeriesGroupBy`` of pandas; gives a
        series with a value for each group, or a tuple of several.
    agg : callable
        Called with what `chunk` gave in several partitions, in groups, one argument for each
        series; gives the same as `chunk`. It may be called again with what it gave.
    finalize : callable, optional
        Called with the series of the end; gives that of the results. By default it is the first.

    See Also
    --------
    gpuscale.dataframe.DataFrameGroupBy.agg

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> spread = gd.Aggregation(
    ...     "spread",
    ...     chunk=lambda s: (s.max(), s.min()),
    ...     agg=lambda high, low: (high.max(), low.min()),
    ...     finalize=lambda high, low: high - low,
    ... )
    >>> df = gd.from_pandas(pd.DataFrame({"k": [1, 2, 1], "v": [3, 4, 5]}), npartitions=2)
    >>> df.groupby("k").v.agg(["sum", spread]).compute()
       sum  spread
    k
    1    8       2
    2    4       0
    """

    name: str
    chunk: Callable[[Any], Any]
    agg: Callable[..., Any]
    finalize: Callable[..., Any] | None = None

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(self, values: Any) -> Any:
        """Aggregate all values of one group, as pandas asks functions to."""
        one = np.zeros(len(values), dtype=int)
        parts = series_of(self.chunk(values.groupby(one)))
        return self.result(series_of(self.agg(*(part.groupby(level=0) for part in parts)))).iloc[0]

    def result(self, parts: list[Any]) -> Any:
        """Return the results of the series of the end."""
        return parts[0] if self.finalize is None else self.finalize(*parts)


def series_of(made: Any) -> list[Any]:
    """Return one series or several as a list."""
    return list(made) if isinstance(made, tuple | list) else [made]
