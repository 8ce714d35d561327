"""Columns and rows: what may stand between brackets, new columns, functions of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.base.errors import NotSupportedError
from gpuscale.base.nearest import meant, nearest_told
from gpuscale.dataframe.alignment import aligned
from gpuscale.dataframe.api.mapping import of_function
from gpuscale.dataframe.calls import call, node_of
from gpuscale.dataframe.collection import Frame, api, wrap
from gpuscale.dataframe.elsewhere import advice
from gpuscale.dataframe.inference import emptied, names_in, nonempty, sample
from gpuscale.dataframe.methods import Method, Property, resolved
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Project
from gpuscale.dataframe.promises import Promised, but_for_nulls, name_of, promise

__all__: list[str] = []


def columns_of(x: Any, key: Any) -> Any:
    """Answer ``df[key]``: a column, some columns, the rows that a series chooses, or a slice."""
    if isinstance(key, Frame):
        if key.ndim == 2:
            return x.where(key)
        return rows_of(x, key)
    if isinstance(key, slice):
        return rows_of(x, key)
    if isinstance(key, list | np.ndarray | pd.Index | pd.Series):
        labels = list(key)
        if labels and all(isinstance(each, bool | np.bool_) for each in labels):
            raise TypeError(
                "a list of truth values chooses rows; make a series of it by from_pandas"
            )
        check_labels(x, labels)
        if x.columns.nlevels > 1:  # of which a label may stand for several columns
            labels = list(x._meta[labels].columns)
        return wrap(Project(x.expr, tuple(labels), False))
    if callable(key):
        return columns_of(x, key(x))
    check_labels(x, [key])
    if isinstance(x._meta[key], pd.Series):
        return wrap(Project(x.expr, (key,), True))
    return call(Method("__getitem__"), (x, key), label="getitem")


def check_labels(x: Any, labels: list[Any]) -> None:
    """Raise KeyError, with the nearest name, where a column is not there."""
    missing = [label for label in labels if label not in x.columns]
    if missing:
        raise KeyError(f"{missing[0] if len(missing) == 1 else missing}{nearest(x, missing[0])}")


def nearest(x: Any, label: Any) -> str:
    """Say which column somebody may have meant."""
    return meant(label, x.columns)


def rows_of(x: Any, key: Any) -> Any:
    """Return the rows for which an aligned series is true, or those of a slice."""
    if isinstance(key, slice):
        from gpuscale.dataframe import api

        return api.labels.slice_of(x, key)
    if not isinstance(key, Frame) or key.ndim != 1:
        raise TypeError(
            f"rows are chosen by a series of truth values of gpuscale, not {type(key).__name__}; "
            "use .loc for labels"
        )
    if not pd.api.types.is_bool_dtype(key._meta.dtype) and key._meta.dtype != object:
        raise KeyError(f"rows are chosen by truth values, and the series is of {key._meta.dtype}")
    (data, mask), _ = aligned([x.expr, key.expr])
    return wrap(Filter(data, mask))


def elements_of(x: Any, key: Any) -> Any:
    """Answer ``series[key]``: rows, as of a table, or what has a label or some."""
    if callable(key) and not isinstance(key, Frame):
        return elements_of(x, key(x))
    if isinstance(key, Frame | slice | pd.Series):
        return rows_of(x, key)
    if isinstance(key, list | np.ndarray | pd.Index):
        return api().labels.rows_of_labels(x, key, None)
    if not pd.api.types.is_hashable(key):
        raise TypeError(f"a {type(key).__name__} is no label of an element")
    levels = x._meta.index.nlevels
    if levels > 1 and (not isinstance(key, tuple) or len(key) < levels):
        return x.xs(key)
    if isinstance(key, str) and isinstance(x._meta.index, pd.DatetimeIndex):
        return x.loc[key]  # all rows of a day, say
    return api().labels.element_with(x, key)


def labels_of(x: Any, key: Any) -> Any:
    """Answer ``index[key]``: labels by their positions, or those that a series chooses."""
    if isinstance(key, Frame | pd.Series):
        return rows_of(x, key)
    if isinstance(key, tuple):
        raise IndexError("too many indices: an index has one axis")
    return api().positions.PositionIndexer(x)[key]


def attribute_of(x: Any, name: str) -> Any:
    """Answer ``df.name``: the column of that name."""
    if name in x.columns:
        return columns_of(x, name)
    kind = type(x).__name__
    instead = advice(kind, name) or meant(name, [*x.columns, *dir(type(x))])
    raise AttributeError(f"{kind!r} has no attribute or column {name!r}{instead}")


def index_of(x: Any) -> Any:
    """Return the index of a frame or a series."""
    return call(Property("index"), (x,), label="index")


def assign(x: Any, columns: Mapping[Any, Any]) -> Any:
    """Return a table with columns replaced or added, one after the other."""
    for name, value in columns.items():
        x = with_item(x, name, value(x) if callable(value) else value)
    return x


def with_item(x: Any, key: Any, value: Any) -> Any:
    """Answer ``df[key] = value``."""
    if isinstance(key, Frame) and key.ndim == 1:
        return call(put_rows, (x, key, value), label="setitem")
    if isinstance(key, Frame):
        return x.mask(key, value)
    if isinstance(key, list):
        if isinstance(value, Frame) and value.ndim == 2:
            for label, other in zip(key, value._meta.columns, strict=True):
                x = with_item(x, label, columns_of(value, other))
            return x
        for label, each in zip(key, _for_each(key, value), strict=True):
            x = with_item(x, label, each)
        return x
    if isinstance(value, pd.Series | pd.DataFrame):
        raise TypeError(
            f"a {type(value).__name__} has no partitions; make a series of it by gd.from_pandas"
        )
    if isinstance(value, _BY_POSITION):
        value = api().positions.beside(x, value)
    data, given = x.expr, node_of(value)
    if isinstance(value, Frame):
        (data, given), _ = aligned([data, given])
    return wrap(Assign(data, (key,), (given,)))


_BY_POSITION = (list, tuple, range, np.ndarray, pd.Index, pd.api.extensions.ExtensionArray)


def _for_each(labels: list[Any], value: Any) -> Sequence[Any]:
    """Return what is put into each of several columns."""
    if not isinstance(value, np.ndarray) or not value.ndim:
        return [value] * len(labels)
    columns = list(value.T)
    if len(columns) != len(labels):
        raise ValueError("Columns must be same length as key")
    return columns


def inserted(x: Any, place: int, label: Any, value: Any) -> Any:
    """Return a table with a new column before others."""
    labels = list(x.columns)
    if label in labels:
        raise ValueError(f"cannot insert {label}, already exists")
    if not 0 <= place <= len(labels):
        raise IndexError(f"a column is put at a position of 0 to {len(labels)}, not {place}")
    labels.insert(place, label)
    return with_item(x, label, value)[labels]


def with_sorted_columns(x: Any, options: Mapping[str, Any]) -> Any:
    """Return a table with its columns in order."""
    return like(x, x._meta.sort_index(axis=1, **options))


def put_rows(frame: Any, mask: Any, value: Any) -> Any:
    """Return a frame with the rows replaced for which a mask is true."""
    new = frame.copy(deep=False)
    new[mask] = value
    return new


def apply(x: Any, func: Callable[..., Any], options: dict[str, Any], meta: Any) -> Any:
    """Call a function on each element of a series, or on each row of a table."""
    if isinstance(func, str | list) and not (x.ndim == 2 and options["axis"] in (1, "columns")):
        given = {name: value for name, value in options.items() if name not in ("axis", "args")}
        return x.agg(func, 0, *options["args"], **given)
    if options.get("by_row", True) is False:
        raise NotSupportedError(
            "apply(by_row=False) would see one partition at a time: call the function on the "
            "series, or map_partitions where partitions are enough"
        )
    if x.ndim == 2 and options.get("axis") not in (1, "columns"):
        raise NotImplementedError(
            "apply calls a function on each row, axis=1; for columns use map_partitions or a "
            "reduction"
        )
    method = Method("apply")
    if meta is None:
        result = _tried(x, method, func, options)
    else:
        result = promise(meta, x._meta)
    said = f"apply of the function {name_of(func)}"
    checked = Promised(method, result, said, but_for_nulls, is_said=meta is not None)
    return call(checked, (x, func), options, "apply", out=result)


def _tried(x: Any, method: Any, func: Any, options: dict[str, Any]) -> Any:
    try:
        with nearest_told(names_in(x._meta)):
            first = sample(x.expr, nonempty)
            return emptied(of_function(x._meta, lambda made: method(made, func, **options), first))
    except Exception as error:
        error.add_note(
            "gpuscale tried the function on made-up rows, to know what comes out; say what it "
            "gives by meta=, such as meta=('name', 'float64')"
        )
        raise


def like(x: Any, frame: Any) -> Any:
    """Return the columns that a frame without rows has."""
    if frame.columns.is_unique and x.columns.is_unique:
        return wrap(Project(x.expr, tuple(frame.columns), False))
    places = [k for k, label in enumerate(x.columns) if label in frame.columns]
    return call(at_places, (x, tuple(places)), label="getitem")


def at_places(frame: Any, places: tuple[int, ...]) -> Any:
    """Return columns by their positions."""
    return frame.iloc[:, list(places)]


def without(x: Any, columns: Any, errors: str) -> Any:
    """Return all columns but some."""
    labels = [columns] if isinstance(columns, str) or not np.iterable(columns) else list(columns)
    if errors != "ignore" and x.columns.nlevels == 1:
        check_labels(x, labels)
    return like(x, x._meta.drop(columns=columns, errors=errors))


def case_when(x: Any, caselist: Any) -> Any:
    """Replace values by the first condition that holds; see `pandas.Series.case_when`."""
    flat = resolved(x, (each for case in caselist for each in case))
    return call(cases, (x, *flat), label="case_when")


def cases(series: Any, *flat: Any) -> Any:
    """Replace values, given conditions and values in turn."""
    return series.case_when(list(zip(flat[::2], flat[1::2], strict=True)))
