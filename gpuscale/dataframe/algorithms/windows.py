"""Windows of rows, which move or grow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.algorithms.grouping import Call

__all__ = ["Ends", "Moving", "MovingPair", "in_order"]

_BLOCK = 1 << 17
"""Rows whose windows the cache holds."""
_SHORT = 16
"""Windows that are so many times shorter than a block: others are looked at twice too often."""
_UNSORTED = "index must be monotonic: sort_index() first"


def in_order(index: Any) -> Any:
    """Return an index that windows and bins can take.

    Raises
    ------
    ValueError
        If it is not sorted, or has nulls.

    Examples
    --------
    >>> import pandas as pd
    >>> len(in_order(pd.Index([1, 2])))
    2
    """
    if not index.is_monotonic_increasing:
        if index.hasnans:
            raise ValueError("the index has nulls (NaT), which no window or bin can hold")
        raise ValueError(_UNSORTED)
    return index


@dataclass(frozen=True)
class Moving:
    """A method of moving windows.

    Parameters
    ----------
    windows : Call
        ``rolling`` with its options.
    method : Call
    """

    windows: Call
    method: Call

    def __call__(self, partition: Any) -> Any:
        """Ask pandas."""
        found = self._in_blocks(partition)
        return self.method(self.windows(partition)) if found is None else found

    def _in_blocks(self, partition: Any) -> Any:
        """Ask pandas for some rows after the others; None where not all that comes are numbers.

        It notes for each row where its window begins and ends, in several arrays of all rows.
        """
        window: Any = next(iter(self.windows.args), None)
        rows = len(partition)
        is_plain = type(partition) in (pd.DataFrame, pd.Series) and isinstance(window, int)
        if not is_plain or rows < 2 * _BLOCK or window * _SHORT > _BLOCK:
            return None
        after = window if dict(self.windows.kwargs).get("center") else 0
        found: Any = None
        for start in range(0, rows, _BLOCK):
            stop, low = min(start + _BLOCK, rows), max(0, start - window)
            made = self.method(self.windows(partition.iloc[low : stop + after]))
            numbers = made.to_numpy()
            if numbers.dtype != np.float64:
                return None
            found = np.empty((*made.shape[1:], rows)) if found is None else found
            found[..., start:stop] = numbers[start - low : stop - low].T
        names = {"name": made.name} if made.ndim == 1 else {"columns": made.columns}
        return type(made)(found.T, index=partition.index, copy=False, **names)


@dataclass(frozen=True)
class MovingPair(Moving):
    """A method of moving windows of two series, which are the columns of a table."""

    name: Any

    def __call__(self, partition: Any) -> Any:
        """Ask pandas."""
        first, second = partition.iloc[:, 0], partition.iloc[:, 1]
        call = Call(self.method.name, (second,), self.method.kwargs)
        return call(self.windows(first)).rename(self.name)


@dataclass(frozen=True)
class Ends:
    """Rows, and the first and the last label, of each partition that has rows."""

    def chunk(self, partition: Any) -> list[Any]:
        """Look at one."""
        index = in_order(partition.index)
        return [(len(index), index[0], index[-1]) if len(index) else (0, None, None)]

    def combine(self, partials: list[Any]) -> list[Any]:
        """Put them in a row."""
        return [each for partial in partials for each in partial]

    def finalize(self, partial: list[Any]) -> list[Any]:
        """See that they follow each other."""
        filled = [each for each in partial if each[0]]
        if any(a[2] > b[1] for a, b in zip(filled, filled[1:], strict=False)):
            raise ValueError(_UNSORTED)
        return partial
