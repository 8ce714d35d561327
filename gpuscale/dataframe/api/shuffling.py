"""Rows in new partitions: by the hash of a key, or in the order of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.dataframe.algorithms.columns import concat
from gpuscale.dataframe.algorithms.extremes import FirstInOrder
from gpuscale.dataframe.algorithms.ordering import rows_in_order, stable_order
from gpuscale.dataframe.algorithms.partitioning import HashCut, Index, RangeCut, joined
from gpuscale.dataframe.algorithms.samples import Dividing
from gpuscale.dataframe.api.columns import nearest
from gpuscale.dataframe.api.partitions import map_partitions
from gpuscale.dataframe.api.reductions import SPLIT, one_partition, reduction
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame, wrap
from gpuscale.dataframe.methods import Method
from gpuscale.dataframe.nodes.partwise import Project
from gpuscale.dataframe.nodes.regroup import Regroup
from gpuscale.dataframe.nodes.shuffle import Shuffle
from gpuscale.dataframe.passes import another_pass
from gpuscale.expr.node import Node

__all__: list[str] = []


def labels_of(x: Any, by: Any) -> list[Any]:
    """Return labels of columns, or `Index` for named levels of the index.

    Raises
    ------
    KeyError
        If there is no such column; the nearest is named.
    """
    is_label = isinstance(by, tuple) and x.ndim == 2 and x.columns.nlevels > 1 and by in x.columns
    labels = list(by) if isinstance(by, list | tuple | pd.Index) and not is_label else [by]
    found = []
    for label in labels:
        if x.ndim == 2 and label in x.columns:
            found.append(label)
        elif label in x._meta.index.names and label is not None:
            found.append(Index(label))
        else:
            raise KeyError(f"{label}{nearest(x, label) if x.ndim == 2 else ''}")
    return found


def only(options: Mapping[str, Any], function: str, *names: str) -> None:
    """Raise TypeError for options beside some that dask and pandas have and that mean nothing."""
    for name in options:
        if name not in names:
            raise TypeError(f"{function} takes no {name}= here; it returns a new collection")


# ------------------------------------------------------------------ by hash


def shuffle(
    x: Any, on: Any = None, npartitions: int | None = None, on_index: bool = False, **options: Any
) -> Any:
    """Bring rows with equal keys together; see `Frame.shuffle`."""
    only(options, "shuffle", "ignore_index", "shuffle_method", "force")
    if on is None and not on_index:
        raise TypeError("shuffle takes on=, labels of columns, or on_index=True")
    keys = [Index(k) for k in range(x._meta.index.nlevels)] if on_index else labels_of(x, on)
    return wrap(shuffled(x.expr, tuple(keys), npartitions or x.npartitions))


def shuffled(node: Node, keys: Sequence[Any], npartitions: int) -> Node:
    """Return a node whose partitions hold all rows of each key."""
    if npartitions == 1 == node.meta.npartitions:
        return node
    cut = HashCut(tuple(keys), npartitions)
    return Shuffle(node, (), cut, joined, npartitions, None, "shuffle")


# ------------------------------------------------------------------ in order


@dataclass(frozen=True)
class InOrder:
    """Put pieces together, and sort what comes by a method of pandas."""

    sort: Method
    by: tuple[Any, ...]
    options: tuple[tuple[str, Any], ...]

    @property
    def labels(self) -> frozenset[Any]:
        """Columns that it looks at."""
        return frozenset(self.by)

    def __call__(self, pieces: Sequence[Any]) -> Any:
        """Sort them."""
        order = self._order(pieces)
        if order is not None:
            found = rows_in_order(pieces, order)
            assert len(found) == sum(map(len, pieces)), "a row was lost"
            return found
        by = [list(self.by)] if self.by else []
        return self.sort(joined(pieces), *by, **dict(self.options))

    def _order(self, pieces: Sequence[Any]) -> Any:
        """Return the places of rows in order, where one key of numbers says it."""
        options = dict(self.options)
        first = pieces[0]
        if type(first) is not pd.DataFrame or len(self.by) > 1 or options.get("key") is not None:
            return None
        if self.by:
            is_key = first.columns.is_unique and self.by[0] in first.columns
        else:
            is_key = self.sort.name == "sort_index"
        if not is_key:
            return None
        ascending = options.get("ascending", True)
        ascending = ascending[0] if isinstance(ascending, list) else ascending
        filled = [each for each in pieces if len(each)] or [first]
        values = concat([each[self.by[0]] if self.by else each.index for each in filled])
        return stable_order(values, bool(ascending))


def sort_values(
    x: Any,
    by: Any,
    ascending: Any,
    na_position: str,
    key: Callable[[Any], Any] | None,
    npartitions: int | None,
    ignore_index: bool,
) -> Any:
    """Sort rows by columns; see `DataFrame.sort_values`."""
    keys = labels_of(x, by) if x.ndim == 2 else [None]
    if not keys:
        return x.reset_index(drop=True) if ignore_index else x
    order = list(ascending) if isinstance(ascending, list | tuple) else [ascending] * len(keys)
    if len(order) != len(keys):
        raise ValueError(f"Length of ascending ({len(order)}) != length of by ({len(keys)})")
    _check_position(na_position)
    options: dict[str, Any] = {"na_position": na_position, "kind": "stable", "key": key}
    names = [each.level if isinstance(each, Index) else each for each in keys if each is not None]
    options["ascending"] = order if names else order[0]
    finish = InOrder(Method("sort_values"), tuple(names), tuple(options.items()))
    finish([x._meta])  # what is wrong with it is said now
    result = _sorted(x, keys[0], order[0], na_position, key, npartitions, finish)
    return result.reset_index(drop=True) if ignore_index else result


def sort_index(x: Any, options: dict[str, Any], npartitions: int | None) -> Any:
    """Sort rows by their labels; see `Frame.sort_index`."""
    _check_position(options["na_position"])
    level, ascending = options.get("level"), options["ascending"]
    first = level[0] if isinstance(level, list) else level
    ascending = ascending[0] if isinstance(ascending, list | tuple) else ascending
    options = {**options, "kind": "stable"}
    x._meta.sort_index(**options)  # pandas says what is wrong
    finish = InOrder(Method("sort_index"), (), tuple(options.items()))
    is_plain = x._meta.index.nlevels == 1 and ascending and options["key"] is None
    if x.known_divisions and is_plain and npartitions is None:
        return call(Method("sort_index"), (x,), options, "sort_index", "some")
    key = Index(0 if first is None else first) if x._meta.index.nlevels > 1 else Index()
    parts = (options["na_position"], options["key"], npartitions, finish)
    return _sorted(x, key, ascending, *parts)


def _check_position(na_position: str) -> None:
    if na_position not in ("first", "last"):
        raise ValueError(f"invalid na_position: {na_position}; it is 'first' or 'last'")


def _sorted(
    x: Any,
    key: Any,
    ascending: bool,
    na_position: str,
    function: Any,
    npartitions: int | None,
    finish: InOrder,
) -> Any:
    count = npartitions or x.npartitions
    dividing = dividing_of(x.expr, key, count, function)
    cut = RangeCut(key, count, bool(ascending), na_position == "last", function)
    label = finish.sort.name
    return wrap(Shuffle(x.expr, (dividing.expr,), cut, finish, count, None, label))


def is_sort(node: Node) -> bool:
    """Whether a node puts rows in order."""
    return isinstance(node, Shuffle) and isinstance(node.make, InOrder)


def first_in_order(node: Any, n: int) -> Node:
    """Return the first rows of those that a node puts in order, without sorting all of them."""
    plan = FirstInOrder(node.make, n)
    rows = min(n, sum(node.x.meta.projected))
    out = one_partition(node.meta.frame, node, n, projected=rows)
    return reduction((node.x,), plan, "first-in-order", out, SPLIT)


def dividing_of(node: Node, key: Any, count: int, function: Any = None) -> Any:
    """Return the values of a key that divide all rows evenly, lazy."""
    plan = Dividing(key, count, function)
    frame = plan.finalize(plan.combine([plan.chunk(node.meta.frame)]))
    looked_at = another_pass(_with_key(node, key))
    out = one_partition(frame, node, plan, projected=count)
    return wrap(reduction((looked_at,), plan, "sample", out, SPLIT))


def _with_key(node: Node, key: Any) -> Node:
    """Leave out what a sample of a key does not look at."""
    frame = node.meta.frame
    if not isinstance(frame, pd.DataFrame) or not frame.columns.is_unique:
        return node
    if frame.columns.nlevels > 1:  # of which a key may be the first level alone
        return node
    return Project(node, () if isinstance(key, Index) else (key,), False)


# ------------------------------------------------------------------ index


def set_index(
    x: Any,
    keys: Any,
    drop: bool,
    append: bool,
    is_sorted: bool,
    npartitions: int | None,
    divisions: Sequence[Any] | None,
    sort: bool,
) -> Any:
    """Make an index of a column, and put rows in its order; see `DataFrame.set_index`."""
    if isinstance(keys, list) and len(keys) == 1 and not isinstance(keys[0], Frame):
        keys = keys[0]
    label = keys
    if not isinstance(keys, Frame | list):
        (label,) = labels_of(x, keys)
    indexed = call(with_index, (x, label), {"drop": drop, "append": append}, "set_index", "new")
    if append or isinstance(keys, list) or not sort:
        return indexed
    if is_sorted:
        return _with_divisions(indexed, divisions)
    if x.npartitions == 1 and npartitions in (None, 1):
        return indexed.sort_index()
    return _in_order(indexed, npartitions, divisions)


def with_index(partition: Any, keys: Any, **options: Any) -> Any:
    """Have pandas make an index of columns.

    Of small integers that happen to be a range it makes one, of the dtype int64: which partitions
    are such, and whether all rows are, is not known before.
    """
    found = partition.set_index(keys, **options)
    if found.index.nlevels > 1:
        return found
    key = keys if hasattr(keys, "dtype") else partition[keys]
    dtype = key.dtype if key.ndim == 1 else key.dtypes.iloc[0]
    if found.index.dtype != dtype:
        found.index = found.index.astype(dtype)  # it is a frame of its own
    return found


def _in_order(indexed: Any, npartitions: int | None, divisions: Sequence[Any] | None) -> Any:
    """Sort by the index; where the partitions begin is computed now."""
    from gpuscale.run import compute

    if divisions is None:
        count = npartitions or indexed.npartitions
        values, low, high, nulls = compute(
            dividing_of(indexed.expr, Index(), count),
            *_ends(indexed),
            indexed.index.to_series().isna().sum(),
        )
        bounds = None if nulls or pd.isna(low) else _bounds(list(values), low, high)
        inner = values if bounds is None else values[values > low]
    else:
        bounds = tuple(divisions)
        inner = pd.Series(list(bounds[1:-1]), dtype=indexed._meta.index.dtype)
    count = len(inner) + 1
    finish = InOrder(Method("sort_index"), (), (("kind", "stable"),))
    cut = GivenCut(RangeCut(Index(), count), inner)
    return wrap(Shuffle(indexed.expr, (), cut, finish, count, bounds, "set_index"))


def _ends(indexed: Any) -> tuple[Any, Any]:
    """Return the least and the greatest label, lazy; categories in no order have neither."""
    if getattr(indexed._meta.index.dtype, "ordered", True) is False:
        return None, None
    return indexed.index.min(), indexed.index.max()


def _bounds(values: list[Any], low: Any, high: Any) -> tuple[Any, ...]:
    return (low, *(each for each in values if low < each), high)


@dataclass(frozen=True)
class GivenCut:
    """Cut a partition by values that are known."""

    cut: RangeCut
    dividing: Any

    @property
    def labels(self) -> frozenset[Any]:
        """Columns that it looks at."""
        return self.cut.labels

    def __call__(self, frame: Any) -> Any:
        """Cut it."""
        return self.cut(frame, self.dividing)


def _with_divisions(indexed: Any, divisions: Sequence[Any] | None) -> Any:
    """Take the user's word that rows are in order; the ends of partitions are looked at."""
    if divisions is None:
        dtype = indexed._meta.index.dtype
        out = pd.DataFrame({name: pd.Series([], dtype=dtype) for name in ("first", "last")})
        ends = map_partitions(first_and_last, indexed, meta=out).compute()
        lows, highs = list(ends["first"]), list(ends["last"])
        if any(after < before for before, after in zip(highs, lows[1:], strict=False)):
            raise ValueError(
                "sorted=True, but a label of one partition is greater than the first of the next; "
                "leave it out to have rows sorted"
            )
        is_cut = any(a == b for a, b in zip(highs, lows[1:], strict=False))
        if is_cut or len(lows) < indexed.npartitions:
            return indexed  # a label in two partitions, or an empty one: there are no bounds
        divisions = (*lows, highs[-1])
    pieces = tuple(((0, block, None),) for block in range(indexed.npartitions))
    return wrap(Regroup((indexed.expr,), pieces, tuple(divisions), "set_index"))


def first_and_last(partition: Any) -> Any:
    """Return the first and the last label."""
    index = partition.index
    if not index.is_monotonic_increasing:
        raise ValueError(
            "sorted=True, but the rows of a partition are not in order; leave it out to have them "
            "sorted"
        )
    return frame_namespace(index).DataFrame({"first": index[:1], "last": index[-1:]})
