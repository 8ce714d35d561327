"""Stencils on a GPU: blocks load a tile and what surrounds it into shared memory, then add.

Source of the method: Micikevicius, "3D finite difference computation on GPUs using CUDA" (2009).
"""

from typing import Any

from ..device import Device, Kernel, blocks_for
from .boundaries import check_stencil

__all__ = ["stencil"]

_SHARED = 48 * 1024  # bytes that every GPU grants a block
_TILES = {2: (1, 8, 32), 3: (4, 4, 32)}


def stencil(
    device: Device,
    values: Any,
    weights: Any,
    boundary: str = "none",
    constant: float = 0.0,
    threads: int = 256,
) -> Any:
    """Return the weighted sum of the neighbourhood of each element.

    Launches one kernel. Grid: up to 4096 blocks of `threads`; shared memory: a tile of 8 x 32 or
    4 x 4 x 32 elements with its surroundings, at most 48 KiB; workspace: none.

    Parameters
    ----------
    values : contiguous array on the device, float32 or float64, of two or three dimensions
    weights : contiguous array on the device, of the same dtype and number of dimensions
        Odd sizes; the middle one belongs to the element itself. Where a weight is zero there is
        no neighbour, so that a NaN there does no harm. Added in C order.
    boundary : {"none", "periodic", "reflect", "nearest", "constant"}
        What lies beyond the edges, as in `map_overlap`; with "none" nothing, which adds nothing.
    constant : float
        What lies beyond the edges with "constant".
    threads : int
        Of a block.

    Raises
    ------
    ValueError
        If the neighbourhood has an even size, or does not fit the shared memory with a tile.
    TypeError
        If the grid is not of float32 or float64, or the weights are of another dtype.
    """
    check_stencil(values, weights, boundary)
    if weights.dtype != values.dtype:
        raise TypeError(f"weights of {weights.dtype} for a grid of {values.dtype}: use astype")
    out = device.empty(values.shape, values.dtype)
    if not values.size:
        return out
    tile = _TILES[values.ndim]
    reach = tuple(size // 2 for size in (1, *weights.shape)[-3:])
    staged = values.dtype.itemsize
    for side, margin in zip(tile, reach, strict=True):
        staged *= side + 2 * margin
    if staged > _SHARED:
        raise ValueError(
            f"a tile with a neighbourhood of {tuple(weights.shape)} takes {staged} bytes of shared "
            f"memory, more than {_SHARED}: apply it in parts, or by convolution"
        )
    shape = (1, *values.shape)[-3:]
    tiles = 1
    for size, side in zip(shape, tile, strict=True):
        tiles *= -(-size // side)
    kernel = Kernel("stencil", "stencil", (values.dtype, tile, reach, boundary, threads))
    arrays = (each.reshape(-1) for each in (values, weights, out))
    grid = blocks_for(tiles, 1)
    device.launch(kernel, grid, threads, *arrays, tiles, *shape, float(constant))
    return out
