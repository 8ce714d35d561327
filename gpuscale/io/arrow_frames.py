"""Tables of Arrow as frames of pandas: the dtypes that pandas itself gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

__all__ = ["DtypeBackend", "conform", "rows_of", "types_mapper"]

DtypeBackend: TypeAlias = Literal["numpy_nullable", "pyarrow"] | None
"""Which dtypes pandas is to use: those that know nulls, those of Arrow, or its usual ones."""

_NEARLY_ALL = 0.95  # of the rows
_MASKED = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")


def types_mapper(backend: DtypeBackend) -> Callable[[Any], Any] | None:
    """Return what ``pyarrow.Table.to_pandas`` is to be given as ``types_mapper``.

    None leaves it to the notes of pandas in the table, which know texts with NA.

    Raises
    ------
    ValueError
        If there is no such backend of dtypes.

    Examples
    --------
    >>> import pyarrow as pa
    >>> types_mapper("numpy_nullable")(pa.int32()), types_mapper(None)
    (Int32Dtype(), None)
    """
    import pandas as pd
    import pyarrow as pa

    if backend == "pyarrow":
        dtype: Callable[[Any], Any] = pd.ArrowDtype
        return dtype
    if backend == "numpy_nullable":
        named = {pa.type_for_alias(n.lower()): pd.api.types.pandas_dtype(n) for n in _MASKED}
        named |= {pa.float32(): pd.Float32Dtype(), pa.float64(): pd.Float64Dtype()}
        named |= {pa.bool_(): pd.BooleanDtype()}
        return (named | dict.fromkeys([pa.string(), pa.large_string()], pd.StringDtype())).get
    if backend is None:
        return None
    raise ValueError(f"dtype_backend is 'numpy_nullable' or 'pyarrow', not {backend!r}")


def conform(frame: Any, dtypes: Mapping[str, Any]) -> Any:
    """Give the columns of a piece the dtypes that they have in all pieces.

    A piece has integers where another one has nulls besides, which makes them floats in all; or
    it has some of the categories.

    Parameters
    ----------
    frame : pandas.DataFrame
    dtypes : mapping of str to dtype
        Columns without one stay as they are.

    Examples
    --------
    >>> import pandas as pd
    >>> conform(pd.DataFrame({"x": [1]}), {"x": "float64"}).x.dtype
    dtype('float64')
    """
    for at, (name, dtype) in enumerate(zip(frame.columns, frame.dtypes, strict=True)):
        wanted = dtypes.get(name, dtype)
        if dtype != wanted:
            frame.isetitem(at, frame.iloc[:, at].astype(wanted))
    return frame


def rows_of(table: Any, met: Any) -> Any:
    """Return some rows of a table of Arrow.

    Arrow copies runs of rows where a mask says which, and one row after the other by numbers:
    where runs are short, as they are unless nearly all rows are wanted, numbers are far sooner.

    Parameters
    ----------
    table : pyarrow.Table
        With columns.
    met : numpy.ndarray of bool
        Which rows.

    Examples
    --------
    >>> import numpy as np
    >>> import pyarrow as pa
    >>> rows_of(pa.table({"x": [1, 2, 3]}), np.array([True, False, True]))["x"].to_pylist()
    [1, 3]
    """
    import numpy as np
    import pyarrow as pa

    found, start = [], 0
    for batch in table.to_batches():
        own = met[start : start + batch.num_rows]
        start += batch.num_rows
        places = np.flatnonzero(own)
        by_runs = len(places) > _NEARLY_ALL * len(own)
        found.append(batch.filter(pa.array(own)) if by_runs else batch.take(pa.array(places)))
    return pa.Table.from_batches(found, table.schema)
