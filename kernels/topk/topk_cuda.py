"""Selection on a GPU by radix: the bits of the last element that is chosen, eight at a time.

Numbers become unsigned integers in the same order. In each round blocks count the next eight bits
of those that agree with what is known of the last chosen one, and a thread for each row picks the
digit in which it lies. Then elements before it are taken, and of those equal to it the first ones.
Source of the method: Alabi, Blanchard, Gordon and Steinbach, "Fast k-selection algorithms for
graphics processing units" (2012).
"""

from typing import Any

import numpy as np

from ..device import Device, Kernel, blocks_for, word_of
from ..scan.operations import cut
from ..scan.scan_cuda import scan
from ..scan.scan_cuda import workspace_bytes as scan_bytes
from .checks import check_rows

__all__ = ["topk", "workspace_bytes"]


# How the bits of an element become a key: kind, whether the smallest are the best, the bit of the
# sign, all bits, and the bits of infinity. Constants of the kernels' text.
_Order = tuple[str, bool, int, int, int]


def _order(dtype: Any, largest: bool) -> _Order:
    width = 8 * dtype.itemsize
    infinity = {2: 0x7C00, 4: 0x7F800000, 8: 0x7FF0000000000000}.get(dtype.itemsize, 0)
    return dtype.kind, not largest, 1 << (width - 1), (1 << width) - 1, infinity


def topk(
    device: Device, values: Any, k: int, largest: bool = True, threads: int = 256
) -> tuple[Any, Any]:
    """Return the `k` largest or smallest elements of each row, and their positions in it.

    NaN is larger than all numbers, as in NumPy's sorting. First come those that are better than the
    last one, then those equal to it, each in order of position: of equal ones the first are chosen.

    Launches two kernels for each byte of an element, then a count, a scan and the result. Grids: up
    to 2048 blocks of `threads`, or one for each row; shared memory: 1 KiB, or 8 bytes for each
    thread; workspace: see `workspace_bytes`.

    Parameters
    ----------
    values : contiguous array on the device, integers or floats
        Rows lie along the last axis, of less than 2**31 elements each.
    k : int
    largest : bool
    threads : int
        Of a block, a power of two.

    Raises
    ------
    ValueError
        If rows have fewer than `k` elements, or too many.
    TypeError
        If elements are no integers and no floats.
    """
    check_rows(values, k)
    *outer, length = values.shape
    chosen = device.empty((*outer, k), values.dtype)
    places = device.empty((*outer, k), np.int64)
    rows = values.size // max(1, length)
    if not rows * k:
        return chosen, places
    word = word_of(values.dtype)
    bits = values.reshape(-1).view(word)
    order = _order(values.dtype, largest)
    shape = (rows, length, *cut(rows, length, 4 * threads))
    segments = shape[2]
    last = device.zeros(rows, np.uint64)
    left = device.zeros(rows, np.int64)
    _find_last(device, bits, order, k, last, left, shape, threads)
    counts = device.empty((rows, segments), np.int64)
    grid = blocks_for(rows * segments, 1)
    count = Kernel("topk", "count_better", (order, threads))
    device.launch(count, grid, threads, bits, last, counts.reshape(-1), *shape)
    before = scan(device, counts, "add", exclusive=True, threads=threads)
    arrays = (bits, last, left, before.reshape(-1), chosen.reshape(-1).view(word))
    take = Kernel("topk", "take", (order, threads))
    device.launch(take, grid, threads, *arrays, places.reshape(-1), k, *shape)
    return chosen, places


def workspace_bytes(rows: int, length: int, threads: int = 256) -> int:
    """Return the bytes that `topk` allocates beside its results.

    Examples
    --------
    >>> workspace_bytes(1, 10_000_000)
    34864
    """
    counts = rows * cut(rows, length, 4 * threads).segments
    shape = (rows, counts // max(1, rows))
    return rows * (256 + 2) * 8 + 2 * counts * 8 + scan_bytes(shape, 1, np.int64, threads)


def _find_last(
    device: Device,
    bits: Any,
    order: _Order,
    k: int,
    last: Any,
    left: Any,
    shape: tuple[int, int, int, int],
    threads: int,
) -> None:
    """Find the key of the last element chosen, and how many of its equals are."""
    rows, _, segments, _ = shape
    digits = device.zeros(rows * 256, np.int64)
    count = Kernel("topk", "count_digits", (order, threads))
    pick = Kernel("topk", "pick_digit", ())
    for shift in range(8 * bits.dtype.itemsize - 8, -1, -8):
        grid = blocks_for(rows * segments, 1)
        device.launch(count, grid, threads, bits, last, digits, shift, *shape)
        grid = blocks_for(rows, threads)
        device.launch(pick, grid, threads, digits, last, left, rows, shift, k)
