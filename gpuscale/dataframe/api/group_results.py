"""Results of groups: aggregations in parts, and what pandas makes of all rows of a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.base.nearest import nearest_told
from gpuscale.dataframe.algorithms.aggregates import SUM_OF_ANY, OwnRecipe, Recipe, recipe_of
from gpuscale.dataframe.algorithms.aggregation import Aggregation
from gpuscale.dataframe.algorithms.group_extremes import ExtremesOfGroups
from gpuscale.dataframe.algorithms.grouping import Aggregates, Call, Gathered
from gpuscale.dataframe.algorithms.spread_groups import together
from gpuscale.dataframe.alignment import aligned
from gpuscale.dataframe.api import spread
from gpuscale.dataframe.api.columns import nearest
from gpuscale.dataframe.api.groupby import Groups
from gpuscale.dataframe.api.reductions import one_partition, reduction
from gpuscale.dataframe.by_memory import by_memory
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.inference import emptied, names_in, nonempty, of_made_up
from gpuscale.dataframe.minding import promoted
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Project
from gpuscale.dataframe.nodes.source import FromFrame, ReadPieces
from gpuscale.dataframe.undecided import is_full, is_undecided
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node

__all__: list[str] = []

SPLIT = 8  # partials that one task combines

Wanted = list[tuple[Any, str | Aggregation, int]]
"""Results in their order: the column, the aggregation or its name, and its ``ddof``."""


def aggregate(grouped: Groups, wanted: Wanted, calls: tuple[Call, ...]) -> Any:
    """Return results of groups: in parts where each has parts, of all rows in one place else.

    Parameters
    ----------
    grouped : Groups
    wanted : list of (label, str, int)
        Results, of which the columns come in this order.
    calls : tuple of Call
        The same for pandas.
    """
    wanted = _without_counts(grouped, wanted)
    recipes = _recipes(grouped, wanted)
    template = template_of(grouped, calls)
    if recipes is None or not _agrees(template, recipes, grouped):
        return of_rows(grouped, calls, template)
    keys = tuple(key for _, key in grouped.keys)
    frame = grouped.x if grouped.x.ndim == 1 else grouped.x[_columns(wanted)]
    plan = Aggregates(grouped.options, len(keys), recipes, _without_rows(template))
    return _of_parts(grouped, (frame, *keys), plan, template, calls[-1].name)


def _without_rows(template: Any) -> Any:
    """Return what is known of a result, of which no label of its made-up rows needs a token."""
    empty = template.iloc[:0]
    if isinstance(empty.index, pd.MultiIndex):
        empty.index = empty.index.remove_unused_levels()
    return empty


def _without_counts(grouped: Groups, wanted: Wanted) -> Wanted:
    """Ask for sizes where columns without nulls are counted, which then need not be read."""
    if grouped.x.ndim == 1:
        return wanted
    dtypes = dict(grouped.x.dtypes)
    return [
        (column, "size", ddof)
        if name == "count" and column in dtypes and _is_full(grouped.x.expr, column, dtypes)
        else (column, name, ddof)
        for column, name, ddof in wanted
    ]


def _is_full(node: Node, column: Any, dtypes: Mapping[Any, Any]) -> bool:
    """Whether a column has no nulls in any row, as sources promise; merges may bring some."""
    if dict(zip(dtypes, node.meta.full or (), strict=False)).get(column):
        return True
    if _may_be_null(dtypes[column]):
        return False
    while isinstance(node, Filter | Project | Assign):
        if isinstance(node, Assign) and column in node.names:
            return False
        node = node.x
    return isinstance(node, FromFrame | ReadPieces)


def gathered(grouped: Groups, *calls: Call) -> Any:
    """Return what pandas gives for all rows of each group."""
    return of_rows(grouped, calls, template_of(grouped, calls))


def extremes(grouped: Groups, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the greatest or least values of groups: in parts where ``keep`` is "first"."""
    given = dict(zip(("n", "keep"), args, strict=False)) | kwargs
    n, keep = given.get("n", 5), given.get("keep", "first")
    options, keys = grouped.options, [key for _, key in grouped.keys]
    values = grouped.x if grouped.x.ndim == 1 else grouped.x[grouped.selection]
    dtype = values.dtype
    is_plain = (
        isinstance(dtype, np.dtype)
        and dtype.kind in "iufmM"
        and set(given) <= {"n", "keep"}
        and isinstance(n, int)
        and keep == "first"
        and n > 0
        and (options.sort and options.as_index and options.group_keys)
        and not any(isinstance(key.dtype, pd.CategoricalDtype) for key in keys)
    )
    if not is_plain:
        return gathered(grouped, Call(name, args, tuple(kwargs.items())))
    names = (*(key.name for key in keys), *values._meta.index.names)
    largest = name == "nlargest"
    plan = ExtremesOfGroups(len(keys), n, largest, options.dropna, names, values.name)
    template = plan.finalize(plan.chunk(*(nonempty(each._meta) for each in (values, *keys))))
    return _of_parts(grouped, (values, *keys), plan, template, name)


def _columns(wanted: Wanted) -> list[Any]:
    return list(dict.fromkeys(column for column, name, _ in wanted if name != "size"))


def _recipes(grouped: Groups, wanted: Wanted) -> tuple[tuple[int, Recipe | OwnRecipe], ...] | None:
    if grouped.x.ndim == 2 and not grouped.x.columns.is_unique:
        return None  # a label is not enough to say which column is meant
    dtypes = dict(grouped.x.dtypes) if grouped.x.ndim == 2 else {None: grouped.x.dtype}
    numbers = {column: number for number, column in enumerate(_columns(wanted))}
    open_to_floats, found = dict(zip(dtypes, promoted(grouped.x.expr.meta), strict=True)), []
    for column, name, ddof in wanted:
        is_open = name == "sum" and open_to_floats.get(column, False)
        recipe = SUM_OF_ANY if is_open else recipe_of(name, dtypes.get(column), ddof)
        if recipe is None:
            return None
        found.append((numbers.get(column, 0), recipe))
    return tuple(found)


def _agrees(template: Any, recipes: Sequence[Any], grouped: Groups) -> bool:
    """Whether the result has a column for each recipe, and one for each key that it keeps."""
    if isinstance(template, pd.Series):
        return len(recipes) == 1
    kept = 0 if grouped.options.as_index else len(grouped.keys)
    return template.shape[1] == len(recipes) + kept


def whole(grouped: Groups, calls: tuple[Call, ...]) -> Gathered:
    """Return what pandas is asked for."""
    by = tuple(label for label, _ in grouped.keys)
    return Gathered(by, grouped.selection, grouped.options, calls)


def template_of(grouped: Groups, calls: tuple[Call, ...]) -> Any:
    """Return what comes of made-up rows; what pandas raises the user's line raises.

    Raises
    ------
    TypeError
        If it is no frame.
    """
    own = [key._meta for key in grouped.own_keys]
    frame, methods = grouped.frame._meta, dir(pd.api.typing.SeriesGroupBy)
    with nearest_told(names_in(frame)), nearest_told(methods, AttributeError, ValueError):
        found = of_made_up(whole(grouped, calls).of_groups, frame, *own)
    if not isinstance(found, pd.DataFrame | pd.Series):
        raise TypeError(f"{calls[-1].name} of groups gives a {type(found).__name__}, and no frame")
    return found


# ------------------------------------------------------------------ in one place, or in several


@by_memory
def _of_parts(grouped: Groups, inputs: Sequence[Any], plan: Any, template: Any, label: str) -> Any:
    nodes, _ = aligned([each.expr for each in inputs])
    count = spread.count_of(grouped, nodes, spread.OF_PARTS)
    if count == 1:
        return in_one(nodes, plan, template, label)
    return spread.of_parts(nodes, plan, grouped.options, template, label, count)


_A_ROW_EACH = (
    *("median", "nunique", "idxmin", "idxmax", "skew", "kurt", "ohlc", "agg"),
    *("sum", "prod", "min", "max", "mean", "var", "std", "sem", "count", "size"),
    *("first", "last", "any", "all"),
)
_IN_ORDER = (
    *("quantile", "cov", "corr", "corrwith", "describe", "value_counts", "unique"),
    *("nlargest", "nsmallest", "rolling", "expanding", "ewm", "resample", "apply", "take"),
    *("is_monotonic_increasing", "is_monotonic_decreasing"),
)


def _comes_in_order(grouped: Groups, calls: tuple[Call, ...]) -> bool:
    """Whether results come group by group, in an order in which several partitions make them."""
    name, options = calls[0].name, grouped.options
    if name in _A_ROW_EACH:
        return True
    if (
        name == "describe"
        and len(grouped.keys) > 1
        and any(_may_be_null(key.dtype) for _, key in grouped.keys)
    ):
        return False  # pandas has an order of its own where some keys are nulls
    if not (name in _IN_ORDER and options.as_index and options.group_keys):
        return False
    return options.sort or len(calls) == 1 and name == "apply"


def _may_be_null(dtype: Any) -> bool:
    return not isinstance(dtype, np.dtype) or dtype.kind not in "iub"


def has_strays(grouped: Groups) -> bool:
    """Whether rows may be in no group, for a null among their keys."""
    return grouped.options.dropna and any(
        (_may_be_null(key.dtype) or is_undecided(key.expr)) and not is_full(key.expr)
        for _, key in grouped.keys
    )


@by_memory
def of_rows(grouped: Groups, calls: tuple[Call, ...], template: Any) -> Any:
    """Return what pandas gives for all rows of each group, of which a result is known."""
    nodes, _ = aligned([each.expr for each in (grouped.frame, *grouped.own_keys)])
    plan, label, count = whole(grouped, calls), calls[-1].name, 1
    if _comes_in_order(grouped, calls):
        count = spread.count_of(grouped, nodes, spread.OF_ROWS)
    if count == 1:
        return in_one(nodes, plan, template, label)
    return spread.of_rows(grouped, nodes, plan, template, label, count)


def in_one(nodes: Sequence[Node], plan: Any, template: Any, label: str) -> Any:
    """Return a result in one partition, of parts or rows that a tree brings together."""
    metas = [node.meta for node in nodes if isinstance(node.meta, FrameMeta)]
    out = one_partition(template, nodes, plan, projected=max(1, sum(metas[0].projected)))
    nbytes = max(
        sum(meta.block_nbytes((k,)) for meta in metas) for k in range(metas[0].npartitions)
    )
    return wrap(reduction(tuple(nodes), plan, f"groupby-{label}", out, SPLIT, nbytes))


# ------------------------------------------------------------------ what users ask for


def simple(grouped: Groups, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return one aggregation of all columns, such as ``sum()``.

    Options other than ``ddof`` and ``numeric_only`` are left to pandas.
    """
    step = Call(name, args, tuple(kwargs.items()))
    ddof = kwargs.get("ddof", 1)
    if args or set(kwargs) - {"ddof", "numeric_only"}:
        return gathered(grouped, step)
    if name == "size":
        return aggregate(grouped, [(None, "size", 1)], (step,))
    if kwargs.get("numeric_only"):
        grouped = _numbers(grouped)
    columns = grouped.values if grouped.x.ndim == 2 else [None]
    if not columns:  # the groups alone
        return gathered(grouped, step)
    return aggregate(grouped, [(column, name, ddof) for column in columns], (step,))


def _numbers(grouped: Groups) -> Groups:
    if grouped.x.ndim == 1 or not isinstance(grouped.selection, list | None):
        return grouped
    dtypes = grouped.x.dtypes
    is_number = pd.api.types.is_numeric_dtype
    return replace(grouped, selection=[c for c in grouped.values if is_number(dtypes[c])])


def agg(grouped: Groups, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return aggregations by name, list, mapping, or names of results; see pandas' ``agg``."""
    step = Call("agg", () if func is None else (func, *args), tuple(kwargs.items()))
    if isinstance(func, str) and not args and not kwargs:
        return simple(grouped, func, (), {})
    pairs = None if args else _pairs(grouped, func, kwargs)
    if pairs is None:
        return gathered(grouped, step)
    grouped = _of_columns(grouped, [column for column, _ in pairs])
    found = _mixed(grouped, pairs, step)
    if found is not None:
        return found
    if not all(isinstance(each, str | Aggregation) for _, each in pairs):
        return gathered(grouped, step)
    _check_names(pairs)
    return aggregate(grouped, [(column, each, 1) for column, each in pairs], (step,))


def _mixed(grouped: Groups, pairs: list[tuple[Any, Any]], step: Call) -> Any:
    """Aggregate in parts what has parts, and of rows the rest, of which alone rows are moved.

    None where that spares no column the way, or where results are too large for one partition.
    """
    if grouped.x.ndim == 1 or not isinstance(grouped.selection, list | None):
        return None
    dtypes = dict(grouped.x.dtypes)
    if not all(column in dtypes and _is_plain(each) for column, each in pairs):
        return None
    in_parts: dict[str, tuple[Any, Any]] = {}
    of_all: dict[str, tuple[Any, Any]] = {}
    for k, (column, each) in enumerate(pairs):
        has_parts = isinstance(each, str) and recipe_of(each, dtypes.get(column)) is not None
        (in_parts if has_parts else of_all)[f"result{k}"] = (column, each)
    moved = {column for column, _ in of_all.values()}
    if not moved or moved.issuperset(column for column, _ in in_parts.values()):
        return None
    template = template_of(grouped, (step,))
    kept = 0 if grouped.options.as_index else len(grouped.keys)
    if not isinstance(template, pd.DataFrame) or template.shape[1] != kept + len(pairs):
        return None
    found = [_named(grouped, each) for each in (in_parts, of_all)]
    if any(each.npartitions > 1 for each in found):
        return None
    order = tuple(f"result{k}" for k in range(len(pairs)))
    args = (*found, kept, order, template.columns)
    return call(together, args, None, "groupby-agg", "new", emptied(template), found[1:])


def _is_plain(each: Any) -> bool:
    """Whether it is the name of an aggregation or a function, and no `Aggregation`."""
    return isinstance(each, str) or callable(each) and not isinstance(each, Aggregation)


def _named(grouped: Groups, results: Mapping[str, tuple[Any, Any]]) -> Any:
    """Return results by their names."""
    own = {column for column, _ in results.values()} | {label for label, _ in grouped.keys}
    x = grouped.x[[label for label in grouped.x.columns if label in own]]
    step = Call("agg", (), tuple(results.items()))
    wanted = [(column, each, 1) for column, each in results.values()]
    some = replace(grouped, x=x, selection=None)
    if all(isinstance(each, str) for _, each in results.values()):
        return aggregate(some, wanted, (step,))
    return gathered(some, step)


def _of_columns(grouped: Groups, columns: list[Any]) -> Groups:
    """Leave out columns that are no keys and are not asked for."""
    x = grouped.x
    if x.ndim == 1 or grouped.selection is not None or not x.columns.is_unique:
        return grouped
    kept = {*columns, *(label for label, _ in grouped.keys)}
    binned = tuple(label for label in grouped.binned if label not in columns)
    return replace(grouped, x=x[[label for label in x.columns if label in kept]], binned=binned)


def _pairs(grouped: Groups, func: Any, kwargs: Mapping[str, Any]) -> list[tuple[Any, Any]] | None:
    """Columns and aggregations in the order of the results; None where pandas says which."""
    if func is None:
        return _of_names(grouped, kwargs)
    is_table = grouped.x.ndim == 2 and isinstance(grouped.selection, list | None)
    if isinstance(func, Mapping) and not kwargs and is_table:
        _check_columns(grouped, func)
        return [(column, each) for column, names in func.items() for each in _listed(names)]
    if isinstance(func, list | Aggregation) and not kwargs:
        columns = grouped.values if grouped.x.ndim == 2 else [None]
        return [(column, each) for column in columns for each in _listed(func)]
    return None


def _check_names(pairs: list[tuple[Any, Any]]) -> None:
    own: dict[Any, Any] = {}
    for column, each in pairs:
        if isinstance(each, Aggregation) and own.setdefault((column, each.name), each) != each:
            raise ValueError(f"two aggregations of one column are named {each.name!r}")


def _of_names(grouped: Groups, kwargs: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    if grouped.x.ndim == 1:
        return [(None, each) for each in kwargs.values()]
    if not isinstance(grouped.selection, list | None):
        return [(grouped.selection, each) for each in kwargs.values()]
    pairs = [_pair(each) for each in kwargs.values()]
    _check_columns(grouped, [column for column, _ in pairs])
    return pairs


def _pair(named: Any) -> tuple[Any, Any]:
    """Return column and aggregation, of a `pandas.NamedAgg` without further arguments as well."""
    if isinstance(named, pd.NamedAgg) and not isinstance(named, tuple):
        named = (named.column, named.aggfunc) if not (named.args or named.kwargs) else None
    return named if isinstance(named, tuple) else (None, None)


def _check_columns(grouped: Groups, columns: Any) -> None:
    for column in columns:
        if column is not None and column not in grouped.x.columns:
            raise KeyError(f"{column}{nearest(grouped.x, column)}")


def _listed(names: Any) -> list[Any]:
    return list(names) if isinstance(names, list | tuple) else [names]
