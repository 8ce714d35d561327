"""What tables of rows must fulfil on every target."""

from typing import Any

__all__ = ["check_columns", "check_rows", "check_table", "out_of_bounds"]


def check_table(table: Any, index: Any) -> None:
    """Refuse what is no table of rows, or no row numbers.

    Raises
    ------
    ValueError
        If the table has no rows, or the numbers are not one-dimensional.
    TypeError
        If the numbers are no integers.
    """
    if table.ndim not in (1, 2):
        raise ValueError(f"a table of rows has one or two dimensions, not {table.ndim}: reshape it")
    if index.ndim != 1:
        raise ValueError(f"row numbers have one dimension, not {index.ndim}: use ravel")
    if index.dtype.kind not in "iu":
        raise TypeError(f"row numbers are integers, not {index.dtype}: use astype(int)")


def check_columns(table: Any, columns: slice) -> tuple[int, int, int]:
    """Return first, step and number of the columns that a slice takes of a table.

    Raises
    ------
    ValueError
        If the step is negative, or columns are asked for where there is only one.
    """
    if table.ndim == 1:
        if columns != slice(None):
            raise ValueError("a table of one dimension has no columns to choose")
        return 0, 1, 1
    first, stop, step = columns.indices(table.shape[1])
    if step < 0:
        raise ValueError(f"columns are taken forwards, not by steps of {step}")
    return first, step, len(range(first, stop, step))


def check_rows(table: Any, index: Any, rows: Any, width: int) -> None:
    """Refuse rows that do not have the shape or the dtype that a table needs.

    Raises
    ------
    ValueError
        If they do not.
    """
    shape = (index.size,) if table.ndim == 1 else (index.size, width)
    if rows.shape != shape or rows.dtype != table.dtype:
        raise ValueError(f"rows are {shape} of {table.dtype}, not {rows.shape} of {rows.dtype}")


def out_of_bounds(wrong: int, rows: int) -> IndexError:
    """Return the error that says how many row numbers are wrong.

    Examples
    --------
    >>> out_of_bounds(2, 10)
    IndexError('2 row numbers are out of bounds for 10 rows: give numbers from -10 to 9')
    """
    return IndexError(
        f"{wrong} row numbers are out of bounds for {rows} rows: "
        f"give numbers from {-rows} to {rows - 1}"
    )
