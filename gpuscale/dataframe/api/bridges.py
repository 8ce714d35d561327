"""Frames as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpuscale.base.types import is_known
from gpuscale.collection import held
from gpuscale.dataframe.api.making import from_array
from gpuscale.dataframe.api.positions import counted
from gpuscale.dataframe.collection import Frame
from gpuscale.dataframe.nodes.rows import Counted
from gpuscale.dataframe.nodes.values import Values
from gpuscale.dataframe.settling import exact
from gpuscale.dataframe.undecided import dtypes_in, is_undecided
from gpuscale.expr.node import Node

__all__ = ["from_dask_array", "to_records"]


def to_array(x: Frame, lengths: Any = None) -> Any:
    """Return the elements as a lazy array; see `Frame.to_dask_array`."""
    node = _decided(x.expr)
    frame = node.meta.frame
    dtypes = list(frame.dtypes) if x.ndim == 2 else [frame.dtype]
    plain = all(isinstance(each, np.dtype) for each in dtypes)
    dtype = frame.to_numpy().dtype if plain else np.dtype(object)
    columns = (frame.shape[1],) if x.ndim == 2 else ()
    return held(Values(_with_lengths(node, lengths), values_of, dtype, columns))


def _decided(node: Node) -> Node:
    """Return a frame of which it is known whether nulls have made other numbers of integers."""
    if not is_undecided(node):
        return node
    pairs = zip(dtypes_in(node.meta.frame), node.meta.otherwise, strict=True)
    is_sure = all(own == other or own.kind in "fc" for own, other in pairs)
    return node if is_sure else exact(node)


def _with_lengths(node: Node, lengths: Any) -> Node:
    """Return a frame with the rows that are asked for: as they are known, counted, or given."""
    if lengths is None or lengths is False:
        return node
    if lengths is True:
        return counted(node)
    rows = tuple(int(each) for each in lengths)
    if len(rows) != node.meta.npartitions:
        raise ValueError(f"{len(rows)} lengths are given for {node.meta.npartitions} partitions")
    if is_known(node.meta.rows) and rows != node.meta.rows:
        raise ValueError(f"partitions have {node.meta.rows} rows, and not {rows}")
    return Counted(node, rows)


def values_of(partition: Any, dtype: Any) -> Any:
    """Return the elements of a partition."""
    _check_nulls(partition, dtype)
    return partition.to_numpy(dtype=dtype)


def _check_nulls(partition: Any, dtype: np.dtype[Any]) -> None:
    """Refuse nulls where integers or truths are planned, which have none.

    Raises
    ------
    ValueError
        If there are any.
    """
    nulls = partition.isna() if dtype.kind in "iub" else False
    if np.any(getattr(nulls, "values", nulls)):
        raise ValueError(
            f"there are nulls where an array of {dtype} was planned, which has none: "
            "astype('float64') before, or fillna or dropna"
        )


def to_records(df: Any, index: bool = True, lengths: bool | Sequence[int] | None = None) -> Any:
    """Return rows as a lazy array of records; see `pandas.DataFrame.to_records`.

    Parameters
    ----------
    df : DataFrame
    index : bool
        Whether labels are among their fields.
    lengths : bool or sequence of int, optional
        As for ``df.to_dask_array``.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> df = gd.from_pandas(pd.DataFrame({"x": [1, 2], "y": [0.5, 1.5]}), npartitions=2)
    >>> gd.to_records(df, index=False).compute()
    array([(1, 0.5), (2, 1.5)], dtype=[('x', '<i8'), ('y', '<f8')])
    """
    node = _decided(df.expr)
    dtype = np.dtype(node.meta.frame.to_records(index=index).dtype.descr)
    function = records_of if index else records_of_columns
    return held(Values(_with_lengths(node, lengths), function, dtype, ()))


def records_of(partition: Any, dtype: Any) -> Any:
    """Return the rows of a partition with their labels."""
    _check_fields(partition, dtype, index=True)
    return partition.to_records().astype(dtype).view(np.ndarray)


def records_of_columns(partition: Any, dtype: Any) -> Any:
    """Return the rows of a partition."""
    _check_fields(partition, dtype)
    return partition.to_records(index=False).astype(dtype).view(np.ndarray)


def _check_fields(partition: Any, dtype: np.dtype[Any], index: bool = False) -> None:
    fields = (dtype.fields or {}).values()
    planned = [each for each, *_ in fields][partition.index.nlevels if index else 0 :]
    for k, each in enumerate(planned):
        _check_nulls(partition.iloc[:, k], each)


def from_dask_array(x: Any, columns: Any = None, index: None = None, meta: Any = None) -> Any:
    """Make a frame of a lazy array; the name that dask has for `from_array` of these.

    Parameters
    ----------
    x : gpuscale.array.Array
    columns : list of labels, or label, optional
    index : None
        Rows are numbered; give them labels by ``set_index``.
    meta : object, optional
        Not needed here.

    Examples
    --------
    >>> import gpuscale.array as ga, gpuscale.dataframe as gd
    >>> gd.from_dask_array(ga.ones(4, chunks=2), columns="x").sum().compute()
    np.float64(4.0)
    """
    if index is not None:
        raise TypeError("rows of an array are numbered: leave out index=, and use set_index")
    return from_array(x, columns=columns)
