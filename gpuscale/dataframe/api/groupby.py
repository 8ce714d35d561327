"""Groups of rows: their keys, and single groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.base.errors import NotSupportedError
from gpuscale.dataframe.algorithms.bins import BinsOfValues, Range
from gpuscale.dataframe.algorithms.grouping import Options
from gpuscale.dataframe.api.columns import nearest
from gpuscale.dataframe.api.positions import beside
from gpuscale.dataframe.api.reductions import reduction
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame, wrap
from gpuscale.dataframe.inference import emptied, nonempty
from gpuscale.dataframe.methods import Property
from gpuscale.dataframe.nodes.partwise import Project
from gpuscale.dataframe.passes import another_pass

__all__: list[str] = []


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
    split_out : int, optional
        In how many partitions results are to be made.
    by, level : object, optional
        What the user gave to say the keys.
    binned : tuple of labels
        Columns of whose bins there are keys: they are aggregated if they are asked for.
    """

    x: Any
    keys: tuple[tuple[Any, Any], ...]
    options: Options
    selection: Any = None
    split_out: int | None = None
    by: Any = None
    level: Any = None
    binned: tuple[Any, ...] = ()

    @property
    def values(self) -> list[Any]:
        """Labels of the columns that are aggregated, none of a series."""
        if self.x.ndim == 1:
            return []
        if self.selection is not None:
            return list(self.selection) if isinstance(self.selection, list) else [self.selection]
        named = [*(label for label, _ in self.keys), *self.binned]
        return [label for label in self.x.columns if label not in named]

    @property
    def frame(self) -> Any:
        """What is needed of the frame to group all of it in one place."""
        if self.x.ndim == 1 or self.selection is None and not self.binned:
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
        keys = tuple((None, _of_index(x, LevelOf(each))) for each in levels)
        return Groups(x, keys, options, level=level)
    several = by if isinstance(by, list) else [by]
    if not several:
        raise ValueError("No group keys passed!")
    bins = [each for each in several if is_of_bins(each)]
    if bins and not options.dropna:
        raise NotSupportedError(
            "pandas drops times that are not there with dropna=False as well, other keys not: drop "
            "those rows before, and leave dropna= out"
        )
    binned = tuple(each.key for each in bins if each.key is not None)
    keys = tuple(_key(x, each) for each in several)
    return Groups(x, keys, options, by=by, binned=binned)


def is_of_bins(key: Any) -> bool:
    """Whether a key is a grouper of pandas by bins of time."""
    return isinstance(key, pd.Grouper) and getattr(key, "freq", None) is not None


def options_of(grouper: Any) -> dict[str, Any]:
    """Return what a grouper by bins of time says about these, as ``resample`` takes it."""
    given = ("closed", "label", "origin", "offset")
    return {name: getattr(grouper, name, None) for name in given}


def _bins(x: Any, grouper: Any) -> Any:
    """Return for each row the bin of the column, or of the level, that a grouper of pandas says."""
    if grouper.key is None:
        times = _of_index(x, LevelOf(0 if grouper.level is None else grouper.level))
    elif x.ndim == 2 and grouper.key in x.columns:
        times = x[grouper.key]
    else:
        raise KeyError(f"{grouper.key}{nearest(x, grouper.key) if x.ndim == 2 else ''}")
    index = pd.Index(times._meta)
    options = {name: value for name, value in options_of(grouper).items() if value is not None}
    pd.Series(index=index, dtype=float).resample(
        grouper.freq, **options
    )  # pandas says what is wrong
    if isinstance(index, pd.PeriodIndex):
        raise NotSupportedError("bins of periods: make times of them by dt.to_timestamp()")
    ends = list(nonempty(times._meta))
    found = wrap(reduction((another_pass(times.expr),), Range(), "range", ends))
    function = BinsOfValues(grouper.freq, tuple(options.items()))
    return call(function, (times, found), label="bins", out=times._meta)


def _key(x: Any, key: Any) -> tuple[Any, Any]:
    if is_of_bins(key):
        return None, _bins(x, key)
    if isinstance(key, pd.Grouper) and key.key is not None:
        key = key.key
    elif isinstance(key, pd.Grouper):
        return None, _of_index(x, LevelOf(key.level))
    if isinstance(key, Frame) and isinstance(key._meta, pd.Index):
        key = call(Property("array"), (key,), label="key", rows="labels").rename(key.name)
    if isinstance(key, Frame):
        if key.ndim != 1:
            raise ValueError(
                f"a key is a series or the label of a column, not a {key.ndim}-D frame"
            )
        node = key.expr
        if isinstance(node, Project) and node.x is x.expr and node.as_series:
            return node.columns[0], key  # as pandas does: it is the column that is meant
        return None, key
    if isinstance(key, np.ndarray | pd.api.extensions.ExtensionArray):
        return None, beside(x, key)  # which belongs to the rows by their positions
    if isinstance(key, pd.Series | pd.Index):
        raise TypeError(
            f"a {type(key).__name__} of pandas is no key here: give a column, a series of gpuscale "
            "(of pandas' by gd.from_pandas), or a pd.Grouper for spans of time"
        )
    if x.ndim == 2 and not callable(key) and not isinstance(key, Mapping) and key in x.columns:
        return key, x[key]
    if x.ndim == 2 and key in x._meta.index.names and key is not None:
        return None, _of_index(x, LevelOf(key))
    if callable(key) or isinstance(key, Mapping):
        return None, _of_index(x, LevelOf(0, key))
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
        series = values.to_series(name=name)
        series.index = index
        return series


def _of_index(x: Any, function: LevelOf) -> Any:
    if function.function is None:
        return call(function, (x,), label="level")
    made = function(nonempty(x._meta))
    return call(function, (x,), label="level", out=emptied(made))


# ------------------------------------------------------------------ single groups


def computed(grouped: Groups) -> Any:
    """Return groups of pandas, of rows without columns: keys and labels are computed."""
    from gpuscale.run import compute

    x = grouped.x if grouped.x.ndim == 1 else grouped.x[[]]
    rows, *keys = compute(x, *(key for _, key in grouped.keys))
    by = keys if len(keys) > 1 else keys[0]
    return rows.groupby(by, **grouped.options.of_all())


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
