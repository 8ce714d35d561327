"""The same rows in other partitions."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.base.sizes import parse_bytes
from gpuscale.base.types import is_known
from gpuscale.dataframe.algorithms.cuts import Rows, Share
from gpuscale.dataframe.collection import Frame, wrap
from gpuscale.dataframe.divisions import by_divisions
from gpuscale.dataframe.nodes.regroup import Pieces, Regroup
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node

__all__ = ["repartition"]


def repartition(
    df: Any,
    divisions: Any = None,
    npartitions: int | None = None,
    partition_size: int | str | None = None,
    freq: Any = None,
    force: bool = False,
) -> Any:
    """Cut a frame into other partitions.

    Parameters
    ----------
    df : DataFrame, Series or Index
        Or one of pandas.
    divisions : sequence, optional
        Bounds of the index; those of the frame have to be known.
    npartitions : int, optional
        How many there shall be. Fewer are made by joining neighbours; more by cutting at labels
        where divisions are known and are numbers, at rows otherwise.
    partition_size : int or str, optional
        Projected bytes of a partition, such as "100 MiB".
    freq : str or offset, optional
        A partition for each period of a time index, such as "7D".
    force : bool
        Whether divisions may reach beyond those that there are.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> df = gd.from_pandas(pd.DataFrame({"x": range(6)}), npartitions=2)
    >>> gd.repartition(df, npartitions=3).divisions
    (0, 2, 3, 5)
    """
    if sum(each is not None for each in (divisions, npartitions, partition_size, freq)) != 1:
        raise ValueError("give one of divisions, npartitions, partition_size and freq")
    if isinstance(df, pd.DataFrame | pd.Series | pd.Index):
        from gpuscale.dataframe.api.creating import from_pandas

        df = from_pandas(df, npartitions=1)
    node = df.expr
    if divisions is not None:
        return wrap(by_divisions(node, tuple(divisions), force))
    if freq is not None:
        return wrap(by_divisions(node, _periods(df, freq), True))
    if partition_size is not None:
        total = node.meta.projected_nbytes
        npartitions = max(1, -(-total // max(1, parse_bytes(partition_size, total))))
    assert npartitions is not None
    if not isinstance(npartitions, int | np.integer) or npartitions < 1:
        raise ValueError(f"npartitions must be a positive integer, not {npartitions!r}")
    return wrap(by_number(node, int(npartitions)))


def by_number(node: Node, count: int) -> Node:
    """Return a frame in some number of partitions."""
    meta: FrameMeta = node.meta
    if count == meta.npartitions:
        return node
    if count < meta.npartitions:
        return _joined(node, count)
    bounds = meta.divisions
    if bounds is not None and pd.api.types.is_numeric_dtype(type(bounds[0])):
        fine = _interpolated(bounds, count)
        if len(fine) == count + 1:
            return by_divisions(node, fine, False)
    if is_known(meta.rows):
        return Regroup((node,), _even_rows(meta.rows, count), None, "repartition")
    ends = np.linspace(0, count, meta.npartitions + 1).astype(int)
    pieces: Pieces = tuple(
        ((0, block, Share(k, int(stop - start))),)
        for block, (start, stop) in enumerate(zip(ends, ends[1:], strict=False))
        for k in range(int(stop - start))
    )
    return Regroup((node,), pieces, None, "repartition")


def _joined(node: Node, count: int) -> Node:
    """Join neighbours, of much the same number each."""
    meta = node.meta
    ends = np.linspace(0, meta.npartitions, count + 1).astype(int).tolist()
    pieces: Pieces = tuple(
        tuple((0, block, None) for block in range(start, stop))
        for start, stop in zip(ends, ends[1:], strict=False)
    )
    bounds = meta.divisions
    divisions = None if bounds is None else tuple(bounds[end] for end in ends)
    return Regroup((node,), pieces, divisions, "repartition")


def _interpolated(bounds: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    places = np.linspace(0, len(bounds) - 1, count + 1)
    found = np.interp(places, np.arange(len(bounds)), np.asarray(bounds, dtype=np.float64))
    if isinstance(bounds[0], int | np.integer):
        found = found.astype(np.int64)
    inner = sorted({each.item() for each in found[1:-1]} - {bounds[0], bounds[-1]})
    return (bounds[0], *inner, bounds[-1])


def _even_rows(rows: tuple[int, ...], count: int) -> Pieces:
    """Cut all rows into equal numbers."""
    starts = np.concatenate([[0], np.cumsum(rows)])
    ends = np.linspace(0, starts[-1], count + 1).astype(int)
    return tuple(
        rows_between(starts, int(low), int(high)) for low, high in zip(ends, ends[1:], strict=False)
    )


def rows_between(starts: Any, low: int, high: int) -> tuple[tuple[int, int, Any], ...]:
    """Return the pieces that rows from one position to another are, by where partitions start."""
    found = []
    for block, (start, stop) in enumerate(zip(starts, starts[1:], strict=False)):
        first, last = max(low, int(start)), min(high, int(stop))
        if first < last:
            whole = (first, last) == (start, stop)
            cut = None if whole else Rows(first - int(start), last - int(start))
            found.append((0, block, cut))
    return tuple(found)


def _periods(df: Frame, freq: Any) -> tuple[Any, ...]:
    bounds = df.expr.meta.divisions
    if bounds is None or not isinstance(bounds[0], pd.Timestamp):
        raise ValueError("freq= needs a sorted index of times; make one by set_index")
    first = bounds[0]
    with suppress(ValueError):  # months, say, have no length to round to
        first = first.floor(freq)
    found = list(pd.date_range(first, bounds[-1], freq=freq))
    if not found or found[0] > bounds[0]:
        found.insert(0, bounds[0])
    return (*found, bounds[-1]) if found[-1] < bounds[-1] or len(found) == 1 else tuple(found)
