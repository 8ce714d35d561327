"""The texts of the kernels that count; `histogram_cuda.py` says what each is launched for."""

from typing import Any

import numpy as np
from numba import cuda, from_dtype

__all__ = ["build_counts", "build_sums", "build_add_rows"]

# How the bin of a value is found: it is the bin; by arithmetic; by bisection.
_PLACES = ("itself", "equal", "between")
_ITSELF, _EQUAL, _BETWEEN = range(3)


@cuda.jit(device=True, inline="always")
def _bin_of(place: int, value: Any, edges: Any, bins: int) -> int:
    """Return the bin of a value, -1 for none; comparisons with NaN are false."""
    found = -1
    if place == _ITSELF:
        if value >= 0 and value < bins:
            found = int(value)
    elif value >= edges[0] and value <= edges[bins]:
        if place == _EQUAL:
            low = float(edges[0])
            share = (float(value) - low) / (float(edges[bins]) - low)
            found = min(int(share * bins), bins - 1)
            if value < edges[found]:
                found -= 1
            elif found < bins - 1 and value >= edges[found + 1]:
                found += 1
        else:
            # The last edge that is not above the value, but not the very last.
            found, above = 0, bins
            while above - found > 1:
                middle = (found + above) // 2
                if edges[middle] <= value:
                    found = middle
                else:
                    above = middle
    return found


def build_counts(where: str, private: int, threads: int) -> Any:
    """Build what counts the values in bins; `private` of them lie in shared memory."""
    place, shared_bins = _PLACES.index(where), max(1, private)
    counter = from_dtype(np.dtype(np.int32))

    def counts(values: Any, edges: Any, out: Any, n: int, bins: int, size: int) -> None:
        """Count the values of a segment, a block for each."""
        own = cuda.shared.array(shared_bins, counter)
        start = cuda.blockIdx.x * size + cuda.threadIdx.x
        stop = min((cuda.blockIdx.x + 1) * size, n)
        if private > 0:
            for k in range(cuda.threadIdx.x, bins, threads):
                own[k] = 0
            cuda.syncthreads()
        for i in range(start, stop, threads):
            found = _bin_of(place, values[i], edges, bins)
            if found >= 0:
                if private > 0:
                    cuda.atomic.add(own, found, 1)
                else:
                    cuda.atomic.add(out, found, 1)
        if private > 0:
            cuda.syncthreads()
            for k in range(cuda.threadIdx.x, bins, threads):
                if own[k] > 0:
                    cuda.atomic.add(out, k, own[k])

    return counts


def build_sums(where: str, dtype: Any, threads: int) -> Any:
    """Build what adds up the weights in bins, a row of them for each block."""
    place = _PLACES.index(where)
    cast, index = from_dtype(dtype), from_dtype(np.dtype(np.int64))

    def sums(
        values: Any, edges: Any, weights: Any, rows: Any, n: int, bins: int, size: int
    ) -> None:
        """Add up the weights of a segment in a row of bins, a block for each."""
        places = cuda.shared.array(threads, index)
        amounts = cuda.shared.array(threads, cast)
        thread = cuda.threadIdx.x
        row = cuda.blockIdx.x * bins
        stop = min((cuda.blockIdx.x + 1) * size, n)
        for start in range(cuda.blockIdx.x * size, stop, threads):
            found = -1
            if start + thread < stop:
                found = _bin_of(place, values[start + thread], edges, bins)
                amounts[thread] = cast(weights[start + thread])
            places[thread] = found
            cuda.syncthreads()
            is_first = found >= 0
            for k in range(thread):
                if places[k] == found:
                    is_first = False
            if is_first:
                total = rows[row + found]
                for k in range(thread, threads):
                    if places[k] == found:
                        total = cast(total + amounts[k])
                rows[row + found] = total
            cuda.syncthreads()

    return sums


def build_add_rows(dtype: Any) -> Any:
    """Build what adds up the rows of bins."""
    cast = from_dtype(dtype)

    def add_rows(rows: Any, out: Any, blocks: int, bins: int) -> None:
        """Add the rows of all blocks in their order, a thread for each bin."""
        for k in range(cuda.grid(1), bins, cuda.gridsize(1)):
            total = rows[k]
            for block in range(1, blocks):
                total = cast(total + rows[block * bins + k])
            out[k] = total

    return add_rows
