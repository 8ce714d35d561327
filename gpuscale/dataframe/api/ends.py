"""The first and the last rows, computed at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gpuscale.base.types import is_known
from gpuscale.dataframe.algorithms.columns import concat
from gpuscale.dataframe.algorithms.counting import DistinctRows, Unique
from gpuscale.dataframe.algorithms.cuts import rows_of
from gpuscale.dataframe.api import counting
from gpuscale.dataframe.api.shuffling import first_in_order, is_sort
from gpuscale.dataframe.by_memory import limits_are_known
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.methods import Method
from gpuscale.dataframe.nodes.moving import ToBackend
from gpuscale.dataframe.nodes.partitions import Partitions
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Partwise, Project
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.nodes.source import FromFrame, ReadPieces
from gpuscale.dataframe.rules.by_memory import planned_now
from gpuscale.dataframe.rules.rewriting import replaced
from gpuscale.dataframe.rules.row_by_row import is_row_by_row
from gpuscale.engines.base import planned_for_default
from gpuscale.expr.walk import toposort

__all__: list[str] = []

_FEW = 1 << 16  # rows that are kept of each partition, where not all are put in order


def head(x: Any, n: int, npartitions: int = -1) -> Any:
    """Compute the first rows, from as few partitions as have them; see `Frame.head`."""
    x = planned_now(x)
    most = x.npartitions if npartitions == -1 else min(npartitions, x.npartitions)
    if n < 0:
        return _first(x, most, n)
    ordered = _first_in_order(x, n) if n <= _FEW and most == x.npartitions else None
    if ordered is not None:
        return ordered.compute()
    different = _different(x) if most == x.npartitions else None
    if different is not None:
        return _first_different(*different, n)
    count, rows = 1, x.expr.meta.rows
    if is_known(rows):
        total = np.cumsum(rows)
        count = min(most, int(np.searchsorted(total, n)) + 1)
        return _first(x, count, n)
    while True:
        found = _first(x, count, n)
        if len(found) >= n or count >= most:
            return found
        count = min(most, 4 * count) if _is_of_partitions(x) else most


def _first(x: Any, count: int, n: int) -> Any:
    some = x.partitions[:count]
    if n < 0 or count == 1:
        return rows_of(some.compute(), slice(n))
    return counting.gathered(some, FirstRows(n), "head", x._meta).compute()


def _is_of_partitions(x: Any) -> bool:
    """Whether each partition is made of one, so that others are not made again for it."""
    return all(isinstance(each, _OF_PARTITIONS) for each in toposort([x.expr]))


@dataclass(frozen=True)
class FirstRows:
    """The first rows, of which each partition has no more than all together."""

    n: int

    def chunk(self, partition: Any) -> Any:
        """Take them, without what they are a view of."""
        return rows_of(partition, slice(self.n)).copy()

    def combine(self, partials: list[Any]) -> Any:
        """Take them of neighbours."""
        return rows_of(concat(partials), slice(self.n))

    def finalize(self, partial: Any) -> Any:
        """Return them."""
        return partial


def _first_in_order(x: Any, n: int) -> Any:
    """Return the first rows of what is sorted, and then perhaps changed row by row; or None."""
    nodes = list(toposort([x.expr]))
    sort = next((node for node in reversed(nodes) if is_sort(node)), None)
    if sort is None or not is_row_by_row([x.expr], sort):
        return None
    first = first_in_order(sort, n)
    return wrap(*replaced([x.expr], {sort.token: first}))


def _different(x: Any) -> tuple[Any, Any] | None:
    """Return the frame of which `drop_duplicates` or `unique` made another, and what does that.

    None if it is no such frame, or if partitions are not made one by one.
    """
    nodes = list(toposort([x.expr]))
    inner = (node for node in reversed(nodes) if _drops_duplicates(node))
    node = next(inner, None)
    if node is None:
        return None
    if isinstance(node, Reduction):
        source, plans = wrap(node.inputs[0]), [node.blueprint]
    else:  # which comes before a shuffle
        source, options = wrap(node.args[0]), dict(node.kwargs)  # type: ignore[attr-defined]
        subset = options.get("subset")
        plans = [DistinctRows(None if subset is None else tuple(subset), options["keep"]), Unique()]
    if not _is_of_partitions(source):
        return None
    asked = (Different(plan) for plan in plans if getattr(plan, "keep", "first") == "first")
    with planned_for_default(), limits_are_known():
        return next(((source, e) for e in asked if e(source).expr.token == x.expr.token), None)


_OF_PARTITIONS = (FromFrame, ReadPieces, ToBackend, Partwise, Project, Filter, Assign, Partitions)


def _drops_duplicates(node: Any) -> bool:
    if isinstance(node, Reduction):
        return isinstance(node.blueprint, DistinctRows | Unique)
    return isinstance(node, Partwise) and node.function == Method("drop_duplicates")


@dataclass(frozen=True)
class Different:
    """What the user has asked for: rows or values that are different, of a frame or of pandas."""

    plan: DistinctRows | Unique

    def __call__(self, x: Any) -> Any:
        """Return them, lazy."""
        if isinstance(self.plan, Unique):
            return counting.unique(x)
        subset = self.plan.subset
        return counting.drop_duplicates(x, None if subset is None else list(subset), "first", False)

    def of_all(self, found: list[Any]) -> Any:
        """Return those of several results."""
        return self.plan.finalize(self.plan.combine([self.plan.chunk(each) for each in found]))


def _first_different(x: Any, different: Different, n: int) -> Any:
    """Compute as many rows as are asked for, from as few partitions as have them."""
    found: list[Any] = []
    start, stop = 0, 1
    while True:
        found = [different.of_all([*found, different(x.partitions[start:stop]).compute()])]
        if len(found[0]) >= n or stop >= x.npartitions:
            return rows_of(found[0], slice(n))
        start, stop = stop, min(x.npartitions, 4 * stop)


def tail(x: Any, n: int) -> Any:
    """Compute the last rows from as few partitions as have them, or all but the first ``-n``."""
    count = 1 if n >= 0 else x.npartitions
    while True:
        part = x.partitions[x.npartitions - count :].compute()
        if len(part) >= n or count >= x.npartitions:
            return rows_of(part, slice(max(0, len(part) - n) if n >= 0 else -n, None))
        count = min(x.npartitions, 4 * count)
