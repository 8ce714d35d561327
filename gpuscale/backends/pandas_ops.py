"""Rows of the seams for frames, series and indexes of pandas, and what stands for them in tokens.

They are registered when the first object of pandas arrives, so nobody pays for importing it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpuscale.backends.frame_libraries import frame_library
from gpuscale.backends.frame_seams import frame_namespace, table
from gpuscale.backends.pandas_levels import levels_together
from gpuscale.backends.seams import backend_name, from_host, join_grid, nbytes
from gpuscale.base.identities import by_identity, now
from gpuscale.base.tokens import ARRAY_CONTENT_LIMIT, elsewhere, normalize_token, tagged

__all__: list[str] = []

_ELEMENT = 16  # bytes of an element, so that content is read of small frames alone


@backend_name.register_lazy("pandas")
@frame_namespace.register_lazy("pandas")
@from_host.register_lazy("pandas")
@join_grid.register_lazy("pandas")
@table.register_lazy("pandas")
@nbytes.register_lazy("pandas")
def _register_rows() -> None:
    import pandas as pd

    kinds = pd.DataFrame, pd.Series, pd.Index
    backend_name.register(*kinds)(lambda data: "pandas")
    frame_namespace.register(*kinds)(lambda data: pd)
    from_host.register(*kinds)(_moved)
    table.register(*kinds)(lambda first, columns: pd.DataFrame(columns, copy=False))
    nbytes.register(*kinds)(_bytes)
    join_grid.register(pd.DataFrame, pd.Series)(_join)
    join_grid.register(pd.Index)(_join_indexes)


def _moved(data: Any, backend: str) -> Any:
    return data if backend == "pandas" else frame_library(backend).from_pandas(data)


def _bytes(data: Any) -> int:
    if data.ndim == 1:
        return int(data.memory_usage(deep=False))
    # The method of frames makes a series of labels and sizes, which takes longer than adding up.
    columns = sum(column.memory_usage(index=False) for _, column in data.items())
    return int(data.index.memory_usage() + columns)


def _join(first: Any, partitions: Sequence[Any], grid: tuple[int, ...]) -> Any:
    import pandas as pd

    if len(partitions) < 2:
        return first
    index = levels_together([each.index for each in partitions])
    if index is None:
        return pd.concat(partitions)
    bare = [each.set_axis(pd.RangeIndex(len(each))) for each in partitions]
    return pd.concat(bare, ignore_index=True).set_axis(index)


def _join_indexes(first: Any, partitions: Sequence[Any], grid: tuple[int, ...]) -> Any:
    whole = levels_together(partitions)
    return first.append(list(partitions[1:])) if whole is None else whole


# ------------------------------------------------------------------ tokens


@normalize_token.register_lazy("pandas")
def _register_tokens() -> None:
    import pandas as pd
    from pandas.api.extensions import ExtensionArray, ExtensionDtype

    normalize_token.register(pd.DataFrame)(_frame_token)
    normalize_token.register(pd.Series)(_series_token)
    normalize_token.register(pd.Index)(_index_token)
    normalize_token.register(pd.RangeIndex)(_range_token)
    normalize_token.register(pd.MultiIndex)(_levels_token)
    normalize_token.register(ExtensionArray)(_array_token)
    normalize_token.register(ExtensionDtype)(_dtype_token)


def _is_too_large(data: Any) -> bool:
    """Whether data are known by their identity; copies on write keep what is held as it is."""
    if elsewhere.get() is not None or now.get():
        return False
    return data.size * _ELEMENT > ARRAY_CONTENT_LIMIT  # measuring texts takes longer


def _frame_token(frame: Any) -> tuple[Any, ...]:
    if _is_too_large(frame):
        return by_identity(frame)
    if not len(frame):  # what is known of a frame beforehand: many nodes have it
        return tagged("no rows", type(frame), frame.columns, frame.index, *frame.dtypes)
    columns = [frame.iloc[:, k].array for k in range(frame.shape[1])]
    return tagged("frame", type(frame), frame.columns, frame.index, *columns)


def _series_token(series: Any) -> tuple[Any, ...]:
    if _is_too_large(series):
        return by_identity(series)
    return tagged("series", type(series), series.name, series.index, series.array)


def _index_token(index: Any) -> tuple[Any, ...]:
    if _is_too_large(index):
        return by_identity(index)
    return tagged("index", type(index), index.name, index.array, getattr(index, "freqstr", None))


def _range_token(index: Any) -> tuple[Any, ...]:
    return tagged("range index", index.start, index.stop, index.step, index.name)


def _levels_token(index: Any) -> tuple[Any, ...]:
    if _is_too_large(index):
        return by_identity(index)
    codes = [list(map(int, each)) for each in index.codes]
    return tagged("levels", list(index.names), list(index.levels), codes)


def _array_token(array: Any) -> tuple[Any, ...]:
    """Elements and dtype: what lies between them, as under a mask, is not part of the data."""
    if hasattr(array, "codes"):
        return tagged("codes", array.dtype, array.codes)
    if hasattr(array, "asi8"):
        return tagged("times", array.dtype, array.asi8)
    return tagged("array", array.dtype, array.to_numpy(dtype=object))


def _dtype_token(dtype: Any) -> tuple[Any, ...]:
    if hasattr(dtype, "categories"):
        return tagged("category", dtype.categories, bool(dtype.ordered))
    null = getattr(dtype, "na_value", None)
    if hasattr(dtype, "storage"):  # texts, of which frames have many
        return (..., "texts", dtype.storage, repr(null))
    return tagged(
        "dtype", type(dtype), repr(dtype), str(getattr(dtype, "pyarrow_dtype", "")), repr(null)
    )
