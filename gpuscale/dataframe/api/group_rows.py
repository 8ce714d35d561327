"""What groups say of single rows: running sums, ranks, transformed values, and rows themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd

from gpuscale.dataframe.algorithms.grouping import Aggregates, Call
from gpuscale.dataframe.algorithms.spread_groups import cut_back, numbers_of_groups, of_their_groups
from gpuscale.dataframe.alignment import aligned
from gpuscale.dataframe.api import spread
from gpuscale.dataframe.api.group_results import (
    gathered,
    has_strays,
    in_one,
    of_rows,
    simple,
    template_of,
    whole,
)
from gpuscale.dataframe.api.groupby import Groups
from gpuscale.dataframe.api.positions import Lengths
from gpuscale.dataframe.api.reductions import reduction
from gpuscale.dataframe.by_memory import by_memory
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.inference import emptied
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.nodes.rows import Numbered
from gpuscale.dataframe.promises import Promised, name_of, promise, widened
from gpuscale.dataframe.undecided import Varying
from gpuscale.graph.handle import same

__all__: list[str] = []


def transform(grouped: Groups, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return a value for each row: an aggregation of its group, or what a function makes of it."""
    step = Call("transform", (func, *args), tuple(kwargs.items()))
    name = func if isinstance(func, str) and not args and not kwargs else None
    return _transformed(grouped, step, name, template_of(grouped, (step,)))


@by_memory
def _transformed(grouped: Groups, step: Call, name: str | None, template: Any) -> Any:
    found = None
    if name is not None:
        own = replace(grouped.options, sort=False, observed=True, as_index=True)
        found = _of_parts(replace(grouped, options=own), name)
    if found is None:
        return _in_place(grouped, step, template)
    return _looked_up(of_their_groups, found, grouped, {}, "transform", template)


def _of_parts(grouped: Groups, name: str) -> Any:
    """Return an aggregation that is made in parts in one partition, None where it is not."""
    _, agree = aligned([each.expr for each in (grouped.x, *(key for _, key in grouped.keys))])
    found = simple(grouped, name, (), {}) if agree else None
    if found is None or not isinstance(found.expr, Reduction):
        return None
    return found if isinstance(found.expr.blueprint, Aggregates) else None


def _looked_up(
    function: Any, found: Any, grouped: Groups, options: dict[str, Any], label: str, template: Any
) -> Any:
    """Have each partition look up what was found for the groups of its rows."""
    args = (found, *(key for _, key in grouped.keys))
    function = Varying(function) if has_strays(grouped) else function
    return call(function, args, options, label, "same", emptied(template), [found])


@by_memory
def rows(grouped: Groups, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return a value for each row, such as ``cumsum()``, made of all rows of its group."""
    step = Call(name, args, tuple(kwargs.items()))
    template = template_of(grouped, (step,))
    if name == "ngroup" and (grouped.options.observed or not _has_categories(grouped)):
        own = replace(grouped, options=replace(grouped.options, as_index=True), selection=None)
        found = _of_parts(own, "size")
        if found is not None:
            ascending = bool(args[0]) if args else kwargs.get("ascending", True)
            options = {"ascending": ascending}
            return _looked_up(numbers_of_groups, found, grouped, options, name, template)
    return _in_place(grouped, step, template)


def _has_categories(grouped: Groups) -> bool:
    return any(isinstance(key.dtype, pd.CategoricalDtype) for _, key in grouped.keys)


_NUMBERED = ("ngroup",)  # across all groups


def _in_place(grouped: Groups, step: Call, template: Any) -> Any:
    """Make values where the rows of each group are, and put them where the rows were."""
    nodes, agree = aligned([each.expr for each in (grouped.frame, *grouped.own_keys)])
    if step.name not in _NUMBERED and step.args[:1] != _NUMBERED:
        grouped = _without_empty(grouped)
    plan, count = replace(whole(grouped, (step,)), may_vary=has_strays(grouped)), 1
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


def _without_empty(grouped: Groups) -> Groups:
    """Return groups of which those without rows are none, which have no rows to say a thing of."""
    return replace(grouped, options=replace(grouped.options, observed=True))


def some(grouped: Groups, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return rows that are chosen in each group, in the order in which they stood."""
    step = Call(name, args, tuple(kwargs.items()))
    return _some(grouped, step, template_of(grouped, (step,)))


@by_memory
def _some(grouped: Groups, step: Call, template: Any) -> Any:
    grouped = _without_empty(grouped)
    nodes, agree = aligned([each.expr for each in (grouped.frame, *grouped.own_keys)])
    count = spread.count_of(grouped, nodes, spread.OF_ROWS) if agree else 1
    plan = whole(grouped, (step,))
    if count == 1:
        return in_one(nodes, plan, template, step.name)
    return spread.some_rows(grouped, nodes, plan, template, step.name, count)


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
    out = promise(meta, template_of(grouped, (Call("size"),)))
    said = f"the function {name_of(func)} of groups"
    kept = Promised(same, out, said, cast=_named_as_promised, is_said=True)
    return call(kept, (of_rows(grouped, (step,), out),), {}, "apply", "same", emptied(out))


def _named_as_promised(found: Any, promised: Any) -> Any:
    """Cast as `widened` does; series of what groups gave have no name, and take what was said."""
    if isinstance(found, pd.Series) and isinstance(promised, pd.Series) and found.name is None:
        found = found.rename(promised.name)
    return widened(found, promised)
