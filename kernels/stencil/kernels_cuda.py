"""The text of the kernel that adds up neighbourhoods."""

from typing import Any

from numba import cuda, from_dtype

from .boundaries import BOUNDARIES

__all__ = ["build_stencil"]


@cuda.jit(device=True, inline="always")
def _inside(place: int, length: int, beyond: int) -> int:
    """Return the position that a place beyond the edges stands for, -1 for none."""
    found = place
    if place < 0 or place >= length:
        found = -1
        if beyond == 1:
            found = place % length
        elif beyond == 2:
            found = place % (2 * length)
            found = min(found, 2 * length - 1 - found)
        elif beyond == 3:
            found = min(max(place, 0), length - 1)
    return found


def build_stencil(
    dtype: Any,
    tile: tuple[int, int, int],
    reach: tuple[int, int, int],
    boundary: str,
    threads: int,
) -> Any:
    """Build what adds up neighbourhoods that reach so far, tile by tile."""
    cast, beyond = from_dtype(dtype), BOUNDARIES.index(boundary)
    is_constant, zero = boundary == "constant", dtype.type(0)
    deep, high, wide = tile
    above, before, left = reach
    box = (deep + 2 * above) * (high + 2 * before) * (wide + 2 * left)
    box_rows, box_columns = high + 2 * before, wide + 2 * left
    n_rows, n_columns = 2 * before + 1, 2 * left + 1
    n_weights = (2 * above + 1) * n_rows * n_columns

    def weigh_neighbours(
        values: Any,
        weights: Any,
        out: Any,
        tiles: int,
        planes: int,
        rows: int,
        columns: int,
        constant: float,
    ) -> None:
        """Load a tile with its surroundings, then add up for each of its elements."""
        staged = cuda.shared.array(box, cast)
        across, down = (columns + wide - 1) // wide, (rows + high - 1) // high
        for job in range(cuda.blockIdx.x, tiles, cuda.gridDim.x):
            plane, row = job // (across * down) * deep, job // across % down * high
            column = job % across * wide
            for k in range(cuda.threadIdx.x, box, threads):
                p = _inside(plane - above + k // (box_rows * box_columns), planes, beyond)
                r = _inside(row - before + k // box_columns % box_rows, rows, beyond)
                c = _inside(column - left + k % box_columns, columns, beyond)
                if p >= 0 and r >= 0 and c >= 0:
                    staged[k] = values[(p * rows + r) * columns + c]
                else:
                    staged[k] = cast(constant) if is_constant else zero
            cuda.syncthreads()
            for k in range(cuda.threadIdx.x, deep * high * wide, threads):
                p, r, c = k // (high * wide), k // wide % high, k % wide
                if plane + p < planes and row + r < rows and column + c < columns:
                    total = zero
                    for w in range(n_weights):
                        weight = weights[w]
                        if weight != zero:
                            i = p + w // (n_rows * n_columns)
                            j = r + w // n_columns % n_rows
                            at = (i * box_rows + j) * box_columns + c + w % n_columns
                            total = cast(total + weight * staged[at])
                    out[((plane + p) * rows + row + r) * columns + column + c] = total
            cuda.syncthreads()

    return weigh_neighbours
