"""Rows by number with NumPy's indices."""

from typing import Any

import numpy as np

from .checks import check_columns, check_rows, check_table, out_of_bounds

__all__ = ["gather", "scatter"]


def gather(table: Any, index: Any, columns: slice = slice(None)) -> Any:
    """Return the rows of a table that have some numbers; see `rows_cuda.gather`.

    Examples
    --------
    >>> gather(np.array([[1, 2], [3, 4]]), np.array([1, -1, 0]))
    array([[3, 4],
           [3, 4],
           [1, 2]])
    """
    check_table(table, index)
    _check_bounds(index, table.shape[0])
    return _chosen(table, columns)[index]


def scatter(
    table: Any, index: Any, rows: Any, columns: slice = slice(None), unique: bool = False
) -> None:
    """Write rows over those of a table that have some numbers; see `rows_cuda.scatter`.

    Examples
    --------
    >>> table = np.zeros(4, int)
    >>> scatter(table, np.array([2, 0, 2]), np.array([5, 6, 7]))
    >>> table
    array([6, 0, 7, 0])
    """
    check_table(table, index)
    check_rows(table, index, rows, check_columns(table, columns)[2])
    _check_bounds(index, table.shape[0])
    _chosen(table, columns)[index] = rows


def _chosen(table: Any, columns: slice) -> Any:
    check_columns(table, columns)
    return table if table.ndim == 1 else table[:, columns]


def _check_bounds(index: Any, rows: int) -> None:
    wrong = int(np.count_nonzero((index < -rows) | (index >= rows)))
    if wrong:
        raise out_of_bounds(wrong, rows)
