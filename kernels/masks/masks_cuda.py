"""Masks on a GPU in two passes: counts of blocks, then each block from what comes before it."""

from typing import Any

import numpy as np

from ..device import Device, Kernel, stretches_of, word_of
from ..scan.scan_cuda import scan
from .checks import check_mask

__all__ = ["compress", "positions"]

_BLOCKS = 1024


def positions(device: Device, mask: Any, threads: int = 256) -> Any:
    """Return the positions at which a mask is true, ascending.

    Launches three kernels and waits after the second one, which tells how large the result is:
    counts of blocks, a scan of these, the result. Grid: up to 1024 blocks of `threads`; shared
    memory: 8 bytes for each thread; workspace: 16 bytes for each block, and one more.

    Parameters
    ----------
    mask : 1-d array on the device, bool
    threads : int
        Of a block, a power of two.

    Returns
    -------
    positions : int64, as many as there are true elements
    """
    return _compact(device, mask, None, threads)


def compress(device: Device, values: Any, mask: Any, threads: int = 256) -> Any:
    """Return the elements at which a mask is true, in their order; launches as for `positions`.

    Parameters
    ----------
    values : 1-d array on the device
    mask : 1-d array on the device, bool, of the same length
    threads : int
        Of a block, a power of two.
    """
    return _compact(device, mask, values, threads)


def _compact(device: Device, mask: Any, values: Any, threads: int) -> Any:
    check_mask(mask, values)
    dtype = np.dtype(np.int64) if values is None else values.dtype
    word = word_of(dtype)
    if not mask.size:
        return device.empty(0, dtype)
    flags = mask.view(np.uint8)
    blocks, size = stretches_of(mask.size, threads, _BLOCKS)
    counts = device.zeros(blocks + 1, np.int64)  # what follows the last one is the sum of all
    count = Kernel("masks", "counts", (threads,))
    device.launch(count, blocks, threads, flags, counts, mask.size, size)
    before = scan(device, counts, "add", exclusive=True, threads=threads)
    out = device.empty(device.number(before[blocks:]), dtype)
    source = flags if values is None else values.view(word)
    kernel = Kernel("masks", "place", (values is not None, threads))
    sizes = (mask.size, size)
    device.launch(kernel, blocks, threads, flags, before, source, out.view(word), *sizes)
    return out
