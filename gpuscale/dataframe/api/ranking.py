"""Ranks among all rows: of values that were cut by their order, sent back to where they stood."""

from __future__ import annotations

from typing import Any

from pandas.api.types import is_numeric_dtype

from gpuscale.dataframe.algorithms.group_places import Packing
from gpuscale.dataframe.algorithms.partitioning import RangeCut, joined
from gpuscale.dataframe.algorithms.ranking import Ranking, Steps, beside, ranked
from gpuscale.dataframe.algorithms.spread_groups import in_place
from gpuscale.dataframe.api import one_place, spread
from gpuscale.dataframe.api.reductions import of_columns, reduction
from gpuscale.dataframe.api.shuffling import dividing_of
from gpuscale.dataframe.by_memory import by_memory
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.inference import emptied, nonempty
from gpuscale.dataframe.nodes.partwise import Partwise
from gpuscale.dataframe.nodes.rows import Numbered
from gpuscale.dataframe.nodes.shuffle import Shuffle

__all__: list[str] = []


@by_memory
def rank(x: Any, options: dict[str, Any]) -> Any:
    """Return the rank of each element: where one task has no room for a column, by its order."""
    if options["axis"] in (1, "columns"):
        return one_place.each_of_all(x, "rank", options)
    x = of_columns(x, is_numeric_dtype) if options["numeric_only"] else x
    names = ("method", "na_option", "ascending", "pct")
    ranking = Ranking(**{name: options[name] for name in names})
    template = nonempty(x._meta).rank(**{name: options[name] for name in names})
    columns = [x] if x.ndim == 1 else [x.iloc[:, k] for k in range(len(x.columns))]
    counts = [_count_of(each) for each in columns]
    if not counts or min(counts) == 1:
        return one_place.each_of_all(x, "rank", options)
    if x.ndim == 1:
        return _spread(x, ranking, template, counts[0])
    like = [template.iloc[:, k] for k in range(len(columns))]
    found = [
        _spread(each, ranking, out, count)
        for each, out, count in zip(columns, like, counts, strict=True)
    ]
    return call(beside, found, {"labels": x.columns}, "rank", "same", emptied(template))


def _count_of(series: Any) -> int:
    """In how many partitions a column is ranked."""
    if series.npartitions == 1 or not spread.has_order(series.dtype):
        return 1
    return spread.parts_for([series.expr], spread.OF_ROWS)


def _spread(x: Any, ranking: Ranking, template: Any, count: int) -> Any:
    """Rank a series in several partitions."""
    packing, of_result = Packing(x._meta), Packing(emptied(template))
    numbers = tuple(range(x.npartitions))
    like = emptied(packing(x._meta, 0))
    rows = Numbered(packing, (x.expr,), numbers, (), "pack", None, like)
    dividing = dividing_of(rows, 0, count)
    cut = RangeCut(0, count, ranking.ascending, ranking.na_option != "top")
    met = Shuffle(rows, (dividing.expr,), cut, joined, count, None, "rank-shuffle")
    steps = reduction((met,), Steps(ranking), "count", ())
    out = spread.packed_like(of_result.like)
    inputs, parts = (met, steps), tuple(range(count))
    made = Numbered(ranked, inputs, parts, (ranking, of_result), "rank", None, out)
    placed = spread.as_they_stood_before(made, x.npartitions, x.npartitions, "rank-shuffle")
    args = (x.expr, placed, of_result)
    return wrap(Partwise(in_place, args, (), "rank", "same", of_result.like))
