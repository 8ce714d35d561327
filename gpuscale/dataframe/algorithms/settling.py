"""Dtypes that partitions have together, and partitions that are made to have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from gpuscale.dataframe.algorithms.columns import concat, is_frame
from gpuscale.dataframe.minding import passes_on

__all__ = ["Dtypes", "Settle"]


@passes_on
@dataclass(frozen=True)
class Dtypes:
    """A blueprint: what pandas makes of partitions that have other dtypes, without rows.

    Those without rows count: their dtypes may be those of rows that were taken away.
    """

    def chunk(self, partition: Any) -> Any:
        """Return the dtypes."""
        return partition[:0]

    def combine(self, partials: list[Any]) -> Any:
        """Put neighbours together."""
        return concat(partials)

    def finalize(self, partial: Any) -> Any:
        """Return the dtypes."""
        return partial


@passes_on
@dataclass(frozen=True)
class Settle:
    """Give a partition the dtypes that all have together.

    Parameters
    ----------
    settles : bool
        Whether these are known beforehand.
    """

    settles: bool = False
    label: ClassVar[str] = "settle dtypes"

    def __call__(self, partition: Any, like: Any) -> Any:
        """Cast the columns that differ; those that need it are among those of ``like``."""
        if not is_frame(partition):
            return partition if partition.dtype == like.dtype else partition.astype(like.dtype)
        if not partition.columns.is_unique:
            columns = [self(partition.iloc[:, k], like.iloc[:, k]) for k in range(like.shape[1])]
            result = concat(columns, axis=1)
            result.columns = partition.columns
            return result
        dtypes = like.dtypes.items()
        new = {label: dtype for label, dtype in dtypes if partition[label].dtype != dtype}
        return partition.astype(new) if new else partition
