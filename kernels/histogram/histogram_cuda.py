"""Histograms on a GPU: counts by atomic integers, weights in a fixed order without atomics.

Counts go to bins that a block has for itself in shared memory, where these fit, and are added to
the common ones at the end. The order of integer additions does not show. That of floats does:
weighted sums have a row of bins for each block in device memory; of the threads that meet in a bin,
the first adds what they all have in order of position; and the rows are added in order of blocks.

Source of the method: Podlozhnyuk, "Histogram calculation in CUDA" (NVIDIA, 2007).
"""

from typing import Any

import numpy as np

from ..device import Device, Kernel, Stretches, blocks_for, stretches_of
from .checks import check_counted

__all__ = ["bincount", "histogram", "workspace_bytes"]

_PRIVATE_BINS = 8192  # counts of 4 bytes that fit the 48 KiB of shared memory that every GPU grants
_BLOCKS = 1024
_ROWS = 2**25  # cells of all rows of weighted bins together
_MOST_VALUES = 2**31 - 1  # that one block counts in 32 bits


def _stretches(n: int, bins: int, weighted: bool, threads: int) -> Stretches:
    if weighted:
        return stretches_of(n, threads, max(1, min(_BLOCKS // 2, _ROWS // max(1, bins))))
    return stretches_of(n, threads, _BLOCKS, least=-(-n // _MOST_VALUES))


def bincount(
    device: Device, values: Any, length: int, weights: Any = None, threads: int = 256
) -> Any:
    """Count how often each of the integers from 0 to `length` occurs, or add up their weights.

    Launches: one kernel; with weights a second, which adds the rows of the blocks. Grid: up to 1024
    blocks of `threads`; shared memory: up to 32 KiB; workspace: see `workspace_bytes`.

    Parameters
    ----------
    values : 1-d array on the device, integers
        What is not from 0 to `length` is not counted.
    length : int
    weights : 1-d array on the device, integers or floats, optional
        Added as float64.
    threads : int
        Of a block.

    Returns
    -------
    counts : int64, or float64 with weights, of `length` elements
    """
    dtype = None if weights is None else np.dtype(np.float64)
    return _count(device, "itself", values, weights, values.reshape(-1), length, dtype, threads)


def histogram(
    device: Device,
    values: Any,
    edges: Any,
    equal: bool,
    weights: Any = None,
    threads: int = 256,
) -> Any:
    """Count values between edges, or add up their weights.

    A bin holds its lower edge, the last one both. NaN is in no bin. Launches as for `bincount`.

    Parameters
    ----------
    values : 1-d array on the device, integers or floats
    edges : 1-d array on the device, one more than bins, ascending
    equal : bool
        Whether edges lie equally far apart but for rounding, as NumPy's `histogram_bin_edges` gives
        them; the bin is then found by arithmetic, and set right by the edges as NumPy does it.
    weights : 1-d array on the device, integers or floats, optional
        Integers are added as int64, float32 as float32.
    threads : int
        Of a block.

    Returns
    -------
    counts : int64, or in the dtype of the sums, one less than edges
    """
    dtype = None
    if weights is not None:
        dtype = np.dtype(np.int64 if weights.dtype.kind in "iu" else weights.dtype)
    place = "equal" if equal else "between"
    return _count(device, place, values, weights, edges, len(edges) - 1, dtype, threads)


def workspace_bytes(n: int, bins: int, itemsize: int, threads: int = 256) -> int:
    """Return the bytes that sums of `n` weights need beside the result; counts need none.

    Examples
    --------
    >>> workspace_bytes(10_000_000, 100, 8)
    409600
    """
    return _stretches(n, bins, True, threads).blocks * bins * itemsize if n else 0


def _count(
    device: Device,
    place: str,
    values: Any,
    weights: Any,
    edges: Any,
    bins: int,
    dtype: Any,
    threads: int,
) -> Any:
    check_counted(values, weights)
    n = values.size
    blocks, size = _stretches(n, bins, dtype is not None, threads)
    if dtype is None:
        out = device.zeros(bins, np.int64)
        # Powers of two, so that few kernels are compiled.
        private = 1 << (bins - 1).bit_length() if 0 < bins <= _PRIVATE_BINS else 0
        if n and bins:
            kernel = Kernel("histogram", "counts", (place, private, threads))
            device.launch(kernel, blocks, threads, values, edges, out, n, bins, size)
        return out
    if not n or not bins:
        return device.zeros(bins, dtype)
    out = device.empty(bins, dtype)
    rows = device.zeros(blocks * bins, dtype)
    kernel = Kernel("histogram", "sums", (place, dtype, threads))
    device.launch(kernel, blocks, threads, values, edges, weights, rows, n, bins, size)
    grid = blocks_for(bins, threads)
    device.launch(Kernel("histogram", "add_rows", (dtype,)), grid, threads, rows, out, blocks, bins)
    return out
