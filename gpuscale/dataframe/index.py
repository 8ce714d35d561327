"""The index of frames."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gpuscale.dataframe.collection import Frame, api, collects
from gpuscale.dataframe.methods import INDEX_METHODS, with_methods
from gpuscale.dataframe.operators import Operators

__all__ = ["Index"]


@collects(pd.Index)
@with_methods(pd.Index, INDEX_METHODS)
class Index(Operators, Frame):
    """A lazy index in partitions, with the interface of `pandas.Index`."""

    __slots__ = ()

    @property
    def name(self) -> Any:  # type: ignore[override]
        """Name of the index."""
        return self._meta.name

    @property
    def names(self) -> list[Any]:
        """Names of the levels."""
        return list(self._meta.names)

    @property
    def dtype(self) -> Any:
        """Type of the labels."""
        return self._meta.dtype

    @property
    def nlevels(self) -> int:
        """Number of levels."""
        return int(self._meta.nlevels)

    @property
    def is_monotonic_increasing(self) -> Any:
        """Whether no label is less than the one before, lazy."""
        return api().statistics.monotonic(self, "is_monotonic_increasing")

    @property
    def is_monotonic_decreasing(self) -> Any:
        """Whether no label is greater than the one before, lazy."""
        return api().statistics.monotonic(self, "is_monotonic_decreasing")

    def unique(self) -> Any:
        """Different labels, in the order in which they come first."""
        return api().counting.unique(self)

    def count(self) -> Any:
        """Number of labels that are no nulls."""
        return api().reductions.reduce(self.to_series(), "count")  # type: ignore[attr-defined]

    def min(self, skipna: bool = True) -> Any:
        """Return the least label."""
        return api().reductions.reduce(self.to_series(), "min", skipna=skipna)  # type: ignore[attr-defined]

    def max(self, skipna: bool = True) -> Any:
        """Return the greatest label."""
        return api().reductions.reduce(self.to_series(), "max", skipna=skipna)  # type: ignore[attr-defined]
