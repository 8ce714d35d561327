"""What groups say of single rows: running sums, ranks, transformed values, and rows themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gpuscale.dataframe.algorithms.grouping import Aggregates, Call
from gpuscale.dataframe.algorithms.spread_groups import cut_back, of_their_groups
from gpuscale.dataframe.alignment import aligned
from gpuscale.dataframe.api import spread
from gpuscale.dataframe.api.group_results import (
    gathered,
    in_one,
    of_rows,
    simple,
    template_of,
    whole,
)
from gpuscale.dataframe.api.groupby import Groups
from gpuscale.dataframe.api.positions import Lengths
from gpuscale.dataframe.api.reductions import reduction
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.inference import emptied
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.nodes.rows import Numbered
from gpuscale.dataframe.promises import promise

__all__: list[str] = []


def transform(grouped: Groups, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return a value for each row: an aggregation of its group, or what a function makes of it."""
    step = Call("transform", (func, *args), tuple(kwargs.items()))
    template = template_of(grouped, (step,))
    _, agree = aligned([each.expr for each in (grouped.x, *(key for _, key in grouped.keys))])
    if agree and isinstance(func, str) and not args and not kwargs:
        own = replace(grouped.options, sort=False, observed=True, as_index=True)
        found = simple(replace(grouped, options=own), func, (), {})
        if isinstance(found.expr, Reduction) and isinstance(found.expr.blueprint, Aggregates):
            keys = [key for _, key in grouped.keys]
            out = emptied(template)
            shared = [found]
            return call(of_their_groups, (found, *keys), None, "transform", "same", out, shared)
    return _in_place(grouped, step, template)


def rows(grouped: Groups, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return a value for each row, such as ``cumsum()``, made of all rows of its group."""
    step = Call(name, args, tuple(kwargs.items()))
    return _in_place(grouped, step, template_of(grouped, (step,)))


_NUMBERED = ("ngroup",)  # across all groups


def _in_place(grouped: Groups, step: Call, template: Any) -> Any:
    """Make values where the rows of each group are, and put them where the rows were."""
    nodes, agree = aligned([each.expr for each in (grouped.frame, *grouped.own_keys)])
    plan, count = whole(grouped, (step,)), 1
    if agree and step.name not in _NUMBERED and step.args[:1] != _NUMBERED:
        count = spread.count_of(grouped, nodes, spread.OF_ROWS)
    if count > 1:
        return spread.row_by_row(grouped, nodes, plan, template, step.name, count)
    found = in_one(nodes, plan, template, step.name)
    first = grouped.keys[0][1].expr  # of which less is read than of the frame
    if first.meta.layout != grouped.x.expr.meta.layout:
        first = grouped.x.expr
    lengths = reduction((first,), Lengths(), "count", ())
    numbers = tuple(range(first.meta.npartitions))
    inputs, out = (first, found.expr, lengths), emptied(template)
    return wrap(Numbered(cut_back, inputs, numbers, (), f"groupby-{step.name}", None, out))


def some(grouped: Groups, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return rows that are chosen in each group, in the order in which they stood."""
    step = Call(name, args, tuple(kwargs.items()))
    template = template_of(grouped, (step,))
    nodes, agree = aligned([each.expr for each in (grouped.frame, *grouped.own_keys)])
    count = spread.count_of(grouped, nodes, spread.OF_ROWS) if agree else 1
    plan = whole(grouped, (step,))
    if count == 1:
        return in_one(nodes, plan, template, name)
    return spread.some_rows(grouped, nodes, plan, template, name, count)


def applied(
    grouped: Groups, func: Callable[..., Any], args: Any, kwargs: dict[str, Any], meta: Any
) -> Any:
    """Return what a function makes of the rows of each group."""
    step = Call("apply", (func, *args), tuple(kwargs.items()))
    if meta is None:
        try:
            return gathered(grouped, step)
        except Exception as error:
            error.add_note(
                "gpuscale tried the function on made-up rows, to know what comes out; say what it "
                "gives by meta=, a frame without rows"
            )
            raise
    return of_rows(grouped, (step,), promise(meta, template_of(grouped, (Call("size"),))))
