"""Scans on a GPU in two passes: totals of segments, then each segment from what comes before it.

The order of all operations follows from the shape, so the bits are the same in every run.
Source of the method: Merrill and Grimshaw, "Parallel scan for stream architectures" (2009).
"""

from typing import Any

import numpy as np

from ..device import Device, Kernel, blocks_for
from .operations import cut, neutral, split_shape

__all__ = ["scan", "workspace_bytes"]

_ITEMS = 4  # neighbours that one thread scans by itself


def scan(
    device: Device,
    values: Any,
    operation: str,
    axis: int = -1,
    dtype: Any = None,
    exclusive: bool = False,
    threads: int = 256,
) -> Any:
    """Return running results along an axis.

    Launches: one kernel where the lines are many or short, else three: totals of the segments,
    a scan of these, the result. Grids of up to 4096 blocks of `threads`; shared memory: 5 elements
    for each thread; workspace: see `workspace_bytes`.

    Parameters
    ----------
    values : contiguous array on the device, integers or floats
    operation : {"add", "multiply", "minimum", "maximum"}
        NaN stays NaN in minima and maxima, as with NumPy.
    axis : int
    dtype : dtype, optional
        What is computed in and returned; default: that of the values.
    exclusive : bool
        Whether elements are the result of all before them, and the first what changes nothing.
    threads : int
        Of a block, a power of two.
    """
    dtype = np.dtype(values.dtype if dtype is None else dtype)
    neutral(operation, dtype)  # refuses what there is none of
    outer, length, inner = split_shape(values.shape, axis)
    out = device.empty(values.shape, dtype)
    lines = outer * inner
    if not lines * length:
        return out
    flat = values.reshape(-1)
    segments, size = cut(lines, length, threads * _ITEMS)
    shape = (lines, length, inner, segments, size)
    before = out.reshape(-1)
    if segments > 1:
        totals = device.empty(lines * segments, dtype)
        before = device.empty(lines * segments, dtype)
        name = "column_totals" if inner > 1 else "row_totals"
        total = Kernel("scan", name, (operation, dtype, exclusive, threads))
        grid = blocks_for(lines * segments, threads if inner > 1 else 1)
        device.launch(total, grid, threads, flat, totals, *shape)
        constants = (operation, dtype, exclusive, threads, _ITEMS, True, False)
        combine = Kernel("scan", "scan_rows", constants)
        alone = (lines, segments, 1, 1, segments)
        device.launch(combine, blocks_for(lines, 1), threads, totals, totals, before, *alone)
    constants = (operation, dtype, exclusive, threads, _ITEMS, exclusive, segments > 1)
    kernel = Kernel("scan", "scan_columns" if inner > 1 else "scan_rows", constants)
    grid = blocks_for(lines * segments, threads if inner > 1 else 1)
    device.launch(kernel, grid, threads, flat, before, out.reshape(-1), *shape)
    return out


def workspace_bytes(shape: tuple[int, ...], axis: int, dtype: Any, threads: int = 256) -> int:
    """Return the bytes that `scan` allocates beside its result.

    Examples
    --------
    >>> workspace_bytes((5000, 1000), 1, np.float64), workspace_bytes((10_000_000,), 0, np.float64)
    (0, 32768)
    """
    outer, length, inner = split_shape(shape, axis)
    segments = cut(outer * inner, length, threads * _ITEMS).segments
    cells = 2 * outer * inner * segments if segments > 1 and outer * length * inner else 0
    return cells * np.dtype(dtype).itemsize
