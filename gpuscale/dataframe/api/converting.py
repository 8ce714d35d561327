"""Texts to times and numbers, categories, and columns to rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.base.errors import NotSupportedError
from gpuscale.base.nearest import nearest_told
from gpuscale.dataframe.algorithms.cuts import rows_of
from gpuscale.dataframe.algorithms.kinds import TEXT, TEXTS, Kinds
from gpuscale.dataframe.api.columns import check_labels
from gpuscale.dataframe.api.joining import concat
from gpuscale.dataframe.api.reductions import reduction
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame, wrap
from gpuscale.dataframe.inference import emptied, nonempty
from gpuscale.dataframe.methods import Function, Method
from gpuscale.dataframe.passes import another_pass
from gpuscale.expr.frames import FrameMeta

__all__ = [
    "get_dummies",
    "isna",
    "isnull",
    "melt",
    "notna",
    "notnull",
    "to_datetime",
    "to_numeric",
    "to_timedelta",
]


def isna(arg: Any) -> Any:
    """Return where nulls are; see `pandas.isna`.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> gd.isna(gd.from_pandas(pd.Series([1.0, None]))).compute().tolist()
    [False, True]
    """
    return call(Method("isna"), (arg,), label="isna") if isinstance(arg, Frame) else pd.isna(arg)


def notna(arg: Any) -> Any:
    """Return where there are no nulls; see `pandas.notna`.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> gd.notna(gd.from_pandas(pd.Series([1.0, None]))).compute().tolist()
    [True, False]
    """
    return call(Method("notna"), (arg,), label="notna") if isinstance(arg, Frame) else pd.notna(arg)


isnull = isna
notnull = notna


@dataclass(frozen=True)
class First:
    """The first element that is no null."""

    def chunk(self, partition: Any) -> Any:
        """Return it, as a series of one element."""
        return rows_of(partition[partition.notna()], slice(0, 1))

    def combine(self, partials: list[Any]) -> Any:
        """Return the first of some."""
        return next((each for each in partials if len(each)), partials[0])

    def finalize(self, partial: Any) -> Any:
        """Take it out."""
        return partial.iloc[0] if len(partial) else None


def to_datetime(arg: Any, format: str | None = None, **options: Any) -> Any:
    """Make times of texts or numbers; see `pandas.to_datetime`.

    Parameters
    ----------
    arg : Series, Index or DataFrame
        What is not lazy is given to pandas.
    format : str, optional
        By default that of the first text of all, as in pandas, for every partition.
    **options
        Those of `pandas.to_datetime`.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> days = gd.from_pandas(pd.Series(["2020/02/13", "2020/02/01"]), npartitions=2)
    >>> gd.to_datetime(days).dt.month.compute().tolist()
    [2, 2]
    """
    if not isinstance(arg, Frame):
        return pd.to_datetime(arg, format=format, **options)
    is_text = arg.ndim == 1 and getattr(arg._meta.dtype, "kind", "O") == "O"
    if not is_text or format is not None:
        return call(times, (arg, None), {"format": format, **options}, "to_datetime")
    first = wrap(reduction((arg.expr,), First(), "first", "2000-01-01"))
    return call(times, (arg, first), options, "to_datetime", out=_times_like(arg, options))


def _times_like(arg: Any, options: dict[str, Any]) -> Any:
    texts = pd.Series(["2000-01-01"], name=arg._meta.name, index=None)
    found = pd.to_datetime(texts, **options)[:0]
    return found if isinstance(arg._meta, pd.Index) else found.set_axis(arg._meta.index[:0])


def times(data: Any, first: Any, format: str | None = None, **options: Any) -> Any:
    """Make times in the format of the first text."""
    if format is None and isinstance(first, str):
        from pandas.tseries.api import guess_datetime_format

        format = guess_datetime_format(first, dayfirst=options.get("dayfirst", False))
    return frame_namespace(data).to_datetime(data, format=format, **options)


def to_timedelta(arg: Any, unit: str | None = None, errors: str = "raise") -> Any:
    """Make durations of texts or numbers; see `pandas.to_timedelta`.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> gd.to_timedelta(gd.from_pandas(pd.Series(["1h", "2h"]))).sum().compute()
    Timedelta('0 days 03:00:00')
    """
    if not isinstance(arg, Frame):
        return pd.to_timedelta(arg, unit=unit, errors=errors)
    return call(Function("to_timedelta"), (arg,), {"unit": unit, "errors": errors}, "to_timedelta")


def to_numeric(arg: Any, errors: str = "raise", downcast: Any = None, **options: Any) -> Any:
    """Make numbers of texts; see `pandas.to_numeric`.

    Parameters
    ----------
    arg : Series
    errors : {"raise", "coerce"}
    downcast : None
        Which dtype is the smallest depends on all rows: cast by ``astype``.
    **options
        Those of `pandas.to_numeric`.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> gd.to_numeric(gd.from_pandas(pd.Series(["1", "2.5"]))).sum().compute()
    np.float64(3.5)
    """
    if not isinstance(arg, Frame):
        return pd.to_numeric(arg, errors=errors, downcast=downcast, **options)
    if downcast is not None:
        raise NotSupportedError("downcast= depends on all rows; say the dtype by astype")
    return call(Function("to_numeric"), (arg,), {"errors": errors, **options}, "to_numeric")


def get_dummies(data: Any, prefix: Any = None, columns: Any = None, **options: Any) -> Any:
    """Make a column of truth values of each category; see `pandas.get_dummies`.

    Parameters
    ----------
    data : DataFrame or Series
        Texts have to be categories first, so that it is known which columns there are.
    prefix, columns, **options
        As for `pandas.get_dummies`.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> x = gd.from_pandas(pd.Series(["a", "b"], dtype="category"), npartitions=2)
    >>> gd.get_dummies(x).sum().compute().to_dict()
    {'a': 1, 'b': 1}
    """
    if not isinstance(data, Frame):
        return pd.get_dummies(data, prefix=prefix, columns=columns, **options)
    frame = data._meta.to_frame() if data.ndim == 1 else data._meta
    asked = frame.columns if columns is None else columns
    if data.ndim == 2:
        check_labels(data, list(asked))
    texts = [label for label in asked if getattr(frame[label].dtype, "kind", "O") == "O"]
    unknown = [x for x in texts if not isinstance(frame[x].dtype, pd.CategoricalDtype)]
    if unknown:
        raise NotSupportedError(
            f"which columns there are depends on the values of {unknown}: make categories of them, "
            "by df.categorize() or astype"
        )
    given = {"prefix": prefix, **options}
    if data.ndim == 2:
        given["columns"] = columns
    return call(Function("get_dummies"), (data,), given, "get_dummies")


def categorize(x: Any, columns: Any) -> Any:
    """Make categories of columns, which are computed now."""
    if columns is None:
        dtypes = x.dtypes
        columns = [c for c in x.columns if getattr(dtypes[c], "kind", "O") == "O"]
        columns = [c for c in columns if not isinstance(dtypes[c], pd.CategoricalDtype)]
    labels = list(columns) if isinstance(columns, list | tuple | pd.Index) else [columns]
    check_labels(x, labels)
    return astype(x, dict.fromkeys(labels, "category"), {})


def astype(x: Any, dtype: Any, options: dict[str, Any]) -> Any:
    """Cast; categories that are not given are those of all partitions, which are computed now."""
    if x.ndim == 1:
        series, dtypes = {None: x}, {None: dtype}
    else:
        dtypes = dict(dtype) if isinstance(dtype, Mapping) else dict.fromkeys(x.columns, dtype)
        check_labels(x, list(dtypes))
        series = {label: x[label] for label in dtypes}
    unknown = [label for label, each in series.items() if _lacks_categories(each, dtypes[label])]
    if unknown:
        from gpuscale.run import compute

        found = compute(*(series[label].unique() for label in unknown))
        for label, values in zip(unknown, found, strict=True):
            ordered = getattr(dtypes[label], "ordered", False)
            categories = pd.Series(values).astype("category").cat.categories
            dtypes[label] = pd.CategoricalDtype(categories, ordered)
        dtype = dtypes[None] if x.ndim == 1 else dtypes
    return call(Method("astype"), (x, dtype), options, "astype")


def _lacks_categories(series: Any, dtype: Any) -> bool:
    is_open = isinstance(dtype, pd.CategoricalDtype) and dtype.categories is None
    is_open = is_open or isinstance(dtype, str) and dtype == "category"
    return is_open and not isinstance(series.dtype, pd.CategoricalDtype)


def _melted(frame: Any, labels: list[Any], options: dict[str, Any]) -> list[Any]:
    """Return the rows of each column by itself, its values in the dtype that all have together."""
    kinds: tuple[Any, ...] = ()
    is_host = frame.expr.meta.backend == FrameMeta.host
    if not (is_host and labels and frame.columns.is_unique) or frame.columns.nlevels > 1:
        dtype = None
    else:
        own = [frame._meta[label] for label in labels]
        dtype = pd.concat([nonempty(each) for each in own]).dtype
        is_open = isinstance(dtype, np.dtype) and dtype.kind == "O"
        if is_open and all(map(_may_be_texts, own)):
            node = another_pass(frame[list(dict.fromkeys(labels))].expr)
            kinds = (wrap(reduction((node,), Kinds(), "kinds", ())),)
    parts = []
    for label in labels:
        given = {"value_vars": [label], **options}
        if dtype is None or not kinds and frame._meta[label].dtype == dtype:
            parts.append(call(Method("melt"), (frame,), given, "melt"))
            continue
        out = emptied(Melted(label, dtype)(frame._meta, **given))
        parts.append(call(Melted(label, dtype, out), (frame, *kinds), given, "melt", out=out))
    return parts


def _may_be_texts(column: Any) -> bool:
    return column.dtype == object or isinstance(column.dtype, pd.StringDtype | pd.CategoricalDtype)


@dataclass(frozen=True)
class Melted:
    """Make rows of a column, whose values have the dtype of all columns together.

    Parameters
    ----------
    label : object
        Of the column.
    dtype : dtype
        Of objects pandas makes texts where all are texts.
    out : pandas.DataFrame, optional
        The result without rows.
    """

    label: Any
    dtype: Any
    out: Any = None

    def __call__(self, partition: Any, kinds: tuple[int, ...] = (), **options: Any) -> Any:
        """Melt it."""
        result = partition.melt(**options)
        dtype, name = TEXT if kinds and max(kinds) == TEXTS else self.dtype, result.columns[-1]
        if result[name].dtype != dtype:
            values = partition[self.label].astype(dtype).array
            result[name] = pd.Series(values, result.index, dtype)
        return result

    def outcomes(self, *operands: Any) -> list[Any]:
        """Return what else may come out: texts in the place of objects."""
        return [(*self.out.dtypes[:-1], TEXT)] if len(operands) > 1 else []


def melt(
    frame: Any,
    id_vars: Any = None,
    value_vars: Any = None,
    var_name: Any = None,
    value_name: Any = "value",
    col_level: Any = None,
    ignore_index: bool = True,
) -> Any:
    """Make rows of columns; see `pandas.melt`.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> df = gd.from_pandas(pd.DataFrame({"x": [1, 2], "y": [3, 4]}), npartitions=2)
    >>> gd.melt(df).value.compute().tolist()
    [1, 2, 3, 4]
    """
    options = {"id_vars": id_vars, "var_name": var_name, "value_name": value_name}
    options |= {"col_level": col_level, "ignore_index": False}
    with nearest_told(frame.columns):  # pandas says what is wrong
        frame._meta.melt(value_vars=value_vars, **options)
    fixed = [] if id_vars is None else id_vars if isinstance(id_vars, list) else [id_vars]
    if value_vars is None:
        value_vars = [label for label in frame.columns if label not in fixed]
    elif not isinstance(value_vars, list | tuple | pd.Index):
        value_vars = [value_vars]
    result = concat(_melted(frame, list(value_vars), options))
    return result.reset_index(drop=True) if ignore_index else result
