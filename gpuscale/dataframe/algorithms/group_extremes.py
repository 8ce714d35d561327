"""The greatest or the least values of each group, of rows that lie in parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from gpuscale.backends.frame_seams import table
from gpuscale.backends.seams import on_device, to_host
from gpuscale.dataframe.algorithms.columns import concat
from gpuscale.dataframe.algorithms.group_places import key_label

__all__ = ["ExtremesOfGroups"]


@dataclass(frozen=True)
class ExtremesOfGroups:
    """``nlargest`` or ``nsmallest`` of groups; of equal values the first ones are taken.

    Partials are the rows that may still be among them, the best ones first.

    Parameters
    ----------
    keys : int
        How many keys there are.
    n : int
    largest : bool
    dropna : bool
        Whether rows without a key are in no group.
    names : tuple
        Of the keys, and of the levels of the index.
    name : label
        Of the values.
    """

    keys: int
    n: int
    largest: bool
    dropna: bool
    names: tuple[Any, ...]
    name: Any
    data_decide: ClassVar[bool] = True

    def chunk(self, values: Any, *keys: Any) -> Any:
        """Keep the best rows of each group of a partition."""
        columns = {**{key_label(k): key for k, key in enumerate(keys)}, "value": values}
        if on_device(values):
            return self._kept(table(values, columns))
        arrays = {name: each.array for name, each in columns.items()}
        return self._kept(pd.DataFrame(arrays, index=values.index))

    def combine(self, partials: list[Any]) -> Any:
        """Keep the best of several parts, which are in the order of their rows."""
        return self._kept(concat(partials))

    def of_parts(self, partials: list[Any]) -> Any:
        """Make the result of the last partials."""
        return self.finalize(self.combine(partials))

    def finalize(self, partial: Any) -> Any:
        """Put the groups in order, each with its best rows first."""
        partial = to_host(partial)
        order = np.argsort(self._grouped(partial).ngroup().to_numpy(), kind="stable")
        rows = partial.iloc[order]
        levels = [rows[key_label(k)].array for k in range(self.keys)]
        levels += [rows.index.get_level_values(k) for k in range(rows.index.nlevels)]
        index = pd.MultiIndex.from_arrays(levels, names=self.names)
        return pd.Series(rows["value"].array, index=index, name=self.name)

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Bytes of a partial of some others, and of what making it takes, at the most."""
        return sum(sizes), 2 * sum(sizes)

    def _kept(self, table: Any) -> Any:
        ordered = table.sort_values("value", ascending=not self.largest, kind="stable")
        return self._grouped(ordered).head(self.n)

    def _grouped(self, table: Any) -> Any:
        return table.groupby([key_label(k) for k in range(self.keys)], dropna=self.dropna)
