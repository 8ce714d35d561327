"""Several reductions at once, and a frame in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gpuscale.base.errors import NotSupportedError
from gpuscale.base.sizes import format_bytes
from gpuscale.dataframe.algorithms.whole import Whole
from gpuscale.dataframe.api.columns import check_labels
from gpuscale.dataframe.api.counting import Called
from gpuscale.dataframe.api.reductions import length, reduction
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.methods import Method
from gpuscale.run import compute

__all__: list[str] = []


def aggregate(x: Any, func: Any, axis: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Return the reduction of a name, or those of several as rows or under labels of columns."""
    if x.ndim == 2 and axis in (1, "columns"):
        return call(Method("agg"), (x, func), {"axis": 1, **options}, "agg")
    if isinstance(func, str):
        return getattr(x, func)(*args, **options)
    if isinstance(func, list):
        _check(func)
        if x.ndim == 1:
            label = x.name
            return aggregate(x.to_frame(), func, 0, args, options)[0 if label is None else label]
        parts = [getattr(x, name)(*args, **options) for name in func]
        plan: Any = Stacked(tuple(func), x.columns)
    elif isinstance(func, Mapping) and x.ndim == 2:
        _check(func.values())
        check_labels(x, list(func))
        parts = [getattr(x[[label]], name)(*args, **options) for label, name in func.items()]
        plan = Chosen(tuple(func))
    else:
        _check([func])
    template = plan.finalize(tuple(each.expr.meta.sample for each in parts))
    return wrap(reduction(tuple(each.expr for each in parts), plan, "agg", template))


def _check(functions: Any) -> None:
    for each in functions:
        if not isinstance(each, str):
            raise NotSupportedError(
                f"agg takes names of reductions, such as 'sum', and not {each!r}: what a function "
                "makes of parts of the rows says nothing of all; use df.reduction, or compute()"
            )


@dataclass(frozen=True)
class _OfOne:
    """The base of functions of several results of one partition each."""

    def chunk(self, *results: Any) -> Any:
        """Keep them."""
        return results

    def combine(self, partials: list[Any]) -> Any:
        """Keep the only ones that there are."""
        (partial,) = partials
        return partial


@dataclass(frozen=True)
class Stacked(_OfOne):
    """Results of several reductions of columns, as rows of a table."""

    names: tuple[str, ...]
    columns: Any

    def finalize(self, results: tuple[Any, ...]) -> Any:
        """Put the values of each column together."""
        made = [
            pd.Series([each.iloc[k] for each in results], index=list(self.names))
            for k in range(len(self.columns))
        ]
        table = pd.concat(made, axis=1)
        table.columns = self.columns
        return table


@dataclass(frozen=True)
class Chosen(_OfOne):
    """The result of one reduction for each column, as a series."""

    labels: tuple[Any, ...]

    def finalize(self, results: tuple[Any, ...]) -> Any:
        """Put them together."""
        return pd.Series([each.iloc[0] for each in results], index=pd.Index(self.labels))


def transposed(x: Any) -> Any:
    """Return rows as columns, of a table whose labels are known."""
    sample = x.expr.meta.sample
    if sample is None:
        raise NotSupportedError(
            "rows would become columns, whose labels have to be known before anything is computed; "
            "reduce the table first, or compute() it and transpose what comes out"
        )
    return wrap(reduction((x.expr,), Whole(Called("transpose", ())), "transpose", sample.T))


def info(x: Any, memory_usage: bool) -> str:
    """Return rows, columns, nulls and bytes in words; the counts are computed."""
    wanted = [length(x), x.count(), *([x.memory_usage(deep=True)] if memory_usage else [])]
    rows, counts, *used = compute(*wanted)
    head = [f"<class 'gpuscale.dataframe.{type(x).__name__}'>", f"{_index(x)}: {rows} entries"]
    columns = list(zip(x.columns, counts, x.dtypes, strict=True)) if x.ndim == 2 else []
    table = [(str(k), str(c), f"{n} non-null", str(d)) for k, (c, n, d) in enumerate(columns)]
    if x.ndim == 1:
        table = [("0", str(x.name), f"{counts} non-null", str(x.dtype))]
    titles = ("#", "Column", "Non-Null Count", "Dtype")
    widths = [max(len(row[k]) for row in [titles, *table]) for k in range(4)]
    lines = [titles, tuple("-" * width for width in widths), *table]
    body = ["  ".join(cell.ljust(n) for cell, n in zip(r, widths, strict=True)) for r in lines]
    total = f"Data columns (total {len(table)} columns), {x.npartitions} partitions:"
    foot = [f"memory usage: {format_bytes(int(pd.Series(each).sum()))}" for each in used]
    return "\n".join([*head, total, *(line.rstrip() for line in body), *foot])


def _index(x: Any) -> str:
    return type(x._meta.index).__name__
