"""Several reductions at once, and a frame in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gpuscale.base.errors import NotSupportedError
from gpuscale.base.sizes import format_bytes
from gpuscale.dataframe.algorithms.several import Labels, Several, Together
from gpuscale.dataframe.algorithms.whole import Whole
from gpuscale.dataframe.api.columns import check_labels
from gpuscale.dataframe.api.counting import Called
from gpuscale.dataframe.api.moving import placed
from gpuscale.dataframe.api.reductions import length, of_columns, reduction
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.inference import of_made_up
from gpuscale.dataframe.methods import Method
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.nodes.source import FromFrame
from gpuscale.expr.frames import ScalarMeta
from gpuscale.run import compute

__all__: list[str] = []


def aggregate(x: Any, func: Any, axis: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Return the reduction of a name, or several under the labels that pandas gives them."""
    if x.ndim == 2 and axis in (1, "columns"):
        return call(Method("agg"), (x, func), {"axis": 1, **options}, "agg")
    if isinstance(func, str):
        return getattr(x, func)(*args, **options)
    func, options = _lists(func), dict(options)
    if isinstance(func, list) and options.pop("numeric_only", False):
        x = of_columns(x, pd.api.types.is_numeric_dtype)
    is_named = func is None and bool(options)
    if is_named:
        func, options = {label: _said(x, each) for label, each in options.items()}, {}
    pairs = _pairs(x, func, is_named)
    if x.ndim == 1 or x.columns.is_unique:
        return _several(x, func, is_named, pairs, args, options)
    if not isinstance(func, list):
        raise NotSupportedError("agg of single columns needs columns of different names")
    labels, x = list(x.columns), x.set_axis(range(x.shape[1]), axis=1)
    found = _several(x, func, False, _pairs(x, func, False), args, options)
    return found.set_axis(labels, axis=1)


def _lists(func: Any) -> Any:
    """Return names of reductions with lists for tuples, which pandas takes as well."""
    if isinstance(func, Mapping):
        return {label: _lists(each) for label, each in func.items()}
    return list(func) if isinstance(func, tuple) else func


def _said(x: Any, named: Any) -> Any:
    """Return what stands behind the name of a result: a reduction, of a table with its column."""
    if x.ndim == 1:
        return named
    if isinstance(named, pd.NamedAgg) and not (named.args or named.kwargs):
        return named.column, named.aggfunc
    if isinstance(named, tuple) and len(named) == 2:
        return named
    raise TypeError(f'a result with a name is said as name=("column", "sum"), not as {named!r}')


def _pairs(x: Any, func: Any, is_named: bool) -> list[tuple[Any, str]]:
    """Return columns and names of reductions, each once; of a series, None instead of columns."""
    if isinstance(func, Mapping) and x.ndim == 1:
        pairs = [(None, name) for name in func.values()]
    elif is_named:
        pairs = list(func.values())
    elif isinstance(func, Mapping):
        pairs = [(label, name) for label, names in func.items() for name in _listed(names)]
    elif isinstance(func, list):
        if not func:
            raise ValueError("agg takes one name of a reduction at least")
        pairs = [(label, name) for label in (x.columns if x.ndim == 2 else [None]) for name in func]
    else:
        pairs = [(None, func)]
    for _, name in pairs:
        if not isinstance(name, str):
            raise NotSupportedError(
                f"agg takes names of reductions, such as 'sum', and not {name!r}: what a function "
                "makes of parts of the rows says nothing of all; use df.reduction, or compute()"
            )
    if x.ndim == 2:
        check_labels(x, list(dict.fromkeys(label for label, _ in pairs)))
    return list(dict.fromkeys(pairs))


def _listed(names: Any) -> list[Any]:
    return names if isinstance(names, list) else [names]


def _several(
    x: Any,
    func: Any,
    is_named: bool,
    pairs: list[tuple[Any, str]],
    args: tuple[Any, ...],
    options: dict[str, Any],
) -> Any:
    """Return reductions: in one pass those that have parts, others by passes of their own."""
    template = _template(x, func, is_named, args, options)
    if x.ndim == 2:
        x = x[list(dict.fromkeys(label for label, _ in pairs))]
    plans, others = {}, {}
    for label, name in pairs:
        column = x if label is None else x[label]
        found = getattr(column, name)
        found = found(*args, **options) if callable(found) else found
        if not isinstance(found.expr.meta, ScalarMeta):
            raise NotSupportedError(f"agg takes reductions, and {name} gives several values")
        if _is_in_parts(found.expr, column.expr):
            place = 0 if label is None else x.columns.get_loc(label)
            plans[label, name] = (place, found.expr.blueprint)
        else:
            others[label, name] = found
    labels = Labels(x._meta, func, is_named, (*plans, *others), template)
    if not others:
        return wrap(reduction((x.expr,), Several(tuple(plans.values()), labels), "agg", template))
    parts = reduction((x.expr,), Several(tuple(plans.values()), tuple), "agg", ())
    place = placed(FromFrame(pd.DataFrame(index=[0]), (0,), None, None), x.expr.meta.backend)
    nodes = (place.expr, parts, *(each.expr for each in others.values()))
    return wrap(reduction(nodes, Together(labels), "agg", template))


def _is_in_parts(node: Any, column: Any) -> bool:
    """Whether a node is a reduction of a column, of which little is kept of each partition."""
    own = isinstance(node, Reduction) and [each.token for each in node.inputs] == [column.token]
    return own and not hasattr(node.blueprint, "needs")


def _template(
    x: Any, func: Any, is_named: bool, args: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    """Return what pandas makes of made-up rows; objects may be numbers, as decimals are."""
    if is_named:
        args, options = (), func
    else:
        args = (func, 0, *args)
    return of_made_up(lambda made: made.agg(*args, **options), x._meta)


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
