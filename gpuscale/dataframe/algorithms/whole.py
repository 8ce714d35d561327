"""What needs all rows of some columns at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gpuscale.dataframe.algorithms.columns import concat
from gpuscale.dataframe.undecided import may_vary

__all__ = ["AllRows", "Whole"]


class AllRows:
    """What blueprints share that put all rows of some aligned frames into one task."""

    def minds(self, metas: Any) -> bool:
        """Whether dtypes of partitions matter, which become one when these are put together."""
        return False

    def chunk(self, *partitions: Any) -> tuple[Any, ...]:
        """Keep the rows."""
        return partitions

    def combine(self, partials: list[tuple[Any, ...]]) -> tuple[Any, ...]:
        """Keep those of neighbours."""
        return tuple(concat(each) for each in zip(*partials, strict=True))

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Bytes of all together, and as much again."""
        return sum(sizes), sum(sizes)


@dataclass(frozen=True)
class Whole(AllRows):
    """A function of all rows.

    Parameters
    ----------
    function : callable
    """

    function: Callable[..., Any]

    @property
    def may_vary(self) -> bool:
        """Whether the function brings nulls in as the rows have it."""
        return may_vary(self.function)

    def finalize(self, partial: tuple[Any, ...]) -> Any:
        """Call the function."""
        return self.function(*partial)
