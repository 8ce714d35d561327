"""Windows that move over rows, whatever partitions these lie in, or grow from the first row on."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.base.errors import NotSupportedError
from gpuscale.dataframe.algorithms.cuts import Labels
from gpuscale.dataframe.algorithms.grouping import Call
from gpuscale.dataframe.algorithms.growing import GrowingBefore, grown_on
from gpuscale.dataframe.algorithms.windows import Ends, Moving, MovingPair
from gpuscale.dataframe.api.columns import check_labels
from gpuscale.dataframe.api.joining import concat
from gpuscale.dataframe.api.neighbours import on_rows_of, overlapped, without_margins
from gpuscale.dataframe.api.one_place import in_one_place
from gpuscale.dataframe.api.reductions import of_columns, reduction
from gpuscale.dataframe.collection import Frame, wrap
from gpuscale.dataframe.inference import emptied, of_made_up
from gpuscale.dataframe.nodes.regroup import Regroup
from gpuscale.dataframe.nodes.rows import Counted, Numbered
from gpuscale.dataframe.nodes.source import FromFrame, ReadPieces
from gpuscale.expr.walk import toposort

__all__: list[str] = []


def checked(x: Frame, window: Any, options: Mapping[str, Any]) -> None:
    """Have pandas say what is wrong about a window, and say what is not possible here."""
    on = options.get("on")
    if on is not None and x.ndim == 2 and pd.api.types.is_hashable(on):
        check_labels(x, [on])
    of_made_up(lambda made: made.rolling(window, **options), x._meta)
    if isinstance(window, pd.api.indexers.BaseIndexer):
        raise NotSupportedError(
            "a window of an indexer of pandas may reach any row: say it as a number of rows or a "
            "span of time, or use map_overlap with the margins that it needs"
        )
    if options.get("on") is not None:
        raise NotSupportedError("rolling(on=): make it the index, by set_index")
    if options.get("step") is not None:
        raise NotSupportedError("rolling(step=): take rows of the result by .iloc[::step]")


def ends_of(x: Frame) -> list[tuple[int, Any, Any]]:
    """Return rows, first and last label of each partition of a sorted index.

    Where the rows come from may know them. Of files these are the least and the greatest label of
    each partition, so who asks has to see that rows are in order.
    """
    layout = x.expr.meta.layout
    for node in toposort([x.expr]):
        if isinstance(node, FromFrame | ReadPieces) and node.meta.layout == layout and node.ends:
            return node.ends
    found: list[tuple[int, Any, Any]] = wrap(reduction((x.expr,), Ends(), "ends", [])).compute()
    return found


def moving(x: Frame, window: Any, options: Mapping[str, Any], method: Call) -> Any:
    """Return what pandas gives of windows for each row."""
    given = {name: value for name, value in options.items() if value is not None}
    function = Moving(Call("rolling", (window,), tuple(sorted(given.items()))), method)
    return _moved(x, window, bool(given.get("center")), function, method.name)


def moving_pair(x: Frame, window: Any, options: Mapping[str, Any], method: Call) -> Any:
    """Return covariances or correlations of two series in windows."""
    given = {name: value for name, value in options.items() if value is not None}
    pair, name = _paired(x, method)
    windows = Call("rolling", (window,), tuple(sorted(given.items())))
    function = MovingPair(windows, Call(method.name, (), method.kwargs), name)
    return _moved(pair, window, bool(given.get("center")), function, method.name)


def _moved(x: Any, window: Any, center: bool, function: Any, label: str) -> Any:
    if isinstance(window, int | np.integer):
        rows = int(window)
        return overlapped(x, function, rows, rows if center else 0, {}, label)
    return _in_time(x, pd.Timedelta(window), center, function, label)


def _in_time(x: Any, span: pd.Timedelta, center: bool, function: Any, label: str) -> Any:
    """Give each partition those rows of others that lie within a span of time.

    Neighbours are cut where it ends; not those of windows that look both ways, of which it has to
    be known how many rows are before one's own.
    """
    ends = ends_of(x)
    rows = tuple(each[0] for each in ends)
    node = Counted(x.expr, rows)
    filled = [block for block, each in enumerate(ends) if each[0]]
    firsts, lasts = [ends[block][1] for block in filled], [ends[block][2] for block in filled]
    pieces: list[Any] = []
    margins: list[tuple[int | None, int]] = []
    for block, (own, first, last) in enumerate(ends):
        if not own:
            pieces.append(((0, block, None),))
            margins.append((0, 0))
            continue
        low, high = first - span, last + span
        near = filled[bisect_left(lasts, low) : _stop(firsts, high) if center else len(filled)]
        near = [each for each in near if center or each <= block]
        cut = None if center else Labels(low, None)
        pieces.append(tuple((0, each, None if each == block else cut) for each in near))
        before = sum(rows[each] for each in near if each < block)
        margins.append((before if center else None, own))
    wide = Regroup((node,), tuple(pieces), None, "overlap")
    out = emptied(of_made_up(function, x._meta))
    result = Numbered(without_margins, (wide,), tuple(margins), (function, ()), label, rows, out)
    return wrap(on_rows_of(node, result))


def _stop(firsts: list[Any], high: Any) -> int:
    return sum(1 for each in firsts if each <= high)


def grown(x: Any, name: str, min_periods: int) -> Any:
    """Return what pandas gives of all rows up to each, by running results."""
    if name == "count":
        there = x.notna()
        return there.cumsum().astype("float64").where((there | True).cumsum() >= min_periods)
    numbers = x.astype("float64").replace([np.inf, -np.inf], np.nan)
    seen = numbers.notna().cumsum()
    if name in ("min", "max"):
        found = getattr(numbers, f"cum{name}")().ffill()
    else:
        found = numbers.fillna(0.0).cumsum()
    found = found / seen if name == "mean" else found
    return found.where(seen >= max(1, min_periods) if name != "sum" else seen >= min_periods)


def numeric(x: Any, numeric_only: bool = False) -> Any:
    """Return the columns that are numbers, if they alone are asked for."""
    return of_columns(x, pd.api.types.is_numeric_dtype) if numeric_only else x


def going_on(x: Any, growing: Any, name: str, options: dict[str, Any]) -> Any:
    """Return what is made of the numbers that are kept of all rows up to each."""
    # Of what are no numbers, pandas raises.
    out = emptied(of_made_up(lambda made: made.expanding().mean(), x._meta))
    before = reduction((x.expr,), GrowingBefore(growing), name, ())
    numbers = tuple(range(x.npartitions))
    args = (growing, name, tuple(sorted(options.items())))
    return wrap(Numbered(grown_on, (x.expr, before), numbers, args, name, None, out))


def of_all_before(x: Any, windows: Call, method: Call) -> Any:
    """Return what pandas gives of windows of all rows up to each, in one place."""
    return in_one_place(x, Moving(windows, method), method.name)


def pair_of_all_before(x: Any, windows: Call, method: Call) -> Any:
    """Return covariances or correlations of two series up to each row, in one place."""
    pair, name = _paired(x, method)
    function = MovingPair(windows, Call(method.name, (), method.kwargs), name)
    return in_one_place(pair, function, method.name)


def _paired(x: Any, method: Call) -> tuple[Any, Any]:
    """Return two series as a table, and the name that they have together."""
    (other,) = method.args
    if x.ndim != 1 or getattr(other, "ndim", 0) != 1 or not isinstance(other, Frame):
        raise NotSupportedError(
            f"{method.name} of windows takes two series: "
            f"df.x.rolling(...).{method.name}(df.y) for each pair of columns"
        )
    name = x.name if x.name == other.name else None
    return concat([x.rename("first"), other.rename("second")], axis=1), name
