"""Groups of rows: keys, aggregations, and what is asked of pandas with all rows in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.base.tokens import tokenize
from gpuscale.dataframe.algorithms.aggregates import Recipe, recipe_of
from gpuscale.dataframe.algorithms.group_extremes import ExtremesOfGroups
from gpuscale.dataframe.algorithms.grouping import Aggregates, Call, Gathered, Options
from gpuscale.dataframe.alignment import aligned
from gpuscale.dataframe.api.columns import nearest
from gpuscale.dataframe.api.positions import Lengths
from gpuscale.dataframe.api.reductions import reduction
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame, wrap
from gpuscale.dataframe.inference import emptied, nonempty
from gpuscale.dataframe.nodes.partwise import Project
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.nodes.rows import Numbered
from gpuscale.expr.frames import FrameMeta, unknown_rows

__all__: list[str] = []

SPLIT = 8  # partials that one task combines

Wanted = list[tuple[Any, str, int]]
"""Results in their order: the column, the name of the aggregation, and its ``ddof``."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Rows of a frame or a series by keys; what a group-by holds.

    Parameters
    ----------
    x : DataFrame or Series
    keys : tuple of (label or None, Series)
        Those with a label are columns of the frame.
    options : Options
    selection : list, label or None
    """

    x: Any
    keys: tuple[tuple[Any, Any], ...]
    options: Options
    selection: Any = None

    @property
    def values(self) -> list[Any]:
        """Labels of the columns that are aggregated, none of a series."""
        if self.x.ndim == 1:
            return []
        if self.selection is not None:
            return list(self.selection) if isinstance(self.selection, list) else [self.selection]
        named = [label for label, _ in self.keys]
        return [label for label in self.x.columns if label not in named]

    @property
    def frame(self) -> Any:
        """What is needed of the frame to group all of it in one place."""
        if self.x.ndim == 1 or self.selection is None:
            return self.x
        named = [label for label, _ in self.keys if label is not None]
        return self.x[list(dict.fromkeys([*named, *self.values]))]

    @property
    def own_keys(self) -> list[Any]:
        """Keys that are no columns of the frame."""
        return [key for label, key in self.keys if label is None]


# ------------------------------------------------------------------ keys


def groups(x: Any, by: Any, level: Any, options: Options) -> Groups:
    """Find the keys.

    Raises
    ------
    KeyError
        If there is no such column; the nearest is named.
    TypeError
        If something cannot be a key.
    """
    if by is None and level is None:
        raise TypeError("groupby needs by= or level=")
    if by is None:
        levels = level if isinstance(level, list | tuple) else [level]
        return Groups(x, tuple((None, _of_index(x, LevelOf(each))) for each in levels), options)
    several = by if isinstance(by, list) else [by]
    if not several:
        raise ValueError("No group keys passed!")
    return Groups(x, tuple(_key(x, each) for each in several), options)


def _key(x: Any, key: Any) -> tuple[Any, Any]:
    if isinstance(key, Frame):
        if key.ndim != 1:
            raise ValueError(
                f"a key is a series or the label of a column, not a {key.ndim}-D frame"
            )
        node = key.expr
        if isinstance(node, Project) and node.x is x.expr and node.as_series:
            return node.columns[0], key  # as pandas does: it is the column that is meant
        return None, key
    if x.ndim == 2 and not callable(key) and not isinstance(key, Mapping) and key in x.columns:
        return key, x[key]
    if x.ndim == 2 and key in x._meta.index.names and key is not None:
        return None, _of_index(x, LevelOf(key))
    if callable(key) or isinstance(key, Mapping):
        return None, _of_index(x, LevelOf(0, key))
    if isinstance(key, pd.Grouper | pd.Series | pd.Index):
        raise TypeError(
            f"a {type(key).__name__} of pandas is no key here: give a column, a series of gpuscale "
            "(of pandas' by gd.from_pandas), or for spans of time .dt.floor(freq) or resample"
        )
    raise KeyError(f"{key}{nearest(x, key) if x.ndim == 2 else ''}")


@dataclass(frozen=True)
class LevelOf:
    """A level of the index as a series with that index, or a function of it."""

    level: Any
    function: Any = None

    def __call__(self, partition: Any) -> Any:
        """Take it."""
        index = partition.index
        values = index.get_level_values(self.level)
        name = values.name
        if self.function is not None:
            values, name = values.map(self.function), None
        return pd.Series(values.array, index=index, name=name)


def _of_index(x: Any, function: LevelOf) -> Any:
    if function.function is None:
        return call(function, (x,), label="level")
    made = function(nonempty(x._meta))
    return call(function, (x,), label="level", out=emptied(made))


# ------------------------------------------------------------------ aggregations


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
    recipes = _recipes(grouped, wanted)
    template = _template(grouped, calls)
    if recipes is None or not _agrees(template, recipes, grouped):
        return _gathered(grouped, calls, template)
    keys = tuple(key for _, key in grouped.keys)
    frame = grouped.x if grouped.x.ndim == 1 else grouped.x[_columns(wanted)]
    plan = Aggregates(grouped.options, len(keys), recipes, template)
    return _reduced((frame, *keys), plan, template, calls[-1].name)


def gathered(grouped: Groups, *calls: Call) -> Any:
    """Return what pandas gives for all rows in one place."""
    return _gathered(grouped, calls, _template(grouped, calls))


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
    return _reduced((values, *keys), plan, template, name)


def _columns(wanted: Wanted) -> list[Any]:
    return list(dict.fromkeys(column for column, name, _ in wanted if name != "size"))


def _recipes(grouped: Groups, wanted: Wanted) -> tuple[tuple[int, Recipe], ...] | None:
    dtypes = dict(grouped.x.dtypes) if grouped.x.ndim == 2 else {None: grouped.x.dtype}
    numbers = {column: number for number, column in enumerate(_columns(wanted))}
    found = []
    for column, name, ddof in wanted:
        recipe = recipe_of(name, dtypes.get(column), ddof)
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


def _whole(grouped: Groups, calls: tuple[Call, ...]) -> Gathered:
    by = tuple(label for label, _ in grouped.keys)
    return Gathered(by, grouped.selection, grouped.options, calls)


def _template(grouped: Groups, calls: tuple[Call, ...]) -> Any:
    """Return what comes of made-up rows; what pandas raises the user's line raises."""
    own = [nonempty(key._meta) for key in grouped.own_keys]
    return _whole(grouped, calls).of_groups(nonempty(grouped.frame._meta), *own)


def _gathered(grouped: Groups, calls: tuple[Call, ...], template: Any) -> Any:
    inputs = (grouped.frame, *grouped.own_keys)
    return _reduced(inputs, _whole(grouped, calls), template, calls[-1].name)


def _reduced(inputs: Sequence[Any], plan: Any, template: Any, label: str) -> Any:
    nodes, _ = aligned([each.expr for each in inputs])
    layout = tokenize("groups", nodes, plan)
    metas = [node.meta for node in nodes if isinstance(node.meta, FrameMeta)]
    nbytes = max(
        sum(meta.block_nbytes((k,)) for meta in metas) for k in range(metas[0].npartitions)
    )
    if not isinstance(template, pd.DataFrame | pd.Series):
        raise TypeError(f"{label} of groups gives a {type(template).__name__}, and no frame")
    projected = max(1, sum(metas[0].projected))
    out = FrameMeta(emptied(template), unknown_rows(layout, 1), layout, projected=(projected,))
    return wrap(Reduction(tuple(nodes), plan, f"groupby-{label}", max(64, nbytes), SPLIT, out))


def simple(grouped: Groups, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return one aggregation of all columns, such as ``sum()``.

    Options other than ``ddof`` and ``numeric_only`` are left to pandas.
    """
    kwargs = {k: v for k, v in kwargs.items() if k not in ("split_out", "split_every")}
    step = Call(name, args, tuple(kwargs.items()))
    ddof = kwargs.get("ddof", 1)
    if args or set(kwargs) - {"ddof", "numeric_only"}:
        return gathered(grouped, step)
    if name == "size":
        return aggregate(grouped, [(None, "size", 1)], (step,))
    if kwargs.get("numeric_only"):
        grouped = _numbers(grouped)
    columns = grouped.values if grouped.x.ndim == 2 else [None]
    return aggregate(grouped, [(column, name, ddof) for column in columns], (step,))


def _numbers(grouped: Groups) -> Groups:
    if grouped.x.ndim == 1 or not isinstance(grouped.selection, list | None):
        return grouped
    dtypes = grouped.x.dtypes
    is_number = pd.api.types.is_numeric_dtype
    return replace(grouped, selection=[c for c in grouped.values if is_number(dtypes[c])])


def agg(grouped: Groups, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return aggregations by name, list, mapping, or names of results; see pandas' ``agg``."""
    kwargs = {k: v for k, v in kwargs.items() if k not in ("split_out", "split_every")}
    step = Call("agg", () if func is None else (func, *args), tuple(kwargs.items()))
    wanted = None if args else _wanted(grouped, func, kwargs)
    if isinstance(func, str) and not args and not kwargs:
        return simple(grouped, func, (), {})
    return gathered(grouped, step) if wanted is None else aggregate(grouped, wanted, (step,))


def _wanted(grouped: Groups, func: Any, kwargs: Mapping[str, Any]) -> Wanted | None:
    """Aggregations in the order of the columns of the result; None where one has no name."""
    if func is None:
        pairs = _of_names(grouped, kwargs)
    elif isinstance(func, Mapping) and not kwargs and grouped.x.ndim == 2:
        _check_columns(grouped, func)
        pairs = [(column, each) for column, names in func.items() for each in _listed(names)]
    elif isinstance(func, list) and not kwargs:
        columns = grouped.values if grouped.x.ndim == 2 else [None]
        pairs = [(column, each) for column in columns for each in func]
    else:
        return None
    if not all(isinstance(name, str) for _, name in pairs):
        return None
    return [(column, name, 1) for column, name in pairs]


def _of_names(grouped: Groups, kwargs: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    if grouped.x.ndim == 1:
        return [(None, each) for each in kwargs.values()]
    if not isinstance(grouped.selection, list | None):
        return [(grouped.selection, each) for each in kwargs.values()]
    pairs = [each if isinstance(each, tuple) else (None, None) for each in kwargs.values()]
    _check_columns(grouped, [column for column, _ in pairs])
    return pairs


def _check_columns(grouped: Groups, columns: Any) -> None:
    for column in columns:
        if column is not None and column not in grouped.x.columns:
            raise KeyError(f"{column}{nearest(grouped.x, column)}")


def _listed(names: Any) -> list[Any]:
    return list(names) if isinstance(names, list | tuple) else [names]


# ------------------------------------------------------------------ rows


def transform(grouped: Groups, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return a value for each row: an aggregation of its group, or what a function makes of it."""
    step = Call("transform", (func, *args), tuple(kwargs.items()))
    template = _template(grouped, (step,))
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
    return _in_place(grouped, step, _template(grouped, (step,)))


def _in_place(grouped: Groups, step: Call, template: Any) -> Any:
    """Ask pandas with all rows in one place, and cut its answer where the partitions were cut."""
    whole = _gathered(grouped, (step,), template)
    first = grouped.keys[0][1].expr  # of which less is read than of the frame
    if first.meta.layout != grouped.x.expr.meta.layout:
        first = grouped.x.expr
    lengths = reduction((first,), Lengths(), "count", ())
    numbers = tuple(range(first.meta.npartitions))
    inputs, out = (first, whole.expr, lengths), emptied(template)
    return wrap(Numbered(cut_back, inputs, numbers, (), f"groupby-{step.name}", None, out))


def cut_back(partition: Any, whole: Any, lengths: tuple[int, ...], number: int) -> Any:
    """Return the rows of one partition, of all of them.

    Raises
    ------
    ValueError
        If a function took rows away.
    """
    if sum(lengths) != len(whole):
        raise ValueError(
            f"a value for each of {sum(lengths)} rows was asked for, and {len(whole)} came out"
        )
    start = sum(lengths[:number])
    return whole.iloc[start : start + len(partition)]


def of_their_groups(results: Any, *keys: Any) -> Any:
    """Return for each row the result of its group, by one key or several."""
    if len(keys) == 1:
        labels = pd.Index(keys[0].array)
    else:
        labels = pd.MultiIndex.from_arrays([key.array for key in keys])
    found = results.reindex(labels)
    found.index = keys[0].index
    return found


def get_group(grouped: Groups, name: Any) -> Any:
    """Return the rows of one group."""
    names = name if isinstance(name, tuple) else (name,)
    if len(names) != len(grouped.keys):
        raise ValueError(f"there are {len(grouped.keys)} keys; {name!r} has {len(names)}")
    mask = None
    for each, (_, key) in zip(names, grouped.keys, strict=True):
        here = key.isna() if pd.isna(each) else key == each
        mask = here if mask is None else mask & here
    rows = grouped.x[mask]
    return rows if grouped.selection is None else rows[grouped.selection]


def iterate(grouped: Groups) -> Iterator[tuple[Any, Any]]:
    """Compute which groups there are, and yield each with its rows, lazy."""
    for name in simple(grouped, "size", (), {}).compute().index:
        yield name, get_group(grouped, name)


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
    return _gathered(grouped, (step,), meta)
