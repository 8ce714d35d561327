"""Tables of Arrow as frames of pandas: the dtypes that pandas itself gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

__all__ = ["DtypeBackend", "conform", "types_mapper"]

DtypeBackend: TypeAlias = Literal["numpy_nullable", "pyarrow"] | None
"""Which dtypes pandas is to use: those that know nulls, those of Arrow, or its usual ones."""

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


def conform(frame: Any, schema: Any) -> Any:
    """Give the columns of a piece the dtypes that they have in all pieces.

    A piece has integers where another one has nulls besides, which makes them floats in all; or
    it has some of the categories.

    Parameters
    ----------
    frame, schema : pandas.DataFrame
        With the same columns in the same order.

    Examples
    --------
    >>> import pandas as pd
    >>> conform(pd.DataFrame({"x": [1]}), pd.DataFrame({"x": [0.5]})).x.dtype
    dtype('float64')
    """
    for at, (dtype, wanted) in enumerate(zip(frame.dtypes, schema.dtypes, strict=True)):
        if dtype != wanted:
            frame.isetitem(at, frame.iloc[:, at].astype(wanted))
    return frame
