"""Rows by number on a GPU: a thread for each element, neighbours in a row side by side."""

from typing import Any

import numpy as np

from ..device import Device, Kernel, blocks_for, word_of
from .checks import check_columns, check_rows, check_table, out_of_bounds

__all__ = ["gather", "scatter"]


def gather(
    device: Device, table: Any, index: Any, columns: slice = slice(None), threads: int = 256
) -> Any:
    """Return the rows of a table that have some numbers.

    Launches one kernel and waits for it, to know whether numbers are out of bounds. Grid: up to
    4096 blocks of `threads`; shared memory: none; workspace: 8 bytes.

    Parameters
    ----------
    table : contiguous array on the device, of one or two dimensions
    index : 1-d array on the device, integers
        Negative ones count from the end.
    columns : slice
        The columns to take of a table of two dimensions, with a positive step.
    threads : int
        Of a block.

    Raises
    ------
    IndexError
        If a number is out of bounds.
    """
    check_table(table, index)
    first, step, width = check_columns(table, columns)
    shape = (index.size,) if table.ndim == 1 else (index.size, width)
    out = device.empty(shape, table.dtype)
    rows, pitch = table.shape[0], 1 if table.ndim == 1 else table.shape[1]
    if index.size * width:
        wrong = device.zeros(1, np.int64)
        word = word_of(table.dtype)
        source, target = (each.reshape(-1).view(word) for each in (table, out))
        grid = blocks_for(index.size * width, threads)
        sizes = (index.size, rows, pitch, first, step, width)
        device.launch(
            Kernel("rows", "gather", ()), grid, threads, source, index, target, wrong, *sizes
        )
        _refuse(device, wrong, rows)
    return out


def scatter(
    device: Device,
    table: Any,
    index: Any,
    rows: Any,
    columns: slice = slice(None),
    unique: bool = False,
    threads: int = 256,
) -> None:
    """Write rows over those of a table that have some numbers; of equal numbers the last one wins.

    Launches two kernels and waits between them, so that nothing is written if a number is out of
    bounds. Grids: up to 4096 blocks of `threads`; shared memory: none; workspace: 8 bytes, and
    without `unique` 8 more for each row of the table.

    Parameters
    ----------
    table : contiguous array on the device, of one or two dimensions
        Changed in place.
    index : 1-d array on the device, integers
    rows : contiguous array on the device, in the dtype of the table
    columns : slice
        The columns to write of a table of two dimensions, with a positive step.
    unique : bool
        Whether all numbers are different, as in a permutation; then nobody has to find the last.
    threads : int
        Of a block.

    Raises
    ------
    IndexError
        If a number is out of bounds.
    ValueError
        If the rows do not have the shape or the dtype that the table needs.
    """
    check_table(table, index)
    first, step, width = check_columns(table, columns)
    check_rows(table, index, rows, width)
    n, pitch = table.shape[0], 1 if table.ndim == 1 else table.shape[1]
    if not index.size * width:
        return
    wrong = device.zeros(1, np.int64)
    last = wrong if unique else device.zeros(n, np.int64)
    grid = blocks_for(index.size, threads)
    device.launch(
        Kernel("rows", "last_writers", (unique,)), grid, threads, index, last, wrong, index.size, n
    )
    _refuse(device, wrong, n)
    word = word_of(table.dtype)
    source, target = (each.reshape(-1).view(word) for each in (rows, table))
    grid = blocks_for(index.size * width, threads)
    sizes = (index.size, n, pitch, first, step, width)
    device.launch(
        Kernel("rows", "scatter", (unique,)), grid, threads, source, index, target, last, *sizes
    )


def _refuse(device: Device, wrong: Any, rows: int) -> None:
    count = device.number(wrong)
    if count:
        raise out_of_bounds(count, rows)
