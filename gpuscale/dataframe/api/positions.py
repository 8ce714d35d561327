"""Rows by their positions among all; these need to be counted, once, where nobody knows them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.seams import backend_name
from gpuscale.backends.transfer import to_device
from gpuscale.base.errors import NotSupportedError
from gpuscale.base.types import is_known
from gpuscale.dataframe.algorithms.columns import concat, is_index
from gpuscale.dataframe.algorithms.cuts import Rows, rows_of
from gpuscale.dataframe.api.reductions import one_partition, reduction
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame, wrap
from gpuscale.dataframe.inference import nonempty
from gpuscale.dataframe.methods import Method
from gpuscale.dataframe.minding import passes_on
from gpuscale.dataframe.nodes.regroup import Regroup
from gpuscale.dataframe.nodes.rows import Counted, Numbered
from gpuscale.dataframe.passes import another_pass
from gpuscale.expr.node import Node

__all__: list[str] = []


@passes_on
@dataclass(frozen=True)
class Lengths:
    """How many rows each partition has."""

    def chunk(self, partition: Any) -> tuple[int, ...]:
        """Count."""
        return (len(partition),)

    def combine(self, partials: list[tuple[int, ...]]) -> tuple[int, ...]:
        """Put them in a row."""
        return tuple(n for each in partials for n in each)

    def finalize(self, partial: tuple[int, ...]) -> tuple[int, ...]:
        """Return them."""
        return partial


def counted(node: Node) -> Node:
    """Return a frame whose rows are known; they are counted now if they are not."""
    if is_known(node.meta.rows):
        return node
    rows = wrap(reduction((node,), Lengths(), "count", ())).compute()
    return Counted(node, rows)


def starts_of(node: Node) -> list[int]:
    """Position of the first row of each partition, and how many there are in all."""
    return [0, *np.cumsum(node.meta.rows).tolist()]


def beside(x: Frame, values: Any, name: Any = None) -> Any:
    """Return values as a series with the rows of a frame, which they belong to by their positions.

    Raises
    ------
    ValueError
        If they are not as many.
    """
    series = pd.Series(values, name=name)
    node = counted(x.expr)
    starts = starts_of(node)
    if len(series) != starts[-1]:
        raise ValueError(
            f"Length of values ({len(series)}) does not match length of index ({starts[-1]})"
        )
    parts = tuple(series.iloc[start:stop] for start, stop in pairwise(starts))
    out = labelled(x._meta, series.iloc[:0])
    return wrap(Numbered(labelled, (node,), parts, (), "values", None, out))


@passes_on
def labelled(partition: Any, values: Any) -> Any:
    """Return values with the index of a partition."""
    result = to_device(values, backend_name(partition)).copy(deep=False)
    result.index = partition.index
    return result


def slice_rows(x: Frame, key: slice) -> Any:
    """Return a slice of all rows, by positions."""
    node = counted(x.expr)
    starts = starts_of(node)
    chosen = range(*key.indices(starts[-1]))
    pieces = []
    for block, (start, stop) in enumerate(zip(starts, starts[1:], strict=False)):
        own = _inside(chosen, start, stop)
        if own:
            cut = Rows(own[0] - start, own[-1] - start + 1) if chosen.step > 0 else None
            if chosen.step != 1:
                last = own[-1] - start + (1 if chosen.step > 0 else -1)
                cut = Rows(own[0] - start, None if last < 0 else last, chosen.step)
            elif own == range(start, stop):
                cut = None
            pieces.append(((0, block, cut),))
    if chosen.step < 0:
        pieces.reverse()
    return wrap(Regroup((node,), tuple(pieces) or ((),), None, "iloc"))


def _inside(chosen: range, start: int, stop: int) -> range:
    """Members of a range that lie between two numbers."""
    ordered = chosen if chosen.step > 0 else chosen[::-1]
    step = ordered.step
    first = max(0, -(-(start - ordered.start) // step))
    last = max(first, min(len(ordered), -(-(stop - ordered.start) // step)))
    own = ordered[first:last]
    return own if chosen.step > 0 else own[::-1]


@dataclass(frozen=True)
class Take:
    """Rows at some positions, in the order of these."""

    positions: tuple[int, ...]

    def chunk(self, partition: Any, start: int) -> list[tuple[Any, Any]]:
        """Return those of one partition, with where they belong."""
        positions = np.asarray(self.positions, dtype=np.int64)
        (places,) = np.nonzero((positions >= start) & (positions < start + len(partition)))
        return [(places, rows_of(partition, positions[places] - start))]

    def combine(self, partials: list[Any]) -> list[tuple[Any, Any]]:
        """Keep them."""
        return [each for partial in partials for each in partial]

    def finalize(self, partial: list[tuple[Any, Any]]) -> Any:
        """Put them in order."""
        filled = [each for each in partial if len(each[0])] or partial[:1]
        rows = [each for _, each in filled]
        found = concat(rows)
        order = np.argsort(np.concatenate([places for places, _ in filled]), kind="stable")
        return rows_of(found, order)


def take_rows(x: Frame, positions: Any) -> Any:
    """Return rows at some positions; negative ones count from the end."""
    from gpuscale.dataframe.nodes.source import PartitionValues

    node = counted(x.expr)
    starts = starts_of(node)
    total = starts[-1]
    given = np.asarray(positions)
    if given.dtype == bool:
        if len(given) != total:
            raise IndexError(f"{len(given)} truth values for {total} rows")
        (given,) = np.nonzero(given)
    if given.size and (given.max() >= total or given.min() < -total):
        raise IndexError(f"positional indexers are out of bounds of {total} rows")
    given = np.where(given < 0, given + total, given).astype(int)
    plan = Take(tuple(given.tolist()))
    out = one_partition(x._meta, node, plan, projected=len(given), rows=len(given))
    values = PartitionValues(tuple(starts[:-1]))
    return wrap(reduction((node, values), plan, "iloc", out))


class PositionIndexer:
    """``df.iloc[rows, columns]``: by positions; see `pandas.DataFrame.iloc`."""

    def __init__(self, x: Any) -> None:
        self._x = x

    def __getitem__(self, key: Any) -> Any:
        x = self._x
        rows, columns = key if isinstance(key, tuple) else (key, None)
        if isinstance(key, tuple) and (len(key) != 2 or x.ndim == 1):
            if len(key) > x.ndim:
                raise IndexError("Too many indexers")
            (rows,) = key
        if columns is not None:
            labels = x.columns[columns]
            x = x[labels if not isinstance(labels, pd.Index) else list(labels)]
        if isinstance(rows, slice):
            return x if rows == slice(None) else slice_rows(x, rows)
        if isinstance(rows, int | np.integer):
            return row_at(x, int(rows))
        if isinstance(rows, str) or not (np.iterable(rows) or callable(rows)):
            raise TypeError(
                "iloc takes positions, as whole numbers, slices and lists of them, and truth "
                f"values, not {rows!r}; loc takes labels"
            )
        return take_rows(x, rows)


@dataclass(frozen=True)
class Row(Take):
    """The only row of some: an element of a series, or a series of a table's row."""

    def finalize(self, partial: list[tuple[Any, Any]]) -> Any:
        """Take it out."""
        found = super().finalize(partial)
        return found[0] if is_index(found) else found.iloc[0]


def row_at(x: Any, position: int) -> Any:
    """Return one row: a value of a series, a series of the columns of a table."""
    from gpuscale.dataframe.nodes.source import PartitionValues

    node = counted(x.expr)
    starts = starts_of(node)
    if not -starts[-1] <= position < starts[-1]:
        raise IndexError("single positional indexer is out-of-bounds")
    position += starts[-1] if position < 0 else 0
    template = nonempty(x._meta)
    template = template[0] if isinstance(template, pd.Index) else template.iloc[0]
    values = PartitionValues(tuple(starts[:-1]))
    return wrap(reduction((node, values), Row((position,)), "iloc", template))


class ElementIndexer:
    """``df.at[label, column]`` and ``df.iat[row, column]``: one element, lazy."""

    def __init__(self, x: Any, by_label: bool) -> None:
        self._x, self._by_label = x, by_label

    def __getitem__(self, key: Any) -> Any:
        from gpuscale.dataframe.api.labels import element_with

        x = self._x
        if x.ndim == 2:
            row, column = key
            key, x = row, x[column if self._by_label else x.columns[column]]
        if self._by_label:
            return element_with(x, key)
        if not isinstance(key, int | np.integer):
            raise ValueError("iAt based indexing can only have integer indexers")
        return row_at(x, int(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        raise NotSupportedError(
            "single elements are not set, since each would be a pass over all rows; set those that "
            "a series of truth values chooses: df.loc[df.x > 0, 'x'] = value"
        )


def reset_index(x: Any, drop: bool, options: dict[str, Any]) -> Any:
    """Number all rows from 0, and make columns of the index; see `pandas.DataFrame.reset_index`."""
    options = {"drop": drop, **options}
    levels = options.get("level")
    leaves_some = levels is not None and set(np.atleast_1d(levels)) != set(
        range(x._meta.index.nlevels)
    )
    if leaves_some or x.npartitions == 1:
        return call(Method("reset_index"), (x,), options, "reset_index", "new")
    node = x.expr
    given = tuple(sorted(options.items()))
    out = x._meta.reset_index(**options)
    function: Any = numbered_rows
    inputs: tuple[Node, ...] = (node,)
    if is_known(node.meta.rows):
        values = tuple(starts_of(node)[:-1])
    else:
        lengths = reduction((another_pass(node),), Lengths(), "count", ())
        function, inputs, values = numbered_after, (node, lengths), tuple(range(x.npartitions))
    rows = node.meta.rows
    return wrap(Numbered(function, inputs, values, (given,), "reset_index", rows, out))


@passes_on
def numbered_after(partition: Any, lengths: tuple[int, ...], number: int, options: Any) -> Any:
    """Return a partition whose rows are numbered behind those of the partitions before."""
    return numbered_rows(partition, sum(lengths[:number]), options)


@passes_on
def numbered_rows(partition: Any, start: int, options: tuple[tuple[str, Any], ...]) -> Any:
    """Return a partition whose rows are numbered from some number on."""
    found = partition.reset_index(**dict(options))
    found.index = pd.RangeIndex(start, start + len(found))
    return found
