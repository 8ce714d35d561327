"""Rows by their labels: ``df.loc``, and slices between brackets."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.backends.seams import to_host
from gpuscale.base.errors import NotSupportedError
from gpuscale.base.nearest import nearest_told
from gpuscale.dataframe.algorithms.columns import concat
from gpuscale.dataframe.api.positions import slice_rows, take_rows
from gpuscale.dataframe.api.reductions import one_partition, reduction
from gpuscale.dataframe.calls import call, node_of
from gpuscale.dataframe.collection import Frame, wrap
from gpuscale.dataframe.inference import emptied, nonempty, sample
from gpuscale.dataframe.methods import Method
from gpuscale.dataframe.nodes.partitions import Partitions
from gpuscale.dataframe.undecided import varies

__all__: list[str] = []


def slice_of(x: Any, key: slice) -> Any:
    """Answer ``df[start:stop]``: positions where these are integers, labels otherwise."""
    bounds = [each for each in (key.start, key.stop) if each is not None]
    if all(isinstance(each, int | np.integer) for each in bounds):
        return slice_rows(x, key)
    return rows_between(x, key)


class LabelIndexer:
    """``df.loc[rows, columns]``: by labels; see `pandas.DataFrame.loc`."""

    def __init__(self, x: Any) -> None:
        self._x = x

    def __getitem__(self, key: Any) -> Any:
        x, rows = self._x, key
        if isinstance(key, tuple) and x.ndim == 2 and x._meta.index.nlevels == 1:
            if len(key) > 2:
                raise IndexError("Too many indexers")
            rows = key[0]
            if len(key) == 2:
                return rows_of_labels(x, rows, _columns(x, key[1]))
        return rows_of_labels(x, rows, None)

    def __setitem__(self, key: Any, value: Any) -> None:
        x = self._x
        rows, columns = key if isinstance(key, tuple) else (key, None)
        if not isinstance(rows, Frame) and not (isinstance(rows, slice) and rows == slice(None)):
            raise TypeError(
                "rows are set by an aligned series of truth values: df.loc[df.x > 0, 'x']"
            )
        labels = list(x.columns) if columns is None else columns
        for label in labels if isinstance(labels, list) else [labels]:
            whole = isinstance(rows, slice)
            x[label] = value if whole else _put(x, label, rows, value)


def _put(x: Any, label: Any, rows: Any, value: Any) -> Any:
    if label in x.columns:
        return call(put, (x[label], rows, value), label="loc")
    some = sample(node_of(value), nonempty)
    none = ~nonempty(rows._meta)  # so that there is room for nulls
    out = put_anew(none, some, None)
    return call(put_anew, (rows, value, out.dtype), label="loc", out=emptied(out))


def put_anew(mask: Any, value: Any, dtype: Any) -> Any:
    """Return a series of values in some rows, and nulls in the others."""
    has_rows = hasattr(value, "where")
    if has_rows:
        every = value
    else:
        dtype_of_none = object if value is None else None
        every = frame_namespace(mask).Series(value, index=mask.index, dtype=dtype_of_none)
    found = every.rename("new").where(mask)
    return found if dtype is None else found.astype(dtype)


def put(series: Any, mask: Any, value: Any) -> Any:
    """Return a series with other values in some rows."""
    new = series.copy(deep=False)
    new.loc[mask] = value
    return new


def _columns(x: Any, key: Any) -> Any:
    if isinstance(key, slice):
        with nearest_told(x.columns):
            return list(x._meta.loc[:, key].columns)
    if isinstance(key, np.ndarray | pd.Index | pd.Series):
        return list(x._meta.loc[:, key].columns)
    if isinstance(key, list) and key and all(isinstance(each, bool | np.bool_) for each in key):
        return list(x._meta.loc[:, key].columns)
    return key


def rows_of_labels(x: Any, rows: Any, columns: Any) -> Any:
    """Return rows by labels, a slice of labels or truth values, and columns if they are given."""
    if callable(rows) and not isinstance(rows, Frame):
        rows = rows(x)
    if columns is not None:
        x = x[columns]
    if isinstance(rows, slice):
        return x if rows == slice(None) else rows_between(x, rows)
    if isinstance(rows, Frame):
        return x[rows]
    labels = list(rows) if isinstance(rows, list | np.ndarray | pd.Index | pd.Series) else [rows]
    if labels and all(isinstance(each, bool | np.bool_) for each in labels):
        return take_rows(x, labels)
    if isinstance(rows, str) and isinstance(x._meta.index, pd.DatetimeIndex):
        return rows_of_time(x, rows)
    return rows_with(x, labels)


def rows_of_time(x: Any, text: str) -> Any:
    """Return the rows of the time that a text stands for, such as those of a day or a month.

    Raises
    ------
    KeyError
        If the index ends before it or begins after it.
    """
    bounds = x.expr.meta.divisions
    if bounds is not None and _lies_beyond(text, pd.Index(bounds)):
        raise KeyError(f"{text}; labels are from {bounds[0]} to {bounds[-1]}")
    if bounds is None and x.npartitions == 1:
        return call(OfTime(text, text), (x,), label="loc", rows="some")
    return rows_between(x, slice(text, text))


def _lies_beyond(text: str, index: pd.Index) -> bool:
    start, stop = index.slice_locs(text, text)
    return bool(start == stop and start in (0, len(index)))


def rows_between(x: Any, key: slice) -> Any:
    """Return rows between two labels, both of which belong to them."""
    if key.step not in (None, 1):
        raise NotImplementedError("slices of labels have no steps; use iloc")
    bounds = x.expr.meta.divisions
    if bounds is None and x.npartitions == 1:  # as pandas has it, which looks at all rows
        return call(Between(key.start, key.stop), (x,), label="loc", rows="some")
    if bounds is None:
        raise ValueError(
            "where a slice of labels begins and ends is known of a sorted index alone; make one by "
            "set_index, or choose rows by truth values"
        )
    low, high, edges = key.start, key.stop, pd.Index(bounds[:-1])
    try:
        first = 0 if low is None else max(0, bisect_right(bounds[:-1], moment(low, edges)) - 1)
        # As pandas reads labels: parts of dates stand for all that lies in them.
        last = len(edges) if high is None else max(first + 1, edges.slice_locs(end=high)[1])
    except TypeError:
        raise TypeError(
            f"the labels of the index are {x._meta.index.dtype}, and rows are asked for from "
            f"{low!r} to {high!r}"
        ) from None
    node = Partitions(x.expr, tuple(range(first, last)))
    return call(Between(key.start, key.stop), (wrap(node),), label="loc", rows="some")


def moment(label: Any, index: pd.Index) -> Any:
    """Return the time that a label of an index of times begins with; of others the label itself."""
    if not isinstance(index, pd.DatetimeIndex):
        return label
    found = pd.Timestamp(label)
    return found.tz_localize(index.tz) if found.tz is None and index.tz is not None else found


@dataclass(frozen=True)
class Between:
    """Rows between two labels of a sorted index."""

    start: Any
    stop: Any

    def __call__(self, partition: Any) -> Any:
        """Take them."""
        if not len(partition):
            return partition
        return partition.loc[self.start : self.stop]


@dataclass(frozen=True)
class OfTime(Between):
    """All rows of a time, given all rows that there are."""

    def __call__(self, partition: Any) -> Any:
        """Take them."""
        found = super().__call__(partition)
        if not len(found) and len(partition) and _lies_beyond(self.start, to_host(partition.index)):
            raise KeyError(self.start)
        return found


@dataclass(frozen=True)
class WithLabels:
    """Rows that have some labels, in the order of these.

    Parameters
    ----------
    labels : tuple
    fill_value : object, optional
        What rows are filled with whose labels are not there; by default that is an error.
    """

    labels: tuple[Any, ...]
    fill_value: Any = None

    @property
    def may_vary(self) -> bool:
        """Whether there are nulls where labels are not there."""
        return self.fill_value is not None

    def chunk(self, partition: Any) -> Any:
        """Return those of one partition."""
        return partition[partition.index.isin(pd.Index(self.labels))]

    def combine(self, partials: list[Any]) -> Any:
        """Put them together."""
        return concat(partials)

    def finalize(self, partial: Any) -> Any:
        """Put them in order; of labels that are not there, pandas tells."""
        if self.fill_value is None:
            return self._taken(partial)
        index = pd.Index(self.labels, name=partial.index.name)
        return partial.reindex(index, fill_value=self.fill_value)

    def _taken(self, partial: Any) -> Any:
        try:
            return partial.loc[list(self.labels)]
        except KeyError:  # which tells of lists and dtypes, whatever was asked for
            there = set(to_host(partial.index))
            missing = [each for each in self.labels if each not in there]
            if not missing:
                raise
            raise KeyError(f"no row has the label {', '.join(map(repr, missing))}") from None


@dataclass(frozen=True)
class WithLabel(WithLabels):
    """The only element that has a label."""

    def finalize(self, partial: Any) -> Any:
        """Take it out; of several elements, pandas gives all."""
        found = super().finalize(partial)
        return found.iloc[0] if len(found) == 1 else to_host(found)


def element_with(x: Any, label: Any) -> Any:
    """Return the element of a series that has a label."""
    node, (label,) = _which_may_have(x, [label])
    template = nonempty(x._meta).iloc[0]
    return wrap(reduction((node,), WithLabel((label,)), "at", template))


def rows_with(x: Any, labels: list[Any], fill_value: Any = None) -> Any:
    """Return rows that have some labels, from the partitions that may have them."""
    node, labels = _which_may_have(x, labels)
    plan = WithLabels(tuple(labels), fill_value)
    out = one_partition(x._meta, node, plan, projected=len(labels))
    return wrap(reduction((node,), plan, "loc", out))


def _which_may_have(x: Any, labels: list[Any]) -> tuple[Any, list[Any]]:
    """Return the partitions in which there may be labels, and these as the index has them."""
    bounds, node = x.expr.meta.divisions, x.expr
    labels = [moment(each, x._meta.index) for each in labels]
    if bounds is not None and labels:
        try:
            places = {bisect_right(bounds, each) - 1 for each in labels}
        except TypeError:  # texts among numbers, say
            raise KeyError(f"{labels} of an index of {x._meta.index.dtype}") from None
        numbers = sorted({min(max(0, each), len(bounds) - 2) for each in places})
        node = Partitions(node, tuple(numbers))
    return node, labels


@dataclass(frozen=True)
class OfItems(WithLabels):
    """Rows that have some labels, in the order of these, as far as they are there."""

    def finalize(self, partial: Any) -> Any:
        """Put them in order."""
        return partial.filter(items=list(self.labels), axis=0)


def filtered(x: Any, items: Any, like: Any, regex: Any) -> Any:
    """Return rows by their labels: some, or those with a text in them."""
    if items is None or like is not None or regex is not None:
        options = {"items": items, "like": like, "regex": regex, "axis": 0}
        return call(Method("filter"), (x,), options, "filter", "some")
    node, labels = _which_may_have(x, list(items))
    plan = OfItems(tuple(labels))
    out = one_partition(x._meta, node, plan, projected=len(labels))
    return wrap(reduction((node,), plan, "filter", out))


def without_rows(x: Any, labels: Any, errors: str) -> Any:
    """Return the rows that have none of some labels."""
    if errors != "ignore":
        raise NotSupportedError(
            "whether there are rows of these labels is not known before all are there; say "
            'errors="ignore", or choose rows by ~df.index.isin(labels)'
        )
    given = [labels] if isinstance(labels, str) or not np.iterable(labels) else list(labels)
    return call(Without(tuple(given)), (x,), label="drop", rows="some")


@dataclass(frozen=True)
class Without:
    """Rows that have none of some labels."""

    labels: tuple[Any, ...]

    def __call__(self, partition: Any) -> Any:
        """Take them."""
        return partition[~partition.index.isin(self.labels)]


# ------------------------------------------------------------------ by methods


def truncated(x: Any, before: Any, after: Any, axis: Any) -> Any:
    """Return rows, or columns, between two labels."""
    if axis in (1, "columns"):
        return call(Method("truncate"), (x, before, after), {"axis": 1}, "truncate")
    if before is not None and after is not None and before > after:
        raise ValueError(f"Truncate: {after} must be after {before}")
    bounds = (None if each is None else moment(each, x._meta.index) for each in (before, after))
    return rows_between(x, slice(*bounds))  # a day is its first moment


def reindex(
    x: Any,
    labels: Any = None,
    *,
    index: Any = None,
    columns: Any = None,
    axis: Any = None,
    fill_value: Any = np.nan,
    **options: Any,
) -> Any:
    """Return rows and columns under other labels, filled where there are none."""
    if any(value is not None for value in options.values()):
        raise NotSupportedError(
            f"reindex by {', '.join(options)}= looks at other rows: use asof or merge_asof"
        )
    if labels is not None and x.ndim == 2 and axis in (1, "columns"):
        columns = labels
    elif labels is not None:
        index = labels
    if columns is not None:
        given = {"columns": list(columns), "fill_value": fill_value}
        x = call(Method("reindex"), (x,), given, "reindex")
    if index is None:
        return x
    if isinstance(index, Frame):
        # Of labels in order each partition needs those rows that have them, of others all rows.
        is_sorted = isinstance(index._meta, pd.Index) and index.known_divisions
        rows = x if is_sorted and x.known_divisions else x.repartition(npartitions=1)
        shared = [] if rows is x else [rows]
        given = {"fill_value": fill_value}
        return call(reindexed, (index, rows), given, "reindex", "new", shared=shared)
    return rows_with(x, list(index), fill_value)


@varies
def reindexed(labels: Any, rows: Any, fill_value: Any) -> Any:
    """Return rows under other labels."""
    return rows.reindex(labels, fill_value=fill_value)


def cross_section(x: Any, key: Any, axis: Any, level: Any, drop_level: bool) -> Any:
    """Return the rows that have a label in one level, or some, or a column."""
    if axis in (1, "columns"):
        if level is None and x.columns.nlevels == 1:
            return x[key]
        options = {"axis": 1, "level": level, "drop_level": drop_level}
        return call(Method("xs"), (x, key), options, "xs")
    index = x._meta.index
    keys = key if isinstance(key, tuple) else (key,)
    levels = range(len(keys)) if level is None else level if isinstance(level, list) else [level]
    for each in levels:
        index.get_level_values(each)  # pandas names the levels that there are not
    if len(levels) >= index.nlevels:
        raise NotSupportedError("rows of whole labels: use df.loc[[label]]")
    section = Section(tuple(levels), keys, drop_level)
    return call(section, (x,), label="xs", rows="new" if drop_level else "some")


@dataclass(frozen=True)
class Section:
    """The rows that have some labels in some levels."""

    levels: tuple[Any, ...]
    keys: tuple[Any, ...]
    drop_level: bool

    def __call__(self, partition: Any) -> Any:
        """Take them."""
        index = partition.index
        pairs = zip(self.levels, self.keys, strict=True)
        chosen = [index.get_level_values(level) == key for level, key in pairs]
        found = partition[reduce(and_, chosen)]
        if self.drop_level:
            found.index = found.index.droplevel(list(self.levels))
        return found
