"""The first and the last rows, computed at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.base.types import is_known
from gpuscale.dataframe.algorithms.cuts import rows_of
from gpuscale.dataframe.api.shuffling import first_in_order

__all__: list[str] = []

_FEW = 1 << 16  # rows that are kept of each partition, where not all are put in order


def head(x: Any, n: int, npartitions: int = -1) -> Any:
    """Compute the first rows, from as few partitions as have them; see `Frame.head`."""
    most = x.npartitions if npartitions == -1 else min(npartitions, x.npartitions)
    if n < 0:
        return _first(x, most, n)
    ordered = first_in_order(x, n) if n <= _FEW and most == x.npartitions else None
    if ordered is not None:
        return ordered.compute()
    count, rows = 1, x.expr.meta.rows
    if is_known(rows):
        total = np.cumsum(rows)
        count = min(most, int(np.searchsorted(total, n)) + 1)
        return _first(x, count, n)
    while True:
        found = _first(x, count, n)
        if len(found) >= n or count >= most:
            return found
        count = min(most, 4 * count)


def _first(x: Any, count: int, n: int) -> Any:
    return rows_of(x.partitions[:count].compute(), slice(n))


def tail(x: Any, n: int) -> Any:
    """Compute the last rows from as few partitions as have them, or all but the first ``-n``."""
    count = 1 if n >= 0 else x.npartitions
    while True:
        part = x.partitions[x.npartitions - count :].compute()
        if len(part) >= n or count >= x.npartitions:
            return rows_of(part, slice(max(0, len(part) - n) if n >= 0 else -n, None))
        count = min(x.npartitions, 4 * count)
