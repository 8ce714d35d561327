"""What needs all rows of some columns at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gpuscale.dataframe.algorithms.columns import concat

__all__ = ["Whole"]


@dataclass(frozen=True)
class Whole:
    """A function of all rows: partitions are put together in one task.

    Parameters
    ----------
    function : callable
    """

    function: Callable[..., Any]

    def chunk(self, partition: Any) -> Any:
        """Return the partition."""
        return partition

    def combine(self, partials: list[Any]) -> Any:
        """Put them together."""
        return concat(partials)

    def finalize(self, partial: Any) -> Any:
        """Call the function."""
        return self.function(partial)

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Bytes of all together, and as much again."""
        return sum(sizes), sum(sizes)
