"""What objects are, where pandas makes texts of those that all are texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype, is_list_like, is_number

from gpuscale.dataframe.algorithms.columns import columns_of, together
from gpuscale.dataframe.minding import passes_on

__all__ = ["NULLS", "OTHERS", "TEXT", "TEXTS", "Kinds", "kind"]

NULLS, TEXTS, OTHERS = range(3)
"""Nothing but nulls, texts and nulls, or something else."""

TEXT = pd.StringDtype(na_value=np.nan)


@passes_on
@dataclass(frozen=True)
class Kinds:
    """A blueprint: for each column what is in it.

    Parameters
    ----------
    explodes : bool
        Whether it is asked of the elements of lists.
    """

    explodes: bool = False

    def chunk(self, partition: Any) -> tuple[int, ...]:
        """Say it of one partition."""
        of_one = _kind_of_lists if self.explodes else kind
        return tuple(map(of_one, columns_of(partition)))

    def combine(self, partials: list[Any]) -> tuple[int, ...]:
        """Say it of neighbours."""
        return tuple(together(partials, max))

    def finalize(self, partial: tuple[int, ...]) -> tuple[int, ...]:
        """Return it."""
        return partial


def kind(column: Any) -> int:
    """Return what is in a column.

    Examples
    --------
    >>> [kind(pd.Series(x, dtype=object)) for x in ([None], ["a", None], ["a", 1])] == [
    ...     NULLS,
    ...     TEXTS,
    ...     OTHERS,
    ... ]
    True
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if isinstance(column.dtype, pd.StringDtype):
        return NULLS if column.isna().all() else TEXTS
    if column.dtype != object:
        return OTHERS
    return {"empty": NULLS, "string": TEXTS}.get(infer_dtype(column, skipna=True), OTHERS)


def _kind_of_lists(column: Any) -> int:
    if column.dtype != object:
        return OTHERS
    first = next((next(iter(e)) for e in column if is_list_like(e) and len(e)), None)
    if is_number(first) and not pd.isna(first):
        return OTHERS  # without looking at all
    return kind(column.explode())
