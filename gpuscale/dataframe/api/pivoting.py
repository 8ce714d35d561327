"""Tables of groups, with keys along both axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.algorithms.whole import Whole
from gpuscale.dataframe.api.columns import check_labels
from gpuscale.dataframe.api.counting import Called, gathered
from gpuscale.dataframe.api.creating import from_pandas
from gpuscale.dataframe.api.groupby import is_of_bins
from gpuscale.dataframe.collection import Frame
from gpuscale.dataframe.inference import nonempty
from gpuscale.run import compute

__all__ = ["pivot_table"]


def pivot_table(
    data: Any,
    values: Any = None,
    index: Any = None,
    columns: Any = None,
    aggfunc: Any = "mean",
    fill_value: Any = None,
    margins: bool = False,
    dropna: bool = True,
    margins_name: str = "All",
    observed: bool = True,
    sort: bool = True,
    **kwargs: Any,
) -> Any:
    """Make a table of aggregations, with keys as its rows and as its columns.

    Which columns the table has depends on the data, so with ``columns`` the groups are computed
    now, unless these are categories of which all are wanted: with ``observed=False`` and
    ``dropna=False`` a single aggregation is lazy. Aggregations by name are made in parts; functions
    and margins need all rows of the columns that are asked for in one place.

    Parameters
    ----------
    data : DataFrame
        What is not lazy is given to pandas.
    values, index, columns : label or list of labels, optional
        Keys may also be bins of the times of a column, as `pandas.Grouper` has them.
    aggfunc : str, callable, list or mapping of these
    fill_value, margins, dropna, margins_name, observed, sort, **kwargs
        As for `pandas.pivot_table`.

    Raises
    ------
    TypeError
        If a key is no label of a column.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> sold = pd.DataFrame({"day": [1, 1, 2], "city": ["Rome", "Oslo", "Rome"], "n": [3, 1, 4]})
    >>> df = gd.from_pandas(sold, npartitions=2)
    >>> df.pivot_table(values="n", index="day", columns="city", aggfunc="sum").compute()
    city  Oslo  Rome
    day
    1      1.0   3.0
    2      NaN   4.0
    """
    options = {"values": values, "index": index, "columns": columns, "fill_value": fill_value}
    options |= {"margins": margins, "dropna": dropna, "margins_name": margins_name}
    options |= {"observed": observed, "sort": sort}
    if isinstance(data, pd.DataFrame):
        return pd.pivot_table(data, aggfunc=aggfunc, **options, **kwargs)
    rows, across = _labels(data, index), _labels(data, columns)
    keys = [*rows, *across]
    wanted = [each for each in data.columns if each not in keys]
    if values is not None:
        wanted = list(values) if isinstance(values, list | tuple | pd.Index) else [values]
        check_labels(data, wanted)
    x = data[list(dict.fromkeys([*keys, *wanted]))]
    functions = aggfunc if isinstance(aggfunc, list) else [aggfunc]
    in_parts = all(map(_is_named, functions)) and keys and wanted and not set(keys) & set(wanted)
    if margins or not in_parts:
        whole = _pivot({**options, "aggfunc": aggfunc, **kwargs})
        whole(nonempty(x._meta))  # pandas says what is wrong
        return from_pandas(whole(x.compute()), npartitions=1)
    bins = {each.key: each for each in (*_listed(index), *_listed(columns)) if is_of_bins(each)}
    by = [bins.get(each, each) for each in keys]
    options |= {"index": rows or None, "columns": across or None}
    grouped = x.groupby(by, observed=observed, sort=sort, dropna=dropna)[wanted]
    if isinstance(aggfunc, Mapping) and isinstance(values, list | tuple | pd.Index):
        options["values"] = list(aggfunc)
    if _is_size(aggfunc) and not across:
        return grouped.size()
    tables = [_table(grouped, each, kwargs) for each in functions]
    pivots = [_pivot_of(each, options) for each in functions]
    if not isinstance(aggfunc, list) and (not across or _are_known(data, across, options)):
        (table,), (pivot,) = tables, pivots
        return gathered(table, Whole(pivot), "pivot_table", pivot(nonempty(table._meta)))
    found = [pivot(each) for pivot, each in zip(pivots, compute(*tables), strict=True)]
    if not across:
        found = [each[_SIZE].rename(None) if _SIZE in each else each for each in found]
    joined = pd.concat(found, keys=aggfunc, axis=1) if isinstance(aggfunc, list) else found[0]
    return from_pandas(joined, npartitions=1)


_SIZE = "rows of groups"
"""Column of what ``size`` gives, which is no column's: the table has no level for its label."""


def _table(grouped: Any, function: Any, kwargs: Mapping[str, Any]) -> Any:
    """Return groups with their keys as columns."""
    if _is_size(function):
        return grouped.size().rename(_SIZE).reset_index()
    return grouped.agg(function, **kwargs).reset_index()


def _pivot_of(function: Any, options: Mapping[str, Any]) -> Called:
    own = {"values": _SIZE} if _is_size(function) else {}
    return _pivot({**options, **own, "aggfunc": "first"})


def _is_size(function: Any) -> bool:
    return isinstance(function, str) and function == "size"


def _listed(keys: Any) -> list[Any]:
    return list(keys) if isinstance(keys, list | tuple | pd.Index) else [keys]


def _labels(x: Any, keys: Any) -> list[Any]:
    """Return labels of columns that are keys."""
    if keys is None:
        return []
    labels = [
        each.key if is_of_bins(each) and each.key is not None else each for each in _listed(keys)
    ]
    for each in labels:
        if isinstance(each, Frame | pd.Series | pd.Index | pd.Grouper | np.ndarray):
            raise TypeError(
                f"keys of pivot_table are labels of columns, not a {type(each).__name__}; make a "
                "column of it by assign"
            )
    check_labels(x, labels)
    return labels


def _are_known(x: Any, labels: list[Any], options: Mapping[str, Any]) -> bool:
    """Whether a table has a column for each category of its keys, there or not."""
    dtypes = x.dtypes
    of_categories = all(isinstance(dtypes[each], pd.CategoricalDtype) for each in labels)
    return of_categories and not options["observed"] and not options["dropna"]


def unstacked(x: Any, level: Any, fill_value: Any, sort: bool) -> Any:
    """Make columns of a level of the index; which there are depends on the data: it is computed."""
    if x._meta.index.nlevels == 1:
        raise ValueError(
            "index must be a MultiIndex to unstack, as that of groups by several keys; for the "
            "values of columns there is pivot_table"
        )
    options = {"level": level, "fill_value": fill_value, "sort": sort}
    x._meta.unstack(**options)  # pandas says what is wrong
    return from_pandas(x.compute().unstack(**options), npartitions=1, sort=False)


def _is_named(function: Any) -> bool:
    """Whether an aggregation is made in parts: one that has a name, or several by columns."""
    if isinstance(function, Mapping):
        return bool(function) and all(isinstance(each, str) for each in function.values())
    return isinstance(function, str)


def _pivot(options: dict[str, Any]) -> Called:
    """Return a call of pandas' method."""
    plain = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    return Called("pivot_table", tuple(plain.items()))
