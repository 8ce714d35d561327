"""The texts of the kernels that copy rows by number; see `rows_cuda.py`."""

from typing import Any

import numpy as np
from numba import cuda, from_dtype

__all__ = ["build_gather", "build_last_writers", "build_scatter"]

_LONG = from_dtype(np.dtype(np.int64))


@cuda.jit(device=True, inline="always")
def _row_of(number: Any, rows: int) -> int:
    """Return the row that a number means; negative ones count from the end."""
    row = _LONG(number)
    if row < 0:
        row += rows
    return row


def build_gather() -> Any:
    """Build what copies rows out of a table."""

    def gather_rows(
        source: Any,
        index: Any,
        target: Any,
        wrong: Any,
        n: int,
        rows: int,
        pitch: int,
        first: int,
        step: int,
        width: int,
    ) -> None:
        """Copy elements, and count the rows that are not there."""
        for k in range(cuda.grid(1), n * width, cuda.gridsize(1)):
            column = k % width
            row = _row_of(index[k // width], rows)
            if row >= 0 and row < rows:
                target[k] = source[row * pitch + first + column * step]
            elif column == 0:
                cuda.atomic.add(wrong, 0, 1)

    return gather_rows


def build_last_writers(unique: bool) -> Any:
    """Build what finds who writes a row last, and counts the rows that are not there."""

    def last_writers(index: Any, last: Any, wrong: Any, n: int, rows: int) -> None:
        """Remember one more than the last position that has each row number."""
        for k in range(cuda.grid(1), n, cuda.gridsize(1)):
            row = _row_of(index[k], rows)
            if row < 0 or row >= rows:
                cuda.atomic.add(wrong, 0, 1)
            elif not unique:
                cuda.atomic.max(last, row, k + 1)

    return last_writers


def build_scatter(unique: bool) -> Any:
    """Build what copies rows into a table."""

    def scatter_rows(
        source: Any,
        index: Any,
        target: Any,
        last: Any,
        n: int,
        rows: int,
        pitch: int,
        first: int,
        step: int,
        width: int,
    ) -> None:
        """Copy the elements of rows that no later one overwrites."""
        for k in range(cuda.grid(1), n * width, cuda.gridsize(1)):
            row = _row_of(index[k // width], rows)
            if unique or last[row] == k // width + 1:
                target[row * pitch + first + k % width * step] = source[k]

    return scatter_rows
