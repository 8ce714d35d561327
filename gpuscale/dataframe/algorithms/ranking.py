"""Ranks of rows that were cut by the order of their values: each part goes on from those before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.dataframe.algorithms.group_places import Packing

__all__ = ["Ranking", "Steps", "beside", "ranked"]


@dataclass(frozen=True)
class Ranking:
    """What ``rank`` takes.

    Parameters
    ----------
    method : {"average", "min", "max", "first", "dense"}
    na_option : {"keep", "top", "bottom"}
    ascending : bool
    pct : bool
    """

    method: Literal["average", "min", "max", "first", "dense"] = "average"
    na_option: Literal["keep", "top", "bottom"] = "keep"
    ascending: bool = True
    pct: bool = False

    def of(self, values: Any) -> Any:
        """Rank values among themselves."""
        return values.rank(method=self.method, na_option=self.na_option, ascending=self.ascending)

    def steps(self, values: Any) -> int:
        """Return by how much the ranks of what comes after some values are higher.

        Examples
        --------
        >>> import pandas as pd
        >>> values = pd.Series([2, 2, None])
        >>> Ranking().steps(values), Ranking("dense", "bottom").steps(values)
        (2, 2)
        """
        keeps = self.na_option == "keep"
        if self.method == "dense":
            return int(values.nunique(dropna=keeps))
        return int(values.count()) if keeps else len(values)


@dataclass(frozen=True)
class Steps:
    """A blueprint: by how much each partition of packed values lifts the ranks after it."""

    ranking: Ranking

    def chunk(self, table: Any) -> tuple[int, ...]:
        """Count those of one partition."""
        return (self.ranking.steps(table[0]),)

    def combine(self, partials: list[tuple[int, ...]]) -> tuple[int, ...]:
        """Put them in a row."""
        return tuple(n for each in partials for n in each)

    def finalize(self, partial: tuple[int, ...]) -> tuple[int, ...]:
        """Return them."""
        return partial


def ranked(
    table: Any, steps: tuple[int, ...], number: int, ranking: Ranking, of_result: Packing
) -> Any:
    """Rank the packed values of one partition among all, and pack the ranks."""
    found = ranking.of(table[0]) + sum(steps[:number])
    if ranking.pct:
        found = found / max(1, sum(steps))
    like = of_result.like
    return of_result.packed(found.astype(like.dtype), (), of_result.places(table))


def beside(*columns: Any, labels: Any) -> Any:
    """Put the columns of a partition side by side."""
    library = frame_namespace(columns[0])
    found = library.concat(columns, axis=1)
    found.columns = labels
    return found
