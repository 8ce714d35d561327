"""The text of the kernel that transposes tiles."""

from typing import Any

from numba import cuda, from_dtype

__all__ = ["build_transpose"]


def build_transpose(dtype: Any, side: int, threads: int) -> Any:
    """Build what transposes tiles of `side` x `side` elements."""
    cast, padded = from_dtype(dtype), side + 1

    def transpose_tiles(source: Any, target: Any, tiles: int, rows: int, columns: int) -> None:
        """Copy tiles, a block for each; a thread has the same column of a tile in every step."""
        tile = cuda.shared.array((side, padded), cast)
        down, across = (rows + side - 1) // side, (columns + side - 1) // side
        for job in range(cuda.blockIdx.x, tiles, cuda.gridDim.x):
            matrix = job // (down * across)
            row = (job // across) % down * side
            column = job % across * side
            start = matrix * rows * columns
            for k in range(cuda.threadIdx.x, side * side, threads):
                i, j = k // side, k % side
                if row + i < rows and column + j < columns:
                    tile[i, j] = source[start + (row + i) * columns + column + j]
            cuda.syncthreads()
            for k in range(cuda.threadIdx.x, side * side, threads):
                i, j = k // side, k % side
                if column + i < columns and row + j < rows:
                    target[start + (column + i) * rows + row + j] = tile[j, i]
            cuda.syncthreads()

    return transpose_tiles
