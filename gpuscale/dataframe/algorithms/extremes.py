"""The largest and the smallest rows, and the first ones in an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from gpuscale.backends.seams import array_namespace
from gpuscale.dataframe.algorithms.columns import concat
from gpuscale.dataframe.algorithms.cuts import rows_of

__all__ = ["Extremes", "FirstInOrder"]


@dataclass(frozen=True)
class Extremes:
    """`nlargest` and `nsmallest`: partials are the rows that may be among them, as they lie.

    One row more than is wanted is kept, because pandas orders equal ones in another way where there
    are no others.

    Parameters
    ----------
    name : {"nlargest", "nsmallest"}
    n : int
    by : tuple
        ``columns`` of a table.
    keep : {"first", "last", "all"}
    """

    name: str
    n: int
    by: tuple[Any, ...]
    keep: str
    data_decide: ClassVar[bool] = True
    keeps_labels: ClassVar[bool] = True

    def chunk(self, partition: Any) -> Any:
        """Keep those of a partition."""
        rows = max(self.n, 0) + 1
        if len(partition) <= rows:
            return partition
        found = self._of(partition.reset_index(drop=True), rows)
        if len(found) < rows:  # pandas finds none among more nulls of some dtypes than rows
            return partition
        places = found.index.values
        return rows_of(partition, array_namespace(places).sort(places))

    def combine(self, partials: list[Any]) -> Any:
        """Keep those of some partitions."""
        return self.chunk(concat(partials))

    def finalize(self, partial: Any) -> Any:
        """Have pandas choose and order them."""
        return self._of(partial, self.n)

    def _of(self, frame: Any, n: int) -> Any:
        return getattr(frame, self.name)(n, *self.by, keep=self.keep)

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Bytes of the rows at the most, and of ordering them."""
        return sum(sizes), sum(sizes)


@dataclass(frozen=True)
class FirstInOrder:
    """The first rows of a stable sort; partials are those of some partitions, sorted.

    Parameters
    ----------
    order : InOrder
        Puts pieces together, and sorts what comes.
    n : int
    """

    order: Any
    n: int
    data_decide: ClassVar[bool] = True

    def chunk(self, partition: Any) -> Any:
        """Keep those of a partition."""
        return self.combine([self._candidates(partition)])

    def combine(self, partials: list[Any]) -> Any:
        """Keep those of some partitions; equal ones stay as they lie."""
        return rows_of(self.order(partials), slice(self.n))

    def finalize(self, partial: Any) -> Any:
        """Keep them."""
        return partial

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Bytes of the rows at the most, and of sorting them."""
        return sum(sizes), 2 * sum(sizes)

    def _candidates(self, partition: Any) -> Any:
        """Leave out rows behind the last one that counts by the first key, where that is numbers.

        Finding it takes less time than sorting all.
        """
        options = dict(self.order.options)
        by = [each for each in self.order.by[:1] if each in getattr(partition, "columns", ())]
        values = partition[by[0]] if by and options["key"] is None else None
        if not isinstance(values, pd.Series) or not isinstance(values.dtype, np.dtype):
            return partition
        there = values.notna().to_numpy()
        nulls_last = options["na_position"] == "last" or there.all()
        if values.dtype.kind not in "iuf" or not nulls_last or not 0 < self.n < there.sum():
            return partition
        ascending = options["ascending"]
        first = ascending[0] if isinstance(ascending, list) else ascending
        numbers = values.to_numpy()
        rank = self.n - 1 if first else there.sum() - self.n
        last = np.partition(numbers[there], rank)[rank]
        return partition[numbers <= last if first else numbers >= last]
