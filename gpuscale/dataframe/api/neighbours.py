"""Rows that need those before or behind them: running results, shifts, fills, windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from pandas.api.types import is_numeric_dtype

from gpuscale.base.types import is_known
from gpuscale.dataframe.algorithms.cuts import rows_of
from gpuscale.dataframe.algorithms.running import Before, continued
from gpuscale.dataframe.alignment import with_same_index
from gpuscale.dataframe.api.positions import counted, starts_of
from gpuscale.dataframe.api.reductions import of_columns, reduction
from gpuscale.dataframe.api.repartition import rows_between
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame, wrap
from gpuscale.dataframe.inference import emptied, of_made_up
from gpuscale.dataframe.methods import Method
from gpuscale.dataframe.nodes.partwise import Partwise
from gpuscale.dataframe.nodes.regroup import Regroup
from gpuscale.dataframe.nodes.rows import Numbered
from gpuscale.dataframe.promises import promise
from gpuscale.expr.node import Node

__all__ = ["map_overlap"]


def running(x: Any, name: str, options: dict[str, Any]) -> Any:
    """Return sums, products or extremes of all rows up to each, or fill from the ones before."""
    given = {key: value for key, value in options.items() if value is not None}
    out = emptied(of_made_up(lambda made: getattr(made, name)(**given), x._meta))
    plan = Before(name, given.get("skipna", True))
    before = reduction((x.expr,), plan, name, ())
    numbers = tuple(range(x.npartitions))
    args = (name, tuple(sorted(given.items())))
    return wrap(Numbered(continued, (x.expr, before), numbers, args, name, None, out))


def cumulative(x: Any, name: str, axis: Any, skipna: bool, numeric_only: bool) -> Any:
    """Return running sums, products or extremes."""
    if axis in (1, "columns"):
        return call(Method(name), (x,), {"axis": 1, "skipna": skipna}, name)
    if numeric_only:
        x = of_columns(x, is_numeric_dtype)
    return running(x, name, {"skipna": skipna})


def fill(x: Any, name: str, axis: Any, limit: int | None) -> Any:
    """Fill nulls from the row before, or behind."""
    if axis in (1, "columns"):
        return call(Method(name), (x,), {"axis": 1, "limit": limit}, name)
    if limit is None:
        return running(x, name, {})
    before, after = (limit, 0) if name == "ffill" else (0, limit)
    return overlapped(x, Method(name), before, after, {"limit": limit}, name)


def moved(x: Any, name: str, periods: int, options: dict[str, Any]) -> Any:
    """Shift rows, or take differences of rows that are some apart."""
    if not isinstance(periods, int | np.integer):
        raise TypeError(f"periods must be an integer, not {periods!r}")
    if options.get("axis") in (1, "columns"):
        return call(Method(name), (x,), {"periods": periods, **options}, name)
    if options.get("freq") is not None:
        return call(Method(name), (x,), {"periods": periods, **options}, name, "new")
    before, after = (int(periods), 0) if periods > 0 else (0, -int(periods))
    return overlapped(x, Method(name), before, after, {"periods": int(periods), **options}, name)


def overlapped(
    x: Frame,
    function: Callable[..., Any],
    before: int,
    after: int,
    options: dict[str, Any],
    label: str,
    out: Any = None,
) -> Any:
    """Call a function on each partition with some rows of its neighbours, which are cut off again.

    Rows are counted now where nobody knows how many there are, since a partition may have fewer
    than are needed of it.
    """
    if out is None:
        out = emptied(of_made_up(lambda made: function(made, **options), x._meta))
    node = counted(x.expr)
    starts = starts_of(node)
    total, pieces, margins = starts[-1], [], []
    for start, stop in zip(starts, starts[1:], strict=False):
        low, high = max(0, start - before), min(total, stop + after)
        pieces.append(rows_between(starts, low, high))
        margins.append((start - low, stop - start))
    wide = Regroup((node,), tuple(pieces), None, "overlap")
    args = (function, tuple(sorted(options.items())))
    assert is_known(node.meta.rows)
    result = Numbered(without_margins, (wide,), tuple(margins), args, label, node.meta.rows, out)
    return wrap(on_rows_of(node, result))


def on_rows_of(x: Node, result: Node) -> Node:
    """Return a frame that has the index of another one, partition by partition."""
    return Partwise(with_same_index, (x, result), (), "align", "same", result.meta.frame)


def without_margins(
    partition: Any,
    margin: tuple[int | None, int],
    function: Any,
    options: tuple[tuple[str, Any], ...],
) -> Any:
    """Call a function on a partition with margins, and cut these off.

    The margin is the number of rows before its own, None where these are the last, and of those.
    """
    first, rows = margin
    result = function(partition, **dict(options))
    if len(result) != len(partition):
        raise ValueError(
            f"a function of rows and their neighbours was given {len(partition)} rows and returned "
            f"{len(result)}; it must return as many"
        )
    first = len(partition) - rows if first is None else first
    return rows_of(result, slice(first, first + rows))


@dataclass(frozen=True)
class WithArguments:
    """A function of a partition with more arguments behind it."""

    function: Callable[..., Any]
    args: tuple[Any, ...]

    def __call__(self, partition: Any, **kwargs: Any) -> Any:
        """Call it."""
        return self.function(partition, *self.args, **kwargs)


def map_overlap(
    func: Callable[..., Any],
    df: Any,
    before: int,
    after: int,
    *args: Any,
    meta: Any = None,
    enforce_metadata: bool = True,
    transform_divisions: bool = True,
    align_dataframes: bool = True,
    **kwargs: Any,
) -> Any:
    """Call a function on partitions with rows of their neighbours, whose results are cut off.

    Parameters
    ----------
    func : callable
        Returns a row for each row that it is given.
    df : DataFrame or Series
    before, after : int
        How many rows of the neighbours it needs.
    *args, **kwargs
        Given to the function.
    meta : object of pandas, dtype, pair or mapping, optional
        As for `map_partitions`.
    enforce_metadata, transform_divisions, align_dataframes : bool
        As dask has them.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> x = gd.from_pandas(pd.Series([1, 2, 4, 8]), npartitions=2)
    >>> gd.map_overlap(lambda part: part.rolling(2).sum(), x, 1, 0).compute().tolist()
    [nan, 3.0, 6.0, 12.0]
    """
    for name, value in (("before", before), ("after", after)):
        if not isinstance(value, int | np.integer) or value < 0:
            raise ValueError(f"{name} is a number of rows, not {value!r}; times are not supported")
    function = WithArguments(func, args)
    if meta is None:
        out = emptied(of_made_up(lambda made: function(made, **kwargs), df._meta))
    else:
        out = promise(meta, df._meta)
    label = getattr(func, "__name__", "map_overlap")
    return overlapped(df, function, int(before), int(after), kwargs, label, out)
