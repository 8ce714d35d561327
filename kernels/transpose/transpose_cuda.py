"""Transposed copies on a GPU, tile by tile through shared memory.

Rows of 32 elements are read and rows of 32 are written, so that both come in whole sectors. A tile
is one element wider than it need be: its columns lie in different banks.
Source of the method: Ruetsch and Micikevicius, "Optimizing matrix transpose in CUDA" (2009).
"""

from typing import Any

from ..device import Device, Kernel, blocks_for
from .checks import check_matrices

__all__ = ["transpose"]

_TILE = 32


def transpose(device: Device, values: Any, threads: int = 256) -> Any:
    """Return a contiguous copy with the last two axes exchanged.

    Launches one kernel. Grid: up to 4096 blocks of `threads`; shared memory: 1056 elements;
    workspace: none.

    Parameters
    ----------
    values : contiguous array on the device
        Elements of 1, 2, 4, 8 or 16 bytes, of two dimensions or more.
    threads : int
        Of a block.

    Raises
    ------
    TypeError
        If elements have another size, or are no numbers.
    ValueError
        If there are fewer than two dimensions.
    """
    word = check_matrices(values)
    *outer, rows, columns = values.shape
    out = device.empty((*outer, columns, rows), values.dtype)
    if not values.size:
        return out
    tiles = -(-rows // _TILE) * -(-columns // _TILE) * (values.size // (rows * columns))
    source, target = (each.reshape(-1).view(word) for each in (values, out))
    kernel = Kernel("transpose", "transpose", (word, _TILE, threads))
    device.launch(kernel, blocks_for(tiles, 1), threads, source, target, tiles, rows, columns)
    return out
