"""Covariances and correlations of all pairs of columns, of the rows in which both are there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.seams import array_namespace, to_host
from gpuscale.dataframe.algorithms.columns import numbers

__all__ = ["Pairs"]

Sums = tuple[Any, Any, Any, Any]
"""Matrices: rows of pairs, means of the first, products of what is left, and its squares."""


@dataclass(frozen=True)
class Pairs:
    """`pandas.DataFrame.cov` and `corr`, merged as Chan, Golub and LeVeque do.

    Parameters
    ----------
    name : {"cov", "corr"}
    columns : pandas.Index
    min_periods : int
    ddof : int
    is_pair : bool
        Whether the one number of two columns is asked for.
    """

    name: str
    columns: Any
    min_periods: int
    ddof: int = 1
    is_pair: bool = False

    def chunk(self, partition: Any) -> Sums:
        """Return the sums of one partition."""
        values = numbers(partition)
        xp = array_namespace(values)
        # As pandas has it: correlations of frames leave out infinities as well.
        finite = self.name == "corr" and not self.is_pair
        there = xp.isfinite(values) if finite else ~xp.isnan(values)
        with np.errstate(all="ignore"):
            center = xp.where(there, values, 0).sum(axis=0) / xp.maximum(there.sum(axis=0), 1)
        left = xp.where(there, values - center, 0.0)
        valid = there.astype(np.float64)
        n = valid.T @ valid
        with np.errstate(all="ignore"):
            mean = xp.where(n > 0, (left.T @ valid) / n, 0.0)
        products = left.T @ left - n * mean * mean.T
        squares = (left * left).T @ valid - n * mean * mean
        found: Sums = to_host((n, mean + center[:, None], products, squares))
        return found

    def combine(self, partials: list[Sums]) -> Sums:
        """Merge neighbours."""
        return reduce(_merged, partials)

    def finalize(self, partial: Sums) -> Any:
        """Divide."""
        n, _, products, squares = partial
        with np.errstate(all="ignore"):
            if self.name == "cov":
                found = products / (n - self.ddof)
                enough = n >= max(self.min_periods, self.ddof + 1)
            else:
                found = np.clip(products / np.sqrt(squares * squares.T), -1, 1)
                enough = n >= max(self.min_periods, 1)
        found = np.where(enough, found, np.nan)
        if self.is_pair:
            return np.float64(found[0, 1])
        return pd.DataFrame(found, index=self.columns, columns=self.columns)


def _merged(a: Sums, b: Sums) -> Sums:
    (na, ma, pa, qa), (nb, mb, pb, qb) = a, b
    n = na + nb
    with np.errstate(all="ignore"):
        share = np.where(n > 0, na * nb / n, 0.0)
        mean = np.where(n > 0, (na * ma + nb * mb) / n, 0.0)
    apart = ma - mb
    return n, mean, pa + pb + apart * apart.T * share, qa + qb + apart * apart * share
