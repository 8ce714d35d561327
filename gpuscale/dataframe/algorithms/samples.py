"""Values that divide a column into parts of about the same size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.frame_libraries import array_beside
from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.backends.seams import to_host
from gpuscale.dataframe.algorithms.partitioning import key_of

__all__ = ["Dividing", "samples_together"]

_OF_PARTITION = 1024  # values that are taken of a partition, at the least
_LOOKED_AT = 1 << 16  # values among which these are found: all would take as long as the sort


@dataclass(frozen=True)
class Dividing:
    """A blueprint: a sample of each partition, by which all rows are divided evenly.

    Parameters
    ----------
    key : label or Index
    parts : int
    function : callable, optional
        Applied to the key before.
    """

    key: Any
    parts: int
    function: Any = None

    def chunk(self, frame: Any) -> tuple[Any, Any]:
        """Return values at even distances in the order of all, and for how many each stands."""
        values = key_of(frame, self.key)
        if self.function is not None:
            values = self.function(values)
        values = frame_namespace(values).Series(values).dropna()
        rows, most = len(values), max(_LOOKED_AT, 64 * self.parts)
        if rows > most:  # at random, for rows may come in cycles, but the same ones each time
            chosen = np.random.default_rng(0).integers(0, rows, most)
            values = values.iloc[array_beside(values, chosen)]
        ordered = values.sort_values(ignore_index=True)
        step = max(1, len(ordered) // max(_OF_PARTITION, 8 * self.parts))
        sample = to_host(ordered.iloc[step // 2 :: step].reset_index(drop=True))
        return sample, np.full(len(sample), rows / max(1, len(sample)))

    def combine(self, partials: list[tuple[Any, Any]]) -> tuple[Any, Any]:
        """Put samples together."""
        return samples_together(partials)

    def finalize(self, partial: tuple[Any, Any]) -> Any:
        """Return the values at which parts begin, each once."""
        sample, weights = partial
        order = sample.argsort(kind="stable").to_numpy()
        below = np.cumsum(weights[order])
        total = below[-1] if len(below) else 0
        wanted = [total * part // self.parts for part in range(1, self.parts)]
        places = np.searchsorted(below, wanted, side="right").tolist()
        taken = [order[min(place, len(order) - 1)] for place in places if len(order)]
        found = sample.iloc[taken].drop_duplicates()
        return found.reset_index(drop=True).rename(None)


def samples_together(partials: list[tuple[Any, Any]]) -> tuple[Any, Any]:
    """Put samples together, each with what it stands for."""
    filled = [each for each in partials if len(each[0])] or partials[:1]
    samples, weights = zip(*filled, strict=True)
    return pd.concat(samples, ignore_index=True), np.concatenate(weights)
