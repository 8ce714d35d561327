"""How often values of several series come together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from gpuscale.base.errors import NotSupportedError
from gpuscale.dataframe.alignment import aligned
from gpuscale.dataframe.api.creating import from_pandas
from gpuscale.dataframe.collection import Frame

__all__ = ["crosstab"]

_COUNT = "count"


def crosstab(
    index: Any,
    columns: Any,
    values: Any = None,
    rownames: Any = None,
    colnames: Any = None,
    aggfunc: Any = None,
    margins: bool = False,
    margins_name: str = "All",
    dropna: bool = True,
    normalize: Any = False,
) -> Any:
    """Count how often values of series come together, or aggregate others of such rows.

    Which columns the table has depends on the data, so it is computed now: counts and aggregations
    by name in parts; functions, and margins of aggregations, need the rows in one place.

    Parameters
    ----------
    index, columns : Series or list of Series
        Of rows of one frame. What is not lazy is given to pandas.
    values : Series, optional
    rownames, colnames, aggfunc, margins, margins_name, dropna, normalize
        As for `pandas.crosstab`.

    Raises
    ------
    NotSupportedError
        If the series do not belong to the same rows.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> sold = pd.DataFrame({"day": [1, 1, 2], "city": ["Rome", "Oslo", "Rome"]})
    >>> df = gd.from_pandas(sold, npartitions=2)
    >>> gd.crosstab(df.day, df.city).compute()
    city  Oslo  Rome
    day
    1        1     1
    2        0     1
    """
    rows, across = _listed(index), _listed(columns)
    options = {"margins": margins, "margins_name": margins_name, "dropna": dropna}
    options |= {"normalize": normalize}
    if not any(isinstance(each, Frame) for each in (*rows, *across, values)):
        named = {"rownames": rownames, "colnames": colnames, "aggfunc": aggfunc}
        return pd.crosstab(index, columns, values, **named, **options)
    if (values is None) != (aggfunc is None):
        missing = "values" if values is None else "aggfunc"
        raise ValueError(f"values and aggfunc belong together: say {missing}=, too")
    options |= {"rownames": _names(rows, rownames, "row")}
    options |= {"colnames": _names(across, colnames, "col")}
    x = _side_by_side([*rows, *across], values)
    keys = list(range(len(rows) + len(across)))
    grouped = x.groupby(keys, sort=False, dropna=False)
    if values is None:
        table = grouped.size().rename(_COUNT).reset_index().compute()
        options["aggfunc"] = "sum"
    elif isinstance(aggfunc, str) and dropna and not margins:
        table = grouped[_COUNT].agg(aggfunc).reset_index().compute()
        options["aggfunc"] = "first"
    else:
        table = x.compute()
        options["aggfunc"] = aggfunc
    of_keys = [table[k] for k in keys]
    found = pd.crosstab(of_keys[: len(rows)], of_keys[len(rows) :], table[_COUNT], **options)
    if values is None and normalize is False:
        found = found.fillna(0).astype("int64")
    return from_pandas(found, npartitions=1)


def _listed(keys: Any) -> list[Any]:
    return list(keys) if isinstance(keys, list | tuple) else [keys]


def _names(keys: Sequence[Any], names: Any, prefix: str) -> list[Any]:
    """Return names of an axis, as pandas finds them."""
    if names is not None:
        if len(names) != len(keys):
            raise AssertionError("arrays and names must have the same length")
        return list(names)
    own = [getattr(each, "name", None) for each in keys]
    return [f"{prefix}_{k}" if name is None else name for k, name in enumerate(own)]


def _side_by_side(keys: list[Any], values: Any) -> Any:
    """Return a frame of series, the keys under their numbers."""
    every = keys if values is None else [*keys, values]
    for each in every:
        if not isinstance(each, Frame) or each.ndim != 1:
            raise TypeError(
                f"crosstab takes series of one frame, not a {type(each).__name__}; make a column "
                "of it by assign"
            )
    if not aligned([each.expr for each in every])[1]:
        raise NotSupportedError(
            "crosstab counts rows of one frame: bring the series together first, as by gd.concat("
            "..., axis=1) or a merge"
        )
    frame = keys[0].to_frame(0)
    for k, key in enumerate(keys[1:], 1):
        frame[k] = key
    if values is not None:
        frame[_COUNT] = values
    return frame
