"""The largest and the smallest rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from gpuscale.dataframe.algorithms.cuts import rows_of

__all__ = ["Extremes"]


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

    def chunk(self, partition: Any) -> Any:
        """Keep those of a partition."""
        rows = max(self.n, 0) + 1
        if len(partition) <= rows:
            return partition
        found = self._of(partition.reset_index(drop=True), rows)
        return rows_of(partition, np.sort(found.index.to_numpy()))

    def combine(self, partials: list[Any]) -> Any:
        """Keep those of some partitions."""
        return self.chunk(pd.concat(partials))

    def finalize(self, partial: Any) -> Any:
        """Have pandas choose and order them."""
        return self._of(partial, self.n)

    def _of(self, frame: Any, n: int) -> Any:
        return getattr(frame, self.name)(n, *self.by, keep=self.keep)

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Bytes of the rows at the most, and of ordering them."""
        return sum(sizes), sum(sizes)
